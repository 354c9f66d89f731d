"""Doors that several tests share: a start costs more than most of what is tested on them."""

import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from device.edges import Room
from tests.support.door import NOTED, Home, Manager, Said, door_up, resident_pictures

SLOT, PIN = 12, "482913"
LONG_AGO = "test_grant_of_a_minute_ago_is_worth_nothing"


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


@dataclass
class OldGrant:
    """A PIN that was proven for an act, and nothing done about it."""

    home: Home
    proven_s: float

    def use(self) -> Said:
        """Try it when it is a little more than a minute old."""
        while (left := self.proven_s + 61 - time.monotonic()) > 0:
            time.sleep(min(left, 1.0))
        return self.home.doorctl("enrol", "--consent", "--wait", "0")


@pytest.fixture(scope="session", autouse=True)
def old_grant(request: pytest.FixtureRequest) -> Iterator[OldGrant | None]:
    """A grant that grows old while the other tests run; only where its test is among those that were asked for."""
    if not any(item.name.startswith(LONG_AGO) for item in request.session.items):
        yield None
        return
    with door_up() as home:
        home.move_in(SLOT, PIN)
        assert home.types(f"01#{SLOT}#{PIN}#") == NOTED
        yield OldGrant(home, time.monotonic())


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
