"""What each condition costs: enrolled on pictures as they are, shown spoilt ones; and what a turned head costs.

Rules kept here:
- The same people, the same pictures, the same templates in every condition: what differs is the condition. Which
  pictures enrol and which are shown is drawn once, seeded, before anything is spoilt.
- Thresholds are those of pictures as they are: a door does not know that its light is bad.
- A spoilt picture that the door refuses with a hint is a failure to acquire of that condition, and no comparison.
- Whoever is masked is compared as the door does it: a covered face with covered templates of the same cloth. What a
  covered face scores against a bare template is told beside it.
- Intervals draw people again.
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise
from typing import Final

import numpy as np

from tools.evaluate.accuracy.conditions import Condition
from tools.evaluate.accuracy.gathered import Gathered, Names
from tools.evaluate.accuracy.rates import Rate, of_drawn, of_people, weights
from tools.evaluate.accuracy.trials import Floats, Numbers, Reals
from tools.evaluate.cloths import WORN
from tools.evaluate.figures import mean_vector
from tools.models.covered import CLOTHS

ENROLLED: Final = 5
FRAMES: Final = 3
SHOWN: Final = FRAMES  # pictures of one person: one probe of means each, so that those are independent
TURNED: Final = 10  # of one person, at most, for what a turned head costs: nothing is spoilt for it
_WORN: Final = tuple(number for number, cloth in enumerate(CLOTHS) if cloth.name in WORN)
MEASURED: Final = (
    *(Condition("exposure", stops) for stops in (-2.0, -4.0, 1.0)),
    Condition("noise", 16.0),
    Condition("side", 16.0),
    *(Condition("defocus", sigma) for sigma in (1.0, 1.5)),
    *(Condition("motion", sigma) for sigma in (1.0, 2.0)),
    *(Condition("mask", float(which)) for which in _WORN),
    *(Condition("distance", metres) for metres in (0.6, 0.8, 1.0, 1.1)),
)
YAWS_DEG: Final = (0.0, 10.0, 20.0, 30.0, 90.0)


@dataclass(frozen=True, slots=True, eq=False)
class Chosen:
    """Whose pictures enrol and whose are shown: "person/file" each, with the person's number.

    people: their names; enrol: (people, ENROLLED); shown: (m,); owner: (m,) row of the person.
    """

    people: Names
    enrol: Names
    shown: Names
    owner: Numbers

    @property
    def files(self) -> Names:
        """All of them."""
        return np.concatenate([self.enrol.ravel(), self.shown])


@dataclass(frozen=True, slots=True)
class Cost:
    """One condition. fta: of the pictures shown; fnmr, fmr: of one frame and of the mean of three.

    single, fused: at the thresholds of those names. refused: one frame neither acquired nor matched (FTA and FNMR).
    covered: share of the acquired that seemed covered.
    """

    name: str
    family: str
    fta: Rate
    refused: Rate
    single: Rate | None
    single_fmr: Rate | None
    fused: Rate | None
    covered: float


@dataclass(frozen=True, slots=True)
class Turned:
    """Faces turned by `low` to `high` degrees: failures to acquire, and FNMR of one frame against five pictures."""

    low: float
    high: float
    fta: Rate | None
    fnmr: Rate | None


def choose(clean: Gathered, seed: int = 11) -> Chosen | None:
    """People with ENROLLED + FRAMES usable pictures; None if there are fewer than two."""
    good = clean.of(clean.good)
    names, counts = np.unique(good.people, return_counts=True)
    able = names[counts >= ENROLLED + FRAMES]
    if len(able) < 2:
        return None
    generator = np.random.default_rng(seed)
    enrol, shown, owner = [], [], []
    for row, name in enumerate(able):
        own = generator.permutation(good.files[good.people == name])
        files = np.array([f"{name}/{file}" for file in own])
        enrol.append(files[:ENROLLED])
        fit = min(SHOWN, (len(files) - ENROLLED) // FRAMES * FRAMES)
        shown.append(files[ENROLLED : ENROLLED + fit])
        owner += [row] * fit
    return Chosen(able, np.stack(enrol), np.concatenate(shown), np.array(owner))


def cost(condition: Condition, chosen: Chosen, clean: Gathered, spoilt: Gathered, single: float, fused: float) -> Cost:
    """What `condition` costs. spoilt: at least the files shown, for a mask those that enrol as well.

    single, fused: the thresholds of one frame and of three, against five pictures.
    """
    resamples = weights(len(chosen.people))
    enrolled = spoilt if condition.family == "mask" else clean
    templates = _templates(chosen, enrolled)
    rows = _rows(spoilt, chosen.shown)
    records = spoilt.records[rows]
    good = records["hint"] == 0
    scores = _scores(records["embedding"], templates)
    own = scores[np.arange(len(rows)), chosen.owner]
    missed = own < single
    strangers = scores.copy()
    strangers[np.arange(len(rows)), chosen.owner] = np.nan
    wrong = (strangers >= single) & good[:, None]
    fmr = _fmr(wrong, good, chosen, resamples)
    means, owner = _fused(records["embedding"], good, chosen.owner)
    together = _scores(means, templates)[np.arange(len(owner)), owner] < fused if len(owner) else np.zeros(0, bool)
    return Cost(
        condition.name,
        condition.family,
        of_people(~good, chosen.owner, resamples),
        of_people(~good | missed, chosen.owner, resamples),
        of_people(missed[good], chosen.owner[good], resamples) if good.any() else None,
        fmr,
        of_people(together, owner, resamples) if len(owner) else None,
        float(records["covered"][good].mean()) if good.any() else 0.0,
    )


def bare_against_covered(chosen: Chosen, clean: Gathered, spoilt: Gathered, single: float) -> Rate | None:
    """FNMR of a covered face against the bare template, which no door compares."""
    records = spoilt.records[_rows(spoilt, chosen.shown)]
    good = records["hint"] == 0
    if not good.any():
        return None
    own = _scores(records["embedding"], _templates(chosen, clean))[np.arange(len(records)), chosen.owner]
    return of_people((own < single)[good], chosen.owner[good], weights(len(chosen.people)))


def turned(clean: Gathered, single: float, seed: int = 13) -> list[Turned]:
    """FTA of all pictures with a face, and FNMR of one frame against five others', by what the mesh says of the yaw."""
    yaw = np.abs(clean.records["mesh_yaw_deg"])
    names, person = np.unique(clean.people, return_inverse=True)
    resamples = weights(len(names))
    generator = np.random.default_rng(seed)
    shown: list[tuple[int, float]] = []
    for number in range(len(names)):
        own = generator.permutation(np.flatnonzero((person == number) & clean.good))
        if len(own) > ENROLLED:
            template = mean_vector(clean.vectors[own[:ENROLLED]])
            shown += [(int(row), float(clean.vectors[row] @ template)) for row in own[ENROLLED:][:TURNED]]
    rows = np.array([row for row, _ in shown], int)
    missed = np.array([score < single for _, score in shown], bool)
    found = []
    for low, high in pairwise(YAWS_DEG):
        inside = (yaw >= low) & (yaw < high)
        within = inside[rows] if len(rows) else np.zeros(0, bool)
        found.append(
            Turned(
                low,
                high,
                of_people(~clean.good[inside], person[inside], resamples) if inside.any() else None,
                of_people(missed[within], person[rows[within]], resamples) if within.any() else None,
            )
        )
    return found


def _rows(found: Gathered, files: Names) -> Numbers:
    at = {f"{person}/{file}": row for row, (person, file) in enumerate(zip(found.people, found.files, strict=True))}
    return np.array([at[str(file)] for file in files], int)


def _templates(chosen: Chosen, enrolled: Gathered) -> Floats:
    """(people, 128): the mean of those enrolment pictures that were acquired; zeros, which match nobody, of none."""
    rows = _rows(enrolled, chosen.enrol.ravel()).reshape(chosen.enrol.shape)
    total = enrolled.vectors[rows].sum(axis=1)
    length = np.linalg.norm(total, axis=-1, keepdims=True)
    made: Floats = np.where(length > 0, total / np.maximum(length, 1e-9), 0).astype(np.float32)
    return made


def _scores(probes: Floats, templates: Floats) -> Floats:
    scores: Floats = probes @ templates.T
    return scores


def _fused(
    vectors: Floats, good: np.ndarray[tuple[int, ...], np.dtype[np.bool_]], owner: Numbers
) -> tuple[Floats, Numbers]:
    """Means of FRAMES acquired pictures of one person, as many as fit; and whose they are."""
    means, whose = [], []
    for row in np.unique(owner):
        own = vectors[(owner == row) & good]
        fit = len(own) // FRAMES
        if fit:
            means.append(mean_vector(own[: fit * FRAMES].reshape(fit, FRAMES, -1)))
            whose += [int(row)] * fit
    return (np.concatenate(means) if means else np.zeros((0, vectors.shape[1]), np.float32)), np.array(whose, int)


def _fmr(
    wrong: np.ndarray[tuple[int, ...], np.dtype[np.bool_]],
    good: np.ndarray[tuple[int, ...], np.dtype[np.bool_]],
    chosen: Chosen,
    resamples: Reals,
) -> Rate | None:
    """Share of the comparisons with other people's templates that match, both people drawn again."""
    count = len(chosen.people)
    probes = np.bincount(chosen.owner[good], minlength=count).astype(np.float64)
    trials = int(probes.sum()) * (count - 1)
    if not trials:
        return None
    matched = np.zeros((count, count))
    np.add.at(matched, chosen.owner, wrong)
    tried = (resamples.sum(axis=1) * (resamples @ probes)) - (resamples**2) @ probes
    drawn = np.einsum("bi,ij,bj->b", resamples, matched, resamples) / np.maximum(tried, 1e-12)
    return of_drawn(float(matched.sum()) / trials, list(drawn), trials, count, int(matched.sum()))
