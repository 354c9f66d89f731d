"""The timers of a bolt: one that is late ends no opening but its own, and touches no line that was given back."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

from device.lock.bolt import Wiring
from device.lock.timed_bolt import TimedBolt


@dataclass
class HandTimer:
    """A timer that is over when the test says so, cancelled or not: it may have been on its way already."""

    seconds: float
    over: Callable[[], None]

    def start(self) -> None:
        """It runs."""

    def cancel(self) -> None:
        """Too late."""


@dataclass(eq=False)
class Coil(TimedBolt):
    """A line in memory."""

    timers: list[HandTimer] = field(default_factory=list)
    levels: list[bool] = field(default_factory=list)
    ours: bool = True

    def __post_init__(self) -> None:
        super().__init__(Wiring.FAIL_SECURE, self._timed)

    def _timed(self, seconds: float, call: Callable[[], None]) -> HandTimer:
        self.timers.append(HandTimer(seconds, call))
        return self.timers[-1]

    def _energise(self, on: bool) -> None:
        self.levels.append(on)

    def _owned(self) -> bool:
        return self.ours

    def _give_back(self) -> None:
        self.ours = False


def test_a_timer_of_an_opening_that_is_over_does_not_end_the_next_one() -> None:
    bolt = Coil()
    bolt.release(4000)
    bolt.release(4000)
    bolt.timers[0].over()
    assert bolt.levels[-1], "somebody is just opening the door"
    bolt.timers[1].over()
    assert not bolt.levels[-1]
    assert [timer.seconds for timer in bolt.timers] == [4.0, 4.0]


def test_a_timer_that_is_over_after_the_door_was_locked_does_nothing() -> None:
    bolt = Coil()
    bolt.release(4000)
    bolt.secure()
    before = list(bolt.levels)
    bolt.timers[0].over()
    assert bolt.levels == before


def test_a_timer_touches_no_line_that_is_not_ours_any_more() -> None:
    bolt = Coil()
    bolt.release(4000)
    bolt.ours = False
    before = list(bolt.levels)
    bolt.timers[0].over()
    assert bolt.levels == before
