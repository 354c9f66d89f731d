"""A face that only turned as it was asked to: it stands for its flat, at every tier, and never opens."""

from __future__ import annotations

import pytest

from device import wire
from device.vault import judging, recognition
from device.vault.budget import FAILURES_ALLOWED
from device.vault.gallery import Gallery
from device.wire import Attack, Outcome
from tests.unit.vault.house import House, another_house
from tests.unit.vault.values import unit

ANNA, BO, STRANGER = unit(1), unit(2), unit(3)


def fitted(house: House, *, face_alone: bool) -> House:
    """Two residents at a door with lights."""
    house.enrol(11, ANNA)
    house.enrol(12, BO, under_14=True)
    house.lights, house.face_alone = True, face_alone
    house.restart()
    house.connect()
    return house


@pytest.mark.parametrize("face_alone", [True, False])
@pytest.mark.parametrize("claim", [wire.NOBODY, 11])
def test_it_is_known_and_needs_its_pin_whatever_a_face_is_worth_here(
    house: House, *, face_alone: bool, claim: int
) -> None:
    fitted(house, face_alone=face_alone)
    verdict = house.probe(ANNA, attack=Attack.MOVED, claim=claim)
    assert (verdict.outcome, verdict.slot) == (Outcome.WITH_PIN, 11)
    bona_fide = house.probe(ANNA, attack=Attack.BONA_FIDE, claim=claim)
    assert bona_fide.outcome is (Outcome.ACCEPTED if face_alone else Outcome.WITH_PIN), "and that alone is different"


def test_it_is_held_against_the_same_threshold_claim_and_freshness_as_any_other(house: House) -> None:
    fitted(house, face_alone=True)
    old_ns = house.now_ns - recognition.MAX_FRAME_AGE_NS - 1
    for refused in (
        house.probe(STRANGER, attack=Attack.MOVED),
        house.probe(ANNA, attack=Attack.MOVED, claim=12),
        house.probe(ANNA, attack=Attack.MOVED, frame_ns=old_ns),
        house.probe(ANNA, attack=Attack.MOVED, model=b"n" * 8),
    ):
        assert (refused.outcome, refused.slot) == (Outcome.REFUSED, wire.NOBODY)


def test_a_door_without_lights_knows_no_such_thing(house: House) -> None:
    house.enrol(11, ANNA)
    assert house.probe(ANNA, attack=Attack.MOVED).outcome is Outcome.REFUSED


def left_after(face: object) -> Outcome:
    """What somebody's own bona fide face is worth after as many turned ones as may fail, where a face alone opens."""
    with another_house() as house:
        fitted(house, face_alone=True)
        house.wait(60)
        for _ in range(FAILURES_ALLOWED):
            house.probe(face, attack=Attack.MOVED)  # type: ignore[arg-type] # one of the vectors above
        return house.probe(ANNA, attack=Attack.BONA_FIDE).outcome


def test_each_is_paid_for_and_what_is_left_does_not_tell_whether_the_face_was_known() -> None:
    assert left_after(ANNA) is left_after(STRANGER) is Outcome.REFUSED


def test_a_vault_that_takes_it_for_bona_fide_is_seen(house: House, monkeypatch: pytest.MonkeyPatch) -> None:
    """Seeded fault: the verdict forgets what was tested."""
    fitted(house, face_alone=True)
    monkeypatch.setattr(judging, "WITH_PIN_ONLY", frozenset())
    assert house.probe(ANNA, attack=Attack.MOVED).outcome is Outcome.ACCEPTED


def test_a_vault_that_gives_a_turned_match_back_is_seen(monkeypatch: pytest.MonkeyPatch) -> None:
    """Seeded fault: a match is free, although it opened nothing."""
    judge = recognition.Recogniser.judge

    def known(self: recognition.Recogniser, probe: wire.Probe, gallery: Gallery, now_ns: int) -> int | None:
        slot = judge(self, probe, gallery, now_ns)
        if slot is not None and probe.attack is Attack.MOVED:
            self._limit.refund()
        return slot

    monkeypatch.setattr(recognition.Recogniser, "judge", known)
    assert (left_after(ANNA), left_after(STRANGER)) == (Outcome.ACCEPTED, Outcome.REFUSED)
