"""The ring: which records there are, the key of each and the terms it is bound to, as one sealed file.

Rules kept here:
- The ring alone decides what exists. A record file it does not name is nobody's; a record it names under another key,
  file or generation is refused.
- A ring is sealed under one epoch key and never changed: every change makes the next one, under a fresh epoch key.
- The secret that the records of a ring share is random, lives in the ring alone, and goes with it: only a rekey makes
  another.
- Parsing accepts exactly what packing makes: sorted, distinct, counted, no byte left over.

Byte form (version 2, little-endian): magic "DWRG" | version (u8) | kind (u8: 1 face, 2 pin) | zeros (2) | sealed box,
with additional data = those 8 bytes | door (8). Inside the box: generation (u64) | count (u32) | zeros (4) |
secret (32), then per record, in ascending order of slot: slot (u32) | generation it was written in (u64) |
file id (16) | record key (32) | consent (32: hash of the terms it is bound to, zeros for none).
"""

from __future__ import annotations

import itertools
import struct
from collections.abc import Iterable
from dataclasses import dataclass, field

from device.errors import StoreFault
from device.sealing import box
from device.sealing.binding import Binding

_MAGIC = b"DWRG"
_VERSION = 2
_HEAD = struct.Struct("<QI4s32s")
_ENTRY = struct.Struct("<IQ16s32s32s")
_ZEROS = bytes(4)
FILE_ID_BYTES = 16
CONSENT_BYTES = 32
NO_CONSENT = bytes(CONSENT_BYTES)


@dataclass(frozen=True, slots=True)
class Entry:
    """One record: its slot, the ring generation that wrote it, its file's id (16 bytes) and its key (32 bytes).

    `consent`: hash of the terms it is bound to (32 bytes), zeros where nobody had to agree to anything.
    """

    slot: int
    generation: int
    file_id: bytes
    key: bytes = field(repr=False)
    consent: bytes = NO_CONSENT

    @property
    def file_name(self) -> str:
        """The record's file: its random id, which says nothing about the slot."""
        return self.file_id.hex() + ".rec"


@dataclass(frozen=True, slots=True)
class Ring:
    """All records of one store after `generation` changes, and the `secret` (32 bytes) that goes with them."""

    generation: int
    secret: bytes = field(repr=False)
    entries: tuple[Entry, ...] = ()

    @classmethod
    def empty(cls) -> Ring:
        """The first ring of a door: no records, a secret of its own."""
        return cls(0, box.new_key())

    def find(self, slot: int) -> Entry | None:
        """The record of `slot`."""
        return next((entry for entry in self.entries if entry.slot == slot), None)

    def with_entry(self, entry: Entry) -> Ring:
        """The next ring, in which `entry` stands for its slot."""
        others = [other for other in self.entries if other.slot != entry.slot]
        return Ring(self.generation + 1, self.secret, tuple(sorted([*others, entry], key=lambda each: each.slot)))

    def without(self, slot: int) -> Ring:
        """The next ring, in which `slot` has no record."""
        return Ring(self.generation + 1, self.secret, tuple(entry for entry in self.entries if entry.slot != slot))

    def rekeyed(self, secret: bytes, fresh: Iterable[Entry]) -> Ring:
        """The next ring, with another `secret`, in which each of `fresh` stands for the entry of its slot."""
        by_slot = {entry.slot: entry for entry in fresh}
        return Ring(self.generation + 1, secret, tuple(by_slot.get(entry.slot, entry) for entry in self.entries))


def pack(ring: Ring) -> bytes:
    """The plaintext form of `ring`."""
    parts = [_HEAD.pack(ring.generation, len(ring.entries), _ZEROS, ring.secret)]
    parts += [_ENTRY.pack(each.slot, each.generation, each.file_id, each.key, each.consent) for each in ring.entries]
    return b"".join(parts)


def parse(data: bytes) -> Ring:
    """The ring in `data`. Raises StoreFault for everything `pack` would not make."""
    if len(data) < _HEAD.size:
        raise _malformed("it is too short")
    generation, count, zeros, secret = _HEAD.unpack_from(data)
    if zeros != _ZEROS:
        raise _malformed("something stands where nothing may")
    if len(data) != _HEAD.size + count * _ENTRY.size:
        raise _malformed("its length and its count disagree")
    entries = tuple(Entry(*fields) for fields in _ENTRY.iter_unpack(data[_HEAD.size :]))
    slots = [entry.slot for entry in entries]
    if any(later <= earlier for earlier, later in itertools.pairwise(slots)):
        raise _malformed("its records are not in ascending order")
    if len({entry.file_id for entry in entries}) != count:
        raise _malformed("two records share a file")
    if any(entry.generation > generation for entry in entries):
        raise _malformed("a record is newer than the ring")
    return Ring(generation, secret, entries)


def seal(ring: Ring, epoch_key: bytes, binding: Binding) -> bytes:
    """The file contents of `ring`."""
    header = _header(binding)
    return header + box.seal(epoch_key, pack(ring), header + binding.door)


def unseal(stored: bytes, epoch_key: bytes, binding: Binding) -> Ring | None:
    """The ring in the file contents `stored`, or None if it is torn, foreign or from another epoch."""
    header = _header(binding)
    if not stored.startswith(header):
        return None
    plaintext = box.unseal(epoch_key, stored[len(header) :], header + binding.door)
    return None if plaintext is None else parse(plaintext)


def _header(binding: Binding) -> bytes:
    return _MAGIC + bytes((_VERSION, binding.kind_code, 0, 0))


def _malformed(why: str) -> StoreFault:
    return StoreFault(f"the ring of sealed records opens but makes no sense: {why}")
