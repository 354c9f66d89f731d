"""Hints for whoever stands in front of the camera, and what of it desk hears: nothing but theirs."""

from __future__ import annotations

import pytest

from device import edges, wire
from device.edges import Room
from device.vault.enrolling import Enrolling
from device.wire import Hint, LookMode, Purpose, Result
from tests.unit.vault.house import House, edge_between
from tests.unit.vault.values import FRAMES, nonce, unit

ANNA, BO = unit(1), unit(2)


def test_hints_reach_lock_and_in_an_enrolment_desk_a_few_times_a_second(house: House) -> None:
    house.begin()
    name = house.window()
    for _ in range(50):
        house.say(Room.EYE, wire.Guidance(name, Hint.COME_CLOSER))
        house.wait(0.02)
    assert 4 <= len(house.got(Room.LOCK, wire.Guidance)) <= 6
    assert len(house.got(Room.DESK, wire.EnrolHint)) == len(house.got(Room.LOCK, wire.Guidance))


def hints_at_the_desk(house: House) -> list[wire.EnrolHint]:
    """What desk hears of hints while nobody enrols, while somebody waits to, and after their window."""

    def hinted(name: bytes) -> list[wire.EnrolHint]:
        house.wait(1)
        house.sent[Room.DESK].clear()
        house.say(Room.EYE, wire.Guidance(name, Hint.COME_CLOSER))
        return house.got(Room.DESK, wire.EnrolHint)

    house.enrol(11, ANNA)
    heard = hinted(house.window(LookMode.RECOGNISE))
    house.close_window()
    house.begin(12)
    heard += hinted(house.window(LookMode.RECOGNISE))
    house.close_window()
    name = house.window()
    house.show(BO, name)
    heard += hinted(name)
    house.close_window()
    house.wait(61)
    return heard + hinted(house.window())


def test_desk_hears_no_hint_but_the_enrolling_person_s(house: House) -> None:
    assert hints_at_the_desk(house) == []


def test_a_vault_that_passes_every_hint_on_is_seen(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Enrolling, "looks", lambda _self, _nonce: True)
    house = House()
    house.connect()
    assert hints_at_the_desk(house)
    house.close()


def test_eye_cannot_ask_for_the_pin(house: House) -> None:
    house.begin()
    house.say(Room.EYE, wire.Guidance(house.window(), Hint.CONFIRM_WITH_PIN))
    assert not house.got(Room.DESK, wire.EnrolHint)
    assert not house.got(Room.LOCK, wire.Guidance)


def test_hints_about_an_approach_that_was_judged_are_dropped(house: House) -> None:
    name = nonce()
    house.probe(ANNA, nonce=name)
    house.say(Room.EYE, wire.Guidance(name, Hint.HOLD_STILL))
    assert not house.got(Room.LOCK, wire.Guidance)


def test_desk_is_sent_outcomes_and_hints_and_has_no_room_for_anything_of_eye_s(house: House) -> None:
    allowed = edges.permitted(edge_between(Room.VAULT, Room.DESK), Room.VAULT)
    papers = {wire.Attestation, wire.AttestationCopy, wire.RecordAnswer}
    assert allowed == {wire.Done, wire.EnrolHint, wire.TryStands, wire.Tried, wire.Held, wire.SittingOver, *papers}
    grant = house.begin()
    name = house.window()
    house.say(Room.EYE, wire.Guidance(name, Hint.COME_CLOSER))
    for index in range(FRAMES):
        house.sample(ANNA, index, name)
    house.confirm()
    house.act(wire.Pause, 11)
    house.probe(BO)
    house.say(Room.DESK, wire.AskRecord(nonce()))
    house.say(Room.DESK, wire.AskRetirement())
    for sitting in (house.grant(Purpose.PAGE, 11), nonce()):
        house.say(Room.DESK, wire.AskHeld(sitting))
    house.say(Room.DESK, wire.TryFaces(on=True))
    house.probe(ANNA)
    sent = house.sent[Room.DESK]
    assert {type(msg) for msg in sent} == allowed
    assert wire.AttestationCopy(b"") in sent, "a vault whose door lives has no receipt for its end"
    assert not [msg for msg in sent if name in wire.pack(msg)], "nor the nonce that eye was given"
    template = house.vault.faces._records[11].template
    for seen in (template, house.template(11).tobytes(), ANNA.tobytes()):
        assert not [msg for msg in sent for at in range(0, 512, 4) if seen[at : at + 4] in wire.pack(msg)]
    assert house.result(grant) is Result.DONE
