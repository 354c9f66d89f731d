"""What may come in from an OSDP line, before libosdp's parser in C sees a byte of it. Pure.

Rules kept here:
- A frame goes on only whole, with its own check right, from the reader's address, one for each command that was sent;
  everything else on the line is dropped.
- Before there is a secure channel only the replies that build one pass. Once it stands only replies under its MAC
  pass, and the two in the clear that can do no more than end or delay it (NAK, BUSY). libosdp 3.2.9 alone takes a key
  in the clear, out of a reply whose security block names a step of the handshake, in the middle of a secure channel,
  and keeps one that came before the handshake until after it; tests/contract/osdp shows both.

Source: SIA OSDP 2.2 (IEC 60839-11-5): SOM, address, length, control, security block, reply, MAC, check.
"""

from __future__ import annotations

import binascii
from dataclasses import dataclass, field

SOM = 0x53
_REPLY = 0x80  # of the address byte
_HEADER_BYTES = 5  # SOM, address, length (2, little-endian), control
MAX_FRAME_BYTES = 256  # libosdp's own buffer
_CRC_START = 0x1D0F
_CRC = 0x04  # of the control byte: two bytes of CRC at the end, else one of checksum
_BLOCK = 0x08  # of the control byte: a security block follows
_CONTROL = 0x0F

_NAK, _PDID, _PDCAP, _CCRYPT, _RMAC_I, _BUSY = 0x41, 0x45, 0x46, 0x76, 0x78, 0x79
_MAC_BYTES = 4
_LEAST_BLOCK_BYTES = 2  # its length and its type
_SECURED = frozenset({0x16, 0x18})  # SCS_16 and SCS_18: from the reader, with a MAC, the second encrypted as well
# Security block (0: none) and reply.
_BEFORE = frozenset({(0, _NAK), (0, _PDID), (0, _PDCAP), (0, _BUSY), (0x12, _CCRYPT), (0x14, _RMAC_I)})
_ALWAYS = frozenset({(0, _NAK), (0, _BUSY)})


def check_of(body: bytes, *, crc: bool) -> bytes:
    """What follows `body` on the line: CRC-16 (polynomial 0x1021, from 0x1D0F, low byte first), or the checksum."""
    if crc:
        return binascii.crc_hqx(body, _CRC_START).to_bytes(2, "little")
    return bytes(((-sum(body)) & 0xFF,))


@dataclass(slots=True)
class Gate:
    """The line of the one reader at `address`."""

    address: int
    _kept: bytes = field(default=b"", repr=False)
    _passing: bytes = field(default=b"", repr=False)
    _answered: bool = True  # nothing was asked yet

    def asked(self) -> None:
        """A command goes out: what came before it is no answer to it."""
        self._kept = self._passing = b""
        self._answered = False

    def take(self, content: bytes, most: int, *, secured: bool) -> bytes:
        """At most `most` bytes of the one frame in `content`, and what came before, that may go on."""
        if not self._answered:
            self._kept += content
            self._passing = self._next(secured=secured)
            self._answered = bool(self._passing)
        passing, self._passing = self._passing[:most], self._passing[most:]
        return passing

    def _next(self, *, secured: bool) -> bytes:
        """The first frame in what was kept that may go on; empty while there is none."""
        while self._kept:
            start = self._kept.find(SOM)
            self._kept = self._kept[start:] if start >= 0 else b""
            length = self._length()
            if length is None or length > len(self._kept):
                return b""
            frame = self._kept[:length]
            if frame and passes(frame, secured=secured):
                return frame
            self._kept = self._kept[length if frame and whole(frame) else 1 :]
        return b""

    def _length(self) -> int | None:
        """How long the frame that seems to begin here says it is; 0 if none begins here, None if that is not seen."""
        if len(self._kept) < _HEADER_BYTES:
            return None
        length = int.from_bytes(self._kept[2:4], "little")
        ours = self._kept[1] == _REPLY | self.address and not self._kept[4] & ~_CONTROL
        return length if ours and _HEADER_BYTES + 2 <= length <= MAX_FRAME_BYTES else 0


def whole(frame: bytes) -> bool:
    """Whether the check at the end of `frame` (from its SOM on) is right."""
    crc = bool(frame[4] & _CRC)
    ends = 2 if crc else 1
    return check_of(frame[:-ends], crc=crc) == frame[-ends:]


def passes(frame: bytes, *, secured: bool) -> bool:
    """Whether this frame may be answered with now."""
    if not whole(frame):
        return False
    body = frame[_HEADER_BYTES : -2 if frame[4] & _CRC else -1]
    block = 0
    if frame[4] & _BLOCK:
        if not (body and _LEAST_BLOCK_BYTES <= body[0] < len(body)):
            return False
        block, body = body[1], body[body[0] :]
    if block in _SECURED:
        return secured and len(body) > _MAC_BYTES
    return bool(body) and (block, body[0]) in (_ALWAYS if secured else _BEFORE)
