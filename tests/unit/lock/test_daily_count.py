"""The number of a day: exact noise, drawn once, told only of houses in which it names nobody."""

from __future__ import annotations

import math
import random
import secrets
from collections import Counter
from collections.abc import Callable
from itertools import pairwise
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from device.lock import daily_count
from device.lock.daily_count import DAY_S, LEAST, LOOK_S, MOST, WHOLE_S, DailyCount, noisy, two_sided

MIDNIGHT = 20_779 * DAY_S
S = 1_000_000_000
EPSILON = 500


class Day:
    """A count whose clocks the test moves; the loop looks whenever it asked to."""

    def __init__(self, folder: Path, seed: int = 1, make: type[DailyCount] = DailyCount) -> None:
        self.path, self.make = folder / "daily-count", make
        self.below = random.Random(seed).randrange
        self.count = make(self.path, self.below)
        self.now_ns, self.unix = 1_000_000 * S, MIDNIGHT - 2.0
        self.many, self.believed, self.epsilon = True, True, EPSILON
        self.looks: list[float] = []

    def restart(self) -> None:
        """Another process of lock."""
        self.count = self.make(self.path, self.below)

    def until(self, unix: float) -> None:
        """Time passes."""
        while self.unix + max(0, self.count.deadline_ns() - self.now_ns) / S <= unix:
            wait_ns = max(0, self.count.deadline_ns() - self.now_ns)
            self.now_ns, self.unix = self.now_ns + wait_ns, self.unix + wait_ns / S
            self.look()
        self.now_ns, self.unix = self.now_ns + round((unix - self.unix) * S), unix

    def look(self) -> None:
        """The loop ticks now."""
        before = self.count.told
        self.count.tick(self.now_ns, int(self.unix) if self.believed else None, self.epsilon, many=self.many)
        self.looks += [self.unix] if self.count.told != before else []


@pytest.fixture
def day(tmp_path: Path) -> Day:
    return Day(tmp_path)


# ---- the noise


def share(size: int, epsilon_milli: int) -> float:
    """P(k) of the two-sided geometric distribution, by its formula."""
    a = math.exp(-epsilon_milli / 1000)
    return (1 - a) / (1 + a) * a ** abs(size)


def far_off(draws: Counter[int], epsilon_milli: int) -> float:
    """Chi-squared of the draws against the formula, per degree of freedom: about 1 if they follow it."""
    total = draws.total()
    expected = {k: total * share(k, epsilon_milli) for k in range(-60, 61)}
    kept = {k: want for k, want in expected.items() if want >= 20}
    chi = sum((draws[k] - want) ** 2 / want for k, want in kept.items())
    return chi / (len(kept) - 1)


@pytest.mark.parametrize("epsilon_milli", [100, 500, 2000])
def test_the_noise_follows_the_formula(epsilon_milli: int) -> None:
    below = random.Random(7).randrange
    draws = Counter(two_sided(epsilon_milli, below) for _ in range(20_000))
    assert far_off(draws, epsilon_milli) < 1.6


@pytest.mark.parametrize(
    "fault",
    [
        abs,  # one side alone
        lambda _draw: 0,  # none at all
        lambda draw: draw if draw or random.Random(draw).random() < 0.5 else 1,  # another zero
        lambda draw: 2 * draw,  # another epsilon
    ],
    ids=["one side", "none", "no zero", "doubled"],
)
def test_other_noise_is_seen(fault: Callable[[int], int]) -> None:
    below = random.Random(7).randrange
    assert far_off(Counter(fault(two_sided(EPSILON, below)) for _ in range(5_000)), EPSILON) > 3


def test_one_opening_changes_no_probability_by_more_than_the_factor_that_is_stated() -> None:
    for epsilon_milli in (100, 500, 2000):
        ratios = [share(k - 1, epsilon_milli) / share(k, epsilon_milli) for k in range(-40, 41)]
        assert max(*ratios, *(1 / each for each in ratios)) <= math.exp(epsilon_milli / 1000) * (1 + 1e-9)


@given(st.integers(0, 200_000), st.integers(100, 2000), st.integers(0, 2**32))
def test_a_number_stays_within_its_bounds(openings: int, epsilon_milli: int, seed: int) -> None:
    assert LEAST <= noisy(openings, epsilon_milli, random.Random(seed).randrange) <= MOST


def test_the_noise_comes_from_the_system_when_nobody_says_otherwise(tmp_path: Path) -> None:
    assert DailyCount(tmp_path / "x").below is secrets.randbelow


# ---- the day


def spread(folder: Path, make: type[DailyCount] = DailyCount) -> float:
    """By how much the numbers of 100 days with ten openings each vary around ten."""
    day, found = Day(folder, make=make), []
    day.until(MIDNIGHT + DAY_S + 1)
    for number in range(2, 102):
        for _ in range(10):
            day.count.opened()
        day.until(MIDNIGHT + number * DAY_S + 1)
        assert day.count.told is not None
        found.append(day.count.told - 10)
    assert abs(sum(found) / len(found)) < 1.5
    return sum(each**2 for each in found) / len(found)


def test_every_day_has_a_draw_of_its_own_around_what_was_counted(tmp_path: Path) -> None:
    a = math.exp(-EPSILON / 1000)
    assert 0.5 < spread(tmp_path) / (2 * a / (1 - a) ** 2) < 2, "the variance of the distribution"


def test_a_count_without_noise_is_seen(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(daily_count, "two_sided", lambda _epsilon, _below: 0)
    assert spread(tmp_path) == 0


def test_the_number_is_drawn_at_midnight_and_stands_until_the_next(day: Day) -> None:
    day.until(MIDNIGHT + DAY_S + 1)
    assert len(day.looks) == 1
    assert 0 <= day.looks[0] - (MIDNIGHT + DAY_S) < 1.01
    first = day.count.told
    day.until(MIDNIGHT + 2 * DAY_S - 1)
    assert day.count.told == first
    assert len(day.looks) == 1


def test_when_it_is_drawn_does_not_follow_from_anybody_coming(tmp_path: Path) -> None:
    quiet, busy = Day(tmp_path / "quiet"), Day(tmp_path / "busy")
    for each in range(24 * 6):
        at = MIDNIGHT + 8 * 3600 + each * 600.5
        quiet.until(at)
        busy.until(at)
        busy.count.opened()
        busy.look()  # every event at a door is followed by a look
    assert [round(at) for at in quiet.looks] == [round(at) for at in busy.looks] == [MIDNIGHT + DAY_S]


def test_a_restart_tells_the_same_number_again(day: Day) -> None:
    day.until(MIDNIGHT + DAY_S + 3600)
    told = day.count.told
    assert told is not None
    for _ in range(20):
        day.restart()
        assert day.count.told is None, "which day it is must be known first"
        day.until(day.unix + 1)
        assert day.count.told == told


class Forgets(DailyCount):
    """The seeded fault: it does not look at the disk, and draws when it starts."""

    def __post_init__(self) -> None:
        self._kept = (20_779, None)


def test_a_number_that_each_restart_draws_anew_is_seen(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(daily_count, "WHOLE_S", 0)
    day = Day(tmp_path, make=Forgets)
    day.until(MIDNIGHT + DAY_S + 3600)
    found = set()
    for _ in range(20):
        day.restart()
        day.until(day.unix + 1)
        found.add(day.count.told)
    assert len(found) > 1


# ---- only a whole day


def a_restart(day: Day) -> None:
    day.restart()


def a_document(day: Day) -> None:
    """Another epsilon was signed for, or the count was switched on."""
    day.count.begin()


def a_jump(day: Day) -> None:
    """A time server, whom nobody can check, says that it is tomorrow."""
    day.unix += DAY_S


CUTS = pytest.mark.parametrize("cut", [a_restart, a_document, a_jump])


def numbers_of_an_evening(day: Day, cut: Callable[[Day], None]) -> list[int]:
    """What is told until the next morning that 1000 openings of one hour are in; noise alone is far below 500."""
    day.until(MIDNIGHT + 20 * 3600)
    cut(day)
    day.until(day.unix + 2 * LOOK_S)
    for _ in range(1000):
        day.count.opened()
    began = day.unix
    day.until(began + 3600)
    if cut is a_jump:
        cut(day)  # the others let the day end by itself
    found: list[int] = []
    while day.unix < began + DAY_S / 4 + (DAY_S if cut is a_jump else 0):
        day.until(day.unix + LOOK_S)
        found += [day.count.told] if day.count.told is not None and day.count.told > 500 else []
    return found


@CUTS
def test_no_part_of_a_day_has_a_number_whoever_cuts_it_out(day: Day, cut: Callable[[Day], None]) -> None:
    assert numbers_of_an_evening(day, cut) == []
    day.until(day.unix + 2 * DAY_S)
    assert day.count.told is not None, "the next whole day has one"


@CUTS
def test_a_number_of_a_part_is_seen(day: Day, cut: Callable[[Day], None], monkeypatch: pytest.MonkeyPatch) -> None:
    """The seeded fault: nobody asks how long the day was."""
    monkeypatch.setattr(daily_count, "WHOLE_S", 0)
    assert numbers_of_an_evening(day, cut) != []


def test_numbers_are_nearly_a_day_apart_however_the_clock_jumps(day: Day) -> None:
    told_ns: list[int] = []
    jumps = random.Random(3)
    for _ in range(400):
        before = day.count.told
        day.unix += jumps.choice([0, 0, 0, DAY_S // 2, DAY_S])
        day.until(day.unix + 3 * LOOK_S * jumps.randrange(1, 20))
        told_ns += [day.now_ns] if day.count.told not in (None, before) else []
    assert len(told_ns) > 5
    # A step is up to 19 half hours, and the number may have been told anywhere in it.
    assert all(later - earlier >= (WHOLE_S - 57 * LOOK_S) * S for earlier, later in pairwise(told_ns))


def test_a_house_with_fewer_than_twenty_places_taken_has_no_number(day: Day) -> None:
    day.many = False
    day.until(MIDNIGHT + DAY_S + 1)
    assert day.count.told is None
    day.many = True
    day.until(MIDNIGHT + DAY_S + 7200)
    assert day.count.told is None, "the day is over: it gets none later"
    day.until(MIDNIGHT + 2 * DAY_S + 1)
    assert day.count.told is not None


def test_without_a_clock_there_is_no_number_and_no_hurry(day: Day) -> None:
    day.believed = False
    day.until(MIDNIGHT + DAY_S + 3600)
    assert day.count.told is None
    assert day.count.deadline_ns() - day.now_ns <= LOOK_S * S
    day.believed = True
    day.until(MIDNIGHT + DAY_S + 2 * 3600)
    assert day.count.told is None, "nobody saw that day begin"


@pytest.mark.parametrize("jump", [3 * DAY_S, -3 * DAY_S])
def test_a_clock_that_jumps_over_days_gives_none_of_them_a_number(day: Day, jump: int) -> None:
    day.until(MIDNIGHT + 9 * 3600)
    day.count.opened()
    day.unix += jump
    day.until(day.unix + LOOK_S + 1)
    assert day.count.told is None


def test_a_number_that_cannot_be_kept_is_not_told(day: Day, capfd: pytest.CaptureFixture[str]) -> None:
    day.until(MIDNIGHT + 9 * 3600)
    day.path.unlink()
    day.path.mkdir()  # a file cannot take the place of a folder
    day.until(MIDNIGHT + DAY_S + 1)
    assert day.count.told is None
    assert "this day has none" in capfd.readouterr().err


@pytest.mark.parametrize("content", [b"", bytes(9), b"short", bytes(8) + b"\1" * 20])
def test_a_damaged_file_is_as_good_as_none(day: Day, content: bytes) -> None:
    day.until(MIDNIGHT + DAY_S + 3600)
    day.path.write_bytes(content)
    day.restart()
    day.until(day.unix + 1)
    assert day.count.told is None
