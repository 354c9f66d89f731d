"""The number of a day at its edges: which day is a day, when it is looked at, and how the noise is drawn."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from itertools import chain, cycle
from pathlib import Path

import pytest

from device.lock import daily_count
from device.lock.daily_count import DAY_S, LOOK_S, WHOLE_S, DailyCount, noisy, two_sided

MIDNIGHT = 20_779 * DAY_S
START_NS = 10**15
S = 1_000_000_000
NO_NOISE = (0, 0, 0, 1, 0)  # no fraction, accepted; no whole, of two draws; not negative


@pytest.fixture
def count(tmp_path: Path) -> DailyCount:
    """Watched since the very first second of a day, with three openings."""
    found = DailyCount(tmp_path / "daily-count", scripted([]))
    found.tick(START_NS, MIDNIGHT, 500, many=True)
    for _ in range(3):
        found.opened()
    return found


def scripted(draws: Sequence[int], asked: list[int] | None = None) -> Callable[[int], int]:
    """A random source that gives `draws`, and from then on no noise at all."""
    left = chain(draws, cycle(NO_NOISE))

    def below(end: int) -> int:
        if asked is not None:
            asked.append(end)
        return next(left)

    return below


def test_a_whole_day_is_a_day_less_two_looks(count: DailyCount) -> None:
    assert WHOLE_S == 23 * 3600 + 40 * 60
    count.tick(START_NS + WHOLE_S * S, MIDNIGHT + DAY_S, 500, many=True)
    assert count.told == 3


def test_a_day_that_was_watched_for_a_moment_less_has_no_number(count: DailyCount) -> None:
    count.tick(START_NS + WHOLE_S * S - S, MIDNIGHT + DAY_S, 500, many=True)
    assert count.told is None


@pytest.mark.parametrize("days", [0, 2, 3, 30])
def test_days_that_nobody_looked_at_have_no_number_together(count: DailyCount, days: int) -> None:
    """A process that was stopped for days would tell of all of them as if of one."""
    count.tick(START_NS + days * DAY_S * S + 1, MIDNIGHT + days * DAY_S, 500, many=True)
    assert count.told is None


def test_days_together_would_be_seen(count: DailyCount) -> None:
    """The seeded fault: whatever day it was before, it was yesterday."""
    count._day = 20_780
    count.tick(START_NS + 2 * DAY_S * S, MIDNIGHT + 2 * DAY_S, 500, many=True)
    assert count.told == 3


@pytest.mark.parametrize("comes", [True, False])
def test_a_clock_that_is_believed_late_is_not_asked_because_somebody_comes(count: DailyCount, *, comes: bool) -> None:
    """Or the moment in which the number of yesterday appears would be the moment of an opening."""
    midnight_ns = START_NS + DAY_S * S
    count.tick(midnight_ns, None, 500, many=True)
    assert count.deadline_ns() == midnight_ns + LOOK_S * S
    for second in range(1, LOOK_S):
        if comes:
            count.tick(midnight_ns + second * S, MIDNIGHT + DAY_S + second, 500, many=True)
        assert count.told is None
    count.tick(midnight_ns + LOOK_S * S, MIDNIGHT + DAY_S + LOOK_S, 500, many=True)
    assert count.told is not None


def test_it_looks_at_midnight_and_every_ten_minutes(count: DailyCount) -> None:
    now_ns, seconds, looks = START_NS, MIDNIGHT, 0
    while seconds < MIDNIGHT + DAY_S:
        due_ns = count.deadline_ns()
        assert 0 < due_ns - now_ns <= 600 * S
        seconds += (due_ns - now_ns) // S
        now_ns, looks = due_ns, looks + 1
        count.tick(now_ns, seconds, 500, many=True)
    assert (seconds, looks) == (MIDNIGHT + DAY_S, 144)


@pytest.mark.parametrize(("many", "expected"), [(True, 3), (False, None)])
def test_another_process_tells_the_very_number_that_was_told(
    count: DailyCount, *, many: bool, expected: int | None
) -> None:
    count.tick(START_NS + DAY_S * S, MIDNIGHT + DAY_S, 500, many=many)
    assert count.told == expected
    again = DailyCount(count.path, count.below)
    again.tick(5, MIDNIGHT + DAY_S + 60, 500, many=True)
    assert again.told == expected


# ---- the noise


def test_noise_is_drawn_in_thousandths_as_the_paper_says() -> None:
    """What is asked of the random source: algorithm 1 for the fraction, then for each whole, then the sign."""
    asked: list[int] = []
    # The fraction 700 of 1000, accepted at once (its own draw is not below it); one whole, then none; positive.
    below = scripted([700, 700, 0, 0, 2, 0, 1, 0], asked)
    assert two_sided(500, below) == (700 + 1000) // 500
    assert asked == [1000, 1000, 1, 2, 3, 1, 2, 2]


@pytest.mark.parametrize(
    ("draws", "expected"),
    [
        ([0, 0, 0, 1, 1], 0),  # no fraction, no whole, negative: drawn again, and then positive
        ([999, 999, 0, 1, 1], -(999 // 500)),
        ([999, 999, 0, 1, 0], 999 // 500),
    ],
)
def test_a_draw_by_hand(draws: list[int], expected: int) -> None:
    assert two_sided(500, scripted(draws)) == expected


def test_a_number_is_what_was_counted_and_one_draw(monkeypatch: pytest.MonkeyPatch) -> None:
    for draw in (-2, 0, 3):
        monkeypatch.setattr(daily_count, "two_sided", lambda _epsilon, _below, draw=draw: draw)
        assert noisy(7, 500) == 7 + draw
