"""What is measured, as values: spreads, figures with their limits, sections. Pure.

Rules kept here:
- A figure is the median of several rounds, shown with its lowest and highest; a single round decides nothing.
- A limit is met or missed by the median. If rounds lie on both sides of it, the verdict says so.
- A figure without a stated limit has no verdict.
"""

from __future__ import annotations

import math
import statistics
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any


@dataclass(frozen=True, slots=True)
class Spread:
    """What the rounds gave, at least one."""

    values: tuple[float, ...]

    @classmethod
    def of(cls, values: Sequence[float]) -> Spread:
        """The spread of `values`. Raises ValueError if there are none."""
        if not values:
            msg = "a spread needs at least one value"
            raise ValueError(msg)
        return cls(tuple(values))

    @property
    def median(self) -> float:
        """The middle one."""
        return statistics.median(self.values)

    @property
    def low(self) -> float:
        """The lowest."""
        return min(self.values)

    @property
    def high(self) -> float:
        """The highest."""
        return max(self.values)


def percentile(values: Sequence[float], percent: float) -> float:
    """The smallest of `values` that at least `percent` % of them do not exceed (nearest rank, as in ISO 3534-1)."""
    if not values or not 0 < percent <= 100:
        msg = "a percentile needs values, and a share above 0 and up to 100 %"
        raise ValueError(msg)
    return sorted(values)[math.ceil(len(values) * percent / 100) - 1]


def ratios(above: Sequence[float], below: Sequence[float]) -> Spread:
    """Round by round, how many times `below` goes into `above`."""
    return Spread.of([high / low for high, low in zip(above, below, strict=True)])


@dataclass(frozen=True, slots=True)
class Figure:
    """One figure. `unit` "×" is a ratio to what `name` says; `limit` is the highest value that was promised."""

    name: str
    value: Spread
    unit: str = "×"
    limit: float | None = None

    @property
    def met(self) -> bool | None:
        """Whether the median keeps the limit; None where none is stated."""
        return None if self.limit is None else self.value.median <= self.limit

    @property
    def verdict(self) -> str:
        """The same in words."""
        if self.limit is None:
            return ""
        astride = self.value.low <= self.limit < self.value.high
        return ("met" if self.met else "MISSED") + (", rounds on both sides" if astride else "")

    def plain(self) -> dict[str, Any]:
        """For --json."""
        return {
            "name": self.name,
            "unit": self.unit,
            "median": self.value.median,
            "min": self.value.low,
            "max": self.value.high,
            "rounds": len(self.value.values),
            "limit": self.limit,
            "met": self.met,
        }


@dataclass(frozen=True, slots=True)
class Rows:
    """A table beside the figures: what they are made of."""

    title: str
    head: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]


@dataclass(frozen=True, slots=True)
class Section:
    """What one module found. `notes` say what was measured against what, and what was not."""

    title: str
    figures: tuple[Figure, ...]
    notes: tuple[str, ...] = ()
    tables: tuple[Rows, ...] = field(default=())

    def plain(self) -> dict[str, Any]:
        """For --json."""
        return {
            "title": self.title,
            "figures": [figure.plain() for figure in self.figures],
            "notes": list(self.notes),
            "tables": [
                {"title": t.title, "head": list(t.head), "rows": [list(r) for r in t.rows]} for t in self.tables
            ],
        }


@dataclass(frozen=True, slots=True)
class Plan:
    """How much is measured. `rounds` is the number of interleaved repetitions; `quick` makes each of them small."""

    rounds: int = 5
    quick: bool = False


class NotMeasured(RuntimeError):
    """A section cannot run here; the message says why in one sentence."""
