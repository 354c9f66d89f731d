"""A second network beside the first, and scores set against a cohort: what either would change.

Rules kept here:
- The second network is dlib's (weights in the public domain, by its makers' word); it is not shipped, and its rows are
  left out where its file is not there.
- A cohort, and a mean face, are made of one half of the people; what they do is measured on the other half alone.
- Fused is the sum of both cosines with a weight, written as one vector: what is averaged and compared stays one.
- Its embeddings are directions from their mean over the calibration photographs, without which all of them point alike.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from typing import Final

import numpy as np

from tools.evaluate.tries import norms, report
from tools.evaluate.tries.embed import Bench, Floats, Folder
from tools.evaluate.tries.measures import Way, half
from tools.evaluate.tries.tries import FIVE, MIRRORED, together
from tools.evaluate.tries.variants import Variant

DLIB: Final = Variant("dlib_int8", "dlib")
WEIGHTS: Final = (0.15, 0.3)
CHANCE: Final = 2000


def fused(first: Floats, second: Floats, weight: float) -> Floats:
    """(n, 256), length 1: its dot products are (1 - weight) * first + weight * second."""
    parts = (np.sqrt(1 - weight) * first, np.sqrt(weight) * second)
    return np.asarray(np.concatenate(parts, axis=1), np.float32)


def cohorts(bench: Bench, people: Folder, adults: Folder, sets: report.Sets, draws: int) -> Iterator[report.Row]:
    """Scores and directions set against the odd half, measured on the even half; the shipped way first."""
    everybody, cells = (bench.embeddings(folder, [FIVE])[FIVE] for folder in (people, adults))
    odd = half(sets.names, odd=True)
    _, firsts = np.unique(sets.names, return_index=True)
    cohort = everybody[[row for row in firsts if odd[row]]]
    plain, sets = everybody[~odd], replace(sets, names=sets.names[~odd])
    own = (Way(plain, plain), Way(cells, cells))
    yield report.row("by five points, as shipped", "none", *own, sets, draws=draws)
    for name, scorer in (
        ("z-norm, cohort of real people", norms.z_norm(cohort)),
        ("t-norm, cohort of real people", norms.t_norm(cohort)),
        ("s-norm, cohort of real people", norms.s_norm(cohort)),
        ("s-norm, their nearest 100", norms.s_norm(cohort, 100)),
        ("s-norm, directions by chance", norms.s_norm(norms.by_chance(CHANCE))),
    ):
        yield report.row(name, "a product with the cohort", *own, sets, scorer, draws=draws)
    middle = cohort.mean(axis=0)
    moved = [norms.centred(vectors, middle) for vectors in (plain, cells)]
    yield report.row(
        "directions from a mean face",
        "none",
        Way(moved[0], moved[0]),
        Way(moved[1], moved[1]),
        sets,
        draws=draws,
    )


def with_dlib(bench: Bench, people: Folder, adults: Folder, sets: report.Sets, draws: int) -> Iterator[report.Row]:
    """Both networks together; the shipped one alone first. Its middle is that of the odd half."""
    plain, cells = (bench.embeddings(folder, [FIVE])[FIVE] for folder in (people, adults))
    yield report.row("by five points, as shipped", "none", Way(plain, plain), Way(cells, cells), sets, draws=draws)
    odd = half(sets.names, odd=True)
    second = {folder.name: bench.embeddings(folder, [DLIB])[DLIB] for folder in (people, adults)}
    middle = second[people.name][odd].mean(axis=0)
    second = {name: norms.centred(vectors, middle) for name, vectors in second.items()}
    both = {folder.name: bench.embeddings(folder, [FIVE, MIRRORED]) for folder in (people, adults)}

    def ways_of(weight: float, *, mirrored: bool) -> tuple[Way, Way]:
        ways = []
        for folder in (people, adults):
            own = both[folder.name]
            enrol = together([own[FIVE], own[MIRRORED]]) if mirrored else own[FIVE]
            ways.append(
                Way(*(fused(vectors, second[folder.name], weight) for vectors in (enrol, own[FIVE]))),
            )
        return ways[0], ways[1]

    yield report.row("dlib alone", "0.25 run and a crop", *ways_of(1.0, mirrored=False), sets, draws=draws)
    for weight in WEIGHTS:
        for mirrored in (False, True):
            name = f"with dlib, weight {weight:g}" + (", mirrored when enrolling" if mirrored else "")
            yield report.row(name, "0.25 run and a crop", *ways_of(weight, mirrored=mirrored), sets, draws=draws)


def cohort_table(bench: Bench, people: Folder, adults: Folder, sets: report.Sets, draws: int) -> str:
    """Of the even half: both tables."""
    made = list(cohorts(bench, people, adults, sets, draws))
    return report.table(made) + "\n\n" + report.against(made, halves=False)


def table(bench: Bench, people: Folder, adults: Folder, sets: report.Sets, draws: int) -> str:
    """With the second network, which must be there: both tables."""
    made = list(with_dlib(bench, people, adults, sets, draws))
    return report.table(made) + "\n\n" + report.against(made)
