"""An announced end comes by itself once its time has run: real rooms, and the last of 72 hours counted by a real clock.

The hours before are put on lock's disk, as it keeps them itself, while the door is off: nothing in the door makes time
run faster, and a test does not wait for three days.
"""

import struct
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from device import attestation
from device.attestation import EndOfDoor
from device.bodies import Retirement
from device.edges import Room
from device.lock.identity import KEY_NAME, DocumentKey
from device.lock.retiring import LOOK_NS, marked
from device.sealing.retired import DONE, MARK
from tests.integration.door.conftest import PIN, SLOT
from tests.support.door import OPENED, PATIENCE_S, REFUSED, Home, door_up
from tools.simulator.layout import credentials

NOTICE_S, LOOK_S = 72 * 3600, LOOK_NS // 1_000_000_000
VERSION = 50


@pytest.fixture
def announced(tmp_path: Path) -> Iterator[Home]:
    """A door in which somebody lives, and whose end is announced, on a day that its clock believes."""
    with door_up() as home:
        home.move_in(SLOT, PIN)
        document = home.manager.signed(home.door_id, Retirement(72), VERSION, int(time.time()))
        path = tmp_path / "end.doc"
        path.write_bytes(home.manager.sealed(home.door_id, document))
        assert home.doorctl("apply", str(path)).facts["result"] == "done"
        yield home


def has_run(home: Home, seconds: int, version: int = VERSION) -> None:
    """The door was on for so long since the document `version` announced its end; it is off now, and goes on again."""
    home.down()
    key = DocumentKey.of((credentials(home.paths, Room.LOCK) / KEY_NAME).read_bytes())
    count = home.paths.state(Room.LOCK) / "retirement-count"
    count.write_bytes(bytes(key.kept.encrypt(struct.pack("<IQ", version, seconds))))
    home.up()
    home.well()


@pytest.mark.timeout(400)
def test_announced_end_comes_by_itself_after_its_last_minute_and_not_before(announced: Home) -> None:
    home = announced
    has_run(home, NOTICE_S, VERSION - 1)
    assert home.status()["ends_in_s"] > NOTICE_S - 3600, "what was counted for another announcement is not for this one"

    began = time.monotonic()
    has_run(home, NOTICE_S - LOOK_S // 2)
    status = home.status()
    assert (status["ending"], status["ends_in_s"] <= LOOK_S // 2) == ("announced", True)
    assert home.types(f"{SLOT}#{PIN}#") == OPENED, "until it has ended it is a door"
    home.goes_in()
    until = time.monotonic() + LOOK_S + 3 * PATIENCE_S
    while (said := home.doorctl("retire", "--door", home.door_id, "--wait", "0")).facts.get("result") != "retired":
        assert time.monotonic() < until, f"{said} {home.told()}"
        time.sleep(0.2)  # each question is a program of its own
    assert time.monotonic() - began > LOOK_S // 2, "the last half minute was counted, not given"

    verified = attestation.read(str(said.facts["receipt"]))
    assert isinstance(verified.paper, EndOfDoor)
    assert verified.paper.door.hex() == home.door_id
    assert home.status()["ending"] == "retired"
    assert marked(home.paths.state(Room.LOCK)) == VERSION
    home.all_up()
    assert home.types(f"{SLOT}#{PIN}#") == REFUSED
    assert home.kept(Room.KEEPER) == {MARK, DONE}
    assert home.kept(Room.VAULT) == {MARK, DONE, "end-of-door"}
