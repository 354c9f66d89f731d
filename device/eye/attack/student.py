"""Student's t: how far a mean of few values may stray. Pure.

Rules kept here:
- Exact for whole degrees of freedom, to the last digits of a float: no table, no approximation, no library.

Source: the finite series of Abramowitz and Stegun, "Handbook of Mathematical Functions", 26.7.3 and 26.7.4; the
quantile is where the series comes to the probability, found by halving.
"""

from __future__ import annotations

import math
from functools import lru_cache


def within(t: float, freedom: int) -> float:
    """The probability that Student's t of `freedom` (1 or more) degrees lies between -t and t, for t of 0 or more."""
    angle = math.atan(t / math.sqrt(freedom))
    cosine, sine = math.cos(angle), math.sin(angle)
    odd = freedom % 2 == 1
    term, total = (cosine, 0.0) if odd else (1.0, 0.0)
    step = 1 if odd else 0
    while step <= freedom - 2:
        total += term
        term *= cosine * cosine * (step + 1) / (step + 2)
        step += 2
    return 2 / math.pi * (angle + sine * total) if odd else sine * total


@lru_cache(maxsize=256)
def quantile(probability: float, freedom: int) -> float:
    """The t that is exceeded with probability 1 - `probability` (0.5 or more, below 1) on one side."""
    low, high = 0.0, 1.0
    wanted = 2 * probability - 1
    while within(high, freedom) < wanted:
        high *= 2
    for _ in range(60):
        middle = (low + high) / 2
        low, high = (middle, high) if within(middle, freedom) < wanted else (low, middle)
    return high
