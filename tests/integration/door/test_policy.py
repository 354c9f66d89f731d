"""A door with hours: set by doorward, kept by lock, the same for everybody who has a PIN, and equal or refused."""

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from device import document, wire
from device.edges import Room
from device.policy import table
from device.policy.methods import PIN_AND_CARD, Method
from device.policy.schedule import DoorPolicy, Interval, Schedule
from provisioning import keys
from provisioning.timetable import DAYS
from tests.integration.door.conftest import PIN, SLOT
from tests.support.door import NOTED, OPENED, REFUSED, USE_PIN_OR_CARD, Home, Manager, door_up, resident_pictures

PASSPHRASE = "correct horse battery"
ONE_PICTURE = resident_pictures()[0]
PIN_AND_CARD_ALWAYS = '[[schedule]]\nopens = ["pin", "card"]\nhours.every-day = ["00:00-24:00"]\n'


@dataclass
class Desk:
    """A manager at a computer with doorward."""

    folder: Path

    def doorward(self, *args: str) -> tuple[int, dict[str, Any]]:
        done = subprocess.run(
            [str(Path(sys.executable).parent / "doorward"), *args, "--fleet", str(self.folder), "--json"],
            env={"PATH": os.environ["PATH"], "LANG": "C.UTF-8", "DOORWARD_PASSPHRASE": PASSPHRASE},
            capture_output=True,
            text=True,
            check=False,
        )
        return done.returncode, json.loads(done.stdout)

    def sets(
        self, face_days: tuple[str, ...], always: str = PIN_AND_CARD_ALWAYS, cleaner_days: tuple[str, ...] = DAYS
    ) -> tuple[int, dict[str, Any]]:
        """`doorward policy set`: PIN and card always, a face all day on `face_days`; timetable 1 on `cleaner_days`."""
        file = self.folder.parent / "hours.toml"
        hours = "\n".join(f'hours.{day} = ["00:00-24:00"]' for day in face_days)
        cleaner = "\n".join(f'hours.{day} = ["00:00-24:00"]' for day in cleaner_days)
        file.write_text(
            f'zone = "UTC"\n{always}[[schedule]]\nopens = ["face"]\n{hours}\n[[timetable]]\nnumber = 1\n{cleaner}\n'
        )
        return self.doorward("policy", "set", "--door", "Front door", str(file))


@pytest.fixture(scope="module")
def desk(tmp_path_factory: pytest.TempPathFactory) -> Desk:
    desk = Desk(tmp_path_factory.mktemp("manager") / "fleet")
    assert desk.doorward("fleet", "init")[0] == 0
    assert desk.doorward("door", "add", "Front door")[0] == 0
    return desk


@pytest.fixture(scope="module")
def home(desk: Desk) -> Iterator[Home]:
    """A door of that manager's, one resident with PIN and face; a face alone opens it."""
    _, listed = desk.doorward("door", "list")
    (facts,) = listed["doors"]
    manager = Manager(keys.unseal((desk.folder / "document.key").read_bytes(), PASSPHRASE))
    with door_up(manager=manager, door_id=facts["id"], window_s=4) as home:
        identity = desk.folder.parent / "front-door.identity"
        exported = home.doorctl("export-identity", "--out", str(identity))
        code, said = desk.doorward("door", "identify", "Front door", str(identity))
        assert (code, said["fingerprint"]) == (0, exported.facts["fingerprint"])
        assert home.status()["document_key"] == exported.facts["document_key"]
        _, offered = desk.doorward("slot", "offer", "--door", "Front door", "--slot", str(SLOT))
        assert home.doorctl("apply", str(offered["document"])).code == 0
        assert home.types(f"00#{SLOT}#{offered['invitation']}#{PIN}#{PIN}#") == NOTED
        assert home.enrol(SLOT, PIN, *resident_pictures()).facts["result"] == "done"
        yield home


def far_from_now() -> tuple[str, ...]:
    """The one weekday that is three days from today: a test that runs over midnight does not reach it."""
    return (DAYS[(datetime.now(UTC) + timedelta(days=3)).weekday()],)


def apply(home: Home, told: tuple[int, dict[str, Any]]) -> None:
    assert told[0] == 0, told
    said = home.doorctl("apply", str(told[1]["document"]))
    assert said.facts["result"] == "done", said
    assert said.facts["version"] == told[1]["version"]


def no_face_but_pin(home: Home) -> None:
    before = home.door.state()
    assert home.looks(ONE_PICTURE) == USE_PIN_OR_CARD
    after = home.door.state()
    assert after["frames_read"] == before["frames_read"], "no frame is read in an hour without faces"
    lamps = [level for _, line, level in after["history"][len(before["history"]) :] if line == "lamp"]
    assert lamps == [], "and the lamp stays dark"
    assert home.types(f"{SLOT}#{PIN}#") == OPENED
    home.goes_in()


def test_outside_its_hours_a_face_is_refused_at_once_and_the_pin_opens(home: Home, desk: Desk) -> None:
    assert home.looks_until_ready(ONE_PICTURE) == OPENED
    home.goes_in()
    apply(home, desk.sets(far_from_now()))
    no_face_but_pin(home)
    home.door.kill(Room.LOCK)
    home.well()
    no_face_but_pin(home)
    apply(home, desk.sets(DAYS))
    assert home.looks_until_ready(ONE_PICTURE) == OPENED
    home.goes_in()


def test_unequal_policy_is_refused_by_doorward_and_signed_by_hand_by_the_door(home: Home, desk: Desk) -> None:
    apply(home, desk.sets(far_from_now()))
    code, said = desk.sets(DAYS, PIN_AND_CARD_ALWAYS.replace('"pin", ', ""))
    assert (code, said["reason"]) == (1, "On Thursdays at 00:00 the door would open by face but not by PIN.")
    version = home.status()["policy_version"]
    week = ((Interval(0, 1440),),) * 7
    unequal = DoorPolicy("UTC", (Schedule(Method.CARD | Method.FACE, week),))
    equal = DoorPolicy("UTC", (Schedule(PIN_AND_CARD | Method.FACE, week),))
    signed = home.manager.signed(home.door_id, equal, version + 1, int(datetime.now(UTC).timestamp()))
    content = signed[: -len(table.pack(equal)) - document.SIGNATURE_BYTES] + table.pack(unequal)
    forged = content + home.manager.key.sign(document._DOMAIN + content).signature
    refused = home.apply(home.manager.sealed(home.door_id, forged))
    assert refused.facts["result"] == wire.Result.UNEQUAL.name.lower()
    assert "by face at an hour at which PIN and card do not" in refused.facts["reason"]
    assert home.apply(signed).facts["result"] == wire.Result.MALFORMED.name.lower(), "signed well, but not sealed"
    assert home.status()["policy_version"] == version
    assert "by face but not by PIN" in home.log(Room.LOCK)
    no_face_but_pin(home)
    by_hand = home.apply(home.manager.sealed(home.door_id, signed))
    assert by_hand.facts["result"] == "done", "the same by hand, but equal"
    assert home.looks_until_ready(ONE_PICTURE) == OPENED
    home.goes_in()
    assert "Traceback" not in home.logs()


CLEANER, CLEANER_PIN = 90, "640281"


def test_a_cleaner_comes_in_within_their_hours_only_and_residents_at_all_times(home: Home, desk: Desk) -> None:
    """Before the test by hand above or after it: versions only grow, whoever made them."""
    newest = home.status()["policy_version"]
    told = desk.sets(DAYS)
    while told[1]["version"] <= newest:
        told = desk.sets(DAYS)
    apply(home, told)
    code, said = desk.doorward("slot", "offer", "--door", "Front door", "--slot", str(CLEANER), "--timetable", "2")
    assert (code, "no timetable 2" in said["reason"]) == (1, True)
    _, offered = desk.doorward("slot", "offer", "--door", "Front door", "--slot", str(CLEANER), "--timetable", "1")
    assert home.doorctl("apply", str(offered["document"])).facts["result"] == "done"
    assert home.types(f"00#{CLEANER}#{offered['invitation']}#{CLEANER_PIN}#{CLEANER_PIN}#") == NOTED
    assert home.types(f"{CLEANER}#{CLEANER_PIN}#") == OPENED
    home.goes_in()
    apply(home, desk.sets(DAYS, cleaner_days=far_from_now()))
    for _ in range(2):
        assert home.types(f"{CLEANER}#{CLEANER_PIN}#") == REFUSED
        assert home.types(f"{SLOT}#{PIN}#") == OPENED
        home.goes_in()
        assert home.looks_until_ready(ONE_PICTURE) == OPENED
        home.goes_in()
        home.door.kill(Room.LOCK)
        home.well()
    apply(home, desk.sets(DAYS))
    assert home.types(f"{CLEANER}#{CLEANER_PIN}#") == OPENED
    home.goes_in()
    assert str(CLEANER) not in home.log(Room.LOCK)
    assert "Traceback" not in home.logs()


def test_what_is_made_for_this_door_is_read_by_nobody_else_and_believed_once(home: Home, desk: Desk) -> None:
    _, offered = desk.doorward("slot", "offer", "--door", "Front door", "--slot", "91")
    if offered["version"] <= home.status()["policy_version"]:
        apply(home, desk.sets(DAYS))
        _, offered = desk.doorward("slot", "offer", "--door", "Front door", "--slot", "91")
    content = Path(offered["document"]).read_bytes()
    for at in range(0, len(content), 16):
        flipped = content[:at] + bytes((content[at] ^ 1,)) + content[at + 1 :]
        assert home.apply(flipped).facts["result"] in {"malformed", "wrong_door", "unsigned"}
    assert home.apply(content).facts["result"] == "done"
    home.door.kill(Room.LOCK)
    home.well()
    assert home.apply(content).facts["result"] == "stale", "after a restart too"
