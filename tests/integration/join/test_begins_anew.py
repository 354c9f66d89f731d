"""A board whose door has ended joins again, as another door of another manager, and nothing of the first one counts."""

import json
import os
import shutil
import subprocess
import time
from pathlib import Path
from typing import Any

import pytest
from nacl.signing import SigningKey

from device import attestation, document
from device.attestation import EndOfDoor
from device.bodies import Telling
from device.edges import Room
from device.joining import Label
from tests.support.door import COMMANDS, PATIENCE_S
from tests.support.room_process import short_root
from tests.unit.joining.papers import DOOR, OTHER_DOOR, Authority, label
from tools.simulator.client import Door

FIRST, SECOND = SigningKey(bytes(range(32))), SigningKey(bytes(range(1, 33)))
NOW = int(time.time())


def doorctl(door: Door, *words: str) -> dict[str, Any]:
    said = subprocess.run(
        [COMMANDS / "doorctl", *words, "--json"],
        env={**os.environ, "DOORWARD_ROOT": str(door.root)},
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=150,
        check=False,
    )
    facts: dict[str, Any] = json.loads(said.stdout) if said.stdout else {"said": said.stderr}
    return facts | {"code": said.returncode}


def until_done(door: Door, *words: str) -> dict[str, Any]:
    """The same, tried again while the rooms start."""
    ends = time.monotonic() + 2 * PATIENCE_S
    while (facts := doorctl(door, *words))["code"]:
        assert time.monotonic() < ends, f"{words}: {facts}"
        time.sleep(0.5)
    return facts


def up(door: Door, *words: str) -> None:
    command: list[str | Path] = [COMMANDS / "doorsim", "up", *words, "--root", door.root]
    subprocess.run(command, stdin=subprocess.DEVNULL, capture_output=True, timeout=90, check=True)


def paper(folder: Path, door_id: bytes, key: SigningKey) -> Path:
    made: Label = label(
        Authority.make(),
        door_id=door_id,
        manager_key=bytes(key.verify_key),
        expires_hour=NOW // 3600 + 72,
        claim_port=0,
        host="127.0.0.1",
        port=1,
    )
    path = folder / door_id.hex()
    path.write_text(made.text(), encoding="ascii")
    return path


def joins(door: Door, folder: Path, door_id: bytes, key: SigningKey) -> bytes:
    """Join as that door, and work; its document key."""
    joined = doorctl(
        door, "join", "--label", str(paper(folder, door_id, key)), "--out", f"{folder}/{door_id.hex()}.out"
    )
    assert joined["code"] == 0, joined
    identity = until_done(door, "export-identity")
    assert identity["door"] == door_id.hex()
    return bytes.fromhex(identity["document_key"])


def tells(folder: Path, door_id: bytes, key: SigningKey, document_key: bytes, version: int) -> Path:
    signed = document.sign(Telling(), door_id=door_id, version=version, issued_unix=NOW, key=key)
    path = folder / f"{door_id.hex()}-{version}.doc"
    path.write_bytes(document.seal(signed, door_id=door_id, document_key=document_key))
    return path


@pytest.mark.timeout(400)
def test_a_board_whose_door_has_ended_begins_anew_as_another(tmp_path: Path) -> None:
    with short_root() as root:
        door, receipt = Door(root), tmp_path / "end.txt"
        up(door, "--unjoined")
        try:
            first_key = joins(door, tmp_path, DOOR, FIRST)
            old = tells(tmp_path, DOOR, FIRST, first_key, 7)
            assert until_done(door, "apply", str(old))["version"] == 7
            until_done(door, "retire", "--door", DOOR.hex(), "--wait", "0", "--receipt", str(receipt))
            assert isinstance(attestation.read(receipt.read_text()).paper, EndOfDoor)
            second = str(paper(tmp_path, OTHER_DOOR, SECOND))
            assert "joined already" in doorctl(door, "join", "--label", second)["reason"]
            assert "running" in doorctl(door, "decommission", "--receipt", str(receipt))["reason"]

            door.cut()
            cleared = doorctl(door, "decommission", "--receipt", str(receipt))
            assert (cleared["code"], cleared["named_in_door_toml"]) == (0, False), cleared
            # Where the simulator keeps what systemd hands to the rooms; on a door the command removes that itself.
            shutil.rmtree(door.paths.config.parent / "credentials")
            up(door)
            assert "has not joined yet" in door.last_words(Room.LOCK)

            second_key = joins(door, tmp_path, OTHER_DOOR, SECOND)
            assert second_key != first_key
            status = until_done(door, "status")
            assert (status["ending"], status["policy_version"]) == ("none", 0)
            assert doorctl(door, "apply", str(old))["result"] == "wrong_door"
            replayed = tells(tmp_path, OTHER_DOOR, FIRST, second_key, 8)
            assert doorctl(door, "apply", str(replayed))["result"] == "unsigned"
            taken = until_done(door, "apply", str(tells(tmp_path, OTHER_DOOR, SECOND, second_key, 1)))
            assert (taken["result"], taken["version"]) == ("done", 1)
            assert doorctl(door, "retire", "--door", DOOR.hex(), "--wait", "0")["result"] == "wrong_door"
        finally:
            door.cut()
