"""What lock hears besides answers: whether many places are taken, and that somebody has to wait; never who or when."""

from __future__ import annotations

import pytest

from device import wire
from device.edges import Room
from device.keeper import loop as loop_module
from device.keeper.loop import BESIDE_S, MANY
from device.wire import NO_END, Outcome
from tests.unit.keeper.bench import NOON, PIN, Door


def occupied(door: Door) -> list[bool]:
    """What lock was told of it since the last time somebody asked."""
    found = [msg.many for msg in door.house.beside if isinstance(msg, wire.Occupied)]
    door.house.beside = [msg for msg in door.house.beside if not isinstance(msg, wire.Occupied)]
    return found


def lockouts(door: Door) -> int:
    """How often lock has heard of one."""
    return sum(isinstance(msg, wire.LockedOut) for msg in door.house.beside)


@pytest.mark.slow
def test_twenty_places_taken_are_many_and_nineteen_are_not(door: Door) -> None:
    assert occupied(door) == [False]
    for slot in range(1, MANY):
        door.move_in(slot)
    assert occupied(door) == [False], "once, with the first of them: some, and not many"
    door.move_in(MANY)
    assert occupied(door) == [True]
    door.invite(7, serial=2)  # a newer offer cancels the PIN
    assert occupied(door) == [False]


def test_a_lock_that_comes_back_and_a_keeper_that_starts_tell_it_again(door: Door) -> None:
    for slot in range(1, MANY + 1):
        door.move_in(slot)
    occupied(door)
    door.go(Room.LOCK)
    door.come(Room.LOCK)
    assert occupied(door) == [True]
    door.boot()
    assert occupied(door) == [True]


def test_an_invitation_is_no_place_that_is_taken(door: Door) -> None:
    for slot in range(1, MANY + 1):
        door.invite(slot)
    assert occupied(door) == [False]


def test_a_place_that_ends_is_not_counted_any_more(door: Door) -> None:
    for slot in range(1, MANY + 1):
        door.move_in(slot, ends=NOON + 3600 if slot == 3 else NO_END)
    assert occupied(door) == [False, False, True]
    door.live(3700)
    assert occupied(door) == [False]


def locked_out(door: Door, digits: str = PIN) -> None:
    """Three wrong tries, and one that is refused unseen."""
    for _ in range(4):
        assert door.check("905217") is Outcome.REFUSED
    assert door.check(digits) is Outcome.REFUSED


def test_a_lockout_is_told_later_and_once(door: Door) -> None:
    door.move_in(12)
    locked_out(door)
    assert lockouts(door) == 0, "not beside the answer"
    door.live(BESIDE_S + 1)
    assert lockouts(door) == 1
    door.live(3600)
    assert lockouts(door) == 1


def test_the_moment_is_of_a_grid_and_not_of_whoever_waits(door: Door) -> None:
    door.move_in(12)
    door.live(1.0)  # the look after a change
    for wait_s in (0.0, 7.0, 31.0):
        door.wait(3600 + wait_s)
        locked_out(door)
        due_s = door.keeper.deadline()
        assert due_s is not None
        assert due_s % BESIDE_S == 0
        assert 0 < due_s - door.now_ns / 1e9 <= BESIDE_S
        door.live(BESIDE_S)


def test_nobody_is_told_of_wrong_tries_that_were_looked_at_or_of_junk(door: Door) -> None:
    door.move_in(12)
    for _ in range(3):
        door.check("905217")
    for flat in range(100, 120):
        door.check(PIN, flat)
    door.live(3600)
    assert lockouts(door) == 0


def test_a_lockout_told_beside_the_answer_is_seen(door: Door, monkeypatch: pytest.MonkeyPatch) -> None:
    """The seeded fault: the grid is as fine as the clock."""
    monkeypatch.setattr(loop_module, "BESIDE_S", 1e-9)
    door.move_in(12)
    locked_out(door)
    due_s = door.keeper.deadline()
    assert due_s is not None
    assert due_s - door.now_ns / 1e9 < 1e-3
