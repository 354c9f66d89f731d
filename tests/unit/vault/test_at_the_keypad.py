"""Erasing, pausing and resuming with nothing but the keypad: the same PIN for the same act, shown twice."""

from __future__ import annotations

import pytest

from device import wire
from device.edges import Room
from device.vault.grants import Grants
from device.vault.loop import Vault
from device.wire import Purpose, Result
from tests.unit.sealing.simulated_disk import SimulatedDisk
from tests.unit.vault.house import House
from tests.unit.vault.values import unit

ANNA, BO = unit(1), unit(2)


def twice(house: House, purpose: Purpose, slot: int = 11, pause_s: float = 5) -> list[Result]:
    """The PIN of `slot` is shown for `purpose`, and again after a while: what lock was told since."""
    before = len(house.got(Room.LOCK, wire.ActEnded))
    house.grant(purpose, slot)
    house.wait(pause_s)
    house.grant(purpose, slot)
    return [each.result for each in house.got(Room.LOCK, wire.ActEnded)[before:]]


@pytest.fixture
def home(house: House) -> House:
    house.enrol(11, ANNA)
    house.enrol(12, BO)
    return house


def test_face_is_erased_by_showing_the_pin_for_it_twice_and_nobody_else_s(home: House) -> None:
    assert twice(home, Purpose.ERASE) == [Result.DONE]
    assert (home.recognised(ANNA), home.recognised(BO)) == (None, 12)
    assert 11 not in home.vault.faces


def test_face_is_paused_and_resumed_without_a_desk(home: House) -> None:
    home.disconnect(Room.DESK)
    assert twice(home, Purpose.PAUSE) == [Result.DONE]
    assert home.recognised(ANNA) is None
    assert twice(home, Purpose.PAUSE) == [Result.NOTHING_TO_DO]
    assert twice(home, Purpose.RESUME) == [Result.DONE]
    assert home.recognised(ANNA) == 11


def test_nothing_is_signed_where_nobody_could_take_it(home: House) -> None:
    before = len(home.papers())
    twice(home, Purpose.ERASE)
    assert len(home.papers()) == before


@pytest.mark.parametrize("purpose", Purpose)
def test_once_is_never_enough(home: House, purpose: Purpose) -> None:
    home.grant(purpose, 11)
    home.wait(90)
    assert home.got(Room.LOCK, wire.ActEnded) == []
    assert home.recognised(ANNA) == 11


def test_two_people_s_proofs_are_not_one_person_s_wish(home: House) -> None:
    home.grant(Purpose.ERASE, 11)
    home.grant(Purpose.ERASE, 12)
    assert (home.recognised(ANNA), home.recognised(BO)) == (11, 12)


def test_proofs_for_two_different_acts_do_neither(home: House) -> None:
    home.grant(Purpose.ERASE, 11)
    home.grant(Purpose.PAUSE, 11)
    assert home.recognised(ANNA) == 11
    assert home.got(Room.LOCK, wire.ActEnded) == []


def test_a_proof_of_more_than_a_minute_ago_counts_no_more(home: House) -> None:
    assert twice(home, Purpose.ERASE, pause_s=61) == []
    assert home.recognised(ANNA) == 11


def test_the_very_same_grant_sent_again_is_no_second_proof(home: House) -> None:
    grant = wire.Grant(bytes(15) + b"x", Purpose.ERASE, home.now_ns + 10**9, 11)
    home.say(Room.KEEPER, grant)
    home.say(Room.KEEPER, grant)
    assert home.recognised(ANNA) == 11


def test_what_desk_did_with_the_first_proof_is_not_done_again_by_the_second(home: House) -> None:
    assert home.act(wire.Pause, 11) is Result.DONE
    home.grant(Purpose.PAUSE, 11)
    assert home.got(Room.LOCK, wire.ActEnded) == []


def test_desk_can_use_neither_proof_after_the_act_was_done_at_the_keypad(home: House) -> None:
    first, second = home.grant(Purpose.PAUSE, 11), home.grant(Purpose.PAUSE, 11)
    for grant in (first, second):
        home.say(Room.DESK, wire.Pause(grant))
        assert home.result(grant) is Result.NO_GRANT


@pytest.mark.parametrize("purpose", [Purpose.ENROL, Purpose.RENEW])
def test_what_needs_a_notice_is_not_done_at_the_keypad_alone(home: House, purpose: Purpose) -> None:
    assert twice(home, purpose) == []


def test_a_disk_that_fails_is_a_fault_and_the_face_stays(home: House) -> None:
    assert isinstance(home.disk, SimulatedDisk)
    home.disk.full = True
    assert twice(home, Purpose.ERASE) == [Result.FAULT]
    home.disk.full = False
    assert home.recognised(ANNA) == 11


def test_a_vault_that_acts_on_the_first_proof_is_seen(monkeypatch: pytest.MonkeyPatch, home: House) -> None:
    monkeypatch.setattr(Grants, "repeats", lambda _self, _grant, _now_ns: True)
    home.grant(Purpose.ERASE, 11)
    assert home.recognised(ANNA) is None, "the fault that the tests above would see"


def test_a_vault_that_does_not_look_whose_proof_it_was_is_seen(monkeypatch: pytest.MonkeyPatch, home: House) -> None:
    def careless(self: Grants, grant: wire.Grant, _now_ns: int) -> bool:
        return any(what is grant.purpose for what, _ in self._live.values())

    monkeypatch.setattr(Grants, "repeats", careless)
    home.grant(Purpose.ERASE, 11)
    home.grant(Purpose.ERASE, 12)
    assert home.recognised(BO) is None, "likewise"
    assert isinstance(home.vault, Vault)
