"""Where a face alone opens: one light challenge that a photograph passes opens nothing, two that somebody answers do.

No rendered photograph passes at will, so the door runs from a folder in which Python finds a `sitecustomize` before it
starts a room: there the judge of eye says what a file tells it to, and after that what it sees. A second file makes a
lock that does not count. Everything else is the door as it is.
"""

from __future__ import annotations

import signal
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from device.challenge import CHANGES
from device.edges import Room
from tests.integration.door.conftest import PIN, SLOT, TRIES_S, enrolled, opens, presses
from tests.support.door import ENTER_PIN, OPENED, Heard, Home, another_picture, door_up
from tests.support.room_process import CHECKOUT
from tools.simulator.held_up import As

SEED = """
import pathlib, sys
told = pathlib.Path(__file__).parent / "judge"
if "device.eye" in sys.orig_argv:
    from device.eye.attack import approach
    from device.eye.attack.judge import Figures, Judgement, Why
    from device.wire import Attack
    honest = approach.judge
    SAYS = {
        "passes": Judgement(Attack.BONA_FIDE, Why.SOLID, Figures()),
        "dark": Judgement(Attack.INCONCLUSIVE, Why.NO_ANSWER, Figures()),
        "unclear": Judgement(Attack.INCONCLUSIVE, Why.SHAPE_UNCLEAR, Figures()),
    }
    def judge(log, glances, fitted):
        first, *others = told.read_text().split() or ["what it sees"]
        told.write_text(" ".join(others))
        return SAYS[first] if first in SAYS else honest(log, glances, fitted)
    approach.judge = judge
if "device.lock" in sys.orig_argv and (told.parent / "forgetful").exists():
    from device.lock.state import Rules
    Rules.twice = False
"""


@pytest.fixture(scope="module")
def told_door(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Home]:
    """A door with lights whose judge can be told what to say; the resident SLOT opens it by PIN and by face."""
    code = tmp_path_factory.mktemp("code")
    for name in ("device", "tools", "models", "pyproject.toml"):
        (code / name).symlink_to(CHECKOUT / name)
    (code / "sitecustomize.py").write_text(SEED)
    (code / "judge").write_text("")
    with door_up(lights=True, code=code) as home:
        yield enrolled(home)


def judged(home: Home, picture: Path, kind: As, *says: str) -> Heard:
    """A press; of its first challenges the judge says `says`, of the others what it sees.

    Pressed again where the window ended before all of `says` was said: a busy machine gives too few frames.
    """
    ends = time.monotonic() + TRIES_S
    while True:
        (home.code / "judge").write_text(" ".join(says))
        heard = presses(home, picture, kind)
        left = (home.code / "judge").read_text()
        if not left:
            return heard
        assert not heard.opened
        assert time.monotonic() < ends, home.told()


def test_a_photograph_that_passes_one_challenge_opens_nothing_and_is_asked_for_the_pin(told_door: Home) -> None:
    before = told_door.door.state()["releases"]
    ends = time.monotonic() + TRIES_S
    while (heard := judged(told_door, another_picture(), As.PRINT, "passes")) != ENTER_PIN:
        assert not heard.opened, "whoever is in the picture was recognised once"
        assert time.monotonic() < ends, told_door.told()
    assert told_door.door.state()["releases"] == before
    assert told_door.types("111111#") != OPENED
    assert told_door.door.state()["releases"] == before


def test_one_that_passed_two_would_open_so_the_count_is_what_stands_in_its_way(told_door: Home) -> None:
    """The seeded fault of the judge: what is counted is its word, and there is nothing behind it."""
    ends = time.monotonic() + TRIES_S
    while judged(told_door, another_picture(), As.PRINT, "passes", "unclear", "passes") != OPENED:
        assert time.monotonic() < ends, told_door.told()
    told_door.goes_in()


def test_the_resident_opens_by_two_challenges(told_door: Home) -> None:
    since_ns = time.monotonic_ns()
    assert opens(told_door, another_picture()), told_door.told()
    told_door.goes_in()
    changed = [at_ns for at_ns, *_ in told_door.door.state()["light_history"] if at_ns > since_ns]
    assert len(changed) >= 2 * CHANGES


def test_who_was_in_doubt_turns_and_is_asked_for_the_pin(told_door: Home) -> None:
    """Eye sees no light on that face, asks it to turn, and it turns: it names its flat, and opens nothing."""
    before = told_door.door.state()["releases"]
    ends = time.monotonic() + TRIES_S
    while (heard := judged(told_door, another_picture(), As.TURNING, "dark")) != ENTER_PIN:
        assert not heard.opened
        assert time.monotonic() < ends, told_door.told()
    assert told_door.door.state()["releases"] == before
    assert told_door.types(f"{PIN}#") == OPENED, "and the flat need not be typed"
    told_door.goes_in()


def test_seeded_fault_a_lock_that_does_not_count_opens_to_that_photograph(told_door: Home) -> None:
    """So the first test finds it."""
    (told_door.code / "forgetful").touch()
    pid = told_door.door.state()["pids"]["lock"]
    told_door.door.kill(Room.LOCK, signal.SIGKILL)
    told_door.until(lambda now: now["pids"]["lock"] not in (0, pid), "another lock")
    told_door.well()
    try:
        ends = time.monotonic() + TRIES_S
        while judged(told_door, another_picture(), As.PRINT, "passes") != OPENED:
            assert time.monotonic() < ends, told_door.told()
        told_door.goes_in()
        assert told_door.types(f"{SLOT}#{PIN}#") == OPENED
        told_door.goes_in()
    finally:
        (told_door.code / "forgetful").unlink()
        pid = told_door.door.state()["pids"]["lock"]
        told_door.door.kill(Room.LOCK, signal.SIGKILL)
        told_door.until(lambda now: now["pids"]["lock"] not in (0, pid), "the lock as it is")
        told_door.well()
