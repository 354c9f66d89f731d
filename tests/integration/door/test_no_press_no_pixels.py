"""Rule 2 at a whole door: the camera looks after a press, under a lit lamp, and at no other moment."""

import itertools
import signal
from collections.abc import Callable
from pathlib import Path

import pytest

from device.edges import Room
from tests.integration.door.conftest import PIN, SLOT, enrolled
from tests.support.door import (
    NOTED,
    OPENED,
    REFUSED,
    USE_PIN_OR_CARD,
    Heard,
    Home,
    MeterWatch,
    another_picture,
    door_up,
    lit,
)


def there_and_back(home: Home) -> None:
    home.door.move_door(is_open=True)
    home.door.move_door(is_open=False)


def tampered_with(home: Home) -> None:
    home.door.tamper(on=True)
    home.door.tamper(on=False)


def power_cut(home: Home) -> None:
    home.door.cut()
    home.up()


# Lock drives the lamp before it sends Look (tests/unit/lock); the simulated board notes the level when its process gets
# round to it, and eye may be quicker. At the end it is the other way round, so nothing is allowed there.
LATE_NS = 100_000_000

HIDE_AND_SEEK: list[tuple[str, Callable[[Home], object]]] = [
    ("digits", lambda home: home.types(f"{SLOT}#{PIN}#")),
    ("wrong digits", lambda home: home.types(f"{SLOT}#482914#")),
    ("half an entry", lambda home: home.door.keys("12#48")),
    ("clearing it", lambda home: home.door.keys("*")),
    ("a personal act", lambda home: home.types(f"03#{SLOT}#{PIN}#")),
    ("status", lambda home: home.doorctl("status")),
    ("selftest", lambda home: home.doorctl("selftest")),
    ("the notice", lambda home: home.doorctl("consent", "show")),
    ("enrol without a grant", lambda home: home.doorctl("enrol", "--consent", "--wait", "0")),
    ("erase without a grant", lambda home: home.doorctl("erase", "--wait", "0")),
    ("a document", lambda home: home.offer(77)),
    ("the door moves", there_and_back),
    ("request to exit", lambda home: home.door.press("rex")),
    ("tamper", tampered_with),
    ("somebody stands there", lambda home: home.door.show(another_picture())),
    ("eye starts anew", lambda home: home.door.kill(Room.EYE)),
    ("vault starts anew", lambda home: home.door.kill(Room.VAULT)),
    ("lock starts anew", lambda home: home.door.kill(Room.LOCK)),
    ("the power comes back", power_cut),
]


@pytest.mark.parametrize("act", [pytest.param(act, id=name) for name, act in HIDE_AND_SEEK])
def test_nothing_but_the_face_button_opens_the_camera(resident_door: Home, act: Callable[[Home], object]) -> None:
    resident_door.until(lambda now: not now["camera_open"], "the camera closed")
    before = resident_door.door.state()["frames_read"]
    with MeterWatch(resident_door) as watch:
        act(resident_door)
        resident_door.all_up()
        # A question that passes through desk, lock and back has outlasted whatever the act set going.
        assert resident_door.well()["camera"] == "well"
    assert {(each.reading.is_open, each.reading.frames) for each in watch.moments} == {(False, before)}
    assert not lit(resident_door.door.state()) or lit(resident_door.door.state())[-1][1] < 2**63
    resident_door.goes_in()


def test_watch_on_the_meter_sees_what_the_others_must_not_do(resident_door: Home) -> None:
    """The fault seeded: were a press of any other kind to open the camera, the test above would see it."""
    before = resident_door.door.state()["frames_read"]
    with MeterWatch(resident_door) as watch:
        assert resident_door.looks_until_ready(another_picture()) == OPENED
    assert {each.reading.is_open for each in watch.moments} == {True, False}
    assert watch.moments[-1].reading.frames > before


def test_button_reads_no_frame_while_nobody_is_enrolled(door: Home) -> None:
    for _ in range(3):
        assert door.looks(another_picture()) == USE_PIN_OR_CARD
    state = door.door.state()
    assert (state["frames_read"], state["camera_open"], lit(state)) == (0, False, [])


def every_frame_under_the_lamp(home: Home, picture: Path | None, heard: Heard, fps: float) -> None:
    """The lamp was lit before the first frame, and no frame was exposed after it went dark."""
    with MeterWatch(home) as watch:
        assert home.looks(picture, fps=fps) == heard
        home.until(lambda now: not now["camera_open"] and not now["indicator"], "camera closed and lamp dark")
    spans = lit(home.door.state())
    seen = [each for each in watch.exposures if each > spans[-1][0] - 10**9]
    assert seen
    assert all(any(began - LATE_NS <= at_ns <= ended for began, ended in spans) for at_ns in seen), (spans, seen)


def test_every_frame_of_a_window_that_opens_lies_under_the_lit_lamp(resident_door: Home) -> None:
    for fps in (30.0, 7.3):
        every_frame_under_the_lamp(resident_door, another_picture(), OPENED, fps)
        resident_door.goes_in()


def test_every_frame_of_a_window_that_runs_out_lies_under_the_lit_lamp() -> None:
    """Close comes while a frame is awaited: 2 s hold 14.6 frames, so the window ends in the middle of the wait."""
    with door_up(window_s=2) as home:
        enrolled(home)
        every_frame_under_the_lamp(home, None, REFUSED, fps=7.3)


def stands_still(home: Home) -> None:
    """The camera is closed and stays so while the rooms come back and answer questions."""
    home.until(lambda now: not now["camera_open"], "the camera closed")
    before = home.door.state()["frames_read"]
    assert home.well()["camera"] == "well"
    after = home.door.state()
    assert (after["frames_read"], after["camera_open"], after["indicator"]) == (before, False, False)


@pytest.mark.parametrize("room", [Room.LOCK, Room.VAULT, Room.EYE])
def test_frames_stop_when_a_part_that_is_needed_dies(resident_door: Home, room: Room) -> None:
    resident_door.window()
    began = lit(resident_door.door.state())[-1][0]
    resident_door.door.kill(room)
    stands_still(resident_door)
    ended = lit(resident_door.door.state())[-1][1]
    assert ended - began < 3e9, "the window ended with the process, not with its time"
    assert resident_door.looks_until_ready(another_picture()) == OPENED


def test_frames_stop_when_lock_hangs(resident_door: Home) -> None:
    """Lock hangs in the middle of a window and cannot say Close: its watchdog, or eye's own limit, ends the window."""
    resident_door.window()
    hung = resident_door.door.state()["pids"][Room.LOCK]
    resident_door.door.kill(Room.LOCK, signal.SIGSTOP)
    resident_door.until(lambda now: not now["camera_open"], "the camera closed")
    assert resident_door.door.state()["releases"] == 0 or not resident_door.door.state()["granted"]
    resident_door.until(lambda now: now["pids"][Room.LOCK] not in (0, hung), "the watchdog ending the hung lock")
    stands_still(resident_door)
    assert resident_door.looks_until_ready(another_picture()) == OPENED


def test_second_press_while_the_window_is_open_changes_nothing(resident_door: Home) -> None:
    resident_door.window()
    for _ in range(5):
        resident_door.door.press("face")
    resident_door.until(lambda now: not now["indicator"], "the end of the window")
    began, ended = lit(resident_door.door.state())[-1]
    assert ended - began < 4e9, "five more presses do not lengthen a window of 3 s"


def test_presses_while_the_door_is_released_open_no_camera(resident_door: Home) -> None:
    assert resident_door.types(f"{SLOT}#{PIN}#") == OPENED
    before = resident_door.door.state()["frames_read"]
    resident_door.door.press("face")
    assert resident_door.types(f"04#{SLOT}#{PIN}#") == NOTED  # whatever the press set going came before this answer
    assert resident_door.door.state()["frames_read"] == before


def test_history_of_the_lamp_is_a_row_of_pairs(resident_door: Home) -> None:
    """The helper itself: every lit span it reports begins with on and ends with off, in order."""
    changes = [level for _, line, level in resident_door.door.state()["history"] if line == "lamp"]
    assert all(a != b for a, b in itertools.pairwise(changes))
    assert len(lit(resident_door.door.state())) == (len(changes) + 1) // 2
