"""Which of the buzzer and the light is on at a given moment. Pure: time is handed in, nothing here sleeps.

Rules kept here:
- The newest signal wins and cuts off what still plays: whoever presses a key hears that key.
- A hint cuts off nothing, and is dropped while something plays: eye gives it again, and half a rhythm means another.
- A light that went on does not go on again within FLASH_EVERY_MS, whatever was asked for in between: a light that
  would is late by as much as it takes.
"""

from __future__ import annotations

import itertools
from dataclasses import dataclass

from device.lock.patterns import FLASH_EVERY_MS, Pattern, pattern_of
from device.lock.state import Signal
from device.wire import Hint

_NEVER_S = float("-inf")


@dataclass(frozen=True, slots=True)
class _Track:
    """Moments at which a line changes, beginning with on."""

    changes_s: tuple[float, ...] = ()

    def on(self, now_s: float) -> bool:
        return sum(change <= now_s for change in self.changes_s) % 2 == 1

    def next_s(self, now_s: float) -> float | None:
        return next((change for change in self.changes_s if change > now_s), None)


class Player:
    """Plays one pattern at a time. `unlock_ms` as in door.toml."""

    def __init__(self, unlock_ms: int) -> None:
        self._unlock_ms = unlock_ms
        self._asked: tuple[Signal, Hint | None] | None = None
        self._tone, self._light = _Track(), _Track()
        self._lit = self._held_back = False
        self._rose_s = _NEVER_S
        self._shown_s = _NEVER_S

    def ask(self, signal: Signal, hint: Hint | None) -> None:
        """Play this from the next `levels` on."""
        hint = hint if signal is Signal.LOOK else None
        if hint is None or self._asked is None:
            self._asked = signal, hint

    def levels(self, now_s: float) -> tuple[bool, bool]:
        """Whether the buzzer and the light are on at `now_s`, which never goes back."""
        if self._asked:
            (signal, hint), self._asked = self._asked, None
            if hint is None or self._over(now_s):
                self._begin(pattern_of(signal, hint, self._unlock_ms), now_s)
        self._shown_s = now_s
        wanted = self._light.on(now_s)
        # Measured when it really went on: a loop that came late moves one flash towards the next.
        self._held_back = wanted and not self._lit and now_s < self._free_s
        if wanted and not self._lit and not self._held_back:
            self._rose_s = now_s
        self._lit = wanted and not self._held_back
        return self._tone.on(now_s), self._lit

    def due_s(self) -> float | None:
        """When `levels` says something new, or None while all is silent and dark."""
        if self._asked:
            return self._shown_s
        ends = [track.next_s(self._shown_s) for track in (self._tone, self._light)]
        if self._held_back:
            ends.append(self._free_s)
        return min((end for end in ends if end is not None), default=None)

    @property
    def _free_s(self) -> float:
        return self._rose_s + FLASH_EVERY_MS / 1000

    def _over(self, now_s: float) -> bool:
        return not any(track.changes_s and now_s < track.changes_s[-1] for track in (self._tone, self._light))

    def _begin(self, pattern: Pattern, now_s: float) -> None:
        self._tone = _laid_out(pattern.tone_ms, now_s)
        self._light = _laid_out(pattern.light_ms, max(now_s, self._free_s))


def _laid_out(track_ms: tuple[int, ...], begin_s: float) -> _Track:
    return _Track(tuple(begin_s + after_ms / 1000 for after_ms in itertools.accumulate(track_ms, initial=0)))
