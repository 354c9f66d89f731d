"""How much more likely a capture is if somebody was there than if nobody was, to somebody who knows all habits.

Rules kept here:
- Whatever shows and is no alarm is certain: nothing in an open report follows from people, so it is a leak.
- The attacker knows every habit, the odds of everything that goes wrong (`acts.NOW_AND_THEN`), and how many test alarms
  a door sends. Only when the next one comes nobody knows.
- Tests come as a Poisson process of one rate, so an alarm at a moment counts by the rate of real ones there beside the
  rate of tests: log(1 + real / tests), and less the number of real ones that were to be expected.
"""

from __future__ import annotations

from collections.abc import Sequence
from math import erf, exp, inf, log, sqrt

import numpy as np

from tools.anonymity.acts import NOW_AND_THEN
from tools.anonymity.habits import DAY_S, GOES_OUT, SPREAD_S, WEEKEND_LATER_S, WEEKEND_SPREAD_S, Household
from tools.anonymity.observed import Array, Hint

_DEVIATIONS = np.linspace(-8, 8, 16_001)
_NORMAL = np.array([(1 + erf(each / sqrt(2))) / 2 for each in _DEVIATIONS])
_NO_TESTS_A_DAY = 1e-9  # where there are none, an alarm is as good as certain


def somebody_was_there(house: Household, days: int, hints: Sequence[Hint], tests_a_day: float) -> float:
    """Log-odds that the house was lived in, not empty, by what goes wrong now and then in one that is."""
    if any(not hint.alarm for hint in hints):
        return inf
    rate = max(tests_a_day, _NO_TESTS_A_DAY) / DAY_S
    held = NOW_AND_THEN.holds_open
    found = float(np.log1p(held * _leaving(house, days, hints) / rate).sum())
    return found - held * _goings(house, days)


def somebody_called(house: Household, days: int, hints: Sequence[Hint], tests_a_day: float) -> float:
    """Log-odds that one of the alarms is the call for help of somebody who came home, and not all are tests."""
    rate = max(tests_a_day, _NO_TESTS_A_DAY) / DAY_S
    alarms = [hint for hint in hints if hint.alarm]
    calls = float(_coming(house, days, alarms).sum()) / _goings(house, days)
    return log(calls / rate) if calls > 0 else -inf


def finite(odds: float) -> float:
    """Log-odds as a number that a forest can sort by: a probability."""
    return 1 / (1 + exp(-min(max(odds, -50.0), 50.0)))


def _goings(house: Household, days: int) -> float:
    """How often somebody is expected to go out."""
    return len(house.people) * sum(GOES_OUT[day % 7 >= 5] for day in range(days))


def _leaving(house: Household, days: int, hints: Sequence[Hint]) -> Array:
    """Expected leavings per second at the moment of each hint."""
    return _rates(np.array([one.leaves_s for one in house.people]), WEEKEND_LATER_S, WEEKEND_SPREAD_S, days, hints)


def _coming(house: Household, days: int, hints: Sequence[Hint]) -> Array:
    """Expected homecomings per second at the moment of each hint."""
    return _rates(np.array([one.comes_s for one in house.people]), 0.0, SPREAD_S, days, hints)


def _rates(means: Array, later_s: float, spread_s: float, days: int, hints: Sequence[Hint]) -> Array:
    """Expected passages per second, averaged over the stretch of each hint; at weekends later and wider."""
    start = np.array([hint.from_s for hint in hints], dtype=np.float64)
    end = np.array([hint.to_s for hint in hints], dtype=np.float64)
    inside = np.zeros(len(hints))
    for day in range(days):
        near = (end >= day * DAY_S) & (start < (day + 1) * DAY_S)
        weekend = day % 7 >= 5
        mean, spread = (later_s, spread_s) if weekend else (0.0, SPREAD_S)
        parts = means + mean + day * DAY_S
        until, since = ((each[near, None] - parts) / spread for each in (end, start))
        inside[near] += GOES_OUT[weekend] * (_normal(until) - _normal(since)).sum(1)
    rates: Array = inside / np.maximum(end - start, 1.0)
    return rates


def _normal(deviations: Array) -> Array:
    """The distribution function of the standard normal, to seven digits."""
    found: Array = np.interp(deviations, _DEVIATIONS, _NORMAL, left=0.0, right=1.0)
    return found
