"""The light challenge at a whole door: a face opens, a picture of it does not; who dies in the middle opens nothing.

People and attacks are rendered (tools.attack_lab): what is asserted is that the six processes, the lights and the judge
work together, and not how many prints of a hundred are refused. That is counted by the attack lab.
That the same print opens a door without lights, where a face alone opens, is in test_story.py.
"""

from __future__ import annotations

import re
import signal
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from device.challenge import OFF, REST, Lights
from device.edges import Room
from tests.integration.door.conftest import PIN, SLOT, opens, presses
from tests.support.door import (
    ALL_ROOMS,
    OPENED,
    PATIENCE_S,
    Home,
    another_picture,
    lit,
    resident_pictures,
    stranger,
)
from tools.simulator.held_up import As

LIT_WINDOW_S = 6.5  # two light challenges and more, and no time to ask anybody to turn: that is test_motion's
ATTACKS = (As.PRINT, As.SCREEN, As.VIDEO, As.CUTOUT)


def dark(now: dict[str, Any]) -> bool:
    return bool(now["lights"] == [0, 0] and not now["indicator"])


def challenged(since_ns: int) -> Callable[[dict[str, Any]], bool]:
    """Whether the lights were anything but out or at rest since then: a challenge runs or ran."""
    return lambda now: any(
        at_ns > since_ns and Lights(left, right) not in (OFF, REST) for at_ns, left, right in now["light_history"]
    )


def kept(home: Home) -> dict[Path, bytes]:
    """Every file that the rooms of a door keep."""
    found = (path for room in ALL_ROOMS for path in home.paths.state(room).rglob("*") if path.is_file())
    return {path: path.read_bytes() for path in found}


def until_challenged(home: Home) -> dict[str, Any]:
    """The resident stands there and presses until lights change for a challenge; the state of that moment."""
    since_ns = time.monotonic_ns()
    home.door.show(another_picture())
    home.door.hurry(Room.EYE)
    home.press_until(lambda: challenged(since_ns)(home.door.state()), "a challenge")
    return home.door.state()


def test_the_resident_who_stands_there_opens(lit_door: Home) -> None:
    since_ns = time.monotonic_ns()
    assert opens(lit_door, another_picture()), lit_door.told()
    lit_door.goes_in()
    assert challenged(since_ns)(lit_door.door.state()), "and not without a challenge"


def test_somebody_else_who_stands_there_does_not(lit_door: Home) -> None:
    assert not presses(lit_door, stranger(), As.LIVE).opened


@pytest.mark.parametrize("kind", ATTACKS, ids=str)
def test_a_picture_of_the_resident_never_opens(lit_door: Home, kind: As) -> None:
    """Neither one they would be recognised by, nor one they were enrolled from; up to three approaches to each."""
    since_ns, before = time.monotonic_ns(), lit_door.door.state()
    for picture in (another_picture(), resident_pictures()[0]):
        assert not presses(lit_door, picture, kind).opened
    after = lit_door.door.state()
    assert after["releases"] == before["releases"]
    assert challenged(since_ns)(after)


def test_challenges_are_driven_in_windows_only_and_the_lights_are_off_when_nobody_looks(lit_door: Home) -> None:
    for kind in (As.LIVE, As.VIDEO):
        presses(lit_door, stranger(), kind)
    lit_door.until(dark, "the lights off")
    state = lit_door.door.state()
    spans = lit(state)
    burning = [at_ns for at_ns, left, right in state["light_history"] if left or right]
    assert challenged(0)(state)
    for at_ns in burning:
        assert any(begin_ns <= at_ns <= end_ns for begin_ns, end_ns in spans)
    lit_door.door.keys("77#12*")
    assert not lit_door.door.wait(lambda now: not dark(now), 1.0)
    assert lit_door.door.state()["light_history"] == state["light_history"]


def test_nothing_of_a_challenge_is_in_any_log_or_file(lit_door: Home) -> None:
    """Levels, codes, figures, verdicts: a log that holds them tells who was taken for a picture, and when."""
    since_ns, before = time.monotonic_ns(), kept(lit_door)
    presses(lit_door, another_picture(), As.PRINT)
    assert challenged(since_ns)(lit_door.door.state())
    assert kept(lit_door) == before
    assert before, "a door does keep files"
    said = lit_door.logs()
    assert not re.search(
        r"challenge|light|attack|print|replay|injected|bona|kappa|relief|liveness", said, re.IGNORECASE
    )


def test_killed_in_the_middle_lock_leaves_the_lights_dark_and_the_next_one_serves(lit_door: Home) -> None:
    before = until_challenged(lit_door)
    lit_door.door.kill(Room.LOCK, signal.SIGKILL)
    lit_door.until(lambda now: now["pids"]["lock"] != before["pids"]["lock"], "another lock")
    lit_door.until(dark, "the lights off")
    lit_door.well()
    assert lit_door.types(f"{SLOT}#{PIN}#") == OPENED
    lit_door.goes_in()
    assert opens(lit_door, another_picture()), lit_door.told()
    lit_door.goes_in()


@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGSTOP], ids=["dead", "stopped"])
def test_a_log_that_nobody_takes_opens_nothing_and_the_pin_does(lit_door: Home, number: signal.Signals) -> None:
    """Eye dies, or hangs until its watchdog ends it, while the lights change."""
    before = until_challenged(lit_door)
    lit_door.door.kill(Room.EYE, number)
    ends = time.monotonic() + PATIENCE_S
    while (heard := lit_door.types(f"{SLOT}#{PIN}#")) != OPENED:
        assert heard.signal == "USE_PIN_OR_CARD", "the answer to the press that came to nothing"
        assert time.monotonic() < ends, lit_door.told()
    assert lit_door.door.state()["releases"] == before["releases"] + 1, "by the PIN, and by nothing else"
    lit_door.goes_in()
    lit_door.until(lambda now: now["pids"]["eye"] not in (0, before["pids"]["eye"]), "another eye")
    lit_door.well()
    lit_door.until(dark, "the lights off")
    assert opens(lit_door, another_picture()), lit_door.told()
    lit_door.goes_in()


def test_a_door_that_says_it_has_lights_and_whose_lights_are_dark_asks_for_the_pin(lit_door: Home) -> None:
    """The seeded fault of the hardware: lock drives its lines, and nothing lights up before the lens."""
    lit_door.door.show(another_picture(), held_up=As.VIDEO)  # the living face, and no light that reaches it
    assert not lit_door.does(lambda: lit_door.door.press("face")).opened
    assert lit_door.types(f"{SLOT}#{PIN}#") == OPENED
    lit_door.goes_in()
