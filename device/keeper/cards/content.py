"""What a card of this door carries: its counter, under the key, and its serial, for everybody.

Rules kept here:
- The counter stands together with the serial it belongs to. What is torn or was never written is nothing, not zero.
- The serial in the clear opens nothing. It lets a card that was cancelled, or pulled away half done, be added again:
  the door remembers nothing of such a card, so the card has to say under which serial its key was made. Who lies about
  it is asked for a key that they do not have.

Byte forms, little-endian. Counter, 16 bytes: magic "DWC" | version (u8: 1) | serial (u32) | counter (u32) | CRC-32 of
the 12 bytes before (u32; IEEE 802.3, against torn writes, not against people). Mark, 8 bytes: magic "DWRD" |
serial (u32).
"""

from __future__ import annotations

import struct
import zlib

from device.keeper.cards.registered import NO_SERIAL

COUNTER_BYTES = 16
MARK_BYTES = 8
MOST_COUNTER = (1 << 32) - 1
_COUNTER = struct.Struct("<4sII")
_MAGIC = b"DWC\x01"
_MARK = struct.Struct("<4sI")
_MARK_MAGIC = b"DWRD"


def pack_counter(serial: int, counter: int) -> bytes:
    """The 16 bytes that hold `counter` of the card `serial`."""
    told = _COUNTER.pack(_MAGIC, serial, counter)
    return told + zlib.crc32(told).to_bytes(4, "little")


def unpack_counter(data: bytes, serial: int) -> int | None:
    """The counter in `data`, or None if it is not whole, or another card's."""
    if len(data) != COUNTER_BYTES:
        return None
    counter = int(_COUNTER.unpack_from(data)[2])
    return counter if data == pack_counter(serial, counter) else None


def pack_mark(serial: int) -> bytes:
    """The 8 bytes by which a card says its serial."""
    return _MARK.pack(_MARK_MAGIC, serial)


def unpack_mark(data: bytes) -> int | None:
    """The serial in `data`, or None if there is none."""
    if len(data) != MARK_BYTES:
        return None
    magic, serial = _MARK.unpack(data)
    return int(serial) if magic == _MARK_MAGIC and serial != NO_SERIAL else None


def span(file: int, offset: int, length: int) -> bytes:
    """How ReadData and WriteData name a part of a file: number, offset and length, the last two of 3 bytes each."""
    return bytes((file,)) + offset.to_bytes(3, "little") + length.to_bytes(3, "little")
