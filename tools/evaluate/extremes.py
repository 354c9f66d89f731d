"""How rare a high impostor score is beyond what was seen: a log-linear tail, with people drawn again.

Rules kept here:
- Exceedances over a high level follow a generalized Pareto distribution (Pickands, Annals of Statistics 3, 1975). A
  cosine cannot exceed 1, and a quantity with an upper end has a shape of 0 or below (Coles, "An Introduction to
  Statistical Modeling of Extreme Values", 2001, 3.1 and 4.2). Of these the exponential, shape 0, is the heaviest: on a
  logarithmic scale the rate falls along a line. It is taken; where the tail ends is not claimed.
- The line's slope is the mean excess over the level (Coles, 4.3). The level is a choice: three are tried, and the
  largest rate counts.
- Pairs share pictures and people, so people are drawn again, not pairs (the subsets bootstrap: Bolle, Ratha, Pankanti,
  Computer Vision and Image Understanding 93, 2004). A person is never paired with themselves.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Reals = NDArray[np.float64]
Numbers = NDArray[np.int_]

LEVELS = (3e-3, 1e-3, 3e-4)  # shares of all pairs that lie above the level


@dataclass(frozen=True)
class Pairs:
    """The impostor pairs of one cell that score above some floor, and the people of all its pictures.

    scores: cosines; first, second: the people of each pair; people: a person's number per picture; total: all pairs.
    """

    scores: Reals
    first: Numbers
    second: Numbers
    people: Numbers
    total: int


@dataclass(frozen=True)
class Bounds:
    """Upper bounds of the rate above each threshold, by the resampled counts and by the fitted tail."""

    resampled: Reals
    fitted: Reals


def bounds(pairs: Pairs, thresholds: Reals, draws: int, seed: int, confidence: float = 0.95) -> Bounds:
    """Bounds of one cell: quantiles over `draws` resamples of its people."""
    weights, totals = _resampled(pairs, draws, seed)
    rates = np.stack([weights[pairs.scores > t].sum(axis=0) / totals for t in thresholds])
    fitted = np.zeros((len(thresholds), draws))
    for share in LEVELS:
        level = float(np.sort(pairs.scores)[-min(len(pairs.scores), max(2, int(share * pairs.total)))])
        fitted = np.maximum(fitted, fitted_rates(pairs.scores, weights, totals, level, thresholds))
    return Bounds(np.quantile(rates, confidence, axis=1), np.quantile(fitted, confidence, axis=1))


def fitted_rates(scores: Reals, weights: Reals, totals: Reals, level: float, thresholds: Reals) -> Reals:
    """(thresholds, draws): the rate above each threshold of a log-linear tail fitted above `level`; 0 below it.

    scores: (n,); weights: (n, draws), how often each pair is in each draw; totals: (draws,), pairs of each draw.
    """
    above = scores > level
    weight = weights[above]
    mass = weight.sum(axis=0)
    mean_excess = (scores[above] - level) @ weight / np.maximum(mass, 1.0)
    beyond = (thresholds - level)[:, None]
    rate: Reals = np.exp(-np.maximum(beyond, 0.0) / np.maximum(mean_excess, 1e-9)) * mass / totals
    return np.where(beyond < 0, 0.0, rate)


def _resampled(pairs: Pairs, draws: int, seed: int) -> tuple[Reals, Reals]:
    """How often each pair is in each draw, and how many impostor pairs each draw has."""
    names, counts = np.unique(pairs.people, return_counts=True)
    generator = np.random.default_rng(seed)
    times = generator.multinomial(len(names), np.full(len(names), 1 / len(names)), size=draws).T.astype(np.float64)
    drawn = times * counts[:, None]
    totals = (drawn.sum(axis=0) ** 2 - (drawn**2).sum(axis=0)) / 2
    first, second = np.searchsorted(names, pairs.first), np.searchsorted(names, pairs.second)
    return times[first] * times[second], totals
