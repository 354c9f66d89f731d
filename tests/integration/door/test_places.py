"""Who lives behind a slot, for how long, and what that is worth: claims, children, places that end."""

import time
from collections.abc import Iterator

import pytest

from device.edges import Room
from tests.integration.door.conftest import PIN, SLOT
from tests.support.door import (
    CLAIM_FIRST,
    ENTER_PIN,
    OPENED,
    REFUSED,
    USE_PIN_OR_CARD,
    Home,
    door_up,
    resident_pictures,
    stranger,
    stranger_pictures,
)

OTHER_SLOT, OTHER_PIN = 34, "739164"
FACELESS_SLOT, FACELESS_PIN = 56, "905217"
ONE_PICTURE = resident_pictures()[0]


@pytest.fixture(scope="module")
def full_house() -> Iterator[Home]:
    """Two faces awake where so many strangers are expected that a press is enough for one at most."""
    with door_up(vault="strangers_per_day = 14") as home:
        home.move_in(SLOT, PIN)
        home.move_in(OTHER_SLOT, OTHER_PIN)
        home.move_in(FACELESS_SLOT, FACELESS_PIN)
        assert home.enrol(SLOT, PIN, *resident_pictures()).facts["result"] == "done"
        assert home.enrol(OTHER_SLOT, OTHER_PIN, *stranger_pictures()).facts["result"] == "done"
        yield home


def test_door_with_too_many_faces_asks_for_a_flat_number_by_itself_and_says_so(full_house: Home) -> None:
    before = full_house.door.state()["frames_read"]
    assert full_house.looks(ONE_PICTURE) == CLAIM_FIRST
    assert full_house.door.state()["frames_read"] == before, "no claim, no frame"
    assert "ask for a claim first" in full_house.log(Room.VAULT)
    assert full_house.claims(SLOT, ONE_PICTURE) == OPENED
    full_house.goes_in()
    assert full_house.claims(OTHER_SLOT, stranger()) == OPENED
    full_house.goes_in()


def test_claim_of_somebody_else_is_refused_whoever_is_enrolled(full_house: Home) -> None:
    assert full_house.claims(OTHER_SLOT, ONE_PICTURE) == REFUSED
    assert full_house.types(f"{SLOT}#{PIN}#") == OPENED
    full_house.goes_in()


def test_claim_of_somebody_without_a_face_opens_no_camera(full_house: Home) -> None:
    before = full_house.door.state()["frames_read"]
    assert full_house.claims(FACELESS_SLOT, ONE_PICTURE) == USE_PIN_OR_CARD
    assert full_house.door.state()["frames_read"] == before
    assert full_house.types(f"{FACELESS_SLOT}#{FACELESS_PIN}#") == OPENED
    full_house.goes_in()


def test_face_of_a_child_never_opens_without_the_pin() -> None:
    with door_up(tier="face") as home:
        home.move_in(SLOT, PIN)
        said = home.enrol(SLOT, PIN, *resident_pictures(), wishes=("--under-14",))
        assert said.facts["result"] == "done", said
        assert home.looks_until_ready(ONE_PICTURE) == ENTER_PIN
        assert home.types(f"{PIN}#") == OPENED, "the face stood for the flat number"


def test_place_that_ends_takes_pin_and_face_with_it_and_nobody_else_s() -> None:
    with door_up(vault="expiry_grace_s = 1") as home:
        home.move_in(FACELESS_SLOT, FACELESS_PIN)
        ends = int(time.time()) + 30  # long enough also where other tests run beside
        home.move_in(SLOT, PIN, ends)
        assert home.enrol(SLOT, PIN, *resident_pictures()).facts["result"] == "done"
        assert home.looks_until_ready(ONE_PICTURE) == OPENED
        home.goes_in()
        assert time.time() < ends, "the machine was too slow for this test's place"
        home.until(lambda _: time.time() >= ends, "the end of the place")
        assert home.types(f"{SLOT}#{PIN}#") == REFUSED
        assert home.looks(ONE_PICTURE) == USE_PIN_OR_CARD
        home.until(lambda _: home.records(Room.VAULT) == [], "the face erased by itself")
        assert home.types(f"{FACELESS_SLOT}#{FACELESS_PIN}#") == OPENED
        assert "Traceback" not in home.logs()
