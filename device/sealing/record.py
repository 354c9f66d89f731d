"""One sealed record: a payload under a key of its own, bound to everything that makes it this record.

Rules kept here:
- Every record has its own random key and is written once; a new payload means a new key, a new nonce and a new file.
- The additional data names format version, kind, door, slot, generation, file id, model and consent, so that a record
  that is swapped, renamed, rolled back, foreign, made for another model or agreed to on other terms does not open even
  under the right key.
- A record that does not open is refused alone, in one sentence that does not say whose it is.

Byte form (version 2, little-endian): magic "DWRC" | version (u8) | kind (u8: 1 face, 2 pin) | zeros (2) | sealed box.
Additional data (112 bytes): those 8 bytes | door (8) | slot (u32) | zeros (4) | generation (u64) | file id (16) |
model sha256 (32; zeros for pins) | consent (32; as in the ring).
"""

from __future__ import annotations

import struct
from functools import cache

from device.errors import RecordRefused
from device.sealing import box
from device.sealing.binding import Binding
from device.sealing.ring import Entry

_MAGIC = b"DWRC"
_VERSION = 2
_AAD = struct.Struct("<8s8sI4xQ16s32s32s")
MARK_BYTES = 32


def seal(payload: bytes, entry: Entry, binding: Binding) -> bytes:
    """The file contents of the record `entry` with `payload`."""
    header = _header(binding.kind_code)
    return header + box.seal(entry.key, payload, _aad(header, entry, binding))


def unseal(stored: bytes | None, entry: Entry, binding: Binding) -> bytes:
    """The payload in the file contents `stored` of the record `entry`. Raises RecordRefused."""
    if stored is None:
        raise RecordRefused("a sealed record is named but its file is gone")
    header = _header(binding.kind_code)
    if not stored.startswith(header):
        raise RecordRefused("a sealed record is torn, or of a kind or format version this door does not read")
    payload = box.unseal(entry.key, stored[len(header) :], _aad(header, entry, binding))
    if payload is None:
        raise RecordRefused("a sealed record does not open: damaged, an older copy, another door's or another model's")
    return payload


def mark(stored: bytes | None, binding: Binding) -> bytes:
    """What somebody would search a disk for to find the file contents `stored`: the first 32 bytes of its sealed box.

    They are a random nonce and ciphertext, and say nothing. Zeros if `stored` is no such file.
    """
    header = _header(binding.kind_code)
    begins = len(header)
    if stored is None or not stored.startswith(header) or len(stored) < begins + MARK_BYTES:
        return bytes(MARK_BYTES)
    return stored[begins : begins + MARK_BYTES]


@cache
def _header(kind_code: int) -> bytes:
    return _MAGIC + bytes((_VERSION, kind_code, 0, 0))


def _aad(header: bytes, entry: Entry, binding: Binding) -> bytes:
    return _AAD.pack(header, binding.door, entry.slot, entry.generation, entry.file_id, binding.model, entry.consent)
