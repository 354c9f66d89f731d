"""ReadData, WriteData, CommitTransaction and AbortTransaction.

Rules kept here:
- Rights first, then the length, then the check of the secure messaging, then the file's bounds; only then is anything
  written.
- What is written to a backup file is seen by nobody before the commit, and lost without one.
- A native write whose data is longer than one frame waits for the rest; nothing is checked or written before it is
  complete.
"""

from __future__ import annotations

from tools.simulator.cards.field import Answer, Asked, Field, require, split
from tools.simulator.cards.files import access
from tools.simulator.cards.memory import DataFile, Mode, Right
from tools.simulator.cards.status import Status

_HEADER_BYTES = 7
NATIVE_READ = 0xBD
NATIVE_WRITE = 0x3D


def read_data(field: Field, asked: Asked) -> Answer:
    """BD and AD: file, offset, length (0: all the rest)."""
    header, rest = split(asked.data, _HEADER_BYTES)
    number, offset, length = _parts(header)
    file, session = field.file(number), field.session
    mode = access(file, (Right.READ, Right.READ_WRITE), session.key_no)
    session.request(asked.ins, header, rest, mode)
    end = offset + length if length else len(file.data)
    require(offset < end <= len(file.data), Status.BOUNDARY)
    answer = field.good(file.data[offset:end], mode, to_the_end=not length)
    return field.framed(answer) if asked.ins == NATIVE_READ else answer


def write_data(field: Field, asked: Asked) -> Answer:
    """3D and 8D: file, offset, length, data."""
    header, rest = split(asked.data, _HEADER_BYTES)
    number, _, length = _parts(header)
    file = field.file(number)
    mode = access(file, (Right.WRITE, Right.READ_WRITE), field.session.key_no)
    require(length, Status.PARAMETER)
    wanted = field.session.size(length, mode)
    require(len(rest) <= wanted, Status.LENGTH)
    if len(rest) < wanted:
        require(asked.ins == NATIVE_WRITE and rest, Status.LENGTH)
        return _more(field, header, rest, mode, wanted)
    return _write(field, asked.ins, header, rest, mode)


def _more(field: Field, header: bytes, before: bytes, mode: Mode, wanted: int) -> Answer:
    def following(payload: bytes) -> Answer:
        rest = before + payload
        require(payload and len(rest) <= wanted, Status.LENGTH)
        if len(rest) < wanted:
            return _more(field, header, rest, mode, wanted)
        return _write(field, NATIVE_WRITE, header, rest, mode)

    field.following = following
    return Answer(status=Status.MORE)


def _write(field: Field, command: int, header: bytes, rest: bytes, mode: Mode) -> Answer:
    number, offset, length = _parts(header)
    file = field.file(number)
    data = field.session.receive(command, header, rest, mode, length)
    require(offset + length <= len(file.data), Status.BOUNDARY)
    put(field, number, file, offset, data)
    return field.good(mode=mode)


def put(field: Field, number: int, file: DataFile, offset: int, data: bytes) -> None:
    """Write to a standard file, or to what a backup file will be."""
    before = field.staged.get(number, file.data)
    after = before[:offset] + data + before[offset + len(data) :]
    if file.backup:
        field.staged[number] = after
    else:
        file.data = after


def commit(field: Field, asked: Asked) -> Answer:
    """C7: all staged files at once."""
    field.session.request(asked.ins, b"", asked.data, field.session.usual)
    require(field.staged, Status.NO_CHANGES)
    for number, data in field.staged.items():
        field.file(number).data = data
    field.staged.clear()
    return field.good()


def abort(field: Field, asked: Asked) -> Answer:
    """A7: none of them."""
    field.session.request(asked.ins, b"", asked.data, field.session.usual)
    require(field.staged, Status.NO_CHANGES)
    field.staged.clear()
    return field.good()


def _parts(header: bytes) -> tuple[int, int, int]:
    """File, offset and length."""
    return header[0], int.from_bytes(header[1:4], "little"), int.from_bytes(header[4:7], "little")
