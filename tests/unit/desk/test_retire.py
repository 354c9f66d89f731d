"""`doorctl retire`: the right door, somebody beside whoever asks, and a receipt that can be relied on."""

from __future__ import annotations

import json
from dataclasses import dataclass, field, replace
from pathlib import Path

import pytest

from device import attestation, wire
from device.attestation import EndOfDoor
from device.desk import sentences
from device.desk.ending import cli as ending
from device.desk.papers.files import NewPaper, PaperFault
from device.edges import Room
from device.strength import KeyPlace
from device.wire import DoorStatus, Ended, Ending, Result
from tests.unit.desk.house import open_desk
from tests.unit.desk.papers import DOOR, KEY, RECEIPT
from tests.unit.desk.test_cli import WELL, doorctl

END = EndOfDoor(DOOR, 20_000, KeyPlace.TPM_NV, KeyPlace.FILE_HOST_KEY)


@dataclass
class Rooms:
    """lock and vault of a door: lock answers with `results` in turn, then with the last of them again."""

    results: list[Result]
    receipt: bytes = b""
    status: DoorStatus = WELL
    doors: list[bytes] = field(default_factory=list)

    def lock(self, msg: wire.Message) -> list[wire.Message]:
        match msg:
            case wire.AskStatus():
                return [self.status]
            case wire.RetireDoor(door):
                self.doors.append(door)
                return [Ended(self.results.pop(0) if len(self.results) > 1 else self.results[0])]
        return []

    def vault(self, msg: wire.Message) -> list[wire.Message]:
        return [wire.AttestationCopy(self.receipt)] if isinstance(msg, wire.AskRetirement) else []


@pytest.fixture(autouse=True)
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ending, "POLL_S", 0.01)
    monkeypatch.setattr(ending, "RECEIPT_S", 0.3)


def retires(root: Path, rooms: Rooms, *args: str, typed: str | None = None) -> tuple[int, dict[str, object], str]:
    with open_desk(root, {Room.LOCK: rooms.lock, Room.VAULT: rooms.vault}):
        said = doorctl("retire", *args, "--json", typed=typed)
    return said.exit_code, json.loads(said.stdout), said.stderr


def signed(paper: attestation.Paper = END) -> bytes:
    return attestation.sign(paper, KEY)


def test_it_waits_for_the_pin_says_once_how_and_gives_the_receipt(root: Path, tmp_path: Path) -> None:
    rooms, path = Rooms([Result.NO_GRANT, Result.NO_GRANT, Result.DONE], signed()), tmp_path / "end.txt"
    code, facts, told = retires(root, rooms, "--door", DOOR.hex(), "--receipt", str(path))
    assert (code, facts["ok"], facts["result"], facts["saved_to"]) == (0, True, "done", str(path))
    assert rooms.doors == [DOOR] * 3
    assert told.count("011 #") == 1
    assert told.index("Nothing brings that back") < told.index("011 #"), "what is lost is said first"
    assert attestation.read(path.read_text()).paper == END


def test_without_a_pin_in_time_nothing_happens_and_no_file_is_left(root: Path, tmp_path: Path) -> None:
    path = tmp_path / "end.txt"
    code, facts, _ = retires(
        root, Rooms([Result.NO_GRANT]), "--door", DOOR.hex(), "--wait", "0", "--receipt", str(path)
    )
    assert (code, facts["ok"], facts["result"]) == (1, False, "no_grant")
    assert not path.exists()


@pytest.mark.parametrize(
    ("args", "typed", "result"),
    [
        (("--door", "00" * 8), None, "wrong_door"),
        ((), "00" * 8 + "\ny\n", "wrong_door"),
        ((), DOOR.hex() + "\nn\n", "declined"),
        ((), DOOR.hex() + "\n\n", "declined"),
    ],
)
def test_another_id_or_any_other_word_than_yes_asks_lock_for_nothing(
    root: Path, args: tuple[str, ...], typed: str | None, result: str
) -> None:
    rooms = Rooms([Result.DONE], signed())
    code, facts, _ = retires(root, rooms, *args, typed=typed)
    assert (code, facts["result"], rooms.doors) == (1, result, [])


def test_whoever_types_the_id_and_says_yes_is_asked_nothing_else(root: Path) -> None:
    rooms = Rooms([Result.DONE], signed())
    code, facts, _ = retires(root, rooms, typed=f" {DOOR.hex().upper()}\ny\n")
    assert (code, facts["result"], rooms.doors) == (0, "done", [DOOR])


def test_a_door_that_has_ended_gives_its_receipt_without_a_question(root: Path) -> None:
    rooms = Rooms([Result.RETIRED], signed(), replace(WELL, ending=Ending.RETIRED))
    code, facts, told = retires(root, rooms)
    assert (code, facts["result"], facts["receipt"]) == (0, "retired", attestation.armour(signed()))
    assert "011" not in told


def test_a_door_that_has_ended_without_a_receipt_yet_says_so_and_that_it_can_be_asked_again(root: Path) -> None:
    code, facts, _ = retires(root, Rooms([Result.DONE]), "--door", DOOR.hex())
    assert (code, facts["result"], facts["receipt"], facts["ok"]) == (1, "done", None, False)


@pytest.mark.parametrize("receipt", [signed(RECEIPT), signed()[:-1] + b"\0"], ids=["of an erasure", "changed"])
def test_what_is_no_receipt_for_the_end_is_not_given(root: Path, receipt: bytes) -> None:
    code, facts, _ = retires(root, Rooms([Result.DONE], receipt), "--door", DOOR.hex())
    assert (code, facts["receipt"]) == (1, None)


def test_a_full_disk_keeps_the_receipt_on_the_screen(
    root: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(*_: object) -> None:
        msg = "the file cannot be written: No space left on device"
        raise PaperFault(msg)

    monkeypatch.setattr(NewPaper, "fill", full)
    code, facts, _ = retires(
        root, Rooms([Result.DONE], signed()), "--door", DOOR.hex(), "--receipt", str(tmp_path / "end.txt")
    )
    assert (code, facts["receipt"]) == (0, attestation.armour(signed()))
    assert "saved_to" not in facts


@pytest.mark.parametrize("result", Result)
def test_every_result_has_one_sentence(result: Result) -> None:
    assert sentences.end_sentence(result).endswith(".")


def test_status_says_when_the_door_ends() -> None:
    announced = replace(WELL, ending=Ending.ANNOUNCED, ends_in_s=3601)
    assert "at most 2 more hours" in sentences.ending_sentence(announced)
    assert "has ended" in sentences.ending_sentence(replace(WELL, ending=Ending.RETIRED))
    assert sentences.ending_sentence(WELL) == ""
