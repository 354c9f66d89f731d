"""The impostor tail: how often two people of one cell score above a threshold, with bounds, and as a file for the door.

Rules kept here:
- The bound the door uses is, at every threshold, the largest of three 95 % bounds: of the count (up to the highest
  score seen), of the count with people drawn again, and of the fitted tail. It never rises with the threshold.
- It is multiplied by what the judge of the duplicates may have taken away: if at most a share e of true look-alikes is
  called the same person, the true rate is at most 1 / (1 - e) of the one that is left.
- Counts are given whole: a histogram of every comparison of every cell, used or not, in bins of 0.001.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from tools.evaluate.extremes import Pairs, Reals, bounds
from tools.evaluate.groups import Cell
from tools.evaluate.intervals import upper_bound

FIRST, STEP, COUNT = 0.3, 0.002, 326
THRESHOLDS: Reals = np.round(FIRST + STEP * np.arange(COUNT), 3)
BINS = 2000  # of 0.001, from -1 to 1
DRAWS = 1000
SEED = 1
_FLOOR = 0.2  # no level of the fit lies below


@dataclass(frozen=True)
class CellTail:
    """One cell. above, counted, resampled, fitted, upper: a number per threshold; histogram: a count per bin."""

    name: str
    used: bool
    pictures: int
    people: int
    pairs: int
    histogram: NDArray[np.int_]
    above: NDArray[np.int_]
    counted: Reals
    resampled: Reals
    fitted: Reals
    upper: Reals


def measure(cell: Cell, judging_factor: float, draws: int = DRAWS) -> CellTail:
    """The tail of one cell."""
    cosines = cell.cosines().astype(np.float64)
    impostors = cell.impostors()
    scores = cosines[impostors]
    rows, columns = np.nonzero(impostors & (cosines > _FLOOR))
    pairs = Pairs(cosines[rows, columns], cell.people[rows], cell.people[columns], cell.people, scores.size)
    above = np.array([int((scores > t).sum()) for t in THRESHOLDS])
    counted = np.array([upper_bound(int(n), scores.size) if n else 0.0 for n in above])
    found = bounds(pairs, THRESHOLDS, draws, SEED)
    return CellTail(
        name=cell.name,
        used=cell.used,
        pictures=len(cell.files),
        people=len(np.unique(cell.people)),
        pairs=scores.size,
        histogram=histogram(scores),
        above=above,
        counted=counted,
        resampled=found.resampled,
        fitted=found.fitted,
        upper=combined(counted, found.resampled, found.fitted, judging_factor),
    )


def combined(counted: Reals, resampled: Reals, fitted: Reals, judging_factor: float) -> Reals:
    """The bound the door uses, at most 1, never rising with the threshold."""
    largest = np.maximum.reduce([counted, resampled, fitted]) * judging_factor
    return np.minimum(np.maximum.accumulate(largest[::-1])[::-1], 1.0)


def histogram(scores: Reals) -> NDArray[np.int_]:
    """Counts in BINS equal bins from -1 to 1; bin k holds scores from k/1000 - 1 up to the next."""
    return np.histogram(scores, bins=BINS, range=(-1.0, 1.0))[0]


def judging_factor(look_alikes: int, called_same: int) -> float:
    """What the tail is multiplied by, from a blind test of the judge with pairs of two people (95 % bound)."""
    return 1 / (1 - upper_bound(called_same, look_alikes))
