"""Upper confidence bounds for a rate, from a count alone.

Rules kept here:
- Exact, not approximate: the bound of Clopper and Pearson, "The use of confidence or fiducial limits illustrated in the
  case of the binomial", Biometrika 26 (1934). It covers at least as often as it says if the trials are independent.
- Pairs that share a picture are not independent: whoever uses a bound from here for pairs also needs one that resamples
  people (`tools.evaluate.extremes`).
"""

from __future__ import annotations

from math import exp, lgamma, log, log1p

_TINY = 1e-300
_STEPS = 500
_CLOSE = 1e-12


def upper_bound(count: int, trials: int, confidence: float = 0.95) -> float:
    """The rate above which at most `count` of `trials` would be seen with probability below 1 - confidence."""
    if not 0 <= count <= trials or trials < 1:
        msg = f"{count} of {trials} is no count"
        raise ValueError(msg)
    if count == trials:
        return 1.0
    low, high = count / trials, 1.0
    for _ in range(200):
        middle = (low + high) / 2
        if at_most(count, trials, middle) > 1 - confidence:
            low = middle
        else:
            high = middle
        if high - low <= 1e-9 * high:
            break
    return high


def at_most(count: int, trials: int, rate: float) -> float:
    """Probability of at most `count` successes in `trials` independent trials of `rate`."""
    if count >= trials:
        return 1.0
    return incomplete_beta(trials - count, count + 1, 1 - rate)


def incomplete_beta(a: float, b: float, x: float) -> float:
    """The regularised incomplete beta function I_x(a, b). NIST Digital Library of Mathematical Functions, 8.17(v)."""
    if not 0 < x < 1:
        return 0.0 if x <= 0 else 1.0
    front = exp(lgamma(a + b) - lgamma(a) - lgamma(b) + a * log(x) + b * log1p(-x))
    if x < (a + 1) / (a + b + 2):
        return front * _fraction(a, b, x) / a
    return 1 - front * _fraction(b, a, 1 - x) / b


def _fraction(a: float, b: float, x: float) -> float:
    """The continued fraction of 8.17.22, by Lentz's method (Applied Optics 15, 1976)."""
    c, d = 1.0, 1 / _safe(1 - (a + b) * x / (a + 1))
    value = d
    for m in range(1, _STEPS):
        for step in (
            m * (b - m) * x / ((a + 2 * m - 1) * (a + 2 * m)),
            -(a + m) * (a + b + m) * x / ((a + 2 * m) * (a + 2 * m + 1)),
        ):
            d = 1 / _safe(1 + step * d)
            c = _safe(1 + step / c)
            value *= c * d
        if abs(c * d - 1) < _CLOSE:
            break
    return value


def _safe(value: float) -> float:
    return value if abs(value) > _TINY else _TINY
