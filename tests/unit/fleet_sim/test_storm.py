"""A storm that is not spread is noticed; the model keeps the door's rule."""

import random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from device.report.broker import WAIT_FIRST_S, wait_s
from tools.fleet_sim import storm

DOORS = 10_000


def first_waits(draw: random.Random, jitter: bool) -> list[float]:
    return [100.0 + wait_s(1, draw.random() if jitter else 1.0) for _ in range(DOORS)]


def test_the_doors_own_jitter_is_spread_as_expected() -> None:
    tries = first_waits(random.Random(1), jitter=True)
    assert storm.fault(tries, DOORS) == ""
    assert storm.busiest(tries) / DOORS == pytest.approx(storm.EXPECTED, rel=0.1)


def test_a_fleet_without_jitter_is_caught() -> None:
    assert "the storm is not spread" in storm.fault(first_waits(random.Random(1), jitter=False), DOORS)


def test_half_a_fleet_without_jitter_is_caught() -> None:
    draw = random.Random(1)
    tries = first_waits(draw, jitter=True)[: DOORS // 2] + first_waits(draw, jitter=False)[: DOORS // 2]
    assert "the storm is not spread" in storm.fault(tries, DOORS)


@given(st.lists(st.integers(0, 40), max_size=30))
def test_the_busiest_second_may_begin_anywhere(eighths: list[int]) -> None:
    moments = [each / 8 for each in eighths]  # exact in binary
    counted = max((sum(start <= each < start + 1.0 for each in moments) for start in moments), default=0)
    assert storm.busiest(moments) == counted


def test_seconds_are_counted_from_the_start() -> None:
    assert storm.per_second([9.9, 10.0, 10.99, 11.0, 13.0], 10.0, 3) == [2, 1, 0]


def test_the_model_brings_a_small_fleet_back_within_the_first_wait() -> None:
    found = storm.recovery(1000, takes_a_second=1000, away_s=0, draw=random.Random(1))
    assert found.all_s <= WAIT_FIRST_S
    assert found.attempts == 1000


def test_the_model_takes_longer_where_a_broker_takes_less() -> None:
    fast = storm.recovery(5000, 1000, 5, random.Random(1))
    slow = storm.recovery(5000, 50, 5, random.Random(1))
    assert slow.half_s > fast.half_s
    assert slow.all_s > 5000 / 50
    assert slow.attempts > fast.attempts >= 5000


def test_the_model_says_when_it_has_no_answer() -> None:
    with pytest.raises(ValueError, match="not enough"):
        storm.recovery(10, 0, 0, random.Random(1))
