"""A figure on the card, and one that is missing.

Rules kept here:
- A figure is made of a value that was read somewhere, and says where: file and place in it.
- How a value is written is decided here, once; a bound is rounded away from what it bounds.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Figure:
    """What stands on the page. `source`: a path below the root, or a command; `place`: where in it.

    `value` is what was read, `text` how the page writes it.
    """

    key: str
    text: str
    value: float | int | str
    source: str
    place: str


@dataclass(frozen=True, slots=True)
class Missing:
    """A part of the card that nothing of this state measures. `parts`: its figures; `why`: a sentence."""

    name: str
    parts: str
    log: str
    why: str

    @property
    def sentence(self) -> str:
        """For whoever makes a release."""
        return f"{self.name} ({self.parts}): {self.log}: {self.why}"


def percent(share: float) -> str:
    """A share of 1 in percent, with one or two digits that say something."""
    return f"{_digits(100 * share)} %"


def at_most(share: float) -> str:
    """An upper bound in percent, never smaller than it is."""
    if not share:
        return "0 %"
    return f"{_digits(_outward(share, math.ceil))} %"


def interval(low: float, high: float) -> str:
    """A 95 % interval of shares, in percent, never narrower than it is."""
    return f"{_digits(_outward(low, math.floor))} to {_digits(_outward(high, math.ceil))} %"


def points(share: float) -> str:
    """Percentage points."""
    return f"{share:+.1f}"


def count(number: int) -> str:
    """A whole number, with its thousands set apart."""
    return f"{number:,}"


def seconds(number: float) -> str:
    """A span, in the largest unit that keeps it whole."""
    for size, unit in ((3600, "h"), (60, "min")):
        if number >= size and not number % size:
            return f"{number / size:.0f} {unit}"
    return f"{number:g} s"


def _outward(share: float, way: Callable[[float], int]) -> float:
    """In percent, `way` to a tenth, or below one to two digits that say something."""
    scaled = 100 * share
    if scaled <= 0:
        return 0.0
    step = 0.1 if scaled >= 1 else 10.0 ** (math.floor(math.log10(scaled)) - 1)
    return min(way(round(scaled / step, 6)) * step, 100.0)


def _digits(scaled: float) -> str:
    if math.isclose(scaled, round(scaled), abs_tol=1e-9):
        return f"{scaled:.0f}"
    return f"{scaled:.1f}" if scaled >= 1 else f"{scaled:.2g}"
