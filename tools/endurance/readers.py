"""Parsers of what keypads, readers and lock's own files say, with honest inputs for each.

Rules kept here:
- What stands at a door is in anybody's reach: whatever comes from it is keys, a frame, a code, or nothing.
- lock's own files lie on a card that can be pulled out: what is torn never lets anybody in who was not let in before.
"""

from __future__ import annotations

import struct
from collections.abc import Callable
from contextlib import redirect_stderr
from datetime import date
from io import StringIO
from pathlib import Path

from nacl.secret import SecretBox

from device import codes
from device.errors import DocumentRefused
from device.lock import osdp_frames, timetables
from device.lock.hours import FloorFile
from device.lock.input_events import EVENT, Reader
from device.lock.keypad import KEYS
from device.lock.timetables import TimetableFiles
from device.policy import table
from device.policy.clock import EARLIEST_UNIX, LOST
from device.policy.methods import PIN_AND_CARD, Method
from device.policy.schedule import DoorPolicy, Interval, OtherHours, Schedule, Timetable
from tools.endurance.fuzz import Target, Wrong
from tools.endurance.scratch import Scratch

_KEY = bytes(range(32))
_BOX = SecretBox(_KEY)
_BINDINGS = frozenset({timetables.Binding(3, 1, 2), timetables.Binding(12, 4, 1), timetables.Binding(700, 2, 9)})


def readers(folder: Path) -> tuple[Target, ...]:
    """All of them; `folder` is theirs to write in."""
    made, start = _made(folder), _started(folder)
    return (
        Target("input events", _typed(), _input_events, ()),
        Target("OSDP line, before its channel", _frames(secured=False), _osdp(secured=False), ()),
        Target("OSDP line, in its channel", _frames(secured=True), _osdp(secured=True), ()),
        Target("guest codes", _codes(), _code, ()),
        Target("guests' secret", (_SECRET.encode(),), _secret, ()),
        Target("policy body", tuple(table.pack(each) for each in policies()), _policy, (DocumentRefused,)),
        Target("time floor", (struct.pack("<q", 1_900_000_000), bytes(8)), _floor(folder), ()),
        Target("timetables, sealed", (made,), _timetables(start, made), ()),
        Target("timetables, sealed anew", (_BOX.decrypt(made),), _timetables_sealed(start), ()),
    )


# ---- keys


def _typed() -> tuple[bytes, ...]:
    def event(kind: int, code: int, value: int) -> bytes:
        return EVENT.pack(1_700_000_000, 250_000, kind, code, value)

    row = b"".join(event(1, code, 1) + event(0, 0, 0) + event(1, code, 0) + event(0, 0, 0) for code in (2, 3, 28, 5))
    dropped = event(1, 42, 1) + event(1, 4, 1) + event(0, 3, 0) + event(1, 5, 1) + event(0, 0, 0)
    return row, dropped + row


def _input_events(data: bytes) -> bool:
    """In two pieces as in one, and nothing but keys of a keypad."""
    whole, reader, half = Reader().read(data), Reader(), len(data) // 2
    pieces = reader.read(data[:half]).keys + reader.read(data[half:]).keys
    if whole.keys != pieces:
        raise Wrong("read other keys in two pieces than in one")
    if not set(whole.keys) <= set(KEYS) or whole.events != len(data) // EVENT.size:
        raise Wrong("read keys that no keypad has, or events that were not there")
    return bool(whole.keys)


# ---- OSDP


def _frames(*, secured: bool) -> tuple[bytes, ...]:
    """Replies of the reader at address 0: what may pass, behind noise and behind a frame of another reader."""
    blocks = (b"\x02\x16\x40\1\2\3\4", b"\x02\x18\x50\1\2\3\4\5\6") if secured else (b"\x40", b"\x45" + bytes(12))
    control = 0x0C if secured else 0x04
    found = tuple(_frame(0x80, control, block) for block in blocks)
    return (*found, b"\xff\x53\x00" + found[0], _frame(0x81, control, blocks[0]) + found[1], found[0] + found[1])


def _frame(address: int, control: int, body: bytes) -> bytes:
    head = bytes((osdp_frames.SOM, address)) + (5 + len(body) + 2).to_bytes(2, "little") + bytes((control,))
    return head + body + osdp_frames.check_of(head + body, crc=True)


def _osdp(*, secured: bool) -> Callable[[bytes], bool]:
    def feed(data: bytes) -> bool:
        """One command, one answer: at most one whole frame goes on, in whatever pieces the bytes come."""
        gate, half, most = osdp_frames.Gate(0), len(data) // 2, osdp_frames.MAX_FRAME_BYTES
        if gate.take(data, most, secured=secured):
            raise Wrong("let something on that nobody asked for")
        gate.asked()
        passed = gate.take(data[:half], most, secured=secured) + gate.take(data[half:], most, secured=secured)
        passed += gate.take(b"", most, secured=secured) + gate.take(data, most, secured=secured)
        if passed and (passed not in data + data or not osdp_frames.passes(passed, secured=secured)):
            raise Wrong("let something else on than one whole frame")
        return bool(passed)

    return feed


# ---- codes

_SECRET = codes.secret("12345678901234")
_GIVEN = tuple(codes.Once(number) for number in (0, 7, 63)) + tuple(
    codes.Window(codes.day_of(date(2026, month, 3)), days) for month, days in ((1, 1), (11, 99))
)


def _codes() -> tuple[bytes, ...]:
    return tuple(codes.write(_KEY, code).encode() for code in _GIVEN)


def _code(data: bytes) -> bool:
    """Only what the resident's computer would write is a code, and only under their key."""
    digits = data.decode("latin-1")
    code = codes.read(_KEY, digits)
    if code is not None and (codes.write(_KEY, code) != digits or code not in _GIVEN):
        raise Wrong("took a code that nobody made")
    if codes.read(bytes(32), digits) is not None:
        raise Wrong("took a code of another resident")
    return code is not None


def _secret(data: bytes) -> bool:
    """Check digits find whatever is changed in one place."""
    digits = data.decode("latin-1")
    taken = codes.is_secret(digits)
    changed = sum(a != b for a, b in zip(digits, _SECRET, strict=False))
    if taken and changed == 1:
        raise Wrong("took a secret with one digit mistyped")
    if taken and (len(digits) != codes.SECRET_DIGITS or not digits.isascii()):
        raise Wrong("took what is no secret")
    return taken


# ---- what the manager says, and lock keeps of it


def policies() -> tuple[DoorPolicy, ...]:
    """Plain and with everything a policy may hold."""
    always = Schedule(PIN_AND_CARD, ((Interval(0, 1440),),) * 7)
    hours = (Interval(360, 720), Interval(780, 1320))
    other = OtherHours(date(2026, 12, 24), date(2026, 12, 26), (Interval(0, 60),))
    by_day = Schedule(PIN_AND_CARD | Method.FACE_WITH_PIN, (hours,) * 5 + ((),) * 2, (other,))
    return DoorPolicy("Europe/Berlin", (always, by_day)), DoorPolicy(
        "Asia/Shanghai", (always,), (Timetable(1, (hours,) * 7), Timetable(9, ((),) * 6 + (hours,), (other,)))
    )


def _policy(data: bytes) -> bool:
    if table.pack(table.unpack(data)) != data:
        raise Wrong("took another spelling of what it would write")
    return True


def _floor(folder: Path) -> Callable[[bytes], bool]:
    file = Scratch(folder / "time-floor")

    def feed(data: bytes) -> bool:
        file.put(data)
        clock = FloorFile(file.path).load()
        if clock != LOST and (clock.newest_unix < EARLIEST_UNIX or len(data) != struct.calcsize("<q") or not any(data)):
            raise Wrong("believed a time that was never kept")
        return clock != LOST

    return feed


def _made(folder: Path) -> bytes:
    """One of the two copies that lock would write."""
    within = folder / "made-timetables"
    within.mkdir(exist_ok=True)
    files = TimetableFiles(within, _BOX)
    files.keep(_BINDINGS)
    return files.paths[0].read_bytes()


def _started(folder: Path) -> Callable[[bytes], timetables.Bindings]:
    """What lock knows after a start with this in both copies."""
    within = folder / "timetables"
    within.mkdir(exist_ok=True)
    copies = [Scratch(path) for path in TimetableFiles(within, _BOX).paths]

    def start(data: bytes) -> timetables.Bindings:
        for copy in copies:
            copy.put(data)
        with redirect_stderr(StringIO()):  # it says each time that it cannot read them
            return TimetableFiles(within, _BOX).bindings

    return start


def _timetables(start: Callable[[bytes], timetables.Bindings], honest: bytes) -> Callable[[bytes], bool]:
    """A copy that was changed says that nobody knows, and so that nobody is let in outside all hours."""

    def feed(data: bytes) -> bool:
        found = start(data)
        if not (found == _BINDINGS if data == honest else found is timetables.nobody_knows()):
            raise Wrong("forgot whose hours are whose, or believed what was changed")
        return data == honest

    return feed


def _timetables_sealed(start: Callable[[bytes], timetables.Bindings]) -> Callable[[bytes], bool]:
    """The inside changed, and sealed by the right key: whom it names is barred while no timetable holds."""

    def feed(data: bytes) -> bool:
        found = start(bytes(_BOX.encrypt(data, bytes(SecretBox.NONCE_SIZE))))
        if found is timetables.nobody_knows():
            return False
        if timetables.barred(found, frozenset(), frozenset({1})) != {each.slot for each in found}:
            raise Wrong("let somebody in whom it bars")
        return True

    return feed
