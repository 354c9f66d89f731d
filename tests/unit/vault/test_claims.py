"""Claim first: too many faces for a press alone, so somebody says who they are, and is compared with that one face."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import pytest

from device import wire
from device.consent import Terms
from device.edges import Room
from device.vault.budget import FAILURES_ALLOWED, Budget, Thresholds
from device.vault.faces import Faces
from device.vault.gallery import Gallery, gallery_of
from device.vault.readiness import Readiness
from device.wire import LookMode, Outcome
from tests.unit.vault.house import House
from tests.unit.vault.tails import STEPS, line, tail
from tests.unit.vault.values import TERMS, at_cosine, unit

ANNA, BO, CLEO = unit(1), unit(2), unit(3)
OTHER: Terms = replace(TERMS, purpose="another purpose")
ROOM_FOR_TWO = Thresholds(Budget(), tail({"some": line(3.2)}, shift=0.0), 3)
ROOM_FOR_NOBODY = Thresholds(Budget(), tail({"flat": (1e-3,) * STEPS}), 3)


# ---- is a look worth it


def nothing(_house: House) -> None:
    """The face stays as it was enrolled."""


def paused(house: House) -> None:
    house.act(wire.Pause, 11)


def erased(house: House) -> None:
    house.act(wire.Erase, 11)


def without_a_pin(house: House) -> None:
    house.lose_pin(11)


def under_other_terms(house: House) -> None:
    house.restart_under(OTHER)


def ended(house: House) -> None:
    house.unix_s += 1000


def before_keeper_was_heard(house: House) -> None:
    house.restart()
    house.connect(Room.LOCK, Room.EYE)


def damaged(house: House) -> None:
    record = house.vault.faces._store.record_id(11)
    assert record
    house.disk.unlink(house.folder / f"{record.hex()}.rec")
    house.restart()
    house.connect()


SLEEPS = [paused, erased, without_a_pin, under_other_terms, ended, before_keeper_was_heard, damaged]


def opened_by_claim(house: House, then: Callable[[House], None]) -> tuple[bool, bool]:
    """(what vault answers about ANNA's claim, whether her face opens with it) after `then`."""
    house.ends[11] = int(house.unix_s) + 500
    house.enrol(11, ANNA)
    then(house)
    return house.claims(11), house.probe(ANNA, claim=11).outcome is Outcome.ACCEPTED


def test_a_claim_to_a_face_that_is_awake_is_worth_a_look_and_opens(house: House) -> None:
    assert opened_by_claim(house, nothing) == (True, True)


@pytest.mark.parametrize("then", SLEEPS)
def test_a_claim_to_a_face_that_sleeps_is_not_worth_a_look_and_never_opens(
    house: House, then: Callable[[House], None]
) -> None:
    assert opened_by_claim(house, then) == (False, False)


@pytest.mark.parametrize("then", [paused, without_a_pin, under_other_terms, ended])
def test_a_vault_that_looks_a_claim_up_among_all_records_is_seen(
    house: House, monkeypatch: pytest.MonkeyPatch, then: Callable[[House], None]
) -> None:
    def any_record(self: Faces, slot: int, **_kind: bool) -> Gallery:
        return gallery_of({slot: self._rotation.apply(house.template(slot))}, self._rotation)

    monkeypatch.setattr(Faces, "only", any_record)
    assert opened_by_claim(house, then) == (False, True)


def test_a_claim_to_nobody_s_place_is_not_worth_a_look(house: House) -> None:
    house.enrol(11, ANNA)
    assert [house.claims(slot) for slot in (wire.NOBODY, 12, 2**32 - 1)] == [False] * 3
    assert house.probe(ANNA, claim=12).outcome is Outcome.REFUSED
    assert house.probe(ANNA, claim=2**32 - 1).outcome is Outcome.REFUSED


def test_where_not_even_one_face_can_meet_the_budget_no_claim_is_worth_a_look(house: House) -> None:
    house.vault.recogniser.thresholds = ROOM_FOR_NOBODY
    house.enrol(11, ANNA)
    assert (house.ready(), house.claim_first(), house.claims(11)) == ((False, False), False, False)
    assert house.probe(ANNA, claim=11).outcome is Outcome.REFUSED


def test_asking_opens_no_window(house: House) -> None:
    house.enrol(11, ANNA)
    assert house.claims(11)
    name = next(iter(house.asked), b"x" * 16)
    before = len(house.got(Room.LOCK, wire.Verdict))
    probe = wire.Probe(name, house.now_ns, 3, wire.Attack.NOT_TESTED, b"m" * 8, ANNA.astype("<f4").tobytes())
    house.say(Room.EYE, probe)
    assert len(house.got(Room.LOCK, wire.Verdict)) == before


# ---- one to one


def verdicts_by_claim(house: House) -> dict[tuple[str, int], int]:
    """Which slot each face opens under each claim: 0 for none. Lock hears a slot only of who opened."""
    house.enrol(11, ANNA)
    house.enrol(12, BO)
    found = {}
    for name, face in (("Anna", ANNA), ("Bo", BO), ("nobody", CLEO)):
        for claim in (11, 12, 13):
            house.wait(30)
            found[name, claim] = house.probe(face, claim=claim).slot
    return found


RIGHT = {("Anna", 11): 11, ("Bo", 12): 12}


def test_a_face_opens_under_its_own_number_and_no_other(house: House) -> None:
    assert {key: slot for key, slot in verdicts_by_claim(house).items() if slot} == RIGHT


def test_a_vault_that_takes_no_notice_of_the_claim_is_seen(house: House, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Faces, "only", lambda self, _slot, **kind: self.gallery(**kind))
    found = {key: slot for key, slot in verdicts_by_claim(house).items() if slot}
    assert set(found) > set(RIGHT)
    assert found["Bo", 11] == 12


def test_a_better_match_with_somebody_else_is_not_even_looked_at(house: House) -> None:
    house.enrol(11, ANNA)
    house.enrol(12, at_cosine(ANNA, 0.8))
    probe = at_cosine(house.template(12), 0.9, seed=5)
    assert house.probe(probe).slot == 12
    assert house.probe(probe, claim=11).slot == 11, "compared with 11 alone, and near enough to it"
    stranger_to_anna = at_cosine(house.template(11), 0.4, seed=6)
    assert house.probe(stranger_to_anna, claim=11).outcome is Outcome.REFUSED


def test_a_claim_is_compared_under_the_threshold_of_one_face(house: House) -> None:
    thresholds = Thresholds(Budget(), tail({"some": line(6)}, shift=0.0), 3)
    house.vault.recogniser.thresholds = thresholds
    house.enrol(11, ANNA)
    house.enrol(12, BO)
    one, two = thresholds.threshold(1, 3), thresholds.threshold(2, 3)
    assert one is not None
    assert two is not None
    probe = at_cosine(house.template(11), (one + two) / 2)
    assert house.probe(probe).outcome is Outcome.REFUSED
    assert house.probe(probe, claim=11).slot == 11
    assert house.probe(at_cosine(house.template(11), one - 0.01), claim=11).outcome is Outcome.REFUSED


def test_claims_buy_no_tries(house: House) -> None:
    house.enrol(11, ANNA)
    house.enrol(12, BO)
    for claim in range(11, 11 + FAILURES_ALLOWED):
        assert house.probe(CLEO, claim=claim).outcome is Outcome.REFUSED
    assert house.probe(ANNA, claim=11).outcome is Outcome.REFUSED


def test_a_wrong_claim_looks_like_a_stranger(house: House) -> None:
    house.enrol(11, ANNA)
    house.enrol(12, BO)
    name = b"n" * 16
    ways = [house.probe(face, claim=claim) for face, claim in ((ANNA, 12), (CLEO, 12), (CLEO, 0), (ANNA, 13))]
    assert len({wire.pack(replace(verdict, nonce=name)) for verdict in ways}) == 1


def test_a_claim_changes_nothing_about_an_enrolment(house: House) -> None:
    house.enrol(12, BO)
    grant = house.begin(11)
    house.show(ANNA, house.window(LookMode.ENROL, claim=12))
    house.close_window()
    house.confirm(11)
    assert house.result(grant) is wire.Result.DONE
    assert (house.recognised(ANNA), house.recognised(BO)) == (11, 12)


# ---- too many faces


def crowded(house: House) -> list[tuple[bool, bool]]:
    """What lock is told of (recognise, claim_first) while three move in where there is room for two, and one leaves."""
    house.vault.recogniser.thresholds = ROOM_FOR_TWO
    for slot, face in ((11, ANNA), (12, BO), (13, CLEO)):
        house.enrol(slot, face)
    house.act(wire.Erase, 12)
    told = [(ready.recognise, ready.claim_first) for ready in house.got(Room.LOCK, wire.FaceReady) if not ready.enrol]
    return [now for before, now in zip([None, *told], told, strict=False) if now != before]


def test_a_crowd_is_asked_for_a_claim_and_never_told_both(house: House) -> None:
    assert crowded(house) == [(False, False), (True, False), (False, True), (True, False)]
    assert not any(ready.recognise and ready.claim_first for ready in house.got(Room.LOCK, wire.FaceReady))


def test_in_a_crowd_nobody_is_recognised_without_a_claim_and_everybody_with_theirs(house: House) -> None:
    house.vault.recogniser.thresholds = ROOM_FOR_TWO
    people = {11: ANNA, 12: BO, 13: CLEO}
    for slot, face in people.items():
        house.enrol(slot, face)
    assert house.claim_first()
    assert [house.recognised(face) for face in people.values()] == [None] * 3
    assert all(house.claims(slot) for slot in people)
    for slot, face in people.items():
        house.wait(30)
        assert [house.probe(face, claim=claim).slot for claim in people] == [slot * (slot == claim) for claim in people]


def test_a_vault_that_loosens_for_a_crowd_is_seen(house: House, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Readiness, "_all_have", lambda _self, _kinds, _gallery, **_kind: True)
    assert crowded(house)[-2:] != [(False, True), (True, False)]
