"""What a way to recognise achieves: refusals of the right people where strangers are accepted at a stated rate.

Rules kept here:
- Enrolment and probe embeddings may be made in two ways (an enrolment may cost more than a look): every score is one
  of an enrolment vector with a probe vector, strangers' scores too.
- All ways are measured on the same draws of the same people; an interval is over people drawn again (1,000 times,
  95 %), with the thresholds held, and a difference is of the same people in both.
- One half of the people is for choosing, the other for confirming: the hash of a name says which half it is in.

Terms: ISO/IEC 19795-1. *pooled*: strangers of all groups mixed, who flatter; *group*: of one sex and one group.
"""

from __future__ import annotations

import zlib
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
import numpy.typing as npt

from tools.evaluate import averaging
from tools.evaluate.figures import mean_vector, threshold_at
from tools.evaluate.groups import NOT_USED, Judged, people

Floats = npt.NDArray[np.float32]
Reals = npt.NDArray[np.float64]
Names = npt.NDArray[np.str_]
Counts = npt.NDArray[np.int_]

ENROLLED: Final = 3
DRAWS: Final = 20
RESAMPLES: Final = 1000
POOLED: Final = (1e-4, 1e-5)
WORST_AT, MEDIAN_AT, DOOR_AT = 1e-2, 1e-3, 1e-3
LEAST_FOR_DOOR: Final = 8

Scorer = Callable[[Floats, Floats], Floats]
"""Probes (m, d) and templates (p, d) to scores (m, p)."""


def cosine(probes: Floats, templates: Floats) -> Floats:
    """What the door does: the dot product of unit vectors."""
    return probes @ templates.T


@dataclass(frozen=True)
class Way:
    """Embeddings of one folder, rows alike: enrol and probe (n, 128), length 1."""

    enrol: Floats
    probe: Floats

    def of(self, chosen: npt.NDArray[np.bool_]) -> Way:
        """The chosen rows."""
        return Way(self.enrol[chosen], self.probe[chosen])


@dataclass(frozen=True)
class Rate:
    """A rate of refusals, by person: errors and comparisons are (people,), summed over draws."""

    errors: Reals
    comparisons: Reals

    @property
    def value(self) -> float:
        """The rate."""
        return float(self.errors.sum() / self.comparisons.sum())

    def resampled(self) -> Reals:
        """The rate with people drawn again, RESAMPLES values; the same people for every Rate of as many."""
        count = len(self.errors)
        weights = np.random.default_rng(11).multinomial(count, np.full(count, 1 / count), size=RESAMPLES)
        return np.asarray((weights @ self.errors) / (weights @ self.comparisons))

    def interval(self) -> tuple[float, float]:
        """95 %."""
        low, high = np.quantile(self.resampled(), (0.025, 0.975))
        return float(low), float(high)

    def less_than(self, other: Rate) -> tuple[float, float, float]:
        """By how much this rate is lower than `other` of the same people: the difference and its 95 % interval."""
        low, high = np.quantile(other.resampled() - self.resampled(), (0.025, 0.975))
        return other.value - self.value, float(low), float(high)


@dataclass(frozen=True)
class Drawn:
    """Scores of some draws: of the right people with who they are, and each draw's strangers."""

    genuine: tuple[Floats, ...]
    owner: tuple[Counts, ...]
    strangers: tuple[Floats, ...]
    people: int

    def rate(self, thresholds: Sequence[float]) -> Rate:
        """Refusals at a threshold a draw."""
        errors, comparisons = np.zeros(self.people), np.zeros(self.people)
        for scores, owner, threshold in zip(self.genuine, self.owner, thresholds, strict=True):
            errors += np.bincount(owner, scores <= threshold, self.people)
            comparisons += np.bincount(owner, minlength=self.people)
        return Rate(errors, comparisons)

    def pooled(self, fmr: float) -> Rate:
        """Refusals where a share `fmr` of strangers is accepted."""
        return self.rate(self.marks(fmr))

    def marks(self, fmr: float) -> list[float]:
        """The threshold for `fmr` in each draw."""
        return [threshold_at(scores, fmr) for scores in self.strangers]

    def at(self, threshold: float) -> Rate:
        """Refusals at one threshold."""
        return self.rate([threshold] * len(self.genuine))


def half(names: Names, *, odd: bool) -> npt.NDArray[np.bool_]:
    """Mask of one half of the people."""
    return np.array([zlib.crc32(str(name).encode()) % 2 == int(odd) for name in names])


def drawn(way: Way, names: Names, draws: int = DRAWS, spoiled: Floats | None = None, scorer: Scorer = cosine) -> Drawn:
    """ENROLLED pictures averaged, one probe: residents' own, and everybody else's pictures as strangers.

    spoiled: (n, d), the right people's probes instead of their own pictures (strangers' stay as they are).
    """
    enrolled = ENROLLED
    persons, counts = np.unique(names, return_counts=True)
    residents = persons[counts > enrolled]
    known = np.isin(names, residents)
    rows = {str(name): np.flatnonzero(names == name) for name in residents}
    genuine, owners, strangers = [], [], []
    for seed in range(draws):
        generator = np.random.default_rng(seed)
        templates, rest, owner = [], [], []
        for number, name in enumerate(residents):
            own = generator.permutation(rows[str(name)])
            templates.append(mean_vector(way.enrol[own[:enrolled]]))
            rest.append(own[enrolled:])
            owner += [number] * (len(own) - enrolled)
        template, probes, who = np.stack(templates), np.concatenate(rest), np.array(owner)
        scores = scorer(way.probe[probes], template)
        apart = np.ones(scores.shape, bool)
        apart[np.arange(len(who)), who] = False
        met = scores if spoiled is None else scorer(spoiled[probes], template)
        genuine.append(met[~apart])
        owners.append(who)
        strangers.append(np.concatenate([scores[apart], scorer(way.probe[~known], template).ravel()]))
    return Drawn(tuple(genuine), tuple(owners), tuple(strangers), len(residents))


@dataclass(frozen=True)
class GroupMarks:
    """Thresholds from strangers of one sex and group, one picture against one. by_cell: (cell, at 1e-2, at 1e-3)."""

    by_cell: tuple[tuple[str, float, float], ...]

    @property
    def worst(self) -> float:
        """Where the worst adult group has WORST_AT."""
        return max(mark for _, mark, _ in self.by_cell)

    @property
    def median(self) -> float:
        """Where the median group has MEDIAN_AT."""
        return float(np.median([mark for _, _, mark in self.by_cell]))

    @property
    def door(self) -> float:
        """Where the worst adult group has DOOR_AT."""
        return max(mark for _, _, mark in self.by_cell)


def persons(cells: Names, files: Names, judged: dict[str, Judged]) -> Counts:
    """A number per picture of the whole group set, equal where one person is known to be shown.

    Of the whole set, because links chain: in a part of it two pictures of one person may have lost the third between.
    """
    found = np.zeros(len(files), np.int_)
    for cell in np.unique(cells):
        inside = np.flatnonzero(cells == cell)
        known = judged.get(str(cell), Judged(frozenset(), frozenset()))
        found[inside] = inside[people(files[inside], known.same)]
    return found


def group_marks(way: Way, cells: Names, person: Counts, scorer: Scorer = cosine) -> GroupMarks:
    """The marks of every adult cell; judged duplicates are no strangers (`persons`)."""
    found = []
    for cell in np.unique(cells):
        if str(cell).startswith(NOT_USED):
            continue
        inside = cells == cell
        own, who = way.of(inside), person[inside]
        scores = scorer(own.probe, own.enrol)[who[:, None] != who[None, :]]
        found.append((str(cell), threshold_at(scores, WORST_AT), threshold_at(scores, DOOR_AT)))
    return GroupMarks(tuple(found))


@dataclass(frozen=True)
class Door:
    """The door as it decides: 5 pictures enrolled, the mean of up to 3 frames. shift: measured, and its upper bound."""

    rate: Rate
    threshold: float
    shift: float
    shift_upper: float


def door(way: Way, names: Names, mark: float, draws: int = DRAWS) -> Door:
    """Refusals at `mark` plus what averaging adds to strangers' scores (the bound that counts at the door)."""
    persons, counts = np.unique(names, return_counts=True)
    residents = persons[counts >= LEAST_FOR_DOOR]
    both = [np.stack([way.enrol[names == n], way.probe[names == n]]) for n in residents]
    single, several = (_strangers(both, enrolled, frames, draws) for enrolled, frames in ((1, 1), (5, 3)))
    found = averaging.shifts(single, several, 200, seed=3)
    shift, upper = max(each.measured for each in found), max(each.upper for each in found)
    errors, comparisons = np.zeros(len(both)), np.zeros(len(both))
    generator = np.random.default_rng(4)
    for _ in range(draws):
        for person, pictures in enumerate(both):
            template, probes = _one(pictures, 5, 3, generator)
            errors[person] += (probes @ template < mark + upper).sum()
            comparisons[person] += len(probes)
    return Door(Rate(errors, comparisons), mark + upper, shift, upper)


def _one(pictures: Floats, enrolled: int, frames: int, generator: np.random.Generator) -> tuple[Floats, Floats]:
    order = generator.permutation(pictures.shape[1])
    enrol, probe = pictures[0, order[:enrolled]], pictures[1, order[enrolled:]]
    fit = len(probe) // frames
    return mean_vector(enrol), mean_vector(probe[: fit * frames].reshape(fit, frames, -1))


def _strangers(both: list[Floats], enrolled: int, frames: int, draws: int) -> averaging.Strangers:
    """As `averaging.strangers`, with enrolment and probe made in two ways."""
    generator = np.random.default_rng(enrolled)
    kept: list[tuple[Reals, Counts, Counts]] = []
    probes = np.zeros(len(both))
    for _ in range(draws):
        made = [_one(pictures, enrolled, frames, generator) for pictures in both]
        owner = np.repeat(np.arange(len(both)), [len(probe) for _, probe in made])
        scores = np.concatenate([p for _, p in made]) @ np.stack([t for t, _ in made]).T
        scores = scores.astype(np.float64)
        scores[np.arange(len(owner)), owner] = -2.0
        probes += np.bincount(owner, minlength=len(both))
        row, column = np.nonzero(scores > np.quantile(scores, 1 - 2.5 * averaging.RATES[0]))
        kept.append((scores[row, column], column, owner[row]))
    scores, template, probe = (np.concatenate(part) for part in zip(*kept, strict=True))
    order = np.argsort(-scores)
    return averaging.Strangers(scores[order], template[order], probe[order], probes)
