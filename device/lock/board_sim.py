"""The simulated board: lock's end of the cable to doorsim.

Rules kept here:
- The line levels live at the other end, in doorsim's process, as they live in a real chip: killing lock does not
  change what the strike last saw, only what the simulated chip does when its owner is gone (it lets the line fall).
- The one-shot that ends a release runs at the other end too.
- The cable is a SOCK_SEQPACKET socket with one short ASCII word or two per datagram; whatever else arrives is refused.

    lock -> board   coil 1 4000 | coil 0 | lamp 1 | lamp 0 | show OPENED | show CLAIM_FIRST |
                    show LOOK HOLD_STILL | card 905a000003... (a command in hexadecimal digits) | card - (it can go) |
                    lights 2 1 (the levels, 0 to 3, of the white lights left and right of the lens)
    board -> lock   face | rex | key 5 | door open | door closed | tamper on | tamper off |
                    card here | card gone | card 9100 (what it answered)
"""

from __future__ import annotations

import select
import socket
from pathlib import Path

from device.errors import BoltFault
from device.lock.bolt import Wiring, coil_energised
from device.lock.state import (
    CardCame,
    CardLeft,
    CardReplied,
    DoorMoved,
    Event,
    ExitRequested,
    FaceButton,
    Key,
    Signal,
    TamperMoved,
)
from device.wire import MAX_APDU, Hint

MAX_WORDS = 64 + 2 * MAX_APDU
_SHORTEST_ANSWER = 2  # the two status bytes
_FIXED: dict[str, Event] = {
    "face": FaceButton(),
    "rex": ExitRequested(),
    "door open": DoorMoved(open=True),
    "door closed": DoorMoved(open=False),
    "tamper on": TamperMoved(on=True),
    "tamper off": TamperMoved(on=False),
    "card here": CardCame(),
    "card gone": CardLeft(),
}


class SimBolt:
    """The strike on the simulated board."""

    def __init__(self, cable: socket.socket, wiring: Wiring) -> None:
        self._cable = cable
        self._wiring = wiring
        self._closed = False
        self.secure()

    def release(self, for_ms: int) -> None:
        """Let go for `for_ms`; the board's one-shot ends it."""
        self._drive(f"coil {int(coil_energised(self._wiring, released=True))} {for_ms}")

    def secure(self) -> None:
        """Lock now."""
        self._drive(f"coil {int(coil_energised(self._wiring, released=False))}")

    def close(self) -> None:
        """Lock, and drive nothing any more."""
        if not self._closed:
            self.secure()
            self._closed = True

    def _drive(self, words: str) -> None:
        if self._closed:
            msg = "the bolt's line was given back already"
            raise BoltFault(msg)
        try:
            self._cable.send(words.encode("ascii"))
        except OSError as cause:
            msg = f"the simulated board does not answer: {cause}"
            raise BoltFault(msg) from cause


class SimBoard:
    """The board of doorsim, reached over the socket `path`."""

    def __init__(self, path: Path, wiring: Wiring) -> None:
        self._cable = socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        try:
            self._cable.connect(str(path))
            claimed = self._cable.recv(MAX_WORDS)
        except OSError as cause:
            self._cable.close()
            msg = f"the simulated board is not there ({path}); doorsim up starts it"
            raise BoltFault(msg) from cause
        if claimed != b"yours":
            self._cable.close()
            msg = "the simulated board has an owner already; one line has one owner"
            raise BoltFault(msg)
        self._cable.setblocking(False)
        self._waiting = select.poll()
        self._waiting.register(self._cable, select.POLLIN)
        self.bolt = SimBolt(self._cable, wiring)

    def fileno(self) -> int:
        """The cable."""
        return self._cable.fileno()

    def events(self, now_s: float) -> list[Event]:
        """What the board reported. Raises BoltFault when the cable is cut."""
        happened: list[Event] = []
        while self._waiting.poll(0):  # asked, not tried: an error for each last word costs more than all the words
            try:
                words = self._cable.recv(MAX_WORDS)
            except OSError as cause:
                msg = f"the simulated board is gone: {cause}"
                raise BoltFault(msg) from cause
            if not words:
                msg = "the simulated board is gone"
                raise BoltFault(msg)
            happened += _event(words.decode("ascii", "replace"))
        return happened

    def deadline(self) -> float | None:
        """Nothing here is timed."""
        return None

    def lamp(self, *, on: bool) -> None:
        """Light or put out the lamp."""
        self._say(f"lamp {int(on)}")

    def show(self, signal: Signal, hint: Hint | None) -> None:
        """Show `signal`; a tone that is lost changes nothing."""
        self._say(f"show {signal.name}" + (f" {hint.name}" if hint else ""))

    def lights(self, left: int, right: int) -> None:
        """Set the two white lights."""
        self._say(f"lights {left} {right}")

    def card(self, command: bytes | None) -> None:
        """Say `command` to the simulated card, or let it go."""
        self._say(f"card {'-' if command is None else command.hex()}")

    def close(self) -> None:
        """Secure, dark, cable pulled."""
        try:
            self.bolt.close()
            self.lamp(on=False)
            self.lights(0, 0)
        except BoltFault:
            pass  # the board is gone; it has dropped the line already
        self._cable.close()

    def _say(self, words: str) -> None:
        try:
            self._cable.send(words.encode("ascii"))
        except BlockingIOError:
            pass
        except OSError as cause:
            msg = f"the simulated board is gone: {cause}"
            raise BoltFault(msg) from cause


def _event(words: str) -> list[Event]:
    if words in _FIXED:
        return [_FIXED[words]]
    if words.startswith("key ") and len(words) == len("key 0"):
        return [Key(words[-1])]
    if words.startswith("card "):
        return [_answered(words.removeprefix("card "))]
    return []


def _answered(digits: str) -> Event:
    try:
        apdu = bytes.fromhex(digits)
    except ValueError:
        apdu = b""
    return CardReplied(apdu) if _SHORTEST_ANSWER <= len(apdu) <= MAX_APDU else CardLeft()
