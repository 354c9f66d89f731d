"""Error rates of what was compared, with intervals. Pure: scores in, numbers out.

Rules kept here:
- Terms of ISO/IEC 19795-1: FMR and FNMR of single comparisons, FPIR and FNIR of a search of a gallery. A match is a
  score at or above the threshold; a threshold for a wanted FMR is the lowest that keeps to it.
- Intervals are of 95 % and draw people again, all of a person's comparisons with them; a threshold that was read off
  the impostors is read anew in each resample, so that its own uncertainty is in the interval.
- Where no error was seen a resample sees none either: then the bound is the exact one of Clopper and Pearson over
  people, near 3 divided by their number (the rule of three).
- Fewer than 30 errors behind a rate are marked (Doddington's rule of 30); fewer than 3, and there is no rate.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
import numpy.typing as npt

from tools.evaluate.accuracy.trials import BINS, Compared, Impostors, Numbers, Reals, histogram_of
from tools.evaluate.intervals import upper_bound

FMRS: Final = (1e-2, 1e-3, 1e-4, 1e-5)
RESAMPLES: Final = 200
FEW: Final = 30
_LEAST: Final = 3
_TWO_SIDED: Final = 0.975


@dataclass(frozen=True, slots=True)
class Rate:
    """A rate with its interval of 95 %; `trials` it was counted over, in one draw, and the people behind them.

    errors: of one draw; None where the rate is a quantile and not a count.
    """

    value: float
    low: float
    high: float
    trials: int
    people: int
    errors: float | None = None

    @property
    def few(self) -> bool:
        """Whether fewer than 30 errors are behind it."""
        return self.errors is not None and self.errors < FEW


@dataclass(frozen=True, slots=True)
class Point:
    """FNMR where the FMR is `fmr`: at this threshold. None: too few comparisons for such a rate."""

    fmr: float
    threshold: float | None
    fnmr: Rate | None
    fewer_than_30_false_matches: bool


def weights(people: int, resamples: int = RESAMPLES, seed: int = 7) -> Reals:
    """(resamples, people): how often each person is in each resample."""
    generator = np.random.default_rng(seed)
    return generator.multinomial(people, np.full(people, 1 / people), size=resamples).astype(np.float64)


def threshold_at(impostors: Impostors, fmr: float, weight: Reals | None = None) -> float:
    """The lowest threshold at which at most a share `fmr` of the impostor comparisons match.

    weight: (people,), how often each is counted. Raises ValueError where more scores than were kept would be needed.
    """
    if weight is None:
        allowed = int(fmr * impostors.total)
    else:
        counted = np.cumsum(weight[impostors.template] * weight[impostors.probe])
        allowed = int(np.searchsorted(counted, fmr * impostors.weighted_total(weight), side="right"))
    return _above(impostors, allowed, fmr)


def _above(impostors: Impostors, allowed: int, fmr: float) -> float:
    """Just above the highest score but `allowed`."""
    if allowed >= len(impostors.scores):
        if len(impostors.scores) < impostors.total:
            raise ValueError(f"the scores that were kept do not reach down to a rate of {fmr:g}")
        return -1.0
    return float(np.nextafter(impostors.scores[allowed], np.float32(2)))


def fnmr_at(compared: Compared, threshold: float, weight: Reals | None = None) -> float:
    """Share of the genuine comparisons below `threshold`."""
    missed = compared.genuine < threshold
    if weight is None:
        return float(missed.mean())
    counted = weight[compared.owner]
    return float(counted[missed].sum() / max(counted.sum(), 1e-12))


def points(compared: Compared, fmrs: Sequence[float], resamples: Reals) -> tuple[Point, ...]:
    """FNMR at the threshold of each FMR, with its interval; each resample is counted once for all of them."""
    able = [fmr for fmr in fmrs if fmr * compared.comparisons >= _LEAST]
    found = compared.impostors
    order = np.argsort(compared.genuine, kind="stable")
    genuine, owner = compared.genuine[order], compared.owner[order]
    drawn = np.zeros((len(resamples), len(able)))
    for row, weight in enumerate(resamples):
        counted = np.cumsum(weight[found.template] * weight[found.probe])
        total = found.weighted_total(weight)
        thresholds = [_above(found, int(np.searchsorted(counted, fmr * total, side="right")), fmr) for fmr in able]
        below = np.insert(np.cumsum(weight[owner]), 0, 0.0)
        drawn[row] = below[np.searchsorted(genuine, thresholds)] / max(below[-1], 1e-12)
    made = {}
    for column, fmr in enumerate(able):
        threshold = threshold_at(found, fmr)
        rate = _rate(compared, fnmr_at(compared, threshold), list(drawn[:, column]))
        made[fmr] = Point(fmr, threshold, rate, fmr * compared.comparisons < FEW)
    return tuple(made.get(fmr, Point(fmr, None, None, fewer_than_30_false_matches=True)) for fmr in fmrs)


def fnmr(compared: Compared, threshold: float, resamples: Reals) -> Rate:
    """FNMR at a threshold that was not read off these scores."""
    drawn = [fnmr_at(compared, threshold, weight) for weight in resamples]
    return _rate(compared, fnmr_at(compared, threshold), drawn)


def fmr(compared: Compared, threshold: float, resamples: Reals) -> Rate:
    """FMR at a threshold that was not read off these scores. Raises ValueError if it lies below the kept scores."""
    found = compared.impostors
    if len(found.scores) < found.total and threshold < found.scores[-1]:
        raise ValueError(f"the scores that were kept do not reach down to {threshold:g}")
    matched = int(np.searchsorted(-found.scores, -threshold, side="right"))
    value = matched / found.total
    template, probe = found.template[:matched], found.probe[:matched]
    drawn = [float((w[template] * w[probe]).sum() / max(found.weighted_total(w), 1e-12)) for w in resamples]
    return of_drawn(value, drawn, compared.comparisons, compared.people, matched / found.draws)


def difference(one: Compared, other: Compared, fmr: float, resamples: Reals) -> Rate | None:
    """FNMR of `one` less that of `other` at the same FMR, of the same people, drawn again together; None: too few."""
    if fmr * min(one.comparisons, other.comparisons) < _LEAST:
        return None

    def apart(weight: Reals | None) -> float:
        left, right = (fnmr_at(each, threshold_at(each.impostors, fmr, weight), weight) for each in (one, other))
        return left - right

    low, high = np.quantile([apart(weight) for weight in resamples], (1 - _TWO_SIDED, _TWO_SIDED))
    return Rate(apart(None), float(low), float(high), one.probes, one.residents)


def eer(compared: Compared) -> float:
    """Where FMR and FNMR are equal, of the histograms (0.0001 wide); between two bins their mean."""
    false, missed = det(compared)
    at = int(np.argmin(np.abs(false - missed)))
    return float((false[at] + missed[at]) / 2)


def det(compared: Compared) -> tuple[Reals, Reals]:
    """FMR and FNMR at thresholds -1, -0.9999, ..., 1: (BINS + 1,) each."""
    matched = np.cumsum(compared.impostors.histogram[::-1])[::-1] / compared.impostors.total
    below = np.cumsum(histogram_of(compared.genuine)) / len(compared.genuine)
    return np.append(matched, 0.0), np.insert(below, 0, 0.0)


def of_counts(errors: int, trials: int) -> Rate:
    """Of independent trials: exact (Clopper, Pearson 1934)."""
    low, high = clopper_pearson(errors, trials)
    return Rate(errors / trials, low, high, trials, trials, errors)


def clopper_pearson(errors: int, trials: int) -> tuple[float, float]:
    """Both ends of the exact interval of 95 %; with no error the upper one is one-sided, 3 / trials nearly."""
    if errors == 0:
        return 0.0, upper_bound(0, trials)
    return 1 - upper_bound(trials - errors, trials, _TWO_SIDED), upper_bound(errors, trials, _TWO_SIDED)


def of_people(missed: npt.NDArray[np.bool_], owner: Numbers, resamples: Reals) -> Rate:
    """The share of True in `missed`, trials of the people `owner`, who are drawn again."""
    people, rows = np.unique(owner, return_inverse=True)
    wrong = np.bincount(rows, missed, len(people))
    tried = np.bincount(rows, minlength=len(people)).astype(np.float64)
    chosen = resamples[:, people]
    drawn = (chosen @ wrong) / np.maximum(chosen @ tried, 1e-12)
    return of_drawn(float(missed.mean()), list(drawn), len(missed), len(people), int(missed.sum()))


def _rate(compared: Compared, value: float, drawn: list[float]) -> Rate:
    people = len(np.unique(compared.owner))
    return of_drawn(value, drawn, compared.probes, people, value * compared.probes)


def of_drawn(value: float, drawn: list[float], trials: int, people: int, errors: float) -> Rate:
    """A rate with the interval of its resamples; the exact one over people where there was no error at all."""
    if value == 0:
        return Rate(0.0, 0.0, upper_bound(0, people), trials, people, 0)
    low, high = np.quantile(drawn, (1 - _TWO_SIDED, _TWO_SIDED))
    return Rate(value, float(low), float(high), trials, people, errors)


def bin_edge(at: int) -> float:
    """The threshold number `at` of `det`."""
    return -1 + at * 2 / BINS
