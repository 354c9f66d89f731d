"""A lockout is told at its moment and at no other, however often keeper is woken and however busy the guesser is."""

from __future__ import annotations

import pytest

from device import wire
from device.keeper.loop import BESIDE_S, MANY, Keeper
from device.wire import Outcome
from tests.unit.keeper.bench import PIN, Door


def told(door: Door) -> int:
    return sum(isinstance(msg, wire.LockedOut) for msg in door.house.beside)


def locked_out(door: Door) -> float:
    """Three wrong tries and one that is refused unseen; when that is to be told."""
    door.move_in(12)
    door.live(1.0)  # the look after a change
    for _ in range(4):
        assert door.check("905217") is Outcome.REFUSED
    due_s = door.keeper.deadline()
    assert due_s is not None
    return due_s


class Hasty(Keeper):
    """The seeded fault: whoever wakes keeper hears what it has to tell."""

    def tick(self) -> None:
        if self._tell_lockout_s is not None:
            self._tell_lockout_s = self._guard.clock.now_s()
        super().tick()


@pytest.mark.parametrize(("kind", "early"), [(Keeper, 0), (Hasty, 1)])
def test_a_keeper_that_is_woken_early_tells_nothing_before_the_moment(
    door: Door, kind: type[Keeper], early: int
) -> None:
    due_s = locked_out(door)
    door.keeper.__class__ = kind
    door.now_ns = round(due_s * 1e9) - 1_000
    door.keeper.tick()
    assert told(door) == early
    door.now_ns = round(due_s * 1e9)
    door.keeper.tick()
    assert told(door) == 1, "and to the moment"


def test_who_goes_on_guessing_puts_nothing_off(door: Door) -> None:
    """Tries after the moment, and before keeper has looked at the clock, leave it where it is."""
    due_s = locked_out(door)
    door.now_ns = round((due_s + BESIDE_S / 2) * 1e9)
    for _ in range(2):  # one is looked at and wrong, the next has to wait
        assert door.check("905217") is Outcome.REFUSED
    assert door.check(PIN) is Outcome.REFUSED
    assert door.keeper._tell_lockout_s == due_s
    door.keeper.tick()
    assert told(door) == 1


def test_a_number_of_the_day_is_for_twenty_places_or_more() -> None:
    assert MANY == 20  # ADR 0017
