"""The disk is full: PINs go on, what cannot be stored is refused with a sentence, and nothing is half stored."""

from collections.abc import Iterator

import pytest

from device.edges import Room
from tests.integration.door.conftest import PIN, SLOT, enrolled
from tests.support.door import (
    NOTED,
    OPENED,
    REFUSED,
    USE_PIN_OR_CARD,
    Home,
    another_picture,
    resident_pictures,
)
from tests.support.small_disk import door_on_a_small_disk, fill


@pytest.fixture
def small_disk() -> Iterator[Home]:
    """A door whose var/lib is a file system of 512 KiB."""
    with door_on_a_small_disk() as home:
        yield home


def test_full_disk_keeps_pins_working_and_stores_nothing_half(small_disk: Home) -> None:
    home = small_disk
    home.move_in(SLOT, PIN)
    filler = fill(home)

    assert home.types(f"{SLOT}#{PIN}#") == OPENED
    home.goes_in()
    assert home.types(f"{SLOT}#905217#") == REFUSED
    assert home.types(f"{SLOT}#{PIN}#") == OPENED, "wrong tries are counted on a full disk as well"

    said = home.enrol(SLOT, PIN, *resident_pictures())
    assert (said.code, said.facts["result"]) == (1, "fault")
    assert home.records(Room.VAULT) == []
    assert home.looks(another_picture()) == USE_PIN_OR_CARD

    assert home.types(f"05#{SLOT}#{PIN}#905217#905217#") == REFUSED, "a PIN that cannot be stored is not set"
    assert home.types(f"{SLOT}#{PIN}#") == OPENED
    content, _ = home.manager.offer(home.door_id, 34)
    said = home.apply(content)
    assert (said.code, said.facts["result"]) == (1, "fault")

    home.door.cut()
    home.up()
    assert home.types(f"{SLOT}#{PIN}#") == OPENED, "booted with a full disk"
    home.goes_in()

    filler.unlink()
    assert home.apply(content).code == 0, "the same document can be applied once there is room"
    enrolled_now = home.enrol(SLOT, PIN, *resident_pictures())
    assert enrolled_now.facts["result"] == "done"
    assert home.looks(another_picture()) == OPENED
    assert "Traceback" not in home.logs()


def test_face_can_be_erased_or_stays_whole_on_a_full_disk(small_disk: Home) -> None:
    home = enrolled(small_disk)
    filler = fill(home)
    assert home.types(f"02#{SLOT}#{PIN}#") == NOTED
    said = home.doorctl("erase", "--wait", "0")
    if said.code == 0:
        assert home.records(Room.VAULT) == []
        assert home.looks(another_picture()) == USE_PIN_OR_CARD
    else:
        assert said.facts["result"] == "fault"
        assert home.looks(another_picture()) == OPENED
        filler.unlink()
        assert home.act("erase", SLOT, PIN).facts["result"] == "done"
    home.door.cut()
    home.up()
    assert home.looks(another_picture()) == USE_PIN_OR_CARD
    assert home.records(Room.VAULT) == []
