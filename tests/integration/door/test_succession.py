"""A laptop was stolen: another key for the fleet, told to a running door, and what the thief is left with."""

import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from device.edges import Room
from provisioning import keys
from tests.integration.door.test_policy import PASSPHRASE, Desk
from tests.support.door import NOTED, OPENED, Home, Manager, door_up

PIN = "835271"


@pytest.fixture
def desk(tmp_path: Path) -> Desk:
    desk = Desk(tmp_path / "fleet")
    assert desk.doorward("fleet", "init")[0] == 0
    assert desk.doorward("door", "add", "Front door")[0] == 0
    return desk


@pytest.fixture
def home(desk: Desk, tmp_path: Path) -> Iterator[Home]:
    """A door of that manager's, whose key is known."""
    (facts,) = desk.doorward("door", "list")[1]["doors"]
    manager = Manager(keys.unseal((desk.folder / "document.key").read_bytes(), PASSPHRASE))
    with door_up(manager=manager, door_id=facts["id"]) as home:
        identity = tmp_path / "front-door.identity"
        home.doorctl("export-identity", "--out", str(identity))
        assert desk.doorward("door", "identify", "Front door", str(identity))[0] == 0
        yield home


def moves_in(home: Home, desk: Desk, slot: int) -> dict[str, Any]:
    """What doorctl says to the offer of a place; once it is done, somebody moves in and opens the door."""
    _, offered = desk.doorward("slot", "offer", "--door", "Front door", "--slot", str(slot))
    said = home.doorctl("apply", str(offered["document"]))
    if said.code == 0:
        assert home.types(f"00#{slot}#{offered['invitation']}#{PIN}#{PIN}#") == NOTED
        assert home.types(f"{slot}#{PIN}#") == OPENED
        home.goes_in()
    return said.facts


def test_a_stolen_laptop_opens_no_place_once_the_door_knows_the_new_key(home: Home, desk: Desk) -> None:
    moves_in(home, desk, 1)
    thief = Desk(desk.folder.parent / "stolen")
    shutil.copytree(desk.folder, thief.folder)
    _, told = desk.doorward("fleet", "rotate")
    (made,) = told["made"]
    assert home.doorctl("apply", made["document"]).facts["result"] == "done"
    assert desk.doorward("fleet", "rotate", "--acknowledged", "Front door")[1]["waiting"] == []
    for _ in range(2):
        for slot in range(5, 8):
            assert "not signed by this door's manager" in moves_in(home, thief, slot)["reason"]
        home.door.kill(Room.LOCK)
        home.well()
    assert moves_in(home, desk, 2)["result"] == "done"
    assert home.types(f"1#{PIN}#") == OPENED, "whoever moved in before lives here still"
    home.goes_in()

    lock = home.paths.state(Room.LOCK)
    for name in ("managers.a", "managers.b"):
        (lock / name).unlink()
    home.door.kill(Room.LOCK)
    home.well()
    for either in (thief, desk):
        assert home.doorctl("apply", moved(either)).code == 1
    assert home.types(f"1#{PIN}#") == OPENED, "a door that believes nobody opens for its residents"
    home.goes_in()


def moved(desk: Desk) -> str:
    """The document of another offer."""
    return str(desk.doorward("slot", "offer", "--door", "Front door", "--slot", "9")[1]["document"])
