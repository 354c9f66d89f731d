"""The end of a door under attack: killed at every step of it, forged, restored from a copy, and begun anew."""

import shutil
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import pytest

from device import attestation
from device.attestation import EndOfDoor
from device.edges import Room
from device.sealing.retired import DONE, MARK
from tests.integration.door.conftest import PIN, SLOT, enrolled
from tests.support.door import NOTED, OPENED, PATIENCE_S, REFUSED, Home, door_up
from tools.simulator.client import SimulatorRefused

MARKS = {MARK, DONE}
RECEIPT = "end-of-door"


@pytest.fixture(scope="module")
def lived_in() -> Iterator[Home]:
    """A door with a face and a PIN, switched off; `var` as it was lies beside it."""
    with door_up(window_s=3) as home:
        enrolled(home)
        home.down()
        shutil.copytree(home.root / "var", home.root / "as-it-was")
        yield home


def restored(home: Home, *rooms: Room) -> None:
    """Switched off hard, the folders of `rooms` are as they were before the end; without `rooms`, everything is."""
    with suppress(SimulatorRefused):
        home.door.cut()
    var = Path("lib") / "doorward"
    for name in [var / room for room in rooms] or [Path()]:
        shutil.rmtree(home.root / "var" / name)
        shutil.copytree(home.root / "as-it-was" / name, home.root / "var" / name)


@pytest.fixture
def home(lived_in: Home) -> Home:
    """The same door, alive again and up."""
    restored(lived_in)
    lived_in.up()
    lived_in.well()
    return lived_in


def ends(home: Home) -> None:
    """The local act, to its end."""
    assert home.types(f"011#{SLOT}#{PIN}#") == NOTED
    said = home.doorctl("retire", "--door", home.door_id, "--wait", "0")
    assert said.code == 0, said


def receipt_of(home: Home) -> str:
    """The receipt, as soon as the door gives it."""
    until_s = time.monotonic() + 2 * PATIENCE_S
    while (said := home.doorctl("retire", "--door", home.door_id, "--wait", "0")).code:
        assert time.monotonic() < until_s, f"no receipt: {said} {home.told()}"
    return str(said.facts["receipt"])


def has_ended(home: Home) -> None:
    """Nobody is let in, nothing is left, and the receipt is whole."""
    verified = attestation.read(receipt_of(home))
    assert isinstance(verified.paper, EndOfDoor)
    assert verified.paper.door.hex() == home.door_id
    home.all_up()
    assert home.status()["ending"] == "retired"
    assert home.types(f"{SLOT}#{PIN}#") == REFUSED
    assert home.kept(Room.KEEPER) == MARKS
    assert home.kept(Room.VAULT) == {*MARKS, RECEIPT}
    assert home.kept(Room.LOCK) <= {"retired", "time-floor"}


@contextmanager
def struck(home: Home, at: Path, room: Room | None) -> Iterator[list[str]]:
    """As soon as the file `at` is there, `room` is killed; None: the power goes. What happened is in the list."""
    happened: list[str] = []

    def watch() -> None:
        until_s = time.monotonic() + PATIENCE_S
        while time.monotonic() < until_s:
            if at.exists():
                with suppress(SimulatorRefused):
                    home.door.cut() if room is None else home.door.kill(room)
                happened.append(at.name)
                return
            time.sleep(0.0005)

    thread = threading.Thread(target=watch)
    thread.start()
    try:
        yield happened
    finally:
        thread.join()


@pytest.mark.timeout(240)
@pytest.mark.parametrize(
    ("whose", "name", "struck_room"),
    [
        (Room.LOCK, "retired", Room.LOCK),
        (Room.KEEPER, MARK, Room.KEEPER),
        (Room.VAULT, MARK, Room.VAULT),
        (Room.KEEPER, DONE, Room.LOCK),
        (Room.VAULT, RECEIPT, Room.VAULT),
        (Room.KEEPER, MARK, None),
        (Room.VAULT, DONE, None),
    ],
    ids=lambda value: str(value) if value else "power",
)
def test_whoever_is_struck_at_any_moment_of_the_end_it_goes_on_to_the_last_file(
    home: Home, whose: Room, name: str, struck_room: Room | None
) -> None:
    assert home.types(f"011#{SLOT}#{PIN}#") == NOTED
    with (
        struck(home, home.paths.state(whose) / name, struck_room) as happened,
        home.beside("doorctl", "retire", "--door", home.door_id, "--wait", "0"),
    ):
        home_until(lambda: bool(happened), f"{name} of {whose}")
    if struck_room is None:
        home.up()
    has_ended(home)


def home_until(condition: Callable[[], bool], what: str) -> None:
    until_s = time.monotonic() + PATIENCE_S
    while not condition():
        assert time.monotonic() < until_s, f"{what} did not happen"
        time.sleep(0.01)


@pytest.mark.timeout(240)
def test_a_copy_of_some_rooms_is_destroyed_again_and_only_a_copy_of_all_of_them_is_a_door(home: Home) -> None:
    """What docs/keys.md says of a door whose keys are files: the last step is the limit, not a promise."""
    ends(home)
    has_ended(home)
    restored(home, Room.KEEPER, Room.VAULT)
    home.up()
    has_ended(home)  # lock still has its mark: it asks them again
    restored(home, Room.LOCK)
    home.up()
    home.all_up()
    assert home.types(f"{SLOT}#{PIN}#") == REFUSED, "lock alone has nobody to ask"
    assert home.kept(Room.KEEPER) == MARKS
    restored(home)
    home.up()
    home.well()
    assert home.types(f"{SLOT}#{PIN}#") == OPENED, "an older copy of everything is the door of that day"
    home.goes_in()
    restored(home)
    keys = home.paths.config.parent / "credentials"
    shutil.copytree(keys, home.root / "keys-as-they-were")
    shutil.rmtree(keys / Room.KEEPER)
    said = home.doorsim("up")
    shutil.rmtree(keys)
    shutil.copytree(home.root / "keys-as-they-were", keys)
    assert said.code == 1
    assert "keeper does not start" in said.out, "without the keys of that day it opens to nobody"


@pytest.mark.timeout(240)
@pytest.mark.parametrize("room", [Room.VAULT, Room.KEEPER])
def test_a_mark_that_a_room_forged_ends_that_room_and_no_door(home: Home, room: Room) -> None:
    """Whoever took over a room can destroy what is in it, which they could anyway, and get no receipt from it."""
    (home.paths.state(room) / MARK).write_bytes(b"")
    home.door.kill(room)
    home_until((home.paths.state(room) / DONE).exists, "the end of the room")
    home.all_up()
    assert home.status()["ending"] == "none"
    heard = home.types(f"{SLOT}#{PIN}#")
    assert heard == (OPENED if room is Room.VAULT else REFUSED)
    home.goes_in()
    assert not (home.paths.state(Room.VAULT) / RECEIPT).exists()
    other = Room.KEEPER if room is Room.VAULT else Room.VAULT
    assert home.records(other), "the other room keeps what it has"
