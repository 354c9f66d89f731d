"""Events in the life of a door that no other file tells whole: docs/life-of-a-door.md names the test of each.

The six processes are real, the hardware is simulated.
"""

from __future__ import annotations

import shutil
import signal
from datetime import UTC, datetime, timedelta
from pathlib import Path

from device.edges import Room
from tests.integration.door.conftest import PIN, SLOT, enrolled
from tests.integration.door.test_guests import guestcodes
from tests.support.door import (
    NOTED,
    OPENED,
    REFUSED,
    USE_PIN_OR_CARD,
    Heard,
    Home,
    Manager,
    door_up,
    resident_pictures,
)

NEW_PIN, NEIGHBOUR, THEIR_PIN = "739164", 34, "905217"
DONE = Heard("DONE", opened=False)
# What installers and repairmen are said to type, and every command with digits that could stand behind it.
MASTER_CODES = ("000000", "0000", "123456", "999999", "111111", "1234567890", "147258", "112112", "911911")


def comes_in(home: Home, flat: int, digits: str) -> bool:
    heard = home.types(f"{flat}#{digits}#")
    assert heard in (OPENED, REFUSED)
    home.goes_in()
    return heard == OPENED


def taps(home: Home, card: Path) -> Heard:
    heard = home.does(lambda: home.door.tap(card))
    home.goes_in()
    return heard


def new_card(home: Home, path: Path) -> Path:
    assert home.doorsim("card", "new", str(path), "--kind", "ntag424").code == 0
    return path


def test_whoever_gives_no_face_and_has_no_phone_lives_here_by_the_keys_alone(tmp_path: Path) -> None:
    """Without a page, a broker, a network, and without the two rooms that faces need."""
    with door_up() as home:
        invitation = home.offer(SLOT)
        home.well()
        for room in (Room.EYE, Room.VAULT):
            home.door.kill(room, signal.SIGSTOP)
        assert home.types(f"00#{SLOT}#{invitation.digits}#{PIN}#{PIN}#") == NOTED
        assert comes_in(home, SLOT, PIN)
        assert home.types(f"05#{SLOT}#{PIN}#{NEW_PIN}#{NEW_PIN}#") == NOTED
        assert not comes_in(home, SLOT, PIN)

        secret = str(guestcodes("", "new")["secret"]).replace(" ", "")
        assert home.types(f"09#{SLOT}#{NEW_PIN}#{secret}#") == NOTED
        today = datetime.now(UTC)
        days = ("--from", f"{today - timedelta(1):%Y-%m-%d}", "--to", f"{today + timedelta(1):%Y-%m-%d}")
        (carer,) = guestcodes(secret, "days", "--flat", str(SLOT), *days)["codes"]
        (cleaner,) = guestcodes(secret, "once", "--flat", str(SLOT), "--count", "1")["codes"]
        assert [comes_in(home, SLOT, carer["digits"]) for _ in range(2)] == [True, True]
        assert [comes_in(home, SLOT, cleaner["digits"]) for _ in range(2)] == [True, False]

        card = new_card(home, tmp_path / "card.json")
        assert home.types(f"07#{SLOT}#{NEW_PIN}#") == NOTED
        assert taps(home, card) == DONE
        assert taps(home, card) == OPENED
        assert home.types(f"08#{SLOT}#{NEW_PIN}#") == NOTED, "lost"
        assert taps(home, card) == REFUSED
        assert comes_in(home, SLOT, NEW_PIN)
        for room in (Room.EYE, Room.VAULT):
            home.door.kill(room, signal.SIGCONT)
        assert home.door.state()["frames_read"] == 0


def test_no_code_of_a_master_opens_a_door_in_which_nobody_lives_or_somebody_does() -> None:
    with door_up() as home:
        home.well()
        rows = [f"{flat}#{code}#" for code in MASTER_CODES for flat in (1, 999)]
        rows += [f"0{command}#1#123456#" for command in range(1, 13)] + ["*#*#", "#" * 8, "00#1#000000000000#1#1#"]
        for row in rows[::2]:
            home.types(row)
        assert home.door.state()["releases"] == 0
        home.move_in(SLOT, PIN)
        for row in rows[1::2]:
            home.types(row)
        assert home.door.state()["releases"] == 0
        assert comes_in(home, SLOT, PIN), "and whoever lives here is not kept out by it"
        assert home.door.state()["releases"] == 1, "a release would have been counted"


def test_the_mechanical_key_opens_past_the_software_which_calls_it_an_alarm_until_the_door_is_shut() -> None:
    """The fire brigade's way: the door cannot tell their key from a crowbar, asks nobody, and is well afterwards."""
    with door_up() as home:
        home.move_in(SLOT, PIN)
        home.well()
        home.door.move_door(is_open=True)
        home.until(lambda _: home.alarms() == 1, "an alarm")
        assert home.door.state()["releases"] == 0, "nothing let go but the key"
        home.door.move_door(is_open=False)
        home.until(lambda _: home.alarms() == 0, "the end of the alarm")
        assert comes_in(home, SLOT, PIN)


def test_a_board_that_died_is_replaced_by_a_door_that_knows_nobody_and_everything_is_set_again(tmp_path: Path) -> None:
    manager = Manager()
    with door_up(manager=manager) as dead:
        enrolled(dead)
        card = new_card(dead, tmp_path / "card.json")
        assert dead.types(f"07#{SLOT}#{PIN}#") == NOTED
        assert taps(dead, card) == DONE
        old, _ = manager.offer(dead.door_id, NEIGHBOUR)
        before = dead.document_key()
        dead.door.cut()
        shutil.rmtree(dead.root / "var")
    with door_up(manager=manager, door_id="ffeeddccbbaa9988") as home:
        home.well()
        assert home.document_key() != before, "another door, with a key of its own"
        assert not comes_in(home, SLOT, PIN)
        assert taps(home, card) == REFUSED
        assert home.looks(resident_pictures()[0]) == USE_PIN_OR_CARD
        assert home.records(Room.VAULT) == []
        said = home.apply(old)
        assert (said.code, said.facts["result"]) == (1, "wrong_door"), "a document for the dead board is none here"
        home.move_in(SLOT, NEW_PIN)
        assert comes_in(home, SLOT, NEW_PIN)
        new = new_card(home, tmp_path / "new.json")
        assert home.types(f"07#{SLOT}#{NEW_PIN}#") == NOTED
        assert taps(home, new) == DONE
        assert taps(home, new) == OPENED
        assert home.enrol(SLOT, NEW_PIN, *resident_pictures()).facts["result"] == "done"
        home.well()
        assert not comes_in(home, SLOT, PIN), "nothing of before came back"
