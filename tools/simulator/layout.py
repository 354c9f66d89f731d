"""The folder of a simulated door: configuration and keys, as set-up would leave them.

Rules kept here:
- A door that exists is never overwritten: its keys and configuration stay, so that `doorsim up` boots it again.
- Keys are 32 random bytes a room, readable by their owner alone; each room is handed its own and no other.
- The cautious defaults of a real door hold here too; whoever wants a face alone to open says so (`--tier face`).
"""

from __future__ import annotations

import json
import os
import secrets
import stat
from dataclasses import dataclass
from pathlib import Path

from device import config as door_config
from device.config.tables import Config
from device.errors import ConfigRefused
from device.paths import Paths
from device.report import broker as brokers
from device.rooms import Room

KEYED_ROOMS = (Room.VAULT, Room.KEEPER, Room.LOCK)
_SUN_PATH = 107  # unix(7): sun_path holds 108 bytes with its NUL
_LONGEST_SOCKET = "run/doorward/board/notify-keeper.sock"
# Nothing is soldered to them; that all four are named says that this door has lights.
LIGHT_PINS = """left_light_weak_pin = "GPIO5"
left_light_strong_pin = "GPIO6"
right_light_weak_pin = "GPIO13"
right_light_strong_pin = "GPIO19"
"""
# Its port is that of a real door's socket unit; a simulated one is called at whichever port was free.
PAGE = """
[page]
port = 8443
address = "127.0.0.1"
"""


@dataclass(frozen=True, slots=True)
class Wishes:
    """What `doorsim up` may choose for a new door."""

    door_id: str | None = None
    broker: str = ""
    tier: str = "face+pin"
    wiring: str = "fail-secure"
    unlock_ms: int = 4000
    cadence_s: float = 900.0
    manager_key: str = ""
    unjoined: bool = False  # without an id, as a new door: `doorctl join` gives it one
    lights: bool = False  # the two white lights of the light challenge
    page: bool = False  # the resident's page, at a free port of 127.0.0.1 that `doorsim state` tells


def make(paths: Paths, wishes: Wishes, config_file: Path | None = None) -> Config:
    """Create what is missing under `paths.root` and return the door's configuration. Raises ConfigRefused."""
    if len(os.fsencode(paths.root / _LONGEST_SOCKET)) > _SUN_PATH:
        msg = f"the folder {paths.root} has too long a name: a socket below it may have {_SUN_PATH} bytes"
        raise ConfigRefused(msg)
    os.umask(0o077)
    paths.root.mkdir(parents=True, exist_ok=True)
    _refuse_foreign(paths.root)
    for folder in (paths.config.parent, paths.run, paths.board, paths.root / "var" / "lib" / "doorward"):
        folder.mkdir(parents=True, exist_ok=True)
    if config_file is not None:
        door_config.load(config_file, without_id=wishes.unjoined)  # refuse before anything is replaced
        _write(paths.config, config_file.read_bytes())
    elif not paths.config.exists():
        _write(paths.config, _toml(paths, wishes))
    for room in KEYED_ROOMS:
        key = credentials(paths, room) / f"{room}.key"
        if not key.exists():
            key.parent.mkdir(parents=True, exist_ok=True)
            _write(key, secrets.token_bytes(32))
    return door_config.load(paths.config, without_id=True)


def credentials(paths: Paths, room: Room) -> Path:
    """Stands for the folder that systemd would make for `room` alone (LoadCredentialEncrypted=)."""
    return paths.config.parent / "credentials" / room


def _refuse_foreign(root: Path) -> None:
    """Somebody else's folder may hold their keys, or links that lead our writes elsewhere."""
    status = root.lstat()
    if not stat.S_ISDIR(status.st_mode) or status.st_uid != os.getuid() or status.st_mode & 0o022:
        msg = f"the folder {root} is not yours alone; choose one that nobody else can write to"
        raise ConfigRefused(msg)


def _write(path: Path, data: bytes) -> None:
    temporary = path.with_suffix(".new")
    temporary.write_bytes(data)
    temporary.replace(path)


def _toml(paths: Paths, wishes: Wishes) -> bytes:
    door_id = wishes.door_id or secrets.token_hex(8)
    named = f"[door]\nid = {_text(door_id)}\nmanager_key = {_text(wishes.manager_key)}\n\n"
    # A label may bring a broker of its own; what stands in both would have to agree.
    broker = f"broker = {_text(wishes.broker)}\n" if wishes.broker or not wishes.unjoined else ""
    text = f"""# A simulated door, made by doorsim. docs/ and device/config/tables.py name every setting.
{"" if wishes.unjoined else named}[camera]
backend = "replay"
replay = {_text(str(paths.board / "scene.json"))}

[lock]
board = "sim"
tier = {_text(wishes.tier)}
wiring = {_text(wishes.wiring)}
unlock_ms = {wishes.unlock_ms}
{LIGHT_PINS if wishes.lights else ""}
[report]
{broker}cadence_s = {wishes.cadence_s}
{PAGE if wishes.page else ""}"""
    door_config.parse(text, without_id=True)  # a door that could not start is not left behind
    brokers.parse(wishes.broker)  # nor one whose report could not
    try:
        return text.encode("utf-8")
    except UnicodeEncodeError as cause:
        msg = "the folder of the door has a name that is no UTF-8"
        raise ConfigRefused(msg) from cause


def _text(value: str) -> str:
    # A JSON string is a TOML basic string, as long as it is not escaped to ASCII (surrogate pairs).
    return json.dumps(value, ensure_ascii=False)
