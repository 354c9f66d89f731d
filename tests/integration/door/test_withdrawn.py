"""A place that the manager ends: its PIN and face are gone at once, nobody else's is, and it can be offered again."""

from __future__ import annotations

import time
from pathlib import Path

from device import wire
from device.document import SlotOffers
from device.edges import Room
from tests.integration.door.conftest import PIN, SLOT
from tests.support.door import (
    NOTED,
    OPENED,
    REFUSED,
    TELL_MANAGER,
    USE_PIN_OR_CARD,
    Home,
    door_up,
    resident_pictures,
)

WRONG_INVITATION = "118273645509"
OTHER_SLOT, OTHER_PIN, NEXT_PIN = 56, "905217", "739164"


def withdraws(home: Home, path: Path, slot: int) -> bytes:
    """The manager's document that ends `slot`, applied; what it was."""
    manager = home.manager
    manager.version += 1
    body = SlotOffers((wire.SlotOffer.withdrawal(slot, manager.version),))
    document = manager.sealed(home.door_id, manager.signed(home.door_id, body, manager.version, int(time.time())))
    path.write_bytes(document)
    assert home.doorctl("apply", str(path)).code == 0
    return document


def test_withdrawn_place_loses_pin_and_face_at_once_and_a_replay_ends_nobody_s(tmp_path: Path) -> None:
    with door_up(tier="face") as home:
        home.move_in(OTHER_SLOT, OTHER_PIN)
        home.move_in(SLOT, PIN)
        assert home.enrol(SLOT, PIN, *resident_pictures()).facts["result"] == "done"
        assert home.looks_until_ready(resident_pictures()[0]) == OPENED
        home.goes_in()
        path = tmp_path / "end.doc"
        withdraws(home, path, SLOT)
        assert home.types(f"{SLOT}#{PIN}#") == REFUSED
        home.until(lambda _: home.records(Room.VAULT) == [], "the face erased")
        assert home.looks(resident_pictures()[0]) == USE_PIN_OR_CARD
        assert home.types(f"{OTHER_SLOT}#{OTHER_PIN}#") == OPENED
        home.goes_in()
        home.move_in(SLOT, NEXT_PIN)
        assert home.doorctl("apply", str(path)).code == 1, "it is not newer than what the door has"
        assert home.types(f"{SLOT}#{NEXT_PIN}#") == OPENED
        home.goes_in()
        assert home.types(f"{SLOT}#{PIN}#") == REFUSED
        assert "Traceback" not in home.logs()


def test_open_invitation_is_worth_nothing_once_its_place_is_withdrawn(tmp_path: Path) -> None:
    with door_up() as home:
        invitation = home.offer(SLOT)
        withdraws(home, tmp_path / "end.doc", SLOT)
        assert home.types(f"00#{SLOT}#{invitation.digits}#{PIN}#{PIN}#") == REFUSED
        anew = home.offer(SLOT)
        assert home.types(f"00#{SLOT}#{anew.digits}#{PIN}#{PIN}#") == NOTED


def test_somebody_else_took_the_invitation_and_a_new_offer_takes_it_all_back(tmp_path: Path) -> None:
    """Its addressee hears that it was used, and tells the manager; whoever was faster keeps nothing."""
    del tmp_path
    with door_up() as home:
        stolen = home.offer(SLOT)
        assert home.types(f"00#{SLOT}#{stolen.digits}#{NEXT_PIN}#{NEXT_PIN}#") == NOTED
        assert home.types(f"00#{SLOT}#{stolen.digits}#{PIN}#{PIN}#") == TELL_MANAGER
        assert home.types(f"00#{SLOT}#{WRONG_INVITATION}#{PIN}#{PIN}#") == REFUSED, "nobody else is told anything"
        anew = home.offer(SLOT)
        assert home.types(f"{SLOT}#{NEXT_PIN}#") == TELL_MANAGER, (
            "whoever took the place hears that it was offered anew"
        )
        assert home.types(f"00#{SLOT}#{stolen.digits}#{PIN}#{PIN}#") == REFUSED, "the place is another one by now"
        assert home.types(f"00#{SLOT}#{anew.digits}#{PIN}#{PIN}#") == NOTED
        assert home.types(f"{SLOT}#{PIN}#") == OPENED
        home.goes_in()
