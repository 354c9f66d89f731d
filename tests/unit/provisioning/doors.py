"""What these tests share: doorward as a person types it, and the door that holds the private key."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from click.testing import CliRunner, Result

from device import document
from device.lock.identity import DocumentKey
from provisioning import cli

DOOR_KEY = DocumentKey.of(bytes(range(32)))


def doorward(*args: str, typed: str | None = None) -> Result:
    result = CliRunner().invoke(cli.cli, args, input=typed, prog_name="doorward")
    assert result.exception is None or isinstance(result.exception, SystemExit), result.exception
    return result


def listed(folder: Path) -> dict[str, Any]:
    """The only door of the fleet, as `door list` tells of it."""
    (door,) = json.loads(doorward("door", "list", "--fleet", str(folder), "--json").stdout)["doors"]
    found: dict[str, Any] = door
    return found


def fleet_with_a_door(path: Path) -> Path:
    """A fleet at `path` with one door, whose key nobody has brought yet."""
    assert doorward("fleet", "init", "--fleet", str(path)).exit_code == 0
    assert doorward("door", "add", "Front door", "--fleet", str(path)).exit_code == 0
    return path


def identify(folder: Path, name: str = "Front door") -> None:
    """Somebody brings the key of that door."""
    said = doorward("door", "identify", name, "--key", DOOR_KEY.public.hex(), "--fleet", str(folder))
    assert said.exit_code == 0, said.output


def believed(folder: Path, path: Path) -> document.Parsed:
    """What the door takes out of the document at `path`."""
    door = bytes.fromhex(listed(folder)["id"])
    key = json.loads(doorward("fleet", "key", "--fleet", str(folder), "--json").stdout)["manager_key"]
    return document.parse(DOOR_KEY.open(document.sealed_box(path.read_bytes(), door)), door, bytes.fromhex(key))
