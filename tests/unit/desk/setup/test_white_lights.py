"""The two white lights at set-up: named one by one, all four or none, and tried by somebody who looks at them."""

from __future__ import annotations

from collections import deque

import pytest

from device.config.tables import Config
from device.desk.setup import wiring
from device.desk.setup.draft import Draft, render
from device.desk.setup.trials import Trials
from device.errors import ConfigRefused
from tests.unit.desk.setup.people import PI, Board, Person

PINS = {
    "left_light_weak_pin": "GPIO13",
    "left_light_strong_pin": "GPIO19",
    "right_light_weak_pin": "GPIO20",
    "right_light_strong_pin": "GPIO21",
}
LIT = Draft().put("lock", **PINS)
BEFORE = ("no", "skip")  # bolt, lamp
AFTER = ("skip",) * 4  # two buttons, two contacts


def tried(*typed: str, draft: Draft = LIT) -> tuple[Trials, list[str], Person]:
    boards: list[Board] = []

    def had(config: Config) -> Board:
        boards.append(Board(config, deque(("door closed", "tamper off", None))))
        return boards[-1]

    person = Person.who_types(*BEFORE, *typed, *AFTER)
    trials = Trials(draft, person, had)
    trials.run()
    return trials, [word for board in boards for word in board.done], person


def test_each_light_is_shown_by_itself_and_both_are_dark_afterwards() -> None:
    done, words, _ = tried("go", "yes", "left", "right", "yes")
    assert words == ["lights 1 1", "lights 3 1", "lights 1 3", "lights 0 0"]
    assert done.failed == []


@pytest.mark.parametrize(
    "seen",
    [
        ("no", "left", "right", "yes"),
        ("yes", "right", "left", "yes"),
        ("yes", "none", "right", "yes"),
        ("yes", "left", "none", "yes"),
        ("yes", "left", "right", "no"),
    ],
    ids=["not alike", "swapped", "left does nothing", "right does nothing", "burn on"],
)
def test_lights_that_are_not_as_they_should_be_are_named(seen: tuple[str, ...]) -> None:
    done, words, person = tried("go", *seen)
    assert done.failed == ["white lights"]
    assert words[-1] == "lights 0 0"
    assert "docs/wiring.md" in person.heard


def test_they_may_be_skipped_and_are_then_named_as_untried() -> None:
    done, words, _ = tried("skip")
    assert words == []
    assert "white lights" in done.untried


def test_a_door_without_lights_is_asked_nothing_about_them() -> None:
    _, words, person = tried(draft=Draft())
    assert words == []
    assert "white" not in person.heard


def test_the_lines_stand_in_the_table_and_in_the_file() -> None:
    told = wiring.table_of(LIT.config.lock)
    assert "left white light, weak: GPIO13, header pin 33" in told
    assert "right white light, strong: GPIO21, header pin 40" in told
    assert wiring.table_of(Draft().config.lock).count("white light") == 4
    assert all(f'{key} = "{pin}"' in render(LIT.config) for key, pin in PINS.items())
    assert "light" not in render(Draft().config).replace("status_led", "")


def test_three_lines_are_refused_and_so_is_one_that_is_pulled_up_at_the_start() -> None:
    with pytest.raises(ConfigRefused, match="all four"):
        LIT.put("lock", right_light_strong_pin="").checked()
    with pytest.raises(ConfigRefused, match="GPIO9 and above"):
        wiring.refuse_lines(LIT.put("lock", left_light_weak_pin="GPIO5").config, PI.chips)
