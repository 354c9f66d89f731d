"""A resident comes back and adds a sitting to the face that is kept: real rooms, real networks, real pictures.

What is compared and joined is tried in tests/unit/vault/test_second_sitting.py; here the whole door does it.
"""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from device.edges import Room
from tests.integration.door.conftest import PIN, SLOT, enrolled, opens, presses
from tests.support.door import OPENED, Home, another_picture, door_up, resident_pictures, stranger, stranger_pictures
from tools.portraits import portrait
from tools.simulator.held_up import As

AGAIN = ("--again",)


@pytest.fixture
def home() -> Iterator[Home]:
    """A door of a test's own, where the resident SLOT is enrolled; a face alone opens."""
    with door_up(window_s=3) as made:
        yield enrolled(made)


def records(home: Home) -> dict[str, bytes]:
    """What lies sealed in vault's folder."""
    return {path.name: path.read_bytes() for path in home.records(Room.VAULT)}


def test_a_sitting_of_another_day_is_joined_and_every_look_opens(home: Home) -> None:
    before = records(home)
    said = home.enrol(SLOT, PIN, another_picture(), portrait("obama3.jpg", zoom=1.5), wishes=AGAIN)
    assert said.facts["result"] == "done", said
    after = records(home)
    assert len(after) == 1
    assert after.keys().isdisjoint(before), "one face, sealed anew"
    for picture in (*resident_pictures(), another_picture()):
        assert opens(home, picture)
    assert presses(home, stranger(), As.LIVE) != OPENED


def test_another_person_s_sitting_is_refused_and_the_face_that_is_kept_opens_as_before(home: Home) -> None:
    before = records(home)
    said = home.enrol(SLOT, PIN, *stranger_pictures(), wishes=AGAIN)
    assert (said.code, said.facts["result"]) == (1, "unlike"), said
    assert records(home) == before
    assert presses(home, stranger(), As.LIVE) != OPENED
    assert opens(home, resident_pictures()[0])


def test_where_no_face_is_kept_nothing_is_enrolled_by_it(home: Home) -> None:
    home.move_in(SLOT + 1, "635241")
    before = records(home)
    said = home.enrol(SLOT + 1, "635241", *stranger_pictures(), wishes=AGAIN)
    assert said.facts["result"] == "no_face", said
    assert records(home) == before
