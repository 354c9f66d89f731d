"""Probe in, one verdict out: who is recognised, what is refused, and that nobody outside can tell why."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping

import numpy as np
import pytest

from device import edges, wire
from device.edges import Room
from device.errors import NotPermitted
from device.vault.budget import FAILURES_ALLOWED
from device.vault.gallery import Gallery, gallery_of
from device.vault.recognition import NONCES_REMEMBERED, Recogniser
from device.vault.record import ONE_PICTURE, Vector
from device.vault.rotation import Rotation
from device.wire import Attack, LookMode, Outcome, Probe
from tests.unit.vault.house import House
from tests.unit.vault.tails import fixed
from tests.unit.vault.values import MODEL, SECOND, THRESHOLD, at_cosine, nonce, unit

ANNA, BO = unit(1), unit(2)
ROTATION = Rotation.of(b"s" * 32)


def gallery(templates: Mapping[int, Vector]) -> Gallery:
    """The gallery that vault would have of `templates`, given as eye made them."""
    return gallery_of({slot: ROTATION.apply(vector) for slot, vector in templates.items()}, ROTATION)


def test_each_resident_is_recognised_as_their_own_slot_and_a_stranger_as_nobody(house: House) -> None:
    house.enrol(11, ANNA)
    house.enrol(12, BO)
    assert [house.recognised(face) for face in (ANNA, BO, unit(3))] == [11, 12, None]


def test_verdict_carries_the_probe_s_nonce_and_the_time_it_was_made(house: House) -> None:
    house.enrol(11, ANNA)
    name = nonce()
    verdict = house.probe(ANNA, nonce=name)
    assert verdict == wire.Verdict(name, house.now_ns, Outcome.ACCEPTED, 11)
    assert house.probe(unit(3)).slot == wire.NOBODY


def test_the_threshold_itself_is_a_match_and_just_below_is_none() -> None:
    held, probe = gallery({5: ANNA}), at_cosine(ANNA, 0.5)
    (score,) = held.templates @ held.rotation.apply(probe)
    assert score == pytest.approx(0.5, abs=1e-6)
    assert held.compare(probe, float(score)) == 5
    assert held.compare(probe, float(np.nextafter(score, np.float32(1)))) is None


def test_the_turn_changes_no_score() -> None:
    held = gallery({5: ANNA})
    for cosine in (-0.9, -0.1, 0.0, 0.3, 0.7, 0.99):
        (score,) = held.templates @ held.rotation.apply(at_cosine(ANNA, cosine))
        assert score == pytest.approx(cosine, abs=1e-6)
    assert abs(float(held.templates[0] @ ANNA)) < 0.5, "and it is turned: a probe that is not would match nobody"


def test_the_best_of_several_matches_wins() -> None:
    held = gallery({slot: at_cosine(ANNA, cosine) for slot, cosine in ((1, 0.7), (2, 0.9), (3, 0.8))})
    assert held.compare(ANNA, 0.5) == 2


def test_two_slots_with_the_same_best_score_are_nobody() -> None:
    assert gallery({1: ANNA, 2: ANNA}).compare(ANNA, 0.5) is None
    assert gallery({1: ANNA, 2: ANNA, 3: BO}).compare(BO, 0.5) == 3


def test_an_empty_gallery_recognises_nobody() -> None:
    assert gallery({}).compare(ANNA, 0.5) is None


def test_a_score_that_is_no_number_is_no_match() -> None:
    broken = np.full((1, 128), np.nan, dtype=np.float32)
    assert Gallery((1,), broken, ROTATION, (ONE_PICTURE,), (0,)).compare(ANNA, 0.5) is None


UNUSABLE: dict[str, dict[str, object]] = {
    "another model": {"model": b"n" * 8},
    "an attack": {"attack": Attack.PRESENTATION},
    "no result of the attack test": {"attack": Attack.INCONCLUSIVE},
    "turned, at a door without lights": {"attack": Attack.MOVED},
    "not finite": {"embedding": np.full(128, np.nan, dtype="<f4").tobytes()},
    "infinite": {"embedding": np.full(128, np.inf, dtype="<f4").tobytes()},
    "all zero": {"embedding": bytes(512)},
    "too long": {"embedding": (ANNA * 2).astype("<f4").tobytes()},
    "huge": {"embedding": np.full(128, 3e38, dtype="<f4").tobytes()},
}


@pytest.mark.parametrize("why", UNUSABLE)
def test_unusable_probe_of_a_resident_is_refused(house: House, why: str) -> None:
    house.enrol(11, ANNA)
    assert house.probe(ANNA).outcome is Outcome.ACCEPTED
    assert house.probe(ANNA, **UNUSABLE[why]).outcome is Outcome.REFUSED


@pytest.mark.parametrize(("age_ns", "accepted"), [(0, True), (2 * SECOND, True), (2 * SECOND + 1, False), (-1, False)])
def test_a_frame_counts_for_two_seconds_and_never_from_the_future(house: House, age_ns: int, accepted: bool) -> None:
    house.enrol(11, ANNA)
    assert (house.probe(ANNA, frame_ns=house.now_ns - age_ns).outcome is Outcome.ACCEPTED) == accepted


def test_every_refusal_looks_the_same_from_outside(house: House, capfd: pytest.CaptureFixture[str]) -> None:
    house.enrol(11, ANNA)
    capfd.readouterr()
    name = nonce()
    seen = set()
    ways: list[tuple[np.ndarray[tuple[int, ...], np.dtype[np.float32]], dict[str, object]]] = [
        (at_cosine(ANNA, cosine), {}) for cosine in (-0.9, 0.0, 0.3, THRESHOLD - 0.06)
    ]
    ways += [(ANNA, changes) for changes in UNUSABLE.values()]
    ways += [(unit(9), {})] * (FAILURES_ALLOWED + 1)
    for face, changes in ways:
        verdict = dataclasses.replace(house.probe(face, **changes), nonce=name)
        seen.add(wire.pack(verdict))
    assert len(seen) == 1
    assert capfd.readouterr() == ("", "")


def test_no_message_of_vault_has_room_for_a_score() -> None:
    """What vault may send is enums, flags, nonces, times and slots: no number a comparison could hide in is free.

    An Attack is eye's word on a try, in which nobody was compared (test_tries.py).

    But for what it signs and what the door is known by: those are looked at byte by byte in test_receipts.py. And for
    what somebody's sealed record holds, which they may know: test_held.py.
    """
    small = {"Nonce", "Outcome", "Result", "Hint", "Attack", "bool", "U32", "TimeNs"}
    papers: dict[type[wire.Message], set[str]] = {
        wire.Attestation: {"Nonce", "AttestationBytes"},
        wire.AttestationCopy: {"AttestationBytes"},
        wire.RecordAnswer: {"bool", "U8", "Hash", "TermsId"},
        wire.Held: {"Nonce", "HeldFace", "Day", "U8", "bool", "UnixSeconds", "TermsId"},
    }
    outgoing = {kind for edge in edges.EDGES for kind in _sent_by_vault(edge)}
    assert {wire.Verdict, wire.Done, wire.EnrolmentEnded, wire.FaceReady, wire.ClaimAnswer, *papers} <= outgoing
    for kind in outgoing:
        assert {str(f.type) for f in dataclasses.fields(kind)} <= papers.get(kind, small), kind


def _sent_by_vault(edge: edges.Edge) -> frozenset[type[wire.Message]]:
    return edges.permitted(edge, Room.VAULT) if Room.VAULT in (edge.listener, edge.connector) else frozenset()


class TalkativeRecogniser(Recogniser):
    """The seeded fault: a refused probe says how close it came, as a slot number."""

    def judge(self, probe: Probe, gallery: Gallery, now_ns: int) -> int | None:
        slot = super().judge(probe, gallery, now_ns)
        vector = np.frombuffer(probe.embedding, dtype="<f4")
        return (
            slot
            if slot is not None
            else int(1000 * abs(float((gallery.templates @ gallery.rotation.apply(vector)).max()))) + 1
        )


def climb(house: House, queries: int) -> float:
    """What an attacker reaches who sees every verdict and keeps each step that looks better: the cosine with ANNA."""
    rng = np.random.default_rng(7)
    best, best_seen = unit(50), -1
    for _ in range(queries):
        house.wait(21)
        step = best + 0.1 * rng.normal(size=128) / np.sqrt(128)
        guess = (step / np.linalg.norm(step)).astype(np.float32)
        verdict = house.probe(guess)
        if verdict.slot > best_seen:
            best, best_seen = guess, verdict.slot
        if verdict.outcome is Outcome.ACCEPTED and verdict.slot == 11:
            break
    return float(best @ ANNA)


def test_climbing_towards_a_template_gains_nothing_and_would_with_a_score(house: House) -> None:
    house.enrol(11, ANNA)
    assert climb(house, 1500) < 0.4
    house.vault._judge.recogniser = TalkativeRecogniser(MODEL[:8], fixed(THRESHOLD))
    assert climb(house, 1500) > 0.4


def test_a_second_probe_under_one_nonce_costs_eye_its_connection_and_raises_the_alarm(house: House) -> None:
    house.enrol(11, ANNA)
    name = nonce()
    house.probe(unit(3), nonce=name)  # lock has not closed the approach yet
    again = Probe(name, house.now_ns, 3, Attack.NOT_TESTED, MODEL[:8], ANNA.astype("<f4").tobytes())
    assert not house.say(Room.EYE, again)
    assert len(house.got(Room.LOCK, wire.Verdict)) == 1
    assert house.got(Room.LOCK, wire.Breach)


def test_the_memory_of_nonces_is_bounded() -> None:
    recogniser = Recogniser(MODEL[:8], fixed(THRESHOLD))
    held = gallery({1: ANNA})
    names = [nonce() for _ in range(NONCES_REMEMBERED + 10)]
    for name in names:
        recogniser.judge(Probe(name, 0, 1, Attack.NOT_TESTED, MODEL[:8], bytes(512)), held, 0)
    assert len(recogniser._seen) == NONCES_REMEMBERED
    with pytest.raises(NotPermitted):
        recogniser.judge(Probe(names[-1], 0, 1, Attack.NOT_TESTED, MODEL[:8], bytes(512)), held, 0)


def test_after_two_windows_of_failures_even_a_resident_waits(house: House) -> None:
    house.enrol(11, ANNA)
    for _ in range(FAILURES_ALLOWED):
        assert house.probe(unit(3)).outcome is Outcome.REFUSED
    assert house.probe(ANNA).outcome is Outcome.REFUSED
    house.wait(19.9)
    assert house.probe(ANNA).outcome is Outcome.REFUSED
    house.wait(0.1)
    assert house.probe(ANNA).outcome is Outcome.ACCEPTED


def test_recognised_probes_cost_nothing(house: House) -> None:
    house.enrol(11, ANNA)
    for _ in range(5 * FAILURES_ALLOWED):
        assert house.probe(ANNA).outcome is Outcome.ACCEPTED


def test_an_answer_goes_nowhere_while_lock_is_away(house: House) -> None:
    house.enrol(11, ANNA)
    name = house.window(LookMode.RECOGNISE)
    house.disconnect(Room.LOCK)
    house.say(Room.EYE, Probe(name, house.now_ns, 3, Attack.NOT_TESTED, MODEL[:8], ANNA.astype("<f4").tobytes()))
    house.connect(Room.LOCK)
    assert house.got(Room.LOCK, wire.Verdict) == []
