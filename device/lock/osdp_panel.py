"""libosdp's control panel for one reader, behind values of our own.

Rules kept here:
- The secure channel is enforced with the key that was handed over: the default key SCBK-D and install mode are never
  used, and what is heard while the channel is not secured is dropped.
- Every handshake begins with a fresh number. libosdp takes it from rand(), which begins alike in every process: what
  a reader said after one start of lock could be played again after the next, PIN and all. So rand() is seeded from the
  kernel's random numbers before each step towards a channel: 32 bits of them, all that srand() takes.
- libosdp logs emergencies alone, which hold no data; it knows no quieter level. It leaks what it reports (3.2.9), so
  that is emptied here.
- libosdp waits five minutes once a reader went away. `restart` does not.

`refresh` never waits, and holds the interpreter's lock for the while it takes; one thread calls it.
"""

from __future__ import annotations

import ctypes
import os
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Protocol

import osdp
import osdp_sys

KEY_BYTES = 16
DEFAULT_KEY = bytes(range(0x30, 0x40))  # SCBK-D, printed in the standard
_READER = 0  # of the panel's readers, the one there is
# Keypad data as the standard has it: digits in ASCII, 0x7F for *, 0x0D for #. Some send the characters themselves.
_KEYS = {ord(digit): digit for digit in "0123456789*#"} | {0x7F: "*", 0x0D: "#"}

_libc = ctypes.CDLL(None)


class Channel(Protocol):
    """What libosdp reads and writes; none of it may wait or raise."""

    id: int

    def read(self, max_bytes: int, /) -> bytes: ...
    def write(self, content: bytes, /) -> int: ...
    def flush(self) -> None: ...


@dataclass(frozen=True, slots=True)
class Keys:
    """Keys in the order they were pressed; `reported`: how many there were, known or not."""

    keys: str = field(repr=False)
    reported: int


@dataclass(frozen=True, slots=True)
class CardNumber:
    """A card's bare number was read. It is not kept."""


@dataclass(frozen=True, slots=True)
class Trouble:
    """Whether a housing is open or its supply failed: the reader's own, or that of one that hangs on it."""

    own: bool
    on: bool


@dataclass(frozen=True, slots=True)
class Offline:
    """libosdp gave the reader up."""


@dataclass(frozen=True, slots=True)
class Done:
    """A command was answered, well or not."""

    command: int
    well: bool


Heard = Keys | CardNumber | Trouble | Offline | Done


@dataclass(frozen=True, slots=True)
class Identity:
    """What a reader says it is (osdp_PDID), without its versions: they change with an update."""

    vendor: int
    model: int
    serial: int


class Panel:
    """The reader at `address` on `channel`."""

    def __init__(self, channel: Channel, address: int, key: bytes, heard: Callable[[Heard], None]) -> None:
        osdp_sys.set_loglevel(osdp.LogLevel.Emergency)
        self._heard = heard
        self._wanted = True
        self._fresh = True  # what libosdp says is of after the last `pause`
        info = {
            "name": "reader",
            "address": address,
            "flags": osdp.LibFlag.EnforceSecure | osdp.LibFlag.EnableNotification,
            "scbk": key,
            "channel": channel,
        }
        self._panel: Any = osdp_sys.ControlPanel([info])
        self._panel.set_event_callback(self._happened)

    @property
    def handshaken(self) -> bool:
        """Whether everything from now on goes through a secure channel, with our key."""
        return bool(self._panel.sc_status() & 1)

    @property
    def secured(self) -> bool:
        """Whether the reader is in use, through a secure channel with our key that was made since the last `pause`."""
        return self._fresh and self.handshaken and bool(self._panel.status() & 1)

    def refresh(self) -> None:
        """One step of libosdp's machine: at most one command sent, or one reply taken."""
        if not self.secured:
            self._freshen()
        self._panel.refresh()
        if self._panel.is_pd_enabled(_READER):
            return
        self._fresh = True
        if self._wanted:
            self._panel.enable_pd(_READER)

    def restart(self) -> None:
        """Begin anew, with the next refreshes."""
        self.pause()
        self._wanted = True

    def pause(self) -> None:
        """Leave the reader alone until `restart`."""
        self._wanted = self._fresh = False  # libosdp takes it to heart once the reply it waits for came, or did not
        self._panel.disable_pd(_READER)

    def identity(self) -> Identity:
        """What the reader said it is."""
        told = self._panel.get_pd_id(_READER)
        return Identity(told["vendor_code"], told["model"], told["serial_number"])

    def grade(self, capability: int) -> int:
        """How well the reader does `capability` (osdp_PDCAP's compliance level, 0: not at all)."""
        level: int = self._panel.check_capability(_READER, capability)[0]
        return level

    def send(self, command: Mapping[str, object]) -> None:
        """Queue a command; without a secure channel it is dropped."""
        if self.secured:
            self._panel.submit_command(_READER, dict(command))

    def forget(self) -> None:
        """Drop what is still queued."""
        self._panel.flush_commands(_READER)

    def _counts(self) -> bool:
        """Not before the channel stands: libosdp may still hold what came in the clear before the handshake."""
        return self.secured

    def _freshen(self) -> None:
        _libc.srand(ctypes.c_uint(int.from_bytes(os.urandom(4), "little")))

    def _happened(self, _reader: int, event: dict[str, Any]) -> int:
        told = dict(event)
        event.clear()  # it is never freed, and may hold digits
        heard = self._of(told)
        if heard is not None:
            self._heard(heard)
        return 0

    def _of(self, told: Mapping[str, Any]) -> Heard | None:
        if told["event"] == osdp.Event.Notification:
            heard = _notified(told)
            return None if isinstance(heard, Offline) and not self._fresh else heard  # that was our own doing
        if not self._counts():
            return None
        match told["event"]:
            case osdp.Event.KeyPress:
                data = told["data"]
                return Keys("".join(_KEYS.get(byte, "") for byte in data), len(data))
            case osdp.Event.CardRead:
                return CardNumber()
            case osdp.Event.Status:
                return _status(told["type"], told["report"])
        return None


def _notified(told: Mapping[str, Any]) -> Heard | None:
    if told["type"] == osdp.EventNotification.PeripheralDeviceStatus and not told["arg0"]:
        return Offline()
    if told["type"] == osdp.EventNotification.Command:
        return Done(told["arg0"], bool(told["arg1"]))
    return None


def _status(kind: int, report: bytes) -> Heard | None:
    if kind not in (osdp.StatusReportType.Local, osdp.StatusReportType.Remote):
        return None  # contacts and outputs of the reader's own: nothing of the door's hangs there
    return Trouble(own=kind == osdp.StatusReportType.Local, on=any(report))
