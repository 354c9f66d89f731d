"""How much more likely a capture is if somebody was there than if nobody was, to somebody who knows all habits.

Rules kept here:
- The attacker knows every habit, the odds of everything that goes wrong (`acts.NOW_AND_THEN`), and how many test alarms
  a door sends. Only when the next one comes nobody knows.
- Tests come as a Poisson process of one rate, so an alarm at a moment counts by the rate of real ones there beside the
  rate of tests: log(1 + real / tests), and less the number of real ones that were to be expected.
"""

from __future__ import annotations

from collections.abc import Sequence
from math import erf, exp, inf, log, log1p, sqrt

import numpy as np

from tools.anonymity.acts import FAULT_S, NOW_AND_THEN
from tools.anonymity.habits import DAY_S, GOES_OUT, SPREAD_S, WEEKEND_LATER_S, WEEKEND_SPREAD_S, By, Household
from tools.anonymity.observed import Array, Hint

_NO_TESTS_A_DAY = 1e-9  # where there are none, an alarm is as good as certain


def somebody_was_there(house: Household, days: int, hints: Sequence[Hint], tests_a_day: float) -> float:
    """Log-odds that the house was lived in, not empty, by what goes wrong now and then in one that is."""
    if any(not hint.alarm for hint in hints):
        return inf
    rate = max(tests_a_day, _NO_TESTS_A_DAY) / DAY_S
    held = NOW_AND_THEN.holds_open
    found = sum(log1p(held * _leaving(house, days, hint) / rate) for hint in hints)
    return found - held * _goings(house, days) - _other_trouble(house, days)


def somebody_called(house: Household, days: int, hints: Sequence[Hint], tests_a_day: float) -> float:
    """Log-odds that one of the alarms is the call for help of somebody who came home, and not all are tests."""
    rate = max(tests_a_day, _NO_TESTS_A_DAY) / DAY_S
    calls = sum(_coming(house, days, hint) for hint in hints if hint.alarm) / _goings(house, days)
    return log(calls / rate) if calls > 0 else -inf


def finite(odds: float) -> float:
    """Log-odds as a number that a forest can sort by: a probability."""
    return 1 / (1 + exp(-min(max(odds, -50.0), 50.0)))


def _goings(house: Household, days: int) -> float:
    """How often somebody is expected to go out."""
    return len(house.people) * sum(GOES_OUT[day % 7 >= 5] for day in range(days))


def _other_trouble(house: Household, days: int) -> float:
    """How many lockouts and broken cameras are expected to show; the latter if somebody comes in time to meet one."""
    typing = sum(one.by is By.PIN for one in house.people) * NOW_AND_THEN.locked_out
    faces = [one.comes_s for one in house.people if one.by is By.FACE]
    met_s = min(FAULT_S + max(faces) - min(faces), DAY_S) if faces else 0.0
    return days * (typing + NOW_AND_THEN.camera_fault * met_s / DAY_S)


def _leaving(house: Household, days: int, hint: Hint) -> float:
    """Expected leavings per second at the moment of `hint`."""
    return _rate(np.array([one.leaves_s for one in house.people]), WEEKEND_LATER_S, WEEKEND_SPREAD_S, days, hint)


def _coming(house: Household, days: int, hint: Hint) -> float:
    """Expected homecomings per second at the moment of `hint`."""
    return _rate(np.array([one.comes_s for one in house.people]), 0.0, SPREAD_S, days, hint)


def _rate(means: Array, later_s: float, spread_s: float, days: int, hint: Hint) -> float:
    """Expected passages per second, averaged over the stretch of `hint`; at weekends later and wider."""
    found = 0.0
    for day in {int(hint.from_s // DAY_S), int(hint.to_s // DAY_S)} & set(range(days)):
        weekend = day % 7 >= 5
        mean, spread = (later_s, spread_s) if weekend else (0.0, SPREAD_S)
        parts = (means + mean + day * DAY_S).tolist()
        inside = sum(_normal(hint.to_s, part, spread) - _normal(hint.from_s, part, spread) for part in parts)
        found += GOES_OUT[weekend] * inside
    return found / max(hint.to_s - hint.from_s, 1.0)


def _normal(at_s: float, mean_s: float, spread_s: float) -> float:
    return (1 + erf((at_s - mean_s) / (spread_s * sqrt(2)))) / 2
