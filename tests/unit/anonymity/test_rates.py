"""What test alarms leave of "home or holiday", reckoned."""

import math

import pytest
from click.testing import CliRunner

from device.report import alarm_tests
from tools.anonymity import rates
from tools.anonymity.acts import NOW_AND_THEN
from tools.anonymity.habits import GOES_OUT
from tools.anonymity.measure import LIMIT
from tools.anonymity.rates import gain

FEW, WEEKS = 60, 200


@pytest.mark.slow
def test_more_tests_leave_less_and_more_people_show_more() -> None:
    by_tests = [gain(20, a_day, FEW).share for a_day in (1, 8, 32, 128)]
    assert by_tests == sorted(by_tests, reverse=True)
    by_people = [gain(people, 8, FEW).share for people in (5, 20, 100)]
    assert by_people == sorted(by_people)


def test_it_is_never_more_than_half_the_chance_that_a_door_was_held_open_at_all() -> None:
    goings = 20 * sum(GOES_OUT[day % 7 >= 5] for day in range(7))
    most = (1 - math.exp(-NOW_AND_THEN.holds_open * goings)) / 2
    assert 0.0 < gain(20, 8, WEEKS).share < gain(20, 1, WEEKS).share < most


@pytest.mark.slow
@pytest.mark.parametrize("people", [5, 20])
def test_so_many_tests_as_the_door_sends_leave_less_than_the_promise(people: int) -> None:
    """The seeded fault: an eighth of them, in a house of twenty."""
    enough, few = gain(people, alarm_tests.A_DAY, WEEKS), gain(20, alarm_tests.A_DAY / 8, WEEKS)
    assert enough.share + enough.error < LIMIT
    assert few.share - few.error > LIMIT


def test_the_same_seed_is_the_same_table(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(rates, "A_DAY", (8, 32))
    said = [CliRunner().invoke(rates.main, ["--weeks", "5"]).output for _ in range(2)]
    assert said[0] == said[1]
    assert said[0].splitlines()[0] == "| tests a day | 5 people | 20 people | 100 people |"
    assert len(said[0].splitlines()) == 4


def test_no_weeks_at_all_are_a_mistake_of_usage() -> None:
    assert CliRunner().invoke(rates.main, ["--weeks", "0"]).exit_code == 2
