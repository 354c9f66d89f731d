"""Which time a door believes."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from device.policy.clock import EARLIEST_UNIX, LATEST_UNIX, LOST, SLACK_S, Clock

NOW = 1_790_000_000
walls = st.one_of(st.integers(NOW - 1000, NOW + 1000), st.integers(-(2**40), 2**40), st.integers(0, NOW * 2))


@pytest.mark.parametrize("wall", [0, -5, EARLIEST_UNIX - SLACK_S - 1, LATEST_UNIX + 1, 2**62])
def test_a_clock_before_2024_or_after_2100_is_not_believed(wall: int) -> None:
    assert Clock().read(wall) == (Clock(), None)


@given(st.lists(walls, max_size=12))
def test_the_time_that_counts_never_goes_back(readings: list[int]) -> None:
    clock, newest = Clock(), 0
    for wall in readings:
        clock, now = clock.read(wall)
        if now is not None:
            assert now >= max(newest, wall)
            assert now - wall <= SLACK_S
            newest = now


def test_a_small_correction_stands_still_and_a_large_one_is_doubted() -> None:
    clock, _ = Clock().read(NOW)
    assert clock.read(NOW - SLACK_S) == (clock, NOW)
    assert clock.read(NOW - SLACK_S - 1) == (clock, None)


def test_a_clock_that_was_doubted_is_believed_once_it_has_caught_up() -> None:
    clock = Clock(NOW)
    clock, now = clock.read(NOW - 3600)
    assert now is None
    assert clock.read(NOW + 1)[1] == NOW + 1


def test_a_document_says_how_late_it_is_at_least() -> None:
    clock = Clock().told(NOW, NOW - 40)
    assert clock == Clock(NOW)
    assert clock.read(NOW - 3600)[1] is None


def test_an_old_document_does_not_turn_a_believed_clock_back() -> None:
    clock, _ = Clock().read(NOW)
    assert clock.told(NOW - 86_400, NOW) == clock


def test_a_new_document_repairs_a_door_whose_newest_moment_was_wrong() -> None:
    wrong = Clock(NOW + 10 * 365 * 86_400)
    assert wrong.read(NOW)[1] is None
    assert wrong.told(NOW, NOW).read(NOW)[1] == NOW
    assert LOST.read(NOW)[1] is None
    assert LOST.told(NOW, NOW).read(NOW)[1] == NOW


def test_a_document_of_before_2024_does_not_lower_the_floor_below_it() -> None:
    assert LOST.told(0, NOW) == Clock(EARLIEST_UNIX)
