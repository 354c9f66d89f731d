"""Time tells nothing: the grid of reports."""

import itertools

import pytest
from hypothesis import given
from hypothesis import strategies as st

from device.report.schedule import next_due_s, phase_s

doors = st.text("0123456789abcdef", min_size=16, max_size=16)
cadences = st.floats(1, 86400)
moments = st.floats(0, 10**9)


@given(doors, cadences)
def test_a_phase_lies_within_the_cadence(door: str, cadence_s: float) -> None:
    assert 0 <= phase_s(door, cadence_s) < cadence_s


@given(doors, cadences, moments)
def test_the_next_moment_is_later_and_at_most_a_cadence_away(door: str, cadence_s: float, now_s: float) -> None:
    due = next_due_s(now_s, cadence_s, phase_s(door, cadence_s))
    assert now_s < due <= now_s + cadence_s * (1 + 1e-6)


@given(doors, cadences, moments, st.lists(st.floats(0, 1), max_size=5))
def test_starting_anew_in_between_does_not_move_the_grid(
    door: str, cadence_s: float, now_s: float, stops: list[float]
) -> None:
    phase = phase_s(door, cadence_s)
    due = next_due_s(now_s, cadence_s, phase)
    for part in sorted(stops):
        again = next_due_s(now_s + part * (due - now_s) * 0.999, cadence_s, phase)
        assert again == pytest.approx(due, abs=1e-3)


def test_intervals_are_equal() -> None:
    phase = phase_s("00112233445566ff", 900)
    moments: list[float] = [12345.6]
    for _ in range(100):
        moments.append(next_due_s(moments[-1], 900, phase))
    assert {round(b - a, 6) for a, b in itertools.pairwise(moments[1:])} == {900.0}


def test_doors_spread_over_the_cadence() -> None:
    phases = sorted(phase_s(f"{number:016x}", 900) for number in range(1000))
    widest_gap = max(b - a for a, b in itertools.pairwise([0.0, *phases, 900.0]))
    assert widest_gap < 20  # 1000 uniform points: the chance of a gap of 20 s in 900 is about 2e-7
