"""A child's face never opens by itself: vault says that the PIN is needed, whatever became of the record since."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import pytest

from device import wire
from device.attestation import ConsentRecord
from device.edges import Room
from device.vault import record
from device.vault.faces import Faces
from device.vault.record import FaceRecord
from device.wire import Outcome, Result
from tests.unit.vault.house import House
from tests.unit.vault.values import TERMS, unit

CHILD, ADULT = unit(1), unit(2)


def nothing(_house: House) -> None:
    """As it was enrolled."""


def paused_and_resumed(house: House) -> None:
    assert (house.act(wire.Pause, 11), house.act(wire.Resume, 11)) == (Result.DONE, Result.DONE)


def renewed(house: House) -> None:
    house.restart_under(replace(TERMS, purpose="another purpose"))
    assert (house.renew(11), house.renew(12)) == (Result.DONE, Result.DONE)


def rekeyed(house: House) -> None:
    assert house.rekey() is Result.DONE


def restarted(house: House) -> None:
    house.restart()
    house.connect()


def everything(house: House) -> None:
    for step in (renewed, rekeyed, paused_and_resumed, restarted):
        step(house)


STORIES = [nothing, paused_and_resumed, renewed, rekeyed, restarted, everything]


def outcomes(house: House, then: Callable[[House], None]) -> list[tuple[int, Outcome]]:
    """What vault says of a child in slot 11 and an adult in slot 12, by the button and by a claim."""
    house.enrol(11, CHILD, under_14=True)
    house.enrol(12, ADULT)
    then(house)
    found = []
    for slot, face in ((11, CHILD), (12, ADULT)):
        for claim in (wire.NOBODY, slot):
            house.wait(30)
            verdict = house.probe(face, claim=claim)
            found.append((verdict.slot, verdict.outcome))
    return found


SAFE = [(11, Outcome.WITH_PIN)] * 2 + [(12, Outcome.ACCEPTED)] * 2


@pytest.mark.parametrize("then", STORIES)
def test_a_child_is_known_and_asked_for_the_pin_whatever_happens_to_the_record(
    house: House, then: Callable[[House], None]
) -> None:
    assert outcomes(house, then) == SAFE


def test_a_child_s_face_leads_to_no_accepted_verdict_ever(house: House) -> None:
    house.enrol(11, CHILD, under_14=True)
    everything_but_the_adult = (paused_and_resumed, rekeyed, restarted)
    for step in everything_but_the_adult:
        step(house)
        house.wait(70)
        for claim in (wire.NOBODY, 11):
            house.probe(CHILD, claim=claim)
        assert {verdict.outcome for verdict in house.got(Room.LOCK, wire.Verdict)} == {Outcome.WITH_PIN}


def test_the_declaration_stands_in_what_is_signed_and_cannot_be_dropped_by_renewing(house: House) -> None:
    outcomes(house, renewed)
    child, adult = house.papers()
    assert isinstance(child, ConsentRecord)
    assert isinstance(adult, ConsentRecord)
    assert (child.under_14, adult.under_14) == (True, False)


def test_nobody_becomes_a_child_or_an_adult_but_by_enrolling_again(house: House) -> None:
    house.enrol(11, CHILD, under_14=True)
    house.say(Room.DESK, wire.Enrol(house.grant(wire.Purpose.ENROL, 11), TERMS.hash, under_14=False))
    assert house.got(Room.DESK, wire.Done)[-1].result is Result.SLOT_TAKEN
    assert house.probe(CHILD).outcome is Outcome.WITH_PIN
    house.act(wire.Erase, 11)
    house.enrol(11, CHILD, under_14=False)
    assert house.probe(CHILD).outcome is Outcome.ACCEPTED


# ---- seeded faults


def test_a_vault_that_does_not_ask_who_is_a_child_is_seen(house: House, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Faces, "under_14", lambda _self, _slot: False)
    assert outcomes(house, nothing) != SAFE


@pytest.mark.parametrize("then", STORIES[1:])
def test_a_record_that_loses_the_declaration_is_seen(
    house: House, monkeypatch: pytest.MonkeyPatch, then: Callable[[House], None]
) -> None:
    pack = record.pack

    def forgetful(face: FaceRecord) -> bytes:
        return pack(replace(face, under_14=False))

    monkeypatch.setattr(record, "pack", forgetful)

    def then_restarted(house: House) -> None:
        then(house)
        restarted(house)

    assert outcomes(house, then_restarted) != SAFE
