"""Every subgroup by itself: how alike its people look to the network, and how often the door acquires them.

Rules kept here:
- The folder names a group and a sex ("asian-female") and each file begins with an age ("24_..."): groups-dev's layout.
  Every group by sex, and by sex and age, has a row; no pool is printed in their place.
- One picture a person, but for the pairs that the committed list names: so there are false matches to count and no
  false non-matches. Nothing is said here about who is refused how often; of that the set knows nothing.
- Strangers are of the same sex, group and, in a row of one age, of that age. Pairs share people: intervals draw
  people again.
- Labels are guesses by the makers of the set.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np

from tools.evaluate.accuracy.gathered import Gathered
from tools.evaluate.accuracy.rates import Rate, of_drawn, of_people, weights
from tools.evaluate.accuracy.trials import Numbers, Reals
from tools.evaluate.groups import Judged, people

AGES: Final = ((0, 17), (18, 29), (30, 44), (45, 59), (60, 120))
LEAST: Final = 40  # people; below, a row has no rate


@dataclass(frozen=True, slots=True)
class Subgroup:
    """One row. ages: "all" or "18-29"; fta over its pictures; fmr: one for each threshold, None: too few people."""

    name: str
    ages: str
    pictures: int
    people: int
    fta: Rate
    fmr: tuple[Rate, ...] | None


def subgroups(found: Gathered, judged: dict[str, Judged], thresholds: tuple[float, ...]) -> list[Subgroup]:
    """Every group by sex, then by sex and age."""
    made = []
    for name in np.unique(found.people):
        own = found.of((found.people == name) & found.readable)
        same = judged.get(str(name), Judged(frozenset(), frozenset())).same
        made.append(_row(str(name), "all", own, people(own.files, same), thresholds))
        ages = np.array([_age(str(file)) for file in own.files])
        for low, high in AGES:
            inside = (ages >= low) & (ages <= high)
            if inside.any():
                part = own.of(inside)
                made.append(_row(str(name), f"{low}-{high}", part, people(part.files, same), thresholds))
    return made


def worst(rows: list[Subgroup], which: int, *, adults: bool = True) -> Subgroup | None:
    """The row, of one sex of one group at all ages, with the highest FMR at threshold number `which`."""
    able = [
        row
        for row in rows
        if row.ages == "all" and row.fmr is not None and not (adults and row.name.startswith(("child", "other")))
    ]
    return max(able, key=lambda row: row.fmr[which].value if row.fmr else 0.0, default=None)


def _row(name: str, ages: str, own: Gathered, person: Numbers, thresholds: tuple[float, ...]) -> Subgroup:
    numbers, rows = np.unique(person, return_inverse=True)
    resamples = weights(len(numbers))
    fta = of_people(~own.good, rows, resamples)
    good = own.good
    shown = np.unique(rows[good])
    if len(shown) < LEAST:
        return Subgroup(name, ages, len(own), len(shown), fta, None)
    scores = own.vectors[good] @ own.vectors[good].T
    return Subgroup(
        name, ages, len(own), len(shown), fta, tuple(_fmr(scores, rows[good], t, resamples) for t in thresholds)
    )


def _fmr(
    scores: np.ndarray[tuple[int, ...], np.dtype[np.float32]], rows: Numbers, threshold: float, resamples: Reals
) -> Rate:
    pairs = np.triu(rows[:, None] != rows[None, :], 1)
    first, second = np.nonzero(pairs & (scores >= threshold))
    total = int(pairs.sum())
    counts = np.bincount(rows, minlength=resamples.shape[1]).astype(np.float64)
    drawn = resamples * counts
    totals = (drawn.sum(axis=1) ** 2 - (drawn**2).sum(axis=1)) / 2
    matched = (resamples[:, rows[first]] * resamples[:, rows[second]]).sum(axis=1)
    people_shown = len(np.unique(rows))
    return of_drawn(len(first) / total, list(matched / np.maximum(totals, 1e-12)), total, people_shown, len(first))


def _age(file: str) -> int:
    first = file.partition("_")[0]
    return int(first) if first.isdigit() else -1
