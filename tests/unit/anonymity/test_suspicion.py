"""The attacker's reckoning: what an alarm is worth beside so many tests, and where."""

import math

import numpy as np
import pytest

from tools.anonymity.habits import DAY_S, By, Household, Person
from tools.anonymity.observed import Hint
from tools.anonymity.suspicion import finite, somebody_called, somebody_was_there

HOUSE = Household((Person(8 * 3600.0, 18 * 3600.0, By.PIN), Person(9 * 3600.0, 17 * 3600.0, By.FACE)), 0)
WEEK, A_DAY = 7, 8.0


def alarm(at_s: float) -> Hint:
    return Hint(at_s - 90.0, at_s, alarm=True)


def test_whatever_is_no_alarm_is_certain() -> None:
    assert somebody_was_there(HOUSE, WEEK, [Hint(0.0, 900.0)], A_DAY) == math.inf


def test_silence_speaks_for_an_empty_house_and_an_alarm_when_somebody_leaves_for_a_full_one() -> None:
    silence = somebody_was_there(HOUSE, WEEK, [], A_DAY)
    night = somebody_was_there(HOUSE, WEEK, [alarm(3 * 3600.0)], A_DAY)
    morning = somebody_was_there(HOUSE, WEEK, [alarm(8 * 3600.0 + 61)], A_DAY)
    assert silence < 0
    assert night == pytest.approx(silence)
    assert morning > silence


def test_more_tests_make_an_alarm_worth_less_and_none_make_it_certain() -> None:
    at = [alarm(8 * 3600.0 + 61)]
    worth = [somebody_was_there(HOUSE, WEEK, at, a_day) for a_day in (0.0, 1.0, 8.0, 100.0)]
    assert worth == sorted(worth, reverse=True)
    assert worth[0] > 0


def test_a_call_for_help_is_looked_for_where_people_come_home() -> None:
    assert somebody_called(HOUSE, WEEK, [], A_DAY) == -math.inf
    home = somebody_called(HOUSE, WEEK, [alarm(18 * 3600.0 + 2)], A_DAY)
    assert home > somebody_called(HOUSE, WEEK, [alarm(12 * 3600.0)], A_DAY)
    assert somebody_called(HOUSE, WEEK, [alarm(18 * 3600.0 + 2)], 0.0) > 10


def test_likelihoods_are_right_where_they_can_be_counted() -> None:
    """As many homecomings per second as there are, summed over a week of seconds, are the homecomings of a week."""
    steps = np.arange(90.0, WEEK * DAY_S, 90.0)
    odds = somebody_called(HOUSE, WEEK, [alarm(float(at_s)) for at_s in steps], A_DAY)
    share = math.exp(odds) * A_DAY / DAY_S * 90.0
    assert share == pytest.approx(1.0, abs=0.01)


def test_log_odds_become_a_probability() -> None:
    assert [finite(each) for each in (-math.inf, 0.0, math.inf)] == pytest.approx([0.0, 0.5, 1.0])
