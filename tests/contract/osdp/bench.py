"""An OSDP reader at the other end of a pseudo-terminal: libosdp's own peripheral device, in a thread.

No real reader and no RS-485 was there to try.
"""

from __future__ import annotations

import os
import select
import threading
import time
import tty
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import osdp
import osdp_sys

from device.lock.osdp_frames import Gate, check_of
from device.lock.osdp_supervisor import Supervisor, Where
from device.lock.reader_osdp import OsdpReader
from device.lock.state import Event

KEY = bytes(range(1, 17))
OTHER_KEY = bytes(range(2, 18))
ADDRESS = 5
PATIENCE_S = 20.0  # on a machine that is busy with other things
_EVERYTHING = (
    (osdp.Capability.CommunicationSecurity, 1, 1),
    (osdp.Capability.LEDControl, 4, 1),
    (osdp.Capability.AudibleControl, 2, 1),
    (osdp.Capability.CheckCharacter, 1, 1),
    (osdp.Capability.ContactStatusMonitoring, 1, 1),
)


def honest(content: bytes) -> bytes:
    """What a reader says, unspoilt."""
    return content


@dataclass
class Cable:
    """A pseudo-terminal: `path` is the door's end, `far` the reader's."""

    path: Path
    far: int = -1
    near: int = -1
    cut: bool = False

    def receive(self, max_bytes: int) -> bytes:
        """What the door sent."""
        with suppress(OSError):
            content = os.read(self.far, max_bytes)
            return b"" if self.cut else content
        return b""

    def send(self, content: bytes) -> None:
        """What the reader sends."""
        if not self.cut:
            with suppress(OSError):
                os.write(self.far, content)

    def plug(self) -> None:
        """The adapter appears."""
        self.far, self.near = os.openpty()
        tty.setraw(self.far)
        os.set_blocking(self.far, False)
        self.path.unlink(missing_ok=True)
        self.path.symlink_to(os.ttyname(self.near))

    def unplug(self) -> None:
        """The adapter is pulled out."""
        far, near, self.far, self.near = self.far, self.near, -1, -1
        self.path.unlink(missing_ok=True)
        for end in (far, near):
            if end >= 0:
                os.close(end)


@dataclass(eq=False)
class Wire:
    """A line without a line: what the door's libosdp reads and writes, handed on at once. `gate` as in the door."""

    gate: Gate | None = None
    secured: Callable[[], bool] = lambda: False
    id: int = 0
    to_reader: list[bytes] = field(default_factory=list)
    to_door: list[bytes] = field(default_factory=list)

    def receive(self, _max_bytes: int) -> bytes:
        return self.to_reader.pop(0) if self.to_reader else b""

    def send(self, content: bytes) -> None:
        self.to_door.append(content)

    def read(self, max_bytes: int) -> bytes:
        content = self.to_door.pop(0) if self.to_door else b""
        if self.gate:
            return self.gate.take(content, max_bytes, secured=self.secured())
        if content[max_bytes:]:
            self.to_door.insert(0, content[max_bytes:])
        return content[:max_bytes]

    def write(self, content: bytes) -> int:
        if self.gate:
            self.gate.asked()
        self.to_reader.append(content)
        return len(content)

    def flush(self) -> None:
        self.to_door.clear()


@dataclass(eq=False)
class Pd:
    """A reader. `spoil` changes what it sends, `refuses` are commands it does not take."""

    cable: Cable | Wire
    key: bytes = KEY
    serial: int = 7
    capabilities: tuple[tuple[int, int, int], ...] = _EVERYTHING
    spoil: Callable[[bytes], bytes] = honest
    refuses: frozenset[int] = frozenset()
    id: int = 0
    told: list[dict[str, Any]] = field(default_factory=list)
    heard: list[bytes] = field(default_factory=list)

    def __post_init__(self) -> None:
        osdp_sys.set_loglevel(osdp.LogLevel.Emergency)
        identity = {"version": 1, "model": 2, "vendor_code": 0x0A0B0C, "serial_number": self.serial}
        self._pd: Any = osdp_sys.PeripheralDevice(
            identity
            | {"firmware_version": 3, "name": "pd", "address": ADDRESS, "flags": 0, "scbk": self.key, "channel": self},
            capabilities=osdp.PDCapabilities(list(self.capabilities)).get(),
        )
        self._pd.set_command_callback(self._commanded)
        self._events: list[dict[str, Any]] = []
        self._ending = threading.Event()
        self._thread = threading.Thread(target=self._run, daemon=True)

    def start(self) -> None:
        """Switched on, with a clock of its own."""
        self._thread.start()

    def spoil_next(self, how: Callable[[bytes], bytes]) -> None:
        """The next reply alone is spoilt."""

        def spoil(content: bytes) -> bytes:
            self.spoil = honest
            return how(content)

        self.spoil = spoil

    def keys(self, text: str) -> None:
        """Somebody types; every key is a report of its own."""
        self._events += [
            {"event": osdp.Event.KeyPress, "reader_no": 0, "data": bytes((code,))}
            for code in text.translate({ord("*"): "\x7f", ord("#"): "\r"}).encode()
        ]

    def burst(self, data: bytes) -> None:
        """Many keys in one report."""
        self._events.append({"event": osdp.Event.KeyPress, "reader_no": 0, "data": data})

    def card(self) -> None:
        """A card's number is read."""
        read = {"event": osdp.Event.CardRead, "reader_no": 0, "format": osdp.CardFormat.Wiegand, "direction": 0}
        self._events.append(read | {"length": 26, "data": b"\x12\x34\x56\x40"})

    def housing(self, *, tampered: bool, powerless: bool = False) -> None:
        """Its housing is opened or closed, its supply fails or is back."""
        report = bytes((tampered, powerless))
        self._events.append({"event": osdp.Event.Status, "type": osdp.StatusReportType.Local, "report": report})

    def close(self) -> None:
        """Switched off."""
        self._ending.set()
        self._thread.join(PATIENCE_S)

    def _commanded(self, command: dict[str, Any]) -> tuple[int, None]:
        self.told.append(command)
        # Nothing but None: the binding gives a dictionary back once too often. Asked, it says that all is well.
        return (-1 if command["command"] in self.refuses else 0), None

    def _run(self) -> None:
        while not self._ending.wait(0.002):
            self.step()

    def step(self) -> None:
        """One step of libosdp's machine."""
        if self._events:
            self._pd.submit_event(self._events.pop(0))
        self._pd.refresh()

    # ---- what libosdp calls

    def read(self, max_bytes: int) -> bytes:
        content = self.cable.receive(max_bytes)
        if content:
            self.heard.append(content)
        return content

    def write(self, content: bytes) -> int:
        self.cable.send(self.spoil(content))
        return len(content)

    def flush(self) -> None:
        """Nothing is kept."""


@dataclass
class Door:
    """A reader as lock has it, and what it told."""

    reader: OsdpReader
    heard: list[Event] = field(default_factory=list)
    stood: list[bool] = field(default_factory=list)

    def look(self, timeout_s: float = 0.0) -> None:
        """What lock's loop does when the reader's descriptor is readable."""
        fileno = self.reader.fileno()
        assert fileno is not None
        if select.select([fileno], [], [], timeout_s)[0]:
            self.heard += self.reader.events(time.monotonic())
        if not self.stood or self.stood[-1] != self.reader.well:
            self.stood.append(self.reader.well)

    def until(self, met: Callable[[], bool]) -> None:
        """Wait for it."""
        end_s = time.monotonic() + PATIENCE_S
        while not met():
            assert time.monotonic() < end_s, (self.heard, self.stood)
            self.look(0.01)


@contextmanager
def door_at(
    cable: Cable, key: bytes = KEY, kind: type[Supervisor] = Supervisor, address: int = ADDRESS
) -> Iterator[Door]:
    """A door whose reader hangs on `cable`, watched over by a `kind`."""

    class Part(OsdpReader):
        supervisor = kind

    reader = Part(Where(str(cable.path), 115200, address), key, 4000)
    try:
        yield Door(reader)
    finally:
        reader.close()


@contextmanager
def cable_in(folder: Path) -> Iterator[Cable]:
    """An adapter that is plugged in."""
    cable = Cable(folder / "adapter")
    cable.plug()
    try:
        yield cable
    finally:
        cable.unplug()


@contextmanager
def pd_at(cable: Cable, **wanted: Any) -> Iterator[Pd]:
    """A reader at the far end of `cable`."""
    pd = Pd(cable, **wanted)
    pd.start()
    try:
        yield pd
    finally:
        pd.close()


def reply(control: int, body: bytes, address: int = ADDRESS) -> bytes:
    """A frame from a reader, with a right check. `body`: security block if `control` says so, reply, data."""
    length = 5 + len(body) + 2
    frame = bytes((0x53, 0x80 | address)) + length.to_bytes(2, "little") + bytes((control | 0x04,)) + body
    return frame + check_of(frame, crc=True)
