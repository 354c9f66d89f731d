"""Whether something grows: the slope of a series by Theil and Sen, and what follows from it. Pure.

Rules kept here:
- A series is of one life of one process; what a process takes until it is warm (`WARM` approaches) is not counted.
- The slope is the median of the slopes between all pairs of samples (Theil 1950, Sen 1968), with its 95 % interval: a
  single high sample moves neither.
- One scale for both verdicts: what the slope would add in a year of `OPENINGS_A_DAY`. FLAT: even the upper end of the
  interval stays below `MOST_MB_A_YEAR`. GROWS: even the lower end is above it. UNDECIDED: the life was too short.
  That an interval holds 0 proves nothing by itself, for a short and noisy life always has one that does.
- A count (descriptors, threads, connections) grows if its least in the last quarter is above its most in the first, and
  above what it may always be.

Sources: scipy.stats.theilslopes; the interval is that of Sen (1968).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum, unique
from typing import Final

import numpy as np
from scipy import stats  # type: ignore[import-untyped]  # it carries no annotations

WARM: Final = 300  # approaches
FEWEST: Final = 20  # samples behind the warm-up, below which no slope is reckoned
CONFIDENCE: Final = 0.95
OPENINGS_A_DAY: Final = 40
MOST_MB_A_YEAR: Final = 10.0
_APPROACHES_A_YEAR: Final = OPENINGS_A_DAY * 365


@unique
class Verdict(StrEnum):
    """What a series says."""

    FLAT = "flat"
    GROWS = "GROWS"
    UNDECIDED = "undecided"


@dataclass(frozen=True, slots=True)
class Slope:
    """kB a 1,000 approaches, and the ends of its 95 % interval; `samples` it rests on, over `approaches`."""

    kb: float
    low_kb: float
    high_kb: float
    samples: int
    approaches: int

    @property
    def holds_zero(self) -> bool:
        """Whether the interval does."""
        return self.low_kb <= 0 <= self.high_kb

    @property
    def verdict(self) -> Verdict:
        """Flat, growing, or too short to tell."""
        if mb_a_year(self.high_kb) < MOST_MB_A_YEAR:
            return Verdict.FLAT
        return Verdict.GROWS if mb_a_year(self.low_kb) > MOST_MB_A_YEAR else Verdict.UNDECIDED


def mb_a_year(kb_a_thousand: float) -> float:
    """What a slope adds in a year of `OPENINGS_A_DAY`, MB of 10^6 bytes."""
    return kb_a_thousand / 1000 * _APPROACHES_A_YEAR * 1024 / 1e6


def slope(approaches: Sequence[int], kb: Sequence[float], warm: int = WARM) -> Slope | None:
    """Of the samples `kb`, taken so many `approaches` after the life began; None if they are too few."""
    x, y = np.asarray(approaches, dtype=np.float64), np.asarray(kb, dtype=np.float64)
    behind = x >= warm
    x, y = x[behind], y[behind]
    if len(x) < FEWEST or x[0] == x[-1]:
        return None
    if y.min() == y.max():  # of a series without any rank the method has no interval
        return Slope(0.0, 0.0, 0.0, len(x), int(x[-1] - x[0]))
    found = stats.theilslopes(y, x, CONFIDENCE)
    return Slope(
        float(found.slope) * 1000,
        float(found.low_slope) * 1000,
        float(found.high_slope) * 1000,
        len(x),
        int(x[-1] - x[0]),
    )


def climbs(approaches: Sequence[int], counts: Sequence[int], warm: int = WARM, rightful: int = 0) -> bool:
    """Whether a count is never again as low, in the last quarter of its life, as it was high in the first.

    `rightful`: so many are no growth at any time.
    """
    warmed = [count for at, count in zip(approaches, counts, strict=True) if at >= warm]
    quarter = len(warmed) // 4
    return len(warmed) >= FEWEST and min(warmed[-quarter:]) > max(rightful, *warmed[:quarter])
