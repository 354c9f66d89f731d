"""How many requests may come, and of whom; and that those who ask too much take it from nobody else."""

from __future__ import annotations

import pytest

from device.desk.page.pace import (
    ALL_BRIM,
    ALL_PER_S,
    MOST_ADDRESSES,
    MOST_SITTERS,
    SITTER_BRIM,
    SITTER_PER_S,
    Pace,
)


class Clock:
    now_s = 1000.0

    def __call__(self) -> float:
        return self.now_s


def taken(pace: Pace, address: str, times: int, sitter: str = "") -> int:
    return sum(pace.take(address, sitter) for _ in range(times))


def test_an_address_alone_gets_forty_at_once_and_in_the_long_run_all_there_is() -> None:
    clock = Clock()
    pace = Pace(clock)
    assert taken(pace, "a", 100) == 41
    served = 0
    for _ in range(1000):
        clock.now_s += 0.1
        served += taken(pace, "a", 10)
    assert 0.9 * ALL_PER_S < served / 100 <= ALL_PER_S
    clock.now_s += 3600
    assert taken(pace, "a", 100) == 41, "what was not asked for is not saved up"


def test_all_together_get_no_more_than_the_door_can_serve() -> None:
    clock = Clock()
    pace = Pace(clock)
    assert sum(taken(pace, str(number), 10) for number in range(200)) == ALL_BRIM
    clock.now_s += 1
    assert sum(taken(pace, str(number), 10) for number in range(200)) == ALL_PER_S


class FirstCome(Pace):
    """Seeded fault: one measure for all, whoever comes."""

    def take(self, address: str, sitter: str = "") -> bool:
        return super().take("", sitter)


def refused_in_a_flood(pace: Pace, clock: Clock, enemies: int) -> int:
    """How many requests of somebody who opens the page and waits there are refused, while others never pause."""
    refused = 0
    for tenth in range(1200):
        clock.now_s += 0.1
        for number in range(enemies):
            taken(pace, f"enemy {number}", 3)
        if tenth == 600:
            refused += 6 - taken(pace, "mine", 6)  # a page with all that belongs to it
        if tenth > 600 and tenth % 15 == 0:
            refused += not pace.take("mine")  # and whether its code was typed
    return refused


@pytest.mark.parametrize("enemies", [1, 2, 5, 20])
def test_those_who_never_pause_keep_nobody_else_waiting(enemies: int) -> None:
    clock = Clock()
    assert refused_in_a_flood(Pace(clock), clock, enemies) == 0


def test_one_measure_for_all_would_be_caught() -> None:
    clock = Clock()
    assert refused_in_a_flood(FirstCome(clock), clock, 1) > 10


def test_who_sits_has_a_measure_of_their_own_and_no_endless_one() -> None:
    clock = Clock()
    pace = Pace(clock)
    assert sum(taken(pace, str(number), 10) for number in range(200)) == ALL_BRIM
    assert taken(pace, "a", 100, "mine") == SITTER_BRIM
    clock.now_s += 1
    assert taken(pace, "a", 100, "mine") == SITTER_PER_S


def test_what_is_remembered_of_callers_is_bounded() -> None:
    pace = Pace(Clock())
    for number in range(10 * MOST_ADDRESSES):
        pace.take(str(number))
        pace.take("", f"sitting {number}")
    assert len(pace._uses) == MOST_ADDRESSES
    assert len(pace._sitters) == MOST_SITTERS
