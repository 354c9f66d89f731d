"""What a card of this door carries: its counter, under the key, and its serials, for everybody.

Rules kept here:
- The counter stands together with the serial it belongs to. What is torn or was never written is nothing, not zero.
- A serial in the clear opens nothing. It lets a card that was cancelled, or pulled away half done, be added again: the
  door remembers nothing of such a card, so the card has to say under which serial its key was made.
- What a card says of its serial is believed only so far that a key is tried. A card may well have the key of a serial
  that a neighbour chose: they add an emulated card of its number, are told that key, and write both onto the card. So a
  key that a card came with is used for one thing, to give it another one.
- The mark has two places. One is written while the other names the key that the card has; so at any moment, a torn
  write included, the card has the factory's key or one that its mark names.

Byte forms, little-endian. Counter, 16 bytes: magic "DWC" | version (u8: 1) | serial (u32) | counter (u32) | CRC-32 of
the 12 bytes before (u32; IEEE 802.3, against torn writes, not against people). Mark, 16 bytes: two places of magic
"DWRD" | serial (u32); a place that says nothing is anything else.
"""

from __future__ import annotations

import struct
import zlib

from device.keeper.cards.registered import NO_SERIAL

COUNTER_BYTES = 16
PLACE_BYTES = 8
PLACES = 2
MARK_BYTES = PLACES * PLACE_BYTES
MOST_COUNTER = (1 << 32) - 1
_COUNTER = struct.Struct("<4sII")
_MAGIC = b"DWC\x01"
_PLACE = struct.Struct("<4sI")
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


def pack_place(serial: int) -> bytes:
    """The 8 bytes of one place of the mark, by which a card names `serial`."""
    return _PLACE.pack(_MARK_MAGIC, serial)


def unpack_mark(data: bytes) -> tuple[int | None, ...]:
    """The serial that each place of the mark `data` names, None where it names none."""
    if len(data) != MARK_BYTES:
        return (None,) * PLACES
    return tuple(
        int(serial) if magic == _MARK_MAGIC and serial != NO_SERIAL else None
        for magic, serial in _PLACE.iter_unpack(data)
    )


def span(file: int, offset: int, length: int) -> bytes:
    """How ReadData and WriteData name a part of a file: number, offset and length, the last two of 3 bytes each."""
    return bytes((file,)) + offset.to_bytes(3, "little") + length.to_bytes(3, "little")
