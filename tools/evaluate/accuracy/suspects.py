"""Labels that are likely wrong: one person under two names, somebody else's picture under a name.

Rules kept here:
- Suspicion follows from two fixed bounds, stated with the list; nobody has looked. They are no part of any threshold.
- The figures that count are those with every label as it is. Those without the suspects stand beside them, and flatter:
  a true look-alike is among the first to be suspected.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np

from tools.evaluate.accuracy.gathered import Gathered
from tools.evaluate.accuracy.trials import Numbers

ALIKE: Final = 0.65  # single pictures of two names, as tools.models.measure has it for the group set
UNLIKE: Final = 0.10  # a picture's best score with the others under its name; strangers lie below 0.10 in most cases
_BLOCK: Final = 1000


@dataclass(frozen=True, slots=True)
class Suspects:
    """pairs: two of "person/file" and their score, highest first. strays: one and its best score, lowest first."""

    pairs: tuple[tuple[str, str, float], ...]
    strays: tuple[tuple[str, float], ...]


def suspects(found: Gathered) -> Suspects:
    """What is suspicious among the pictures that became embeddings."""
    good = found.of(found.good)
    names = np.array([f"{person}/{file}" for person, file in zip(good.people, good.files, strict=True)])
    pairs: list[tuple[str, str, float]] = []
    best = np.full(len(good), np.nan)
    for start in range(0, len(good), _BLOCK):
        scores = good.vectors[start : start + _BLOCK] @ good.vectors.T
        rows = np.arange(start, start + len(scores))
        same = good.people[rows][:, None] == good.people[None, :]
        for row, column in np.argwhere((scores >= ALIKE) & ~same):
            if start + row < column:
                pairs.append((str(names[start + row]), str(names[column]), round(float(scores[row, column]), 4)))
        same[np.arange(len(rows)), rows] = False
        others = np.where(same, scores, -np.inf).max(axis=1)
        best[rows] = np.where(same.any(axis=1), others, np.nan)
    strays = [(str(names[row]), round(float(best[row]), 4)) for row in np.flatnonzero(best < UNLIKE)]
    return Suspects(tuple(sorted(pairs, key=lambda pair: -pair[2])), tuple(sorted(strays, key=lambda stray: stray[1])))


def merged(names: list[str], found: Suspects) -> Numbers:
    """A number per name of `names`, equal for names that a suspicious pair links, directly or over others."""
    row = {name: number for number, name in enumerate(names)}
    cluster = np.arange(len(names))
    for one, other, _ in found.pairs:
        first, second = (row.get(each.partition("/")[0]) for each in (one, other))
        if first is not None and second is not None:
            low, high = sorted((cluster[first], cluster[second]))
            cluster[cluster == high] = low
    return cluster
