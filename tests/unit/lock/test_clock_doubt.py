"""A clock that is doubted: the journal says so once, and what it says is kept an hour after the doubt is over."""

from __future__ import annotations

from pathlib import Path

import pytest

from device.lock.hours import HOUR_NS, FloorFile, Hours
from device.policy.clock import SLACK_S
from device.policy.methods import PIN_AND_CARD, Method
from tests.unit.lock.test_policy_hours import HOUR_S, NOON, Wall, hours, put


@pytest.fixture
def wall() -> Wall:
    return Wall()


@pytest.fixture
def found(tmp_path: Path, wall: Wall) -> Hours:
    """The hours of a door by day, whose clock was looked at just now."""
    made = put(tmp_path, wall)
    made.at(wall.monotonic_ns)
    return made


def on_disk(folder: Path) -> int:
    return FloorFile(folder / "time-floor").load().newest_unix


def test_the_journal_hears_of_a_doubt_once_and_of_its_end_once(
    found: Hours, wall: Wall, capsys: pytest.CaptureFixture[str]
) -> None:
    for _ in range(3):
        assert Method.FACE in found.at(wall.monotonic_ns).allowed
    assert capsys.readouterr().err == "", "no word of a clock that is as it should be"
    wall.now -= HOUR_S
    for _ in range(3):
        assert found.at(wall.monotonic_ns).allowed == PIN_AND_CARD
    said = capsys.readouterr().err
    assert said.count("the clock is not believed") == said.count("\n") == 1
    wall.passes(HOUR_S)
    for _ in range(3):
        assert Method.FACE in found.at(wall.monotonic_ns).allowed
    said = capsys.readouterr().err
    assert said.count("the clock is believed again") == said.count("\n") == 1


@pytest.mark.parametrize(("ago_s", "words"), [(0, ""), (HOUR_S, "the clock is not believed")])
def test_a_door_that_starts_with_a_doubt_says_so_and_with_none_says_nothing(
    found: Hours, tmp_path: Path, capsys: pytest.CaptureFixture[str], ago_s: int, words: str
) -> None:
    found.told(NOON)
    capsys.readouterr()
    started = Wall()
    started.now = NOON - ago_s
    hours(tmp_path, started).at(started.monotonic_ns)
    said = capsys.readouterr().err
    assert said.startswith(words)
    assert said.count("\n") == bool(words)


def test_the_newest_moment_is_kept_at_the_moment_that_was_asked_for(found: Hours, wall: Wall, tmp_path: Path) -> None:
    """Else the loop would turn in circles until the clock moves on."""
    due = found.deadline_ns(wall.monotonic_ns, closely=False)
    assert due == wall.monotonic_ns + HOUR_NS
    wall.passes(HOUR_S)
    found.tick(wall.monotonic_ns - 1)
    assert on_disk(tmp_path) < NOON + HOUR_S
    found.tick(wall.monotonic_ns)
    assert on_disk(tmp_path) == NOON + HOUR_S
    assert found.deadline_ns(wall.monotonic_ns, closely=False) == wall.monotonic_ns + HOUR_NS


def test_a_correction_of_two_minutes_waits_for_nothing_and_a_greater_one_for_an_hour(found: Hours, wall: Wall) -> None:
    due = found.deadline_ns(wall.monotonic_ns, closely=False)
    wall.monotonic_ns += 10**9
    wall.now += 1 + SLACK_S
    found.at(wall.monotonic_ns)
    assert found.deadline_ns(wall.monotonic_ns, closely=False) == due
    wall.now += 1
    found.at(wall.monotonic_ns)
    assert found.deadline_ns(wall.monotonic_ns, closely=False) == wall.monotonic_ns + HOUR_NS


def test_what_a_clock_says_is_kept_an_hour_after_it_has_caught_up_and_not_before(
    found: Hours, wall: Wall, tmp_path: Path
) -> None:
    found.told(NOON)
    wall.now -= 2.5 * HOUR_S
    late = hours(tmp_path, wall)
    for _ in range(15):
        late.tick(wall.monotonic_ns)
        wall.passes(HOUR_S / 6)
    for _ in range(5):
        late.tick(wall.monotonic_ns)
        assert on_disk(tmp_path) == NOON, "it was doubted until ten minutes before noon"
        wall.passes(HOUR_S / 6)
    late.tick(wall.monotonic_ns)
    assert on_disk(tmp_path) == wall.now
