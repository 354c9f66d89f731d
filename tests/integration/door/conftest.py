"""Doors that several tests share: a start costs more than most of what is tested on them."""

import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from device.edges import Room
from tests.support.door import OPENED, Heard, Home, Manager, door_up, resident_pictures
from tools.simulator.held_up import As

SLOT, PIN = 12, "482913"
TRIES_S = 120.0  # before lights: a busy machine gives too few frames, and then PIN or card is asked for, not opened


def enrolled(home: Home, slot: int = SLOT, pin: str = PIN) -> Home:
    """The same door, with a resident who moved in and whose face is enrolled."""
    home.move_in(slot, pin)
    said = home.enrol(slot, pin, *resident_pictures())
    assert said.facts["result"] == "done", said
    assert len(home.records(Room.VAULT)) == 1
    return home


@pytest.fixture
def door() -> Iterator[Home]:
    """A door of a test's own, with a resident (SLOT, PIN) who gave no face."""
    with door_up(window_s=4) as home:
        home.move_in(SLOT, PIN)
        yield home


@pytest.fixture(scope="module")
def resident_door() -> Iterator[Home]:
    """One door a module: the resident SLOT opens it by PIN and by face; a face alone opens. A short window."""
    with door_up(window_s=3) as home:
        yield enrolled(home)


@pytest.fixture(scope="module")
def lit_door(request: pytest.FixtureRequest) -> Iterator[Home]:
    """One door a module with lights; the resident SLOT opens it by PIN and by face, a face alone opens.

    Windows last as long as the module's LIT_WINDOW_S says, or 10 s.
    """
    with door_up(lights=True, window_s=getattr(request.module, "LIT_WINDOW_S", 10.0)) as home:
        yield enrolled(home)


def presses(home: Home, picture: Path, kind: As) -> Heard:
    """Somebody presses the button with this picture held up so."""
    home.door.show(picture, held_up=kind)
    home.door.hurry(Room.EYE)  # other tests on this machine are no part of a door
    return home.does(lambda: home.door.press("face"))


def opens(home: Home, picture: Path, kind: As = As.LIVE) -> bool:
    """Whether somebody with this picture gets in, trying again as people do."""
    ends = time.monotonic() + TRIES_S
    while presses(home, picture, kind) != OPENED:
        if time.monotonic() > ends:
            return False
    return True


@pytest.fixture(scope="session")
def manager() -> Manager:
    """One manager of several doors."""
    return Manager()


@pytest.fixture
def no_picture(tmp_path: Path) -> Path:
    """A file with a picture's name and no picture in it."""
    path = tmp_path / "portrait.png"
    path.write_bytes(b"\x89PNG\r\n\x1a\n" + b"not a picture" * 50)
    return path
