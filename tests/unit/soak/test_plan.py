"""The drawn day: the same for the same seed, of the size that was asked for, with every trouble in it."""

from collections import Counter

import pytest

from device.edges import PROCESSES
from tools.soak.plan import (
    GUESSES,
    MOST_GUESSES,
    SHARES,
    TROUBLED,
    Approach,
    Broker,
    Cycle,
    Kill,
    Sizes,
    drawn,
)

SIZES = Sizes(approaches=3000, cycles=40, kills=48, flaps=20)


@pytest.fixture(scope="module")
def day() -> list[object]:
    return list(drawn(7, SIZES))


def test_the_same_seed_draws_the_same_day_and_another_one_another(day: list[object]) -> None:
    assert list(drawn(7, SIZES)) == day
    assert list(drawn(8, SIZES)) != day


def test_it_has_the_sizes_that_were_asked_for(day: list[object]) -> None:
    count = Counter(type(step) for step in day)
    assert count[Approach] == SIZES.approaches
    assert count[Cycle] == SIZES.cycles
    assert count[Broker] == 2 * SIZES.flaps
    assert sorted(step.number for step in day if isinstance(step, Cycle)) == list(range(SIZES.cycles))


def test_every_room_is_killed_equally_often_and_at_every_moment(day: list[object]) -> None:
    killed = [step.room for step in day if isinstance(step, Kill)]
    waiting = [step.killed for step in day if isinstance(step, Approach) and step.killed]
    cycles = [step for step in day if isinstance(step, Cycle) and step.killed]
    acknowledged = [step.killed for step in cycles if step.after_ms is None]
    under_way = [step.killed for step in cycles if step.after_ms is not None]
    assert min(len(each) for each in (killed, waiting, acknowledged, under_way)) >= 3
    # Two that were drawn for one approach are one.
    count = Counter([*killed, *waiting, *acknowledged, *under_way])
    assert set(count) == set(PROCESSES)
    assert SIZES.kills - 3 <= count.total() <= SIZES.kills


def test_the_last_part_is_long_enough_for_one_life(day: list[object]) -> None:
    last = 0
    approaches = 0
    for step in day:
        approaches += isinstance(step, Approach)
        if isinstance(step, Kill) or (isinstance(step, Approach | Cycle) and step.killed):
            last = approaches
    assert last <= SIZES.approaches * TROUBLED


def test_the_broker_is_never_in_two_troubles_at_once(day: list[object]) -> None:
    troubles = [step.trouble for step in day if isinstance(step, Broker)]
    assert all((trouble is None) == bool(number % 2) for number, trouble in enumerate(troubles))


def test_no_more_is_guessed_than_a_door_looks_at(day: list[object]) -> None:
    assert sum(step.way in GUESSES for step in day if isinstance(step, Approach)) <= MOST_GUESSES
    assert {step.way for step in day if isinstance(step, Approach)} == set(SHARES)
