"""A whole life at a door with canaries for PIN and slot: neither is in anything that stays or leaves."""

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from device.edges import Room
from device.report.envelope import SIZE
from tests.support.door import (
    NOTED,
    OPENED,
    REFUSED,
    Home,
    Said,
    another_picture,
    door_up,
    resident_pictures,
    stranger,
)
from tests.support.mosquitto import Seen, Subscriber, running_broker

SLOT, PIN, NEW_PIN = 7391, "58203174", "90417362"
# A number between 0 and 1 with two places or more is how a comparison score would look.
SCORE = re.compile(r"(?<![\w.])[01]\.\d{2,}")
DOOR_ID = "00aa11bb22cc33dd"  # holds no canary


@dataclass
class Life:
    """What was left behind by a whole life at the door."""

    home: Home
    invitations: list[str]
    said: list[Said] = field(default_factory=list)
    seen: list[Seen] = field(default_factory=list)

    @property
    def secrets(self) -> list[str]:
        return [PIN, NEW_PIN, *self.invitations]


@pytest.fixture(scope="module")
def life(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Life]:
    with (
        running_broker(tmp_path_factory.mktemp("broker")) as broker,
        Subscriber(broker) as witness,
        door_up(broker=broker.url, cadence_s=1, door_id=DOOR_ID, window_s=4) as home,
    ):
        lived = Life(home, [home.move_in(SLOT, PIN).digits])
        lived.said.append(home.enrol(SLOT, PIN, *resident_pictures()))
        assert lived.said[-1].facts["result"] == "done"
        assert home.looks(another_picture()) == OPENED
        assert home.looks(stranger()) == REFUSED
        assert home.types(f"{SLOT}#{PIN}#") == OPENED
        assert home.types(f"{SLOT}#58203175#") == REFUSED
        lived.said += [home.act("pause", SLOT, PIN), home.act("resume", SLOT, PIN)]
        assert home.types(f"05#{SLOT}#{PIN}#{NEW_PIN}#{NEW_PIN}#") == NOTED
        lived.said += [home.doorctl(*command.split()) for command in ("status", "selftest", "consent show")]
        for room in (Room.KEEPER, Room.VAULT, Room.LOCK, Room.EYE):
            home.door.kill(room)
        home.well()
        assert home.types(f"{SLOT}#{NEW_PIN}#") == OPENED
        home.door.tamper(on=True)
        witness.wait_for(lambda seen: any(each.topic.endswith("/alarm") for each in seen), 60.0)
        home.door.tamper(on=False)
        home.door.cut()
        home.up()
        assert home.looks_until_ready(another_picture()) == OPENED
        lived.invitations.append(home.offer(SLOT).digits)
        assert home.types(f"00#{SLOT}#{lived.invitations[-1]}#{PIN}#{PIN}#") == NOTED
        lived.said.append(home.act("erase", SLOT, PIN))
        assert lived.said[-1].facts["result"] == "nothing_to_do", "a face goes with the tenancy it belonged to"
        before = sum(each.topic.endswith("/report") for each in witness.seen)
        witness.wait_for(lambda seen: sum(each.topic.endswith("/report") for each in seen) >= before + 2, 60.0)
        home.down()
        lived.seen = list(witness.seen)
        yield lived


def leaks(text: str, secrets: list[str]) -> list[str]:
    """What must not be in a log, an answer or a report, and is."""
    found = [secret for secret in secrets if secret in text]
    found += [f"slot {SLOT}"] if re.search(rf"(?<![0-9a-fA-F]){SLOT}(?![0-9a-fA-F])", text) else []
    found += [f"score {score}" for score in SCORE.findall(text)]
    return found + (["a traceback"] if "Traceback" in text else [])


def test_no_log_holds_a_digit_a_slot_a_score_or_a_traceback(life: Life) -> None:
    logs = sorted(life.home.paths.board.glob("*.log"))
    assert {log.stem for log in logs} >= {str(room) for room in Room if room is not Room.DOORCTL}
    assert {log.name: leaks(log.read_text(), life.secrets) for log in logs} == {log.name: [] for log in logs}


def test_no_answer_of_doorctl_holds_a_digit_a_slot_or_a_score(life: Life) -> None:
    assert len(life.said) == 7
    for said in life.said:
        assert leaks(said.out + said.err, life.secrets) == []


def test_nothing_that_reached_the_broker_holds_a_digit_a_slot_or_a_score(life: Life) -> None:
    assert len(life.seen) > 5
    for each in life.seen:
        assert leaks(f"{each.topic} {each.payload.decode('ascii')}", life.secrets) == []
    assert {len(each.payload) for each in life.seen if "availability" not in each.topic} == {SIZE}
    assert {each.topic for each in life.seen} == {
        f"doorward/{DOOR_ID}/{end}" for end in ("availability", "report", "alarm")
    }


def files_of(root: Path) -> Iterator[tuple[Path, bytes]]:
    for path in root.rglob("*"):
        # What the test's own people brought along is not the door's.
        mine = path.name == "document" or "resident-" in str(path)
        if path.is_file() and not mine:
            yield path, path.read_bytes()


def test_no_file_of_the_door_holds_a_pin_or_an_invitation_in_the_clear(life: Life) -> None:
    names = [path for path, data in files_of(life.home.root) if any(s.encode() in data for s in life.secrets)]
    assert names == []


def test_no_file_of_the_door_is_a_picture(life: Life) -> None:
    starts = (b"\x89PNG", b"\xff\xd8\xff", b"RIFF", b"P5", b"P6", b"BM")
    assert [path for path, data in files_of(life.home.root) if data.startswith(starts)] == []


def test_ledger_of_report_is_what_the_broker_saw(life: Life) -> None:
    lines = (life.home.paths.run / "report" / "ledger").read_text().splitlines()
    payloads = {each.payload.decode("ascii").rstrip() for each in life.seen}
    told = [line.split("\t")[2] for line in lines if not line.startswith("CONNECT")]
    assert told
    assert set(told) <= payloads | {"offline"}
    assert leaks("\n".join(lines), life.secrets) == []


@pytest.mark.parametrize(
    "seeded",
    [
        f"keeper: {PIN} was wrong",
        f"vault: slot {SLOT} was recognised",
        "vault: the best score was 0.73",
        'Traceback (most recent call last):\n  File "x"',
    ],
)
def test_seeded_leak_is_found(seeded: str) -> None:
    assert leaks(f"report: connected to the broker\n{seeded}\n", [PIN])


def test_what_is_said_every_day_is_no_leak() -> None:
    assert leaks('{"door":"00aa7391bb22cc33","sw":"0.1.0","seq":73910} after 30 s, 127.0.0.1:1883', [PIN]) == []
