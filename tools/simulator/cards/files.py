"""Data files: who may do what, making them, and their settings.

Rules kept here:
- A right is proven by the key it names. Free access needs no key and is in plain even within a session; where all it
  takes is "never", no key helps.
- Rights name keys that exist.
"""

from __future__ import annotations

from tools.simulator.cards.applications import file_bytes, free_bytes
from tools.simulator.cards.field import Answer, Asked, Field, require, split
from tools.simulator.cards.memory import CREATING, FREE, LISTING, MAX_FILES, NEVER, DataFile, Mode, Right
from tools.simulator.cards.status import Refused, Status

CREATE_BACKUP = 0xCB
CREATE_STANDARD = 0xCD
_MODES = {0: Mode.PLAIN, 1: Mode.MAC, 2: Mode.PLAIN, 3: Mode.FULL}
_SETTINGS_BYTES = 3


def access(file: DataFile, rights: tuple[Right, ...], key_no: int | None) -> Mode:
    """How data travels to a session of key `key_no` under any of `rights`. Raises Refused."""
    keys = [file.right(right) for right in rights]
    if key_no is not None and key_no in keys:
        return file.mode
    if FREE in keys:
        return Mode.PLAIN
    require(any(key != NEVER for key in keys), Status.PERMISSION_DENIED)
    raise Refused(Status.AUTHENTICATION)


def create_file(field: Field, asked: Asked) -> Answer:
    """CD and CB: number, how data travels, rights, length."""
    header, rest = split(asked.data, 7)
    field.session.request(asked.ins, header, rest, field.session.usual)
    application, number = field.application, header[0]
    require(application.settings & CREATING or field.session.key_no == 0, Status.AUTHENTICATION)
    mode, rights = _settings(field, header[1:4])
    length = int.from_bytes(header[4:7], "little")
    require(number < MAX_FILES and length, Status.PARAMETER)
    require(number not in application.files, Status.DUPLICATE)
    backup = asked.ins == CREATE_BACKUP
    require(file_bytes(length, backup=backup) <= free_bytes(field.memory), Status.OUT_OF_MEMORY)
    application.files[number] = DataFile(bytes(length), rights, mode, backup)
    return field.good()


def get_file_settings(field: Field, asked: Asked) -> Answer:
    """F5: type, how data travels, rights, length."""
    header, rest = split(asked.data, 1)
    field.session.request(asked.ins, header, rest, field.session.usual)
    free = field.application.settings & LISTING
    require(free or field.session.key_no == 0, Status.AUTHENTICATION)
    file = field.file(header[0])
    told = bytes([file.backup, file.mode]) + file.rights.to_bytes(2, "little") + len(file.data).to_bytes(3, "little")
    return field.good(told)


def change_file_settings(field: Field, asked: Asked) -> Answer:
    """5F: how data travels, and rights. Enciphered, unless anybody may change them."""
    header, rest = split(asked.data, 1)
    session, file = field.session, field.file(header[0])
    access(file, (Right.CHANGE,), session.key_no)
    mode = Mode.FULL if file.right(Right.CHANGE) == session.key_no else Mode.PLAIN
    data = session.receive(asked.ins, header, rest, mode, _SETTINGS_BYTES)
    file.mode, file.rights = _settings(field, data)
    return field.good(mode=mode)


def _settings(field: Field, data: bytes) -> tuple[Mode, int]:
    """How data travels, and rights, from three bytes. SUN mirroring (bit 6) is not simulated. Raises Refused."""
    require(data[0] in _MODES, Status.PARAMETER)
    rights = int.from_bytes(data[1:3], "little")
    keys = {rights >> right & 0xF for right in Right} - {FREE, NEVER}
    require(all(key < len(field.application.keys) for key in keys), Status.NO_SUCH_KEY)
    return _MODES[data[0]], rights
