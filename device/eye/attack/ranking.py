"""Which of all codes that lock might have drawn explains the frames best: a randomisation test. Pure.

Rules kept here:
- Every code is scored by the same rule from the same frames, and only then is the true one looked up. For frames made
  without knowing the code, the true one is any of the N with equal chance, so its rank is at most k with probability
  k / N: whatever the pictures show, whatever the noise, however the score is made. That is the whole of the argument.
- Codes that score alike count against the true one.
- The score knows what lamps do: both brighten, about equally, and the left one more what is turned to the left.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from typing import Any, Final

import numpy as np
import numpy.typing as npt

from device.challenge import MS, Kind, codes_after, kind_of
from device.eye.attack.driven import Driven
from device.eye.attack.levels import LAGS_MS, seen, steady_part, without

Floats = npt.NDArray[np.floating[Any]]

LEAST_RATIO: Final = 0.65
"""How unequal the lamps may be on the whole face: the weaker gives two thirds of the stronger at least. A choice, so
that neither lamps of other make nor a face beside the lens's axis are refused by it."""

_TIES: Final = 1e-9
_UNSEEN: Final = 1e-9  # of a change's full size: a code whose changes fall between two frames explains nothing
_BEST: Final = 1 - 1e-9


@dataclass(frozen=True, slots=True)
class Ranking:
    """`share`: of all codes, those that explain the frames at least as well as the true one; small is good.

    `explained` by the true code at `lag_ms`, of the face's mean brightness; `ahead`: how much better the best code's
    score is than the true one's, as twice a log-likelihood ratio of normal noise.
    """

    share: float
    explained: float
    lag_ms: int
    ahead: float


@dataclass(frozen=True, slots=True, eq=False)
class _Table:
    """All codes after one kind: distinct `offsets_ms` (S,); `at` (N, 3) which of them; steps (N, 3) in levels."""

    offsets_ms: Floats
    at: npt.NDArray[np.intp]
    left: Floats
    right: Floats


@lru_cache(maxsize=len(Kind))
def _table(kind: Kind) -> _Table:
    codes = codes_after(kind)
    offsets = sorted({offset for code in codes for offset in code.offsets_ms})
    index = {offset: place for place, offset in enumerate(offsets)}
    at = np.array([[index[offset] for offset in code.offsets_ms] for code in codes])
    levels = np.array([[(light.left, light.right) for light in code.lights] for code in codes], float)
    # The first step leads from the lights that burn; they are the same for all codes, and filled in by `rank`.
    return _Table(np.array(offsets, float), at, levels[:, :, 0], levels[:, :, 1])


def rank(driven: Driven, times_ns: npt.NDArray[np.int64], mean: Floats, odd: Floats) -> Ranking:
    """Where the true code stands. `mean` (n,): the face's brightness in frame i; `odd` (n,): left against right.

    `odd` is a weighted difference of patches that a face shows when its left light is the stronger one.
    """
    scores, shares = scored(driven, times_ns, mean, odd)
    best = scores.max(axis=0)
    row = int(scores[:, driven.which].argmax())
    ahead = len(times_ns) * float(best.max() - best[driven.which])
    return Ranking(share(best, driven.which), float(shares[row, driven.which]), LAGS_MS[row], ahead)


def share(best: Floats, which: int) -> float:
    """Of all codes, those whose score in `best` (N,) is at least that of code `which`, itself included."""
    return int(np.count_nonzero(best >= best[which] - _TIES)) / len(best)


def scored(driven: Driven, times_ns: npt.NDArray[np.int64], mean: Floats, odd: Floats) -> tuple[Floats, Floats]:
    """At each lag (rows) the score of every code (columns), and how much of `mean` it explains.

    Of what was driven, only what everybody may know is used: when it began, and which lights burnt before.
    """
    table, before = _table(kind_of(driven.lights[0])), driven.lights[0]
    left = np.diff(table.left, axis=1, prepend=float(before.left))
    right = np.diff(table.right, axis=1, prepend=float(before.right))
    steady = steady_part(times_ns)
    mean, odd = without(steady, mean), without(steady, odd)
    steps = _Steps.of(table.at, left, right)
    scores = np.zeros((len(LAGS_MS), len(left)))
    shares = np.zeros_like(scores)
    for row, lag_ms in enumerate(LAGS_MS):
        ramps = without(steady, seen(times_ns, driven.began_ns + table.offsets_ms * MS, lag_ms))
        scores[row], shares[row] = _scores(steps, ramps, mean, odd)
    return scores, shares


@dataclass(frozen=True, slots=True, eq=False)
class _Steps:
    """The three steps (3, N) of every code, and their six products: what its inner products are sums of."""

    at: npt.NDArray[np.intp]
    left: Floats
    right: Floats
    pairs: tuple[npt.NDArray[np.intp], npt.NDArray[np.intp]]
    products: tuple[Floats, Floats, Floats]

    @classmethod
    def of(cls, at: npt.NDArray[np.intp], left: Floats, right: Floats) -> _Steps:
        """From (N, 3)."""
        at, left, right = np.ascontiguousarray(at.T), np.ascontiguousarray(left.T), np.ascontiguousarray(right.T)
        first, second = np.triu_indices(3)
        twice = np.where(first == second, 1.0, 2.0)[:, None]
        cross = (left[first] * right[second] + left[second] * right[first]) * twice / 2
        products = (twice * left[first] * left[second], cross, twice * right[first] * right[second])
        return cls(at, left, right, (at[first], at[second]), products)


def _scores(steps: _Steps, ramps: Floats, mean: Floats, odd: Floats) -> tuple[Floats, Floats]:
    """Score (N,) and explained share of `mean` (N,), at one lag; `ramps` (S, n) are what a step at each offset does.

    Everything a least-squares fit needs are inner products, and those of a code are sums over its three steps.
    """
    gram = (ramps @ ramps.T)[steps.pairs]
    ll, lr, rr = ((product * gram).sum(axis=0) for product in steps.products)
    by_mean, by_odd = (ramps @ mean)[steps.at], (ramps @ odd)[steps.at]
    by_left, by_right = (steps.left * by_mean).sum(axis=0), (steps.right * by_mean).sum(axis=0)
    explained = _in_cone((ll, lr, rr), by_left, by_right, float(mean @ mean))
    across = ll - 2 * lr + rr
    odd_fit = np.maximum(((steps.left - steps.right) * by_odd).sum(axis=0), 0.0) ** 2
    odd_share = _quotient(odd_fit, across * float(odd @ odd), across > _UNSEEN)
    return -np.log1p(-np.minimum(explained, _BEST)) - np.log1p(-np.minimum(odd_share, _BEST)), explained


def _in_cone(gram: tuple[Floats, Floats, Floats], by_left: Floats, by_right: Floats, total: float) -> Floats:
    """The share of `total` explained by both lamps if neither's part is below LEAST_RATIO of the other's.

    That is least squares with two coefficients of 0 or more on left + ratio right and ratio left + right.
    """
    ll, lr, rr = gram
    ratio = LEAST_RATIO
    uu, vv = ll + 2 * ratio * lr + ratio**2 * rr, ratio**2 * ll + 2 * ratio * lr + rr
    uv = ratio * ll + (1 + ratio**2) * lr + ratio * rr
    by_u: Floats = by_left + ratio * by_right
    by_v: Floats = ratio * by_left + by_right
    spread = uu * vv - uv * uv
    a, b = by_u * vv - by_v * uv, by_v * uu - by_u * uv
    inside = (spread > _UNSEEN * (uu + vv) ** 2) & (a >= 0) & (b >= 0)
    both = _quotient(a * by_u + b * by_v, spread * total, inside)
    one = _quotient(by_u * np.maximum(by_u, 0.0), uu * total, uu > _UNSEEN)
    other = _quotient(by_v * np.maximum(by_v, 0.0), vv * total, vv > _UNSEEN)
    best: Floats = np.where(inside, both, np.maximum(one, other))
    return best


def _quotient(above: Floats, below: Floats, where: npt.NDArray[np.bool_]) -> Floats:
    """The quotient `where` that makes sense, 0 elsewhere."""
    sensible = where & (below > 0)
    result: Floats = np.where(sensible, above, 0.0) / np.where(sensible, below, 1.0)
    return result
