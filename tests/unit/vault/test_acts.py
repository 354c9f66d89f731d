"""Erase, pause, resume; waking and sleeping with the PIN; what lock is told."""

from __future__ import annotations

import pytest

from device import wire
from device.edges import Room
from device.vault.credentials import UNTAKEN, Credentials, Place
from device.vault.grants import MAX_LIVE, Grants
from device.wire import Grant, Purpose, Result
from tests.unit.sealing.simulated_disk import SimulatedDisk
from tests.unit.vault.house import House
from tests.unit.vault.values import SECOND, nonce, tenancy_of, unit

ANNA, BO = unit(1), unit(2)


def test_erased_face_is_refused_and_stays_erased(house: House) -> None:
    house.enrol(11, ANNA)
    house.enrol(12, BO)
    assert house.act(wire.Erase, 11) is Result.DONE
    assert (house.recognised(ANNA), house.recognised(BO)) == (None, 12)
    house.restart()
    house.connect()
    assert (house.recognised(ANNA), house.recognised(BO)) == (None, 12)
    assert house.act(wire.Erase, 11) is Result.NOTHING_TO_DO


def test_erased_slot_may_enrol_again(house: House) -> None:
    house.enrol(11, ANNA)
    house.act(wire.Erase, 11)
    assert house.enrol(11, BO) is Result.DONE
    assert house.recognised(BO) == 11


def test_paused_face_sleeps_across_a_restart_until_it_is_resumed(house: House) -> None:
    house.enrol(11, ANNA)
    assert house.act(wire.Pause, 11) is Result.DONE
    assert house.act(wire.Pause, 11) is Result.NOTHING_TO_DO
    assert house.ready() == (False, False)
    house.restart()
    house.connect()
    assert house.recognised(ANNA) is None
    assert house.act(wire.Resume, 11) is Result.DONE
    assert house.act(wire.Resume, 11) is Result.NOTHING_TO_DO
    assert house.recognised(ANNA) == 11


@pytest.mark.parametrize("kind", [wire.Erase, wire.Pause, wire.Resume])
def test_no_act_without_its_own_unused_grant(house: House, kind: type[wire.Erase | wire.Pause | wire.Resume]) -> None:
    house.enrol(11, ANNA)
    house.enrol(12, BO)
    if kind is wire.Resume:
        house.act(wire.Pause, 11)
    elsewhere = next(purpose for purpose in Purpose if purpose.name != kind.__name__.upper())
    used = house.grant(Purpose[kind.__name__.upper()], 12)
    house.say(Room.DESK, kind(used))
    house.sent[Room.DESK].clear()
    for grant in (nonce(), used, house.grant(elsewhere, 11)):
        house.say(Room.DESK, kind(grant))
        assert house.result(grant) is Result.NO_GRANT
    assert house.recognised(ANNA) == (None if kind is wire.Resume else 11)


def test_a_grant_is_for_its_own_slot_only(house: House) -> None:
    house.enrol(11, ANNA)
    house.enrol(12, BO)
    house.act(wire.Erase, 12)
    assert house.recognised(ANNA) == 11


def test_acts_on_a_slot_without_a_face_say_that_there_is_nothing_to_do(house: House) -> None:
    for kind in (wire.Erase, wire.Pause, wire.Resume):
        assert house.act(kind, 11) is Result.NOTHING_TO_DO


def test_a_disk_that_fails_is_a_fault_and_changes_nothing(house: House, capfd: pytest.CaptureFixture[str]) -> None:
    house.enrol(11, ANNA)
    assert isinstance(house.disk, SimulatedDisk)
    house.disk.full = True
    assert house.act(wire.Pause, 11) is Result.FAULT
    assert house.act(wire.Erase, 11) is Result.FAULT
    assert "No space left" in capfd.readouterr().err
    assert house.recognised(ANNA) == 11
    house.disk.full = False
    assert house.act(wire.Erase, 11) is Result.DONE
    assert house.recognised(ANNA) is None


# ---- waking and sleeping


def test_at_boot_nobody_is_awake_until_keeper_answered(house: House) -> None:
    house.enrol(11, ANNA)
    house.restart()
    house.connect(Room.LOCK, Room.EYE)
    assert house.ready() == (False, False)
    assert house.recognised(ANNA) is None
    house.connect(Room.KEEPER)
    assert house.ready() == (True, False)
    assert house.recognised(ANNA) == 11


def test_a_face_whose_slot_has_no_pin_sleeps(house: House) -> None:
    house.enrol(11, ANNA)
    house.tenancies.clear()
    house.restart()
    house.connect()
    assert house.ready() == (False, False)
    assert house.recognised(ANNA) is None


def test_losing_the_pin_puts_the_face_to_sleep_at_once_and_the_same_tenancy_wakes_it(house: House) -> None:
    house.enrol(11, ANNA)
    house.enrol(12, BO)
    house.lose_pin(11)
    assert (house.recognised(ANNA), house.recognised(BO)) == (None, 12)
    assert house.ready() == (True, False)
    house.move_in(11)
    house.tell(11)
    assert house.recognised(ANNA) == 11


def test_while_keeper_is_away_what_it_said_last_holds(house: House) -> None:
    house.enrol(11, ANNA)
    house.disconnect(Room.KEEPER)
    assert house.recognised(ANNA) == 11
    house.tenancies.clear()
    house.connect(Room.KEEPER)
    assert house.recognised(ANNA) is None


def test_keeper_is_asked_about_everybody_a_few_at_a_time() -> None:
    credentials = Credentials()
    credentials.ask_anew(range(1, 101))
    asked: list[int] = []
    most = 0
    while due := credentials.questions():
        most = max(most, len(due))
        for slot in due:
            asked.append(slot)
            credentials.answered(slot, Place(tenancy_of(slot)))
    assert asked == list(range(1, 101))
    assert most <= 16


def test_a_keeper_that_came_back_is_asked_again_about_what_it_left_open() -> None:
    credentials = Credentials()
    credentials.ask_anew(range(1, 51))
    credentials.questions()
    credentials.ask_anew(range(1, 51))
    asked: list[int] = []
    while due := credentials.questions():
        asked += due
        for slot in due:
            credentials.answered(slot, UNTAKEN)
    assert sorted(asked) == list(range(1, 51))


def test_lock_is_told_once_for_each_change(house: House) -> None:
    house.enrol(11, ANNA)
    house.act(wire.Pause, 11)
    house.act(wire.Resume, 11)
    told = house.got(Room.LOCK, wire.FaceReady)
    nobody, waiting, awake = (
        (recognise, enrol, False) for recognise, enrol in ((False, False), (False, True), (True, False))
    )
    seen, kept, paused, resumed = nobody, awake, nobody, awake
    assert told == [wire.FaceReady(*ready) for ready in (nobody, waiting, seen, kept, paused, resumed)]


def test_a_lock_that_comes_back_is_told_again(house: House) -> None:
    house.enrol(11, ANNA)
    house.disconnect(Room.LOCK)
    house.connect(Room.LOCK)
    assert house.ready() == (True, False)


# ---- grants


def grant(name: bytes, expires_ns: int = 10 * SECOND, slot: int = 7) -> Grant:
    return Grant(name, Purpose.ERASE, expires_ns, slot)


def test_only_the_latest_few_grants_live() -> None:
    grants = Grants()
    names = [nonce() for _ in range(MAX_LIVE + 2)]
    for name in names:
        assert grants.add(grant(name), 0)
    assert [grants.take(name, Purpose.ERASE, 0) is not None for name in names] == [False] * 2 + [True] * MAX_LIVE


def test_useless_grants_are_not_kept() -> None:
    grants, name = Grants(), nonce()
    assert not grants.add(grant(name, expires_ns=5), 5)
    assert not grants.add(grant(name, slot=wire.NOBODY), 0)
    assert grants.add(grant(name), 0)
    assert not grants.add(grant(name, slot=8), 0)
    allowed = grants.take(name, Purpose.ERASE, 0)
    assert allowed
    assert allowed.slot == 7


def test_what_a_grant_looks_like_in_a_log_names_nobody() -> None:
    grants = Grants()
    grants.add(grant(b"n" * 16, slot=424242), 0)
    assert "424242" not in repr(grants)
