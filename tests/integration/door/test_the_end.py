"""A door ends: by somebody at the door, or as its manager announced; and nothing of its people is left."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from device import attestation
from device.attestation import EndOfDoor
from device.bodies import RECALL, Retirement
from device.edges import Room
from device.lock.retiring import marked
from device.sealing.retired import DONE, MARK
from tests.integration.door.conftest import PIN, SLOT, enrolled
from tests.support.door import NOTED, OPENED, REFUSED, Home, door_up

HOUR_S = 3600
MARKS = {MARK, DONE}


@pytest.fixture
def home() -> Iterator[Home]:
    """A door of a test's own, at which a face, a PIN and nothing else open."""
    with door_up(window_s=3) as home:
        yield enrolled(home)


def applies(home: Home, tmp_path: Path, hours: int, version: int) -> dict[str, object]:
    path = tmp_path / f"{version}.doc"
    signed = home.manager.signed(home.door_id, Retirement(hours), version, 1_900_000_000)
    path.write_bytes(home.manager.sealed(home.door_id, signed))
    return home.doorctl("apply", str(path)).facts


def test_a_door_that_was_ended_at_the_door_opens_to_nobody_and_keeps_nothing(home: Home, tmp_path: Path) -> None:
    """The local act, end to end, with real processes; and a power cut after it brings nothing back."""
    receipt = tmp_path / "end.txt"
    refused = home.doorctl("retire", "--door", home.door_id, "--wait", "0")
    assert (refused.code, refused.facts["result"]) == (1, "no_grant")
    assert home.types(f"011#{SLOT}#000000#") == REFUSED
    assert home.doorctl("retire", "--door", home.door_id, "--wait", "0").facts["result"] == "no_grant"
    assert home.types(f"011#{SLOT}#{PIN}#") == NOTED
    assert home.doorctl("retire", "--door", "0" * 16, "--wait", "0").facts["result"] == "wrong_door"
    assert home.types(f"{SLOT}#{PIN}#") == OPENED, "until it has ended it is a door"
    home.goes_in()

    ended = home.doorctl("retire", "--door", home.door_id, "--wait", "0", "--receipt", str(receipt))
    assert (ended.code, ended.facts["result"]) == (0, "done"), ended
    verified = attestation.read(receipt.read_text())
    assert isinstance(verified.paper, EndOfDoor)
    assert verified.paper.door.hex() == home.door_id
    assert home.doorctl("receipt", "verify", str(receipt)).code == 0
    for _ in range(2):
        home.all_up()
        assert home.status()["ending"] == "retired"
        assert home.types(f"{SLOT}#{PIN}#") == REFUSED
        assert home.kept(Room.KEEPER) == MARKS
        assert home.kept(Room.VAULT) == {*MARKS, "end-of-door"}
        assert home.kept(Room.LOCK) <= {"retired", "time-floor"}
        again = home.doorctl("retire")
        assert (again.facts["result"], again.facts["receipt"]) == ("retired", receipt.read_text())
        home.doorsim("cut")
        home.up()
    assert applies(home, tmp_path, RECALL, 90)["result"] == "retired", "too late, and it says so"


def test_an_announced_end_is_told_counts_and_can_be_taken_back(home: Home, tmp_path: Path) -> None:
    assert applies(home, tmp_path, 72, 50)["result"] == "done"
    status = home.status()
    assert status["ending"] == "announced"
    assert 71 * HOUR_S < status["ends_in_s"] <= 72 * HOUR_S
    assert home.types(f"{SLOT}#{PIN}#") == OPENED
    home.until(lambda now: any(each.startswith("DOOR_ENDS") for each in now["signals"]), "the announcement")
    home.goes_in()
    home.door.kill(Room.LOCK)
    home.well()
    assert home.status()["ending"] == "announced"
    assert applies(home, tmp_path, RECALL, 49)["result"] == "stale"
    assert applies(home, tmp_path, RECALL, 51)["result"] == "done"
    assert home.status()["ending"] == "none"
    assert applies(home, tmp_path, 72, 50)["result"] == "stale", "what was taken back is not announced again"
    assert marked(home.paths.state(Room.LOCK)) is None
