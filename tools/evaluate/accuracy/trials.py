"""Templates against probes: who is compared with whom, and what came of it.

Rules kept here:
- Templates and probes are unit means, as the door makes them; no picture is in both of one draw.
- Residents are the people with enough pictures for both; everybody with enough for a probe is a stranger to all others.
  A person gives at most `CAP` probes, so that no much-photographed one decides a rate.
- Which pictures enrol is drawn anew `draws` times, seeded.
- Every score knows its two people: intervals draw people again, because comparisons that share one are no independent
  trials (ISO/IEC 19795-1 asks for as much; the resampling is Bolle, Ratha, Pankanti, CVIU 93, 2004).
- Two folders that are said to show one person (`same`) are never compared as strangers.

A comparison is a match if its score reaches the threshold (device/vault/gallery.py).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
import numpy.typing as npt

from tools.evaluate.figures import mean_vector

Floats = npt.NDArray[np.float32]
Reals = npt.NDArray[np.float64]
Numbers = npt.NDArray[np.int_]

CAP: Final = 10  # probes of one person in one draw
DRAWS: Final = 5
BINS: Final = 20_000  # of 0.0001, from -1 to 1
_KEPT: Final = 0.025  # of the impostor scores, the highest: what thresholds are read from
_AT_LEAST: Final = 20_000


@dataclass(frozen=True, slots=True)
class Design:
    """`enrolled` pictures a template, `frames` a probe; only people with at least `least` pictures, if that is more."""

    enrolled: int
    frames: int
    least: int = 0

    @property
    def needed(self) -> int:
        """How many pictures a resident has at least."""
        return max(self.least, self.enrolled + self.frames)

    def __str__(self) -> str:
        return f"{self.enrolled} + {self.frames}"


@dataclass(frozen=True, slots=True, eq=False)
class Impostors:
    """Impostor comparisons of all draws: the highest scores, falling, with their two people; and how many there were.

    templates, probes: (people,), of each person in all draws; draws: how many; apart: pairs of people not compared.
    histogram: (BINS,) of all scores.
    """

    scores: Floats
    template: Numbers
    probe: Numbers
    templates: Reals
    probes: Reals
    draws: int
    apart: Numbers
    histogram: Numbers

    @property
    def total(self) -> int:
        """Comparisons in all draws."""
        return int(self.histogram.sum())

    def weighted_total(self, weights: Reals) -> float:
        """Comparisons with every person counted `weights` (people,) times."""
        template, probe = self.templates * weights, self.probes * weights
        own = float(template @ probe)
        named = float((template[self.apart[:, 0]] * probe[self.apart[:, 1]]).sum())
        return (float(template.sum() * probe.sum()) - own - named) / self.draws


@dataclass(frozen=True, slots=True, eq=False)
class Compared:
    """What one design gave. genuine: scores of all draws; owner: their people; residents: people with a template."""

    design: Design
    genuine: Floats
    owner: Numbers
    impostors: Impostors
    people: int
    residents: int

    @property
    def probes(self) -> int:
        """Genuine comparisons of one draw."""
        return len(self.genuine) // self.impostors.draws

    @property
    def comparisons(self) -> int:
        """Impostor comparisons of one draw."""
        return self.impostors.total // self.impostors.draws


def compare(
    people: Sequence[Floats],
    design: Design,
    same: Numbers | None = None,
    draws: int = DRAWS,
    seed: int = 1,
    cap: int = CAP,
) -> Compared | None:
    """All draws of one design. people: (n, 128) of each; same: a number per person, equal for one person's folders.

    cap: the most probes of one person in one draw.

    None if fewer than two people can be residents.
    """
    cluster = np.arange(len(people)) if same is None else same
    residents = np.array([row for row, own in enumerate(people) if len(own) >= design.needed], int)
    if len(residents) < 2:
        return None
    place = np.full(len(people), -1)
    place[residents] = np.arange(len(residents))
    strangers = _apart(cluster, residents)
    generator = np.random.default_rng([seed, design.enrolled, design.frames])
    genuine, owners, kept = [], [], []
    templates, probes = np.zeros(len(people)), np.zeros(len(people))
    histogram = np.zeros(BINS, int)
    for _ in range(draws):
        made, shown, owner = _draw(people, design, place, generator, cap)
        scores = shown @ made.T
        at_home = place[owner] >= 0
        genuine.append(scores[at_home, place[owner[at_home]]])
        owners.append(owner[at_home])
        compared = cluster[owner][:, None] != cluster[residents][None, :]
        histogram += histogram_of(scores[compared])
        kept.append(_highest(scores, compared, owner, residents))
        templates += np.isin(np.arange(len(people)), residents)
        probes += np.bincount(owner, minlength=len(people))
    top, template, probe = (np.concatenate(part) for part in zip(*kept, strict=True))
    order = np.argsort(-top, kind="stable")
    impostors = Impostors(top[order], template[order], probe[order], templates, probes, draws, strangers, histogram)
    return Compared(design, np.concatenate(genuine), np.concatenate(owners), impostors, len(people), len(residents))


def histogram_of(scores: Floats) -> Numbers:
    """Counts of scores in BINS equal bins from -1 to 1."""
    bins = np.clip(((scores + np.float32(1)) * np.float32(BINS / 2)).astype(np.int32), 0, BINS - 1)
    return np.bincount(bins, minlength=BINS)


def _draw(
    people: Sequence[Floats], design: Design, place: Numbers, generator: np.random.Generator, cap: int
) -> tuple[Floats, Floats, Numbers]:
    """Templates (residents, 128), probes (m, 128), and whose each probe is."""
    templates, probes, owner = [], [], []
    for row, pictures in enumerate(people):
        own = pictures[generator.permutation(len(pictures))]
        if place[row] >= 0:
            templates.append(mean_vector(own[: design.enrolled]))
            own = own[design.enrolled :]
        fit = min(cap, len(own) // design.frames)
        if fit:
            probes.append(mean_vector(own[: fit * design.frames].reshape(fit, design.frames, -1)))
            owner += [row] * fit
    return np.stack(templates), np.concatenate(probes), np.array(owner)


def _highest(
    scores: Floats, compared: npt.NDArray[np.bool_], owner: Numbers, residents: Numbers
) -> tuple[Floats, Numbers, Numbers]:
    keep = max(_AT_LEAST, int(_KEPT * compared.sum()))
    shown = np.where(compared, scores, np.float32(-2))
    if keep < shown.size:
        floor = np.partition(shown, shown.size - keep, axis=None)[shown.size - keep]
        row, column = np.nonzero((shown >= floor) & compared)
    else:
        row, column = np.nonzero(compared)
    return scores[row, column], residents[column], owner[row]


def _apart(cluster: Numbers, residents: Numbers) -> Numbers:
    """Pairs (template's person, probe's person), two people of one cluster: they are not compared."""
    numbers, counts = np.unique(cluster, return_counts=True)
    pairs = [
        (one, other)
        for number in numbers[counts > 1]
        for one in np.flatnonzero(cluster == number)
        for other in np.flatnonzero(cluster == number)
        if one != other and one in residents
    ]
    return np.array(pairs, int).reshape(-1, 2)
