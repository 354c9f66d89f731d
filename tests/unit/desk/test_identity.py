"""doorctl export-identity: what the manager learns of the door, and how what it sealed wrongly is told."""

from __future__ import annotations

import json
import re
from pathlib import Path

from click.testing import CliRunner, Result

from device import wire
from device.desk import cli, sentences
from device.document import fingerprint
from device.edges import Room
from tests.unit.desk.house import open_desk
from tests.unit.desk.papers import DOOR

KEY = bytes(range(32))
STATUS = wire.DoorStatus(
    eye=True,
    vault=True,
    keeper=True,
    report=True,
    camera_well=True,
    alarms=0,
    policy_version=3,
    document_key=KEY,
    ending=wire.Ending.NONE,
    ends_in_s=0,
)


def lock(msg: wire.Message) -> list[wire.Message]:
    return [STATUS] if isinstance(msg, wire.AskStatus) else []


def export(*args: str) -> Result:
    result = CliRunner().invoke(cli.cli, ("export-identity", *args), prog_name="doorctl")
    assert result.exception is None or isinstance(result.exception, SystemExit), result.exception
    return result


def test_the_door_says_its_id_its_key_and_a_fingerprint_for_the_phone(root: Path) -> None:
    with open_desk(root, {Room.LOCK: lock}):
        said, told = export(), json.loads(export("--json").stdout)
    shown = fingerprint(DOOR, KEY)
    assert told == {"ok": True, "door": DOOR.hex(), "document_key": KEY.hex(), "fingerprint": shown}
    for part in (DOOR.hex(), KEY.hex(), shown):
        assert part in said.stdout


def test_the_file_holds_the_id_and_the_key_in_one_line_and_replaces_none(root: Path) -> None:
    file = root / "door.identity"
    with open_desk(root, {Room.LOCK: lock}):
        assert str(file) in export("--out", str(file)).stdout
        assert file.read_text() == json.dumps({"door": DOOR.hex(), "document_key": KEY.hex()}) + "\n"
        file.write_text("precious")
        again = export("--out", str(file))
        nowhere = export("--out", str(root / "nowhere" / "x"))
    assert (again.exit_code, file.read_text()) == (1, "precious")
    for said, why in ((again, "exists already and is not replaced"), (nowhere, "cannot be written")):
        assert re.fullmatch(rf"/[^\n]*{why}[^\n]*\.\n", said.stderr)


def test_without_lock_nothing_is_written(root: Path) -> None:
    with open_desk(root, {}):
        said = export("--out", str(root / "door.identity"))
    assert said.exit_code == 1
    assert said.stderr.count("\n") == 1
    assert not (root / "door.identity").exists()


def test_an_unequal_policy_has_a_sentence_of_its_own_and_others_lead_to_the_key() -> None:
    said = {result: sentences.document_sentence(result, 3) for result in wire.Result}
    assert "by face at an hour at which PIN and card do not" in said[wire.Result.UNEQUAL]
    assert "`doorctl export-identity`" in said[wire.Result.UNSIGNED]
    assert len({said[each] for each in (wire.Result.UNEQUAL, wire.Result.MALFORMED, wire.Result.UNSIGNED)}) == 3
