"""How many requests may come, and whose come first when there are too many. Pure but for the clock.

Rules kept here:
- All strangers together get no more than a small board can serve beside its work.
- Of them, who asked least lately goes first: the more an address was served, the fuller the measure of all has to be
  before it is served again. So one that asks without a pause gets what the others leave, and so do twenty.
- Whoever typed a code at the door has a measure of their own: no stranger can use it up.
- What is remembered is bounded, whoever calls.

A *measure* fills with time up to its brim; every request takes one from it. *Use* is how many requests of an address
were served, an older one counting less. Times are CLOCK_MONOTONIC seconds.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import TypeVar

ALL_PER_S, ALL_BRIM = 20.0, 80.0
SITTER_PER_S, SITTER_BRIM = 10.0, 40.0
NEARLY_FULL = 72.0
MUCH = 80.0  # who was served so often lately is served only while the measure of all is nearly full
HALF_S = 30.0  # a request so long ago counts half
MOST_ADDRESSES = 256
MOST_SITTERS = 8  # more than may sit at once
T = TypeVar("T")


@dataclass(slots=True)
class Measure:
    """Full at first."""

    per_s: float
    brim: float
    at_s: float
    left: float = field(init=False)

    def __post_init__(self) -> None:
        self.left = self.brim

    def take(self, now_s: float, keep: float = 0.0) -> bool:
        """Take one, if there is one and as much as `keep` was there."""
        self.left = min(self.brim, self.left + (now_s - self.at_s) * self.per_s)
        self.at_s = now_s
        if self.left < max(1.0, keep):
            return False
        self.left -= 1
        return True


@dataclass(slots=True)
class Use:
    """How much an address was served lately."""

    at_s: float
    served: float = 0.0

    def lately(self, now_s: float) -> float:
        """By now."""
        self.served *= 0.5 ** ((now_s - self.at_s) / HALF_S)
        self.at_s = now_s
        return self.served


class Pace:
    """All measures of a page."""

    def __init__(self, now_s: Callable[[], float] = time.monotonic) -> None:
        self._now_s = now_s
        self._all = Measure(ALL_PER_S, ALL_BRIM, now_s())
        self._uses: dict[str, Use] = {}
        self._sitters: dict[str, Measure] = {}

    def take(self, address: str, sitter: str = "") -> bool:
        """Whether one more request may come now, of `address`; `sitter`: the open sitting that asks, or empty."""
        now_s = self._now_s()
        if sitter:
            own = self._sitters.pop(sitter, None) or Measure(SITTER_PER_S, SITTER_BRIM, now_s)
            _remember(self._sitters, sitter, own, MOST_SITTERS)
            return own.take(now_s)
        use = self._uses.pop(address, None) or Use(now_s)
        _remember(self._uses, address, use, MOST_ADDRESSES)
        if not self._all.take(now_s, min(ALL_BRIM * use.lately(now_s) / MUCH, NEARLY_FULL)):
            return False
        use.served += 1
        return True


def _remember(kept: dict[str, T], name: str, what: T, most: int) -> None:
    """As the newest; the one that did not ask for longest is forgotten beyond `most`."""
    kept[name] = what
    if len(kept) > most:
        del kept[next(iter(kept))]
