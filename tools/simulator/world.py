"""The simulated hardware of one door: levels, contacts and their history. Pure.

Rules kept here:
- A level is what the strike sees. It changes by the owner's word, by the one-shot, or because the owner is gone, and
  every change is kept with its time, so that "it never opened" can be asserted and not only hoped.
- Without an owner the coil has no current, lamp and lights are dark (a chip that gives lines back:
  `dtparam=strict_gpiod`).
- The lights have a history of their own: they change often, and must not push an opening out of the other.
"""

from __future__ import annotations

import re
from collections import deque
from dataclasses import dataclass, field

from device.eye.lamps import FULL, LightChange
from device.lock.bolt import Wiring

HISTORY = 1000
LIGHT_HISTORY = 240  # at three changes a second at most, those of 80 seconds and more
_LEVELS = {str(level): level for level in range(FULL + 1)}
_MS = re.compile(r"[0-9]{1,9}")


@dataclass(frozen=True, slots=True)
class Change:
    """Line `line` took `level` at `at_ns` (CLOCK_MONOTONIC)."""

    at_ns: int
    line: str
    level: bool


@dataclass(slots=True)
class World:
    """One door's hardware."""

    wiring: Wiring = Wiring.FAIL_SECURE
    coil: bool = False
    lamp: bool = False
    lights: tuple[int, int] = (0, 0)  # left and right of the lens, for who looks into it
    light_changes: int = 0  # since the world began
    door_open: bool = False
    tamper: bool = False
    coil_until_ns: int | None = None
    releases: int = 0
    key_ns: int = 0  # when the last key was handed to lock, and when lock last gave a tone or a light
    card_ns: int = 0  # when a card last answered
    signal_ns: int = 0
    signals_made: int = 0  # since the world began; `signals` keeps the last of them
    history: deque[Change] = field(default_factory=lambda: deque(maxlen=HISTORY))
    light_history: deque[LightChange] = field(default_factory=lambda: deque(maxlen=LIGHT_HISTORY))
    signals: deque[str] = field(default_factory=lambda: deque(maxlen=HISTORY))

    @property
    def released(self) -> bool:
        """Whether the door can be pulled open."""
        return self._lets_go(self.coil)

    def told(self, words: str, now_ns: int) -> None:
        """One line of lock's cable (device.lock.board_sim); unknown words change nothing."""
        parts = words.split()
        match parts:
            case ["coil", level] if level in ("0", "1"):
                self._coil(level == "1", None, now_ns)
            case ["coil", level, ms] if level in ("0", "1") and _MS.fullmatch(ms):
                # The one-shot ends a release; a time given for the other level must not end in one.
                until_ns = now_ns + int(ms) * 1_000_000 if self._lets_go(level == "1") else None
                self._coil(level == "1", until_ns, now_ns)
            case ["lamp", level] if level in ("0", "1"):
                self._lamp(level == "1", now_ns)
            case ["lights", left, right] if left in _LEVELS and right in _LEVELS:
                self._light(_LEVELS[left], _LEVELS[right], now_ns)
            case ["show", *signal]:
                self.signals.append(" ".join(signal))
                self.signals_made += 1
                self.signal_ns = now_ns

    def elapsed(self, now_ns: int) -> None:
        """The one-shot: a timed level falls back to its opposite."""
        if self.coil_until_ns is not None and now_ns >= self.coil_until_ns:
            self._coil(not self.coil, None, now_ns)

    def owner_gone(self, now_ns: int) -> None:
        """The process that drove the lines is gone."""
        self._coil(False, None, now_ns)
        self._lamp(False, now_ns)
        self._light(0, 0, now_ns)

    def _lets_go(self, level: bool) -> bool:  # noqa: FBT001 - a level
        return level if self.wiring is Wiring.FAIL_SECURE else not level

    def _coil(self, level: bool, until_ns: int | None, now_ns: int) -> None:  # noqa: FBT001 - a level
        before = self.released
        if level != self.coil:
            self.history.append(Change(now_ns, "coil", level))
        self.coil, self.coil_until_ns = level, until_ns
        self.releases += self.released and not before

    def _lamp(self, level: bool, now_ns: int) -> None:  # noqa: FBT001 - a level
        if level != self.lamp:
            self.history.append(Change(now_ns, "lamp", level))
        self.lamp = level

    def _light(self, left: int, right: int, now_ns: int) -> None:
        if (left, right) != self.lights:
            self.light_history.append(LightChange(now_ns, left, right))
            self.light_changes += 1
        self.lights = (left, right)
