"""When test alarms go: at random, at one rate, always, and at nobody's cost."""

from __future__ import annotations

import math
from collections.abc import Callable
from pathlib import Path
from random import SystemRandom

import pytest
from hypothesis import given
from hypothesis import strategies as st

from device.report.alarm_tests import A_DAY, DAY_S, MEAN_S, AlarmTests, room
from device.report.outbox import Outbox
from provisioning import supervising

EVENLY = [(n + 0.5) / 20_000 for n in range(20_000)]


def gaps() -> list[float]:
    """A gap for each of many chances that lie evenly."""
    chances = iter(EVENLY)
    tests, found = AlarmTests(lambda: next(chances)), []
    for _ in EVENLY:
        tests.wanted(0.0, on=True)
        assert tests.due_s is not None
        found.append(tests.due_s)
        tests.wanted(0.0, on=False)
    return found


def test_gaps_are_exponential_so_that_what_is_past_says_nothing_about_what_comes() -> None:
    drawn = gaps()
    assert sum(drawn) / len(drawn) == pytest.approx(DAY_S / A_DAY, rel=1e-3)
    for part in (0.01, 0.3, 1.0, 2.0, 5.0):
        longer = sum(gap > part * MEAN_S for gap in drawn) / len(drawn)
        assert longer == pytest.approx(math.exp(-part), abs=1e-4)
    waited = [gap - MEAN_S for gap in drawn if gap > MEAN_S]
    assert sum(waited) / len(waited) == pytest.approx(MEAN_S, rel=2e-3), "after any wait the rest is as long as before"


def test_a_gap_that_was_not_exponential_would_be_seen() -> None:
    """The seeded fault: evenly spread gaps of the same mean, as a jitter would draw them."""
    even = [2 * MEAN_S * chance for chance in EVENLY]
    waited = [gap - MEAN_S for gap in even if gap > MEAN_S]
    assert sum(waited) / len(waited) < 0.6 * MEAN_S


def test_a_door_draws_from_the_system_s_random_source() -> None:
    assert isinstance(getattr(AlarmTests().chance, "__self__", None), SystemRandom)


@given(st.floats(0, 1, exclude_max=True), st.floats(0, 1e9))
def test_the_next_one_is_never_before_now(chance: float, now_s: float) -> None:
    tests = AlarmTests(lambda: chance)
    tests.wanted(now_s, on=True)
    assert tests.due_s is not None
    assert tests.due_s >= now_s


def test_said_again_it_moves_nothing_and_taken_back_it_ends() -> None:
    tests = AlarmTests(lambda: 0.5)
    assert not tests.take(1e9)
    tests.wanted(0.0, on=True)
    due_s = tests.due_s
    tests.wanted(100.0, on=True)
    assert tests.due_s == due_s
    tests.wanted(100.0, on=False)
    assert not tests.take(1e9)


def test_missed_moments_are_made_up_by_one() -> None:
    tests = AlarmTests(lambda: 0.5)
    tests.wanted(0.0, on=True)
    assert tests.take(30 * DAY_S)
    assert tests.due_s == pytest.approx(30 * DAY_S + MEAN_S * math.log(2))
    assert not tests.take(30 * DAY_S)


# ---- what it costs the outbox


def more_than(kept: int, mean: float) -> float:
    """The probability that a Poisson number of this mean is above `kept`."""
    first = kept + 1
    logs = [n * math.log(mean) - mean - math.lgamma(n + 1) for n in range(first, first + 400 + 4 * int(mean**0.5))]
    return math.fsum(math.exp(each) for each in logs)


SIZES = [(rows, cadence_s) for rows in (4, 100, 1000, 100_000) for cadence_s in (1.0, 60.0, 900.0, 86_400.0)]


@pytest.mark.parametrize(("rows", "cadence_s"), SIZES)
def test_the_room_is_too_small_once_in_ten_million_times_at_most(rows: int, cadence_s: float) -> None:
    assert more_than(room(rows, cadence_s), rows * cadence_s / MEAN_S) < 1e-7


def test_room_for_as_many_as_are_expected_would_be_too_small_often() -> None:
    """The seeded fault: the mean alone."""
    mean = 1000 * 900.0 / MEAN_S
    assert more_than(math.ceil(mean), mean) > 0.3


def arrives(path: Path, more: Callable[[int, float], int], tests: int) -> bool:
    """Whether an alarm, 99 reports and that many tests behind it fit into an outbox of 100 rows; cadence 900 s."""
    outbox = Outbox(path, 100 + more(100, 900.0))
    outbox.add("alarm", b"real")
    for number in range(99 + tests):
        outbox.add("any", b"%d" % number)
    head = outbox.head()
    outbox.close()
    return head is not None and head.payload == b"real"


def test_tests_push_out_no_alarm_that_would_have_stayed(tmp_path: Path) -> None:
    often = math.ceil(100 * 900.0 / MEAN_S + 3 * math.sqrt(100 * 900.0 / MEAN_S))
    assert arrives(tmp_path / "one", room, often)
    assert arrives(tmp_path / "two", lambda _rows, _cadence_s: 0, 0)
    assert not arrives(tmp_path / "three", lambda _rows, _cadence_s: 0, often), "the seeded fault: no room"


def test_whoever_watches_expects_as_many_as_a_door_sends() -> None:
    assert supervising.TESTS_A_DAY == A_DAY
    assert math.exp(-A_DAY * supervising.QUIET_S / DAY_S) < 1e-6
