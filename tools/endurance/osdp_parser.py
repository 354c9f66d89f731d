"""libosdp's own parser as a target, without the gate that stands before it in a door.

Rules kept here:
- Nothing that lies on the line without a secure channel may be heard as a key, a card or a state of the reader.
- libosdp is written in C: a crash of it ends the run, and that is the find.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

from device.lock.osdp_frames import check_of
from device.lock.osdp_panel import Done, Heard, Offline, Panel
from tools.endurance.fuzz import Target, Wrong

_ADDRESS = 5
_KEY = bytes(range(1, 17))
_REPLIES = (
    b"\x45" + bytes(range(12)),  # osdp_PDID
    b"\x46" + bytes((9, 1, 1, 4, 4, 1, 5, 2, 1)),  # osdp_PDCAP: a secure channel, a light, a tone
    b"\x41\x06",  # osdp_NAK
    b"\x79",  # osdp_BUSY
    b"\x53\x00\x02\x31\x0d",  # osdp_KEYPAD
    b"\x50\x00\x01\x1a\x00\x12\x34\x56\x40",  # osdp_RAW
    b"\x48\x01\x00",  # osdp_LSTATR
)
_BLOCKED = (b"\x03\x12\x01\x76" + bytes(32), b"\x03\x14\x01\x78" + bytes(16), b"\x02\x18\x53" + bytes(20))
_STEPS = 6  # a command, its reply, and what follows from it


def osdp_parser() -> Target:
    """Every input is the answer to the first command of a new beginning."""
    honest = tuple(_frame(body, 0x04) for body in _REPLIES) + tuple(_frame(body, 0x0C) for body in _BLOCKED)
    return Target("OSDP line, in libosdp", honest, _libosdp(), ())


def _frame(body: bytes, control: int) -> bytes:
    begun = bytes((0x53, 0x80 | _ADDRESS)) + (len(body) + 7).to_bytes(2, "little") + bytes((control,)) + body
    return begun + check_of(begun, crc=True)


@dataclass
class _Line:
    """Answers the next command with `said`."""

    said: bytes = b""
    asked: bool = False
    id: int = 0
    heard: list[Heard] = field(default_factory=list)

    def read(self, max_bytes: int) -> bytes:
        content, self.said = self.said[:max_bytes], self.said[max_bytes:]
        return content

    def write(self, content: bytes) -> int:
        self.asked = True
        return len(content)

    def flush(self) -> None:
        self.said = b""


def _libosdp() -> Callable[[bytes], bool]:
    line = _Line()
    panel = Panel(line, _ADDRESS, _KEY, line.heard.append)

    def feed(data: bytes) -> bool:
        panel.restart()
        line.asked = False
        for _ in range(2 * _STEPS):
            panel.refresh()
            if line.asked:
                break
        line.asked, line.said = False, data
        for _ in range(_STEPS):
            panel.refresh()
        heard = [told for told in line.heard if not isinstance(told, Offline | Done)]
        line.heard.clear()
        if heard or panel.handshaken:
            raise Wrong("heard something without a secure channel")
        return line.asked

    return feed
