"""A new door, its six processes waiting, becomes a manager's by a label from a file, and needs no restart."""

import json
import os
import subprocess
import time
from pathlib import Path

import pytest

from device.edges import Room
from device.joining import Request
from tests.support.door import COMMANDS
from tests.support.room_process import short_root
from tests.unit.joining.papers import CLAIM_KEY, NOW_UNIX, Authority, label
from tools.simulator.client import Door

BEGUN_DAYS = (NOW_UNIX - time.time()) / 86_400 + 1
"""What the papers call now, is a day of its own; the door's processes look at the clock."""


def doorctl(door: Door, *words: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [COMMANDS / "doorctl", *words, "--json"],
        env={**os.environ, "DOORWARD_ROOT": str(door.root)},
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )


@pytest.mark.timeout(180)
def test_a_new_door_waits_joins_and_works(tmp_path: Path) -> None:
    authority = Authority.make()
    made = label(authority, expires_hour=int(time.time()) // 3600 + 72, claim_port=0, host="127.0.0.1", port=1)
    with short_root() as root:
        door = Door(root)
        doorsim: list[str | Path] = [COMMANDS / "doorsim", "up", "--unjoined", "--root", root]
        subprocess.run(doorsim, stdin=subprocess.DEVNULL, capture_output=True, timeout=90, check=True)
        try:
            for room in Room.KEEPER, Room.LOCK, Room.REPORT:
                assert "has not joined yet" in door.last_words(room)
            paper, asked, answer = tmp_path / "label", tmp_path / "request", tmp_path / "answer"
            paper.write_text(made.text(), encoding="ascii")
            joined = doorctl(door, "join", "--label", str(paper), "--out", str(asked))
            assert joined.returncode == 0, joined.stdout
            request = Request.read(asked.read_bytes(), CLAIM_KEY)
            assert json.loads(joined.stdout)["fingerprint"] == request.fingerprint
            answer.write_bytes(authority.answer(request, days=4000, began_days=BEGUN_DAYS).pack())
            ended = doorctl(door, "join", "--answer", str(answer))
            assert ended.returncode == 0, ended.stdout
            assert not (door.paths.state(Room.REPORT) / "join" / "label").exists()
            again = doorctl(door, "join", "--label", str(paper))
            assert "joined already" in json.loads(again.stdout)["reason"]
        finally:
            door.down()
