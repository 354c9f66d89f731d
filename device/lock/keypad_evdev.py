"""A keypad behind /dev/input: a USB keypad, or the kernel's driver for a key matrix.

Rules kept here:
- The device is ours alone (EVIOCGRAB): no digit goes to a console or to another program.
- A keypad that is gone, that was exchanged for another make, that sends more than hands can, or that cannot be had
  alone is a tamper alarm. It never ends this process and types nothing. When the right one is back and quiet, so is
  the alarm.
- One that sends too much is kept, unread, for MUTED_S, so that its digits go nowhere else; then it has to be calm for a
  second before it types again.
- Which make is the right one: the one pinned in door.toml, else the first one seen since lock started. Two keypads of
  one make cannot be told apart; the tamper contact of the housing is for that.

No real keypad was tried: tests play the kernel's part over pipes.
"""

from __future__ import annotations

import fcntl
import os
import struct
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from enum import Enum, auto

from device.journal import log
from device.lock.input_events import EVENT, Reader
from device.lock.state import Event, Key, Signal
from device.wire import Hint

# linux/input.h: _IOR('E', 0x02, struct input_id) and _IOW('E', 0x90, int)
EVIOCGID = 0x80084502
EVIOCGRAB = 0x40044590
_ID = struct.Struct("@HHHH")  # bus, vendor, product, version

RETRY_S = 1.0
MUTED_S = 10.0
CALM_S = 1.0
# Ten keys a second are six events each, a key held down adds about seventy: no hands make more.
EVENTS_PER_S = 150
_READ_BYTES = 64 * EVENT.size
_BUFFER_READS = 64


@dataclass(frozen=True, slots=True)
class Kernel:
    """What a keypad asks of the operating system. `ioctl` fills or reads the buffer it is handed."""

    open: Callable[[str], int]
    ioctl: Callable[[int, int, bytearray | int], object]


def _open(path: str) -> int:
    return os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC)


def _ioctl(fd: int, request: int, argument: bytearray | int) -> object:
    return fcntl.ioctl(fd, request, argument)


def kernel() -> Kernel:
    """The real one."""
    return Kernel(_open, _ioctl)


class _Is(Enum):
    """How the keypad stands."""

    GONE = auto()
    WELL = auto()
    MUTED = auto()  # it sent too much
    ON_TRIAL = auto()  # it is read again; nothing it sends counts


class EvdevKeypad:
    """A `Part`: the keypad at `path`.

    Its make is `pinned`: "bus:vendor:product:version" in hex, empty for the first one seen.
    """

    def __init__(self, path: str, pinned: str, system: Kernel) -> None:
        self._path = path
        self._pinned = pinned
        self._system = system
        self._state = _Is.GONE
        self._fd: int | None = None
        self._reader = Reader()
        self._due_s = float("-inf")  # at once
        self._second_s, self._events = float("-inf"), 0
        self._said = ""

    @property
    def well(self) -> bool:
        """Whether the right keypad is there and types."""
        return self._state is _Is.WELL

    def fileno(self) -> int | None:
        """What is readable when there is something to read; None while nothing is to be read."""
        return self._fd if self._state in (_Is.WELL, _Is.ON_TRIAL) else None

    def events(self, now_s: float) -> list[Event]:
        """The keys that were pressed since the last call."""
        if now_s >= self._due_s:
            self._next(now_s)
        typed = self._read(now_s)
        return [Key(key) for key in typed] if self.well else []

    def deadline(self) -> float | None:
        """When `events` wants to be called even if nothing is readable (CLOCK_MONOTONIC seconds)."""
        return None if self.well else self._due_s

    def show(self, signal: Signal, hint: Hint | None) -> None:
        """It has no light and no tone of its own."""

    def card(self, command: bytes | None) -> None:
        """It reads no cards."""

    def close(self) -> None:
        """Give the keypad back."""
        if self._fd is not None:
            with suppress(OSError):
                os.close(self._fd)
        self._fd, self._state = None, _Is.GONE

    def _next(self, now_s: float) -> None:
        """What was waited for is due."""
        match self._state:
            case _Is.GONE:
                self._plugged(now_s)
            case _Is.MUTED:
                self._drained()
                self._state, self._due_s = _Is.ON_TRIAL, now_s + CALM_S
                self._second_s, self._events = now_s, 0
            case _Is.ON_TRIAL:
                self._read(now_s)  # what came in its last moment counts against it, and is not typed
                if self._state is _Is.ON_TRIAL:
                    self._state, self._reader = _Is.WELL, Reader()
                    self._say("the keypad is calm again")
            case _Is.WELL:
                pass

    def _plugged(self, now_s: float) -> None:
        try:
            self._fd = self._system.open(self._path)
            self._system.ioctl(self._fd, EVIOCGRAB, 1)
            make = bytearray(_ID.size)
            self._system.ioctl(self._fd, EVIOCGID, make)
        except OSError as cause:
            self._lost(now_s, f"the keypad cannot be had: {cause.strerror or cause}")
            return
        seen = ":".join(f"{part:04x}" for part in _ID.unpack(make))
        if self._pinned and seen != self._pinned:
            self._lost(now_s, f"another keypad is plugged in: {seen} instead of {self._pinned}")
            return
        self._pinned = seen
        self._state, self._reader = _Is.WELL, Reader()
        self._second_s, self._events = now_s, 0
        self._say(f"the keypad is there: {seen}")

    def _read(self, now_s: float) -> str:
        fd = self.fileno()
        if fd is None:
            return ""
        try:
            content = os.read(fd, _READ_BYTES)
        except BlockingIOError:
            return ""
        except OSError as cause:
            self._lost(now_s, f"the keypad is gone: {cause.strerror or cause}")
            return ""
        if not content:
            self._lost(now_s, "the keypad is gone")
            return ""
        read = self._reader.read(content)
        if now_s - self._second_s >= 1:
            self._second_s, self._events = now_s, 0
        self._events += read.events
        if self._events > EVENTS_PER_S:
            self._state, self._due_s = _Is.MUTED, now_s + MUTED_S
            self._say("the keypad sends more than hands can and is not read")
            return ""
        return read.keys

    def _drained(self) -> None:
        """Forget what the kernel kept meanwhile; whatever comes after that counts."""
        with suppress(OSError):
            for _ in range(_BUFFER_READS):
                if self._fd is None or not os.read(self._fd, _READ_BYTES):
                    return

    def _lost(self, now_s: float, why: str) -> None:
        self.close()
        self._due_s = now_s + RETRY_S
        self._say(why)

    def _say(self, what: str) -> None:
        if what != self._said:
            self._said = what
            log(what)
