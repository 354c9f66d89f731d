"""How often the door was opened in a day, with noise, for a house in which one opening more or less names nobody.

Rules kept here:
- Openings are counted in memory alone, all methods alike, and only while a signed document asks for it.
- Only a whole day has a number: one that this process of lock watched from its beginning to its end, by the clock that
  nobody can set as well. Or whoever can choose a moment (by a document, a restart, or a time server that jumps) would
  be told of an evening, or of a quarter of an hour.
- A day ends at midnight UTC by the clock that is believed. It is looked for at moments of its own, never because
  somebody came: at midnight, and every ten minutes for a clock that was set in between.
- Noise is drawn once a day. Number and day are on disk before anybody hears them, so that a restart tells the same
  number again instead of another one: whoever could average several draws would get rid of the noise.
- A number that was taken back is taken off the disk, too: it would come back with a restart.
- The noise never stands alone anywhere, and what was counted is forgotten as soon as it is drawn.

The noise is the two-sided geometric distribution (Ghosh, Roughgarden, Sundararajan: Universally utility-maximizing
privacy mechanisms, 2009): P(k) = (1 - a) / (1 + a) a^|k| with a = exp(-epsilon). It is drawn exactly, in whole numbers
from the system's random source (Canonne, Kamath, Steinke: The discrete Gaussian for differential privacy, 2020,
algorithms 1 and 2): a sum of floats would betray in its last bits what it was added to (Mironov, 2012).

What it protects is one opening: whether it happened or not changes the probability of every number by a factor of at
most exp(epsilon), 1.65 for 0.5. Somebody who goes in and out four times a day is protected by a fourth of that as a
whole: exp(4 epsilon), 7.4 for 0.5; and days add up. That is why a house needs twenty taken places, and why there is
one number a day. Cutting a number that is out of bounds protects as well as not cutting it: it looks at the noisy
number alone. It only falsifies numbers that no door reaches.
"""

from __future__ import annotations

import secrets
import struct
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

from device.errors import StoreFault
from device.journal import log
from device.lock import durable

DAY_S = 86_400
LOOK_S = 600
WHOLE_S = DAY_S - 2 * LOOK_S  # a clock that is believed late is looked at again after LOOK_S; none is slewed by as much
LEAST, MOST = -9_999, 99_999
_RECORD = struct.Struct("<IBi")  # the day that has begun, whether the one before it has a number, the number
_MILLI = 1000

Below = Callable[[int], int]
"""A number from 0 up to below its argument, all alike."""


@dataclass(slots=True)
class DailyCount:
    """The count of one door; `told` is the noisy number of the last full day, None if there is none."""

    path: Path
    below: Below = secrets.randbelow
    told: int | None = None
    _openings: int = 0
    _day: int | None = None  # the day that has begun, as far as it was seen
    _since_ns: int = 0  # since when it is watched without a gap, CLOCK_MONOTONIC
    _due_ns: int = 0
    _kept: tuple[int, int | None] | None = field(init=False)  # what the disk said of that at the start

    def __post_init__(self) -> None:
        self._kept = _load(self.path)

    def opened(self) -> None:
        """Somebody was let in."""
        self._openings += 1

    def begin(self) -> None:
        """A document asks for a count from now on, or for none any more: what was counted is forgotten."""
        self.told, self._openings, self._due_ns = None, 0, 0
        self._day = self._kept = None

    def take_back(self) -> None:
        """Too few places are taken: the number of this day is not told again, by the next process either."""
        day, number = (self._day, self.told) if self._day is not None else (self._kept or (None, None))
        self.told = None
        if day is not None and number is not None:
            self._kept = (day, None)
            self._store(day, None)

    def deadline_ns(self) -> int:
        """When `tick` is due, CLOCK_MONOTONIC."""
        return self._due_ns

    def tick(self, now_ns: int, now_unix: int | None, epsilon_milli: int, *, many: bool) -> None:
        """Look whether a day has ended. `now_unix`: None while the clock is not believed; `many`: enough live here."""
        if now_ns < self._due_ns:
            return
        wait_s = LOOK_S if now_unix is None else min(LOOK_S, DAY_S - now_unix % DAY_S)
        self._due_ns = now_ns + wait_s * 1_000_000_000
        if now_unix is None:
            return
        today = now_unix // DAY_S
        if self._day is None and self._kept:
            self._day, number = self._kept
            self._since_ns = now_ns
            self.told = number if self._day == today else None
        if today != self._day:
            self._turn(today, now_ns, epsilon_milli, many=many)

    def _turn(self, today: int, now_ns: int, epsilon_milli: int, *, many: bool) -> None:
        whole = now_ns - self._since_ns >= WHOLE_S * 1_000_000_000
        seen = self._day is not None and today == self._day + 1 and whole
        openings, self._openings, self._day, self.told = self._openings, 0, today, None
        self._since_ns = now_ns
        number = noisy(openings, epsilon_milli, self.below) if seen and many else None
        if self._store(today, number):
            self.told = number

    def _store(self, day: int, number: int | None) -> bool:
        """Whether the disk holds it now."""
        try:
            durable.store(self.path, _RECORD.pack(day, number is not None, number or 0), "the day's count")
        except StoreFault as fault:
            log(f"{fault}; this day has none")
            return False
        return True


def noisy(openings: int, epsilon_milli: int, below: Below = secrets.randbelow) -> int:
    """`openings` and a draw of noise, within LEAST and MOST. `epsilon_milli`: in thousandths, 1 or more."""
    return min(max(openings + two_sided(epsilon_milli, below), LEAST), MOST)


def two_sided(epsilon_milli: int, below: Below = secrets.randbelow) -> int:
    """One draw of the two-sided geometric distribution with a = exp(-epsilon_milli / 1000), exactly."""
    while True:
        fraction = below(_MILLI)
        if not _happens(fraction, _MILLI, below):  # with probability exp(-fraction / 1000)
            continue
        whole = 0
        while _happens(1, 1, below):
            whole += 1
        size = (fraction + _MILLI * whole) // epsilon_milli
        negative = below(2) == 1
        if not (negative and size == 0):  # or zero would come up twice as often
            return -size if negative else size


def _happens(above: int, under: int, below: Below) -> bool:
    """True with probability exp(-above / under), for above / under from 0 to 1 (the paper's algorithm 1)."""
    tries = 1
    while below(under * tries) < above:
        tries += 1
    return tries % 2 == 1


def _load(path: Path) -> tuple[int, int | None] | None:
    """The day and its number as they were stored; None on a new door and if the file is damaged."""
    try:
        data = path.read_bytes()
    except OSError:
        return None
    # Zeros are what a power cut leaves of a file.
    if len(data) != _RECORD.size or not any(data):
        return None
    day, has, number = _RECORD.unpack(data)
    return day, number if has else None
