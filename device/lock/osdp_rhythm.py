"""The rhythms of `patterns` in OSDP's words: so many beats of so many tenths of a second. Pure: time is handed in.

Rules kept here:
- A run of equal beats is one command, which the reader plays by its own clock; a rhythm is one to four of them. The
  buzzer and the light get the same ones.
- The light begins no flash within FLASH_EVERY_S of the one before, from one signal to the next as well; a light that
  would is late by as much as it takes. One that a new signal cuts off is put out at once.
- A hint cuts off nothing, and is dropped while something plays.
- A beat lasts no longer than its pattern says, if a tenth of a second is as long as that: "opened" never outlasts the
  opening.
- Green is an open door and nothing else, red is every refusal alike, all else is amber. Nothing depends on it: many
  readers have one colour, and many people do not tell these apart.
"""

from __future__ import annotations

import itertools
from dataclasses import dataclass
from enum import Enum

from device.lock.patterns import FLASH_EVERY_MS, pattern_of
from device.lock.state import Signal
from device.wire import Hint

UNIT_S = 0.1  # of every time in osdp_LED and osdp_BUZ
_UNIT_MS = 100  # the same
FLASH_EVERY_S = FLASH_EVERY_MS / 1000 + UNIT_S  # a command waits for its poll, by less than a unit
_LONG_MS = 200
_AFTER_SHORT, _AFTER_LONG = 3, 2  # units off: from one short beat to the next 400 ms, from one long beat 500 ms


class Colour(Enum):
    """What the light is lit in."""

    GREEN = "green"
    RED = "red"
    AMBER = "amber"


@dataclass(frozen=True, slots=True)
class Beats:
    """`count` beats, each `on` units on and `off` units off."""

    count: int
    on: int
    off: int

    @property
    def length_s(self) -> float:
        """Until the pause after the last one is over."""
        return self.count * (self.on + self.off) * UNIT_S


@dataclass(frozen=True, slots=True)
class Tone:
    """The buzzer, now."""

    beats: Beats


@dataclass(frozen=True, slots=True)
class Light:
    """The light, now; `beats` None puts it out."""

    beats: Beats | None
    colour: Colour = Colour.AMBER


_COLOURS = {Signal.OPENED: Colour.GREEN, Signal.REFUSED: Colour.RED}


def beats_of(signal: Signal, hint: Hint | None, unlock_ms: int) -> tuple[Beats, ...]:
    """The rhythm of `signal`, equal beats together."""
    units = []
    for beat_ms in pattern_of(signal, hint, unlock_ms).tone_ms[::2]:
        on = max(1, beat_ms // _UNIT_MS)
        units.append((on, _AFTER_LONG if beat_ms > _LONG_MS else _AFTER_SHORT))
    return tuple(Beats(len(list(run)), *unit) for unit, run in itertools.groupby(units))


class Rhythm:
    """What plays. `unlock_ms` as in door.toml."""

    def __init__(self, unlock_ms: int) -> None:
        self._unlock_ms = unlock_ms
        self._planned: list[tuple[float, Tone | Light]] = []
        self._free_s = self._dark_s = self._over_s = float("-inf")

    def ask(self, signal: Signal, hint: Hint | None, now_s: float) -> bool:
        """Play this from now on; False if something plays that must not be cut off."""
        hint = hint if signal is Signal.LOOK else None
        if hint is not None and now_s < self._over_s:
            return False
        runs = beats_of(signal, hint, self._unlock_ms)
        colour = _COLOURS.get(signal, Colour.AMBER)
        lit_s = max(now_s, self._free_s)
        self._planned = [(at_s, Tone(run)) for at_s, run in _laid_out(runs, now_s)]
        if now_s < self._dark_s:
            self._planned.append((now_s, Light(None)))
        self._planned += [(at_s, Light(run, colour)) for at_s, run in _laid_out(runs, lit_s)]
        self._planned.sort(key=lambda planned: planned[0])
        self._over_s = lit_s + sum(run.length_s for run in runs)
        return True

    def due(self, now_s: float) -> list[Tone | Light]:
        """What to tell the reader now."""
        due = [told for at_s, told in self._planned if at_s <= now_s]
        self._planned = [planned for planned in self._planned if planned[0] > now_s]
        for told in due:
            if isinstance(told, Light) and not told.beats:
                # Only now: two signals may come before anybody asks what is due, and the second must put it out, too.
                self._dark_s = now_s
            elif isinstance(told, Light) and told.beats:
                # As late as it really is: the next flash keeps its distance from this one's last.
                self._dark_s = now_s + told.beats.length_s
                last_s = now_s + told.beats.length_s - (told.beats.on + told.beats.off) * UNIT_S
                self._free_s = last_s + FLASH_EVERY_S
        return due


def _laid_out(runs: tuple[Beats, ...], begin_s: float) -> list[tuple[float, Beats]]:
    starts = itertools.accumulate((run.length_s for run in runs[:-1]), initial=begin_s)
    return list(zip(starts, runs, strict=True))
