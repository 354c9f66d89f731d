"""A number that was taken back because too few places are taken does not come again that day, by no way round.

It would say to a quarter of an hour when somebody moved in at the keypad, or that somebody did.
"""

from __future__ import annotations

from pathlib import Path

import pytest

from device import wire
from device.document import Telling
from device.errors import StoreFault
from device.lock import daily_count, durable
from device.lock.daily_count import DAY_S, DailyCount
from device.lock.managers import Managers
from device.lock.reporting import Reporting
from tests.unit.lock.house import DOCUMENT_KEY, DOOR, MANAGER
from tests.unit.lock.test_reporting import COUNTED, MIDNIGHT, signed

S = 1_000_000_000
NOON = MIDNIGHT + DAY_S + DAY_S // 2


def started(folder: Path, at_unix: int | None = NOON) -> Reporting:
    """Another process of lock at a door that counts; at once, or with None before its clock is believed."""
    (folder / "reporting").write_bytes(bytes(DOCUMENT_KEY.kept.encrypt(signed(COUNTED))))
    managers = Managers(folder, DOOR, bytes(MANAGER.verify_key), DOCUMENT_KEY.kept)
    found = Reporting(folder, managers.kept, DOCUMENT_KEY.kept)
    found.tick(S, at_unix)
    return found


@pytest.fixture
def told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Reporting:
    """A door of twenty places at which three were let in yesterday."""
    monkeypatch.setattr(daily_count, "two_sided", lambda _epsilon, _below: 0)
    found = started(tmp_path, MIDNIGHT)
    found.occupied(many=True)
    for _ in range(3):
        found.opened()
    found.tick(S + DAY_S * S, MIDNIGHT + DAY_S)
    assert found.count.told == 3
    return found


def numbers(door: Reporting) -> list[int]:
    """What report hears."""
    door.begin()
    return [msg.noisy for msg in door.news(granted=False, is_open=False) if isinstance(msg, wire.DailyCount)]


def test_keeper_may_say_twice_that_many_places_are_taken(told: Reporting) -> None:
    for _ in range(3):
        told.occupied(many=True)
        assert numbers(told) == [3]


@pytest.mark.usefixtures("told")
def test_a_restart_tells_it_again_as_long_as_it_stands(tmp_path: Path) -> None:
    again = started(tmp_path)
    assert numbers(again) == [], "keeper has not spoken yet"
    again.occupied(many=True)
    assert numbers(again) == [3]


WORDS = [
    [False, True],
    [True, False, True],
    [False, False, True],
]


@pytest.mark.parametrize("words", WORDS)
def test_no_word_of_keeper_brings_it_back(told: Reporting, words: list[bool]) -> None:
    for many in words:
        told.occupied(many=many)
    assert numbers(told) == []


@pytest.mark.usefixtures("told")
@pytest.mark.parametrize("words", WORDS)
@pytest.mark.parametrize("at_unix", [NOON, None])
def test_nor_does_a_restart_before_keeper_says_it(tmp_path: Path, words: list[bool], at_unix: int | None) -> None:
    """Whether the clock is believed by then or only later."""
    again = started(tmp_path, at_unix)
    for many in words:
        again.occupied(many=many)
    again.tick(10**15, NOON + 60)
    assert numbers(again) == []


def test_nor_does_a_restart_after_it(told: Reporting, tmp_path: Path) -> None:
    told.occupied(many=False)
    again = started(tmp_path)
    again.occupied(many=True)
    assert numbers(again) == []


def test_the_next_day_has_one_again(told: Reporting) -> None:
    told.occupied(many=False)
    told.occupied(many=True)
    told.opened()
    told.tick(S + 2 * DAY_S * S, MIDNIGHT + 2 * DAY_S)
    assert numbers(told) == [1]


def test_it_is_taken_off_the_disk_once(told: Reporting, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    before = (tmp_path / "daily-count").read_bytes()
    told.occupied(many=False)
    after = (tmp_path / "daily-count").read_bytes()
    assert (before[:4], before[4:]) == (after[:4], b"\1\3\0\0\0")
    assert after[4:] == bytes(5)
    stored: list[Path] = []
    monkeypatch.setattr(durable, "store", lambda path, *_: stored.append(path))
    for many in (False, True, False):
        told.occupied(many=many)
    assert stored == []


def test_a_disk_that_is_full_takes_it_back_from_this_process_at_least(
    told: Reporting, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    def full(*_: object) -> None:
        msg = "the day's count cannot be stored: No space left on device"
        raise StoreFault(msg)

    monkeypatch.setattr(durable, "store", full)
    told.occupied(many=False)
    told.occupied(many=True)
    assert numbers(told) == []
    assert "this day has none" in capfd.readouterr().err


def test_a_door_that_forgets_to_ask_would_be_caught(
    told: Reporting, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The seeded fault: it is taken back from this process alone."""

    def forgetful(self: DailyCount) -> None:
        self.told = None

    monkeypatch.setattr(DailyCount, "take_back", forgetful)
    told.occupied(many=False)
    again = started(tmp_path)
    again.occupied(many=True)
    assert numbers(again) == [3]


# ---- a newer choice


def chooses(door: Reporting, telling: Telling, version: int = 9) -> None:
    content = signed(telling, version)
    door.apply(content, door.verify(content))


def test_a_choice_with_the_same_noise_keeps_number_and_count(told: Reporting) -> None:
    told.opened()
    chooses(told, Telling(epsilon_milli=COUNTED.epsilon_milli, alarm_key=bytes(range(32))))
    assert numbers(told) == [3]
    told.tick(S + 2 * DAY_S * S, MIDNIGHT + 2 * DAY_S)
    assert numbers(told) == [1]


@pytest.mark.parametrize("epsilon_milli", [100, 0])
def test_a_choice_of_another_noise_forgets_both(told: Reporting, epsilon_milli: int) -> None:
    told.opened()
    chooses(told, Telling(epsilon_milli=epsilon_milli))
    assert numbers(told) == []
    told.tick(S + 2 * DAY_S * S, MIDNIGHT + 2 * DAY_S)
    assert numbers(told) == [], "it began in the middle of that day"


def test_openings_are_counted_only_while_a_document_asks_for_it(told: Reporting) -> None:
    chooses(told, Telling())
    told.opened()
    assert told.count._openings == 0
    assert told.deadline_ns() is None
    chooses(told, COUNTED, 10)
    told.opened()
    assert told.count._openings == 1


def test_a_small_house_says_so_first_at_a_new_door_and_nothing_is_written(tmp_path: Path) -> None:
    managers = Managers(tmp_path, DOOR, bytes(MANAGER.verify_key), DOCUMENT_KEY.kept)
    door = Reporting(tmp_path, managers.kept, DOCUMENT_KEY.kept)
    door.occupied(many=False)
    assert list(tmp_path.iterdir()) == []
