"""A card as a JSON file: everything a real card keeps without power, keys included.

Rules kept here:
- A file is written whole beside the old one, synced and renamed: whoever pulls the plug finds the old card or the new.
- A file is read as strictly as it is written; anything else is no card, and is told in one sentence without its
  contents.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from device import durable
from tools.simulator.cards.aes import KEY_BYTES
from tools.simulator.cards.memory import (
    MAX_FILE_BYTES,
    MAX_FILES,
    MAX_KEYS,
    NTAG_APPLICATION,
    SHORT_UID_BYTES,
    UID_BYTES,
    Application,
    DataFile,
    Key,
    Kind,
    Memory,
    Mode,
    blank,
)
from tools.simulator.cards.status import CardFileRefused

_FORMAT = 1
_MAX_BYTES = 1 << 20  # a full card of 4 KB is 10 KB of JSON
_BYTE = 0xFF
_MAX_NUMBER = 0xFFFFFF


def encode(memory: Memory) -> bytes:
    """The file of `memory`."""
    card = {
        "card": _FORMAT,
        "kind": memory.kind.value,
        "uid": memory.uid.hex(),
        "settings": memory.settings,
        "applications": [
            {
                "number": number,
                "settings": application.settings,
                "keys": [{"value": key.value.hex(), "version": key.version} for key in application.keys],
                "files": [
                    {
                        "number": file_number,
                        "mode": file.mode.name,
                        "rights": file.rights,
                        "backup": file.backup,
                        "data": file.data.hex(),
                    }
                    for file_number, file in sorted(application.files.items())
                ],
            }
            for number, application in sorted(memory.applications.items())
        ],
    }
    return (json.dumps(card, indent=1) + "\n").encode()


def decode(text: bytes) -> Memory:
    """The card in a file. Raises ValueError, KeyError or TypeError if there is none."""
    version, kind, uid, settings, applications = _fields(
        json.loads(text), "card", "kind", "uid", "settings", "applications"
    )
    _check(version == _FORMAT)
    memory = Memory(Kind(kind), bytes.fromhex(uid), _number(settings, _BYTE))
    _check(len(memory.uid) in {SHORT_UID_BYTES, UID_BYTES})
    for each in _list(applications):
        number, application_settings, keys, files = _fields(each, "number", "settings", "keys", "files")
        application = Application(
            _number(application_settings, _BYTE), [_key(key) for key in _list(keys)], dict(map(_file, _list(files)))
        )
        _check(1 <= len(application.keys) <= MAX_KEYS and len(application.files) == len(files))
        memory.applications[_number(number, _MAX_NUMBER)] = application
    _check(len(memory.applications) == len(applications) and 0 not in memory.applications)
    if memory.kind in {Kind.NTAG424, Kind.UID_ONLY}:
        _check(_shape(memory) == _shape(blank(memory.kind, memory.uid)))
    return memory


def load(path: Path) -> Memory:
    """Read a card. Raises CardFileRefused."""
    try:
        with path.open("rb") as file:
            text = file.read(_MAX_BYTES)
    except OSError as cause:
        msg = f"the card {path.name} cannot be read: {cause.strerror}"
        raise CardFileRefused(msg) from cause
    try:
        return decode(text)
    except (ValueError, KeyError, TypeError, RecursionError) as cause:
        msg = f"{path.name} is no card of this simulator"
        raise CardFileRefused(msg) from cause


def save(path: Path, memory: Memory) -> None:
    """Let `path` hold `memory`, durably. Raises CardFileRefused, and leaves what it held."""
    try:
        durable.replace(path, encode(memory), 0o600)
    except OSError as cause:
        msg = f"the card {path.name} cannot be written: {cause.strerror}"
        raise CardFileRefused(msg) from cause


def _shape(memory: Memory) -> object:
    """What no command changes on a chip whose files are fixed."""
    ntag = memory.applications.get(NTAG_APPLICATION)
    files = ntag and {number: (len(file.data), file.backup) for number, file in ntag.files.items()}
    return set(memory.applications), ntag and len(ntag.keys), files


def _key(each: Any) -> Key:
    value, version = _fields(each, "value", "version")
    key = Key(bytes.fromhex(value), _number(version, _BYTE))
    _check(len(key.value) == KEY_BYTES)
    return key


def _file(each: Any) -> tuple[int, DataFile]:
    number, mode, rights, backup, data = _fields(each, "number", "mode", "rights", "backup", "data")
    _check(isinstance(backup, bool))
    file = DataFile(bytes.fromhex(data), _number(rights, 0xFFFF), Mode[mode], backup)
    _check(1 <= len(file.data) <= MAX_FILE_BYTES)
    return _number(number, MAX_FILES - 1), file


def _fields(each: Any, *names: str) -> list[Any]:
    """The values of an object with exactly these names."""
    _check(isinstance(each, dict) and set(each) == set(names))
    return [each[name] for name in names]


def _list(each: Any) -> list[Any]:
    _check(isinstance(each, list))
    return list(each)


def _number(each: Any, most: int) -> int:
    _check(isinstance(each, int) and not isinstance(each, bool) and 0 <= each <= most)
    return int(each)


def _check(condition: object) -> None:
    if not condition:
        raise ValueError
