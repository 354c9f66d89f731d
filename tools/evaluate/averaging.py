"""What averaging several pictures does to strangers' scores, and how often it still refuses the right person.

Rules kept here:
- Measured on people with many pictures (lfw-dev, 8 or more): public figures of all groups mixed, photographed on
  different days. It is the difference that averaging makes which is taken from them, never a rate of false matches.
- The shift is how much higher the threshold has to be for the same rate of false matches as one picture against one. It
  grows with the score, so it is measured at several rates, and its upper bound over resampled people is what counts.
- Draws are seeded; enrolment and probe pictures of one draw are different pictures.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from tools.evaluate.figures import Floats, mean_vector
from tools.evaluate.gather import Gallery

Reals = NDArray[np.float64]

RATES = (1e-2, 1e-3, 1e-4)


@dataclass(frozen=True)
class Draw:
    """One template a person and their probes. templates: (p, 128); probes: (m, 128); owner: (m,), row of the person."""

    templates: Floats
    probes: Floats
    owner: NDArray[np.int_]

    def scores(self) -> Floats:
        """(m, p)."""
        return self.probes @ self.templates.T


def with_pictures(gallery: Gallery, least: int) -> list[Floats]:
    """The embeddings of each person with at least `least` pictures."""
    names, counts = np.unique(gallery.folders, return_counts=True)
    return [gallery.vectors[gallery.folders == name] for name in names[counts >= least]]


def draw(people: list[Floats], enrolled: int, frames: int, generator: np.random.Generator) -> Draw:
    """Every person enrolled with `enrolled` random pictures; probes of `frames` other pictures of theirs."""
    templates, probes, owner = [], [], []
    for row, pictures in enumerate(people):
        own = pictures[generator.permutation(len(pictures))]
        templates.append(mean_vector(own[:enrolled]))
        fit = (len(own) - enrolled) // frames
        probes.append(mean_vector(own[enrolled : enrolled + fit * frames].reshape(fit, frames, -1)))
        owner += [row] * fit
    return Draw(np.stack(templates), np.concatenate(probes), np.array(owner))


@dataclass(frozen=True)
class Strangers:
    """The highest impostor scores of several draws, sorted from the top, with the two people of each.

    probes: (people,) number of probes of each person, of all draws together: for the number of all comparisons.
    """

    scores: Reals
    template: NDArray[np.int_]
    probe: NDArray[np.int_]
    probes: Reals

    def total(self, weights: Reals) -> Reals:
        """Comparisons in each resample; weights: (people, draws), how often each person is in it."""
        made: Reals = weights.sum(axis=0) * (self.probes @ weights) - self.probes @ weights**2
        return made

    def thresholds(self, weights: Reals, rate: float) -> Reals:
        """The threshold with `rate` false matches in each resample."""
        weight = weights[self.template] * weights[self.probe]
        rank = np.argmax(np.cumsum(weight, axis=0) > rate * self.total(weights), axis=0)
        found: Reals = self.scores[rank]
        return found


def strangers(people: list[Floats], enrolled: int, frames: int, draws: int, seed: int) -> Strangers:
    """Impostor scores of `draws` draws, as far down as the largest of RATES needs."""
    generator = np.random.default_rng(seed)
    kept: list[tuple[Reals, NDArray[np.int_], NDArray[np.int_]]] = []
    probes = np.zeros(len(people))
    for _ in range(draws):
        made = draw(people, enrolled, frames, generator)
        scores = made.scores().astype(np.float64)
        scores[np.arange(len(made.owner)), made.owner] = -2.0
        probes += np.bincount(made.owner, minlength=len(people))
        floor = np.quantile(scores, 1 - 2.5 * RATES[0])
        row, column = np.nonzero(scores > floor)
        kept.append((scores[row, column], column, made.owner[row]))
    scores, template, probe = (np.concatenate(part) for part in zip(*kept, strict=True))
    order = np.argsort(-scores)
    return Strangers(scores[order], template[order], probe[order], probes)


@dataclass(frozen=True)
class Shift:
    """How much higher the threshold has to be at one rate: as measured, and its upper bound."""

    rate: float
    plain: float
    measured: float
    upper: float


def shifts(single: Strangers, several: Strangers, draws: int, seed: int, confidence: float = 0.95) -> list[Shift]:
    """The shift of `several` against `single` (both of the same people) at each of RATES."""
    count = len(single.probes)
    generator = np.random.default_rng(seed)
    weights = generator.multinomial(count, np.full(count, 1 / count), size=draws).T.astype(np.float64)
    plain = np.ones((count, 1))
    found = []
    for rate in RATES:
        before, after = single.thresholds(plain, rate)[0], several.thresholds(plain, rate)[0]
        spread = several.thresholds(weights, rate) - single.thresholds(weights, rate)
        found.append(Shift(rate, float(before), float(after - before), float(np.quantile(spread, confidence))))
    return found


def genuine(people: list[Floats], enrolled: int, frames: int, draws: int, seed: int) -> Reals:
    """Genuine scores of `draws` draws, sorted."""
    generator = np.random.default_rng(seed)
    found = []
    for _ in range(draws):
        made = draw(people, enrolled, frames, generator)
        found.append(made.scores()[np.arange(len(made.owner)), made.owner])
    return np.sort(np.concatenate(found).astype(np.float64))


def mean_length(people: list[Floats], enrolled: int, draws: int, seed: int) -> float:
    """How long the mean of `enrolled` pictures of one person is, on average over people and draws; 1 for alike ones."""
    generator = np.random.default_rng(seed)
    found = [
        float(np.linalg.norm(own[generator.permutation(len(own))[:enrolled]].mean(axis=0)))
        for _ in range(draws)
        for own in people
    ]
    return float(np.mean(found))
