"""The strike's line and the board around it, in memory, for both wirings and both polarities.

Rules kept here:
- Whether the door is free is read off the line's level and the wiring, not off what lock wanted.
- The chip ends a release by itself. When its owner is gone it keeps its level, as a Raspberry Pi's does, or falls to
  rest, which is wired to mean locked.
"""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Any

from device.errors import BoltFault
from tools.endurance.locks import Clock


@dataclass(slots=True)
class Line:
    """One line of the chip and the coil behind it. `broken`: it cannot be driven; its one-shot still ends."""

    clock: Clock
    fail_safe: bool
    active_high: bool
    high: bool = False
    until_ns: int | None = None
    rest: bool = False
    broken: bool = False
    stuck: bool = False  # it refused, and has not obeyed since

    def drive(self, *, high: bool, until_ns: int | None = None) -> None:
        """Set the level; from `until_ns` on it is at rest again. Raises BoltFault."""
        if self.broken:
            self.stuck = True
            raise BoltFault("the bolt's line cannot be driven")
        self.stuck = False
        self.high, self.until_ns = high, until_ns

    @property
    def free(self) -> bool:
        """Whether somebody could pull the door open now."""
        if self.until_ns is not None and self.clock.now_ns >= self.until_ns:
            self.high, self.until_ns = self.rest, None
        current = self.high is self.active_high
        return current is not self.fail_safe


class LineBolt:
    """The port `device.lock.bolt.Bolt` on a Line, through the mapping of the lock it is given."""

    def __init__(self, line: Line, lock: Any, released: Callable[[int], None]) -> None:
        self._line = line
        wiring = lock.bolt.Wiring("fail-safe" if line.fail_safe else "fail-secure")
        self._levels = {
            released: bool(lock.bolt.coil_energised(wiring, released=released)) is line.active_high
            for released in (False, True)
        }
        self._released = released
        line.rest = line.active_high is line.fail_safe
        self.secure()

    def release(self, for_ms: int) -> None:
        """Let go for `for_ms`."""
        self._released(for_ms)
        self._line.drive(high=self._levels[True], until_ns=self._line.clock.now_ns + for_ms * 1_000_000)

    def secure(self) -> None:
        """Lock now."""
        self._line.drive(high=self._levels[False])

    def close(self) -> None:
        """Lock and give the line back."""
        self.secure()


def _nobody_watches() -> None:
    """Nobody stands at this board."""


def _no_lights(_left: int, _right: int) -> None:
    """Nobody keeps book of the lights."""


def _no_card(_command: bytes | None) -> None:
    """No card is in front of it."""


@dataclass(slots=True)
class MemoryBoard:
    """The port `device.lock.board.Board`; `happens` holds what was pressed and moved.

    `seen`: somebody at the door could notice something; `told_card`: a card is told something, or let go; `shone`: the
    white lights change.
    """

    bolt: LineBolt
    clock: Clock
    seen: Callable[[], None] = _nobody_watches
    told_card: Callable[[bytes | None], None] = _no_card
    shone: Callable[[int, int], None] = _no_lights
    lit: bool = False
    happens: list[Any] = field(default_factory=list)

    def fileno(self) -> int:
        """No file stands behind it."""
        return 0

    def events(self, _now_s: float) -> list[Any]:
        """What happened since the last call."""
        happened, self.happens = self.happens, []
        return happened

    def deadline(self) -> float | None:
        """Nothing here is timed."""
        return None

    def lamp(self, *, on: bool) -> None:
        """Light or put out the lamp."""
        self.seen()
        self.lit = on

    def lights(self, left: int, right: int) -> None:
        """Set the white lights."""
        self.seen()
        self.shone(left, right)

    def show(self, *_: object) -> None:
        """Tones change nothing."""
        self.seen()

    def card(self, command: bytes | None) -> None:
        """Something is said to a card, or it is let go."""
        self.seen()
        self.told_card(command)

    def close(self) -> None:
        """Secure, dark."""
        with suppress(BoltFault):  # what must hold even then is asked of the line
            self.bolt.close()
        self.lit = False
