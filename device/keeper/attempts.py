"""The counts of `throttle` on the disk.

Rules kept here:
- `save` is durable when it returns. The page that was durable before is never the one being written: a write that is
  cut short leaves the counts before this attempt, and this attempt was never checked, because `save` had not returned.
- What cannot be read is never taken for zero. If no page is whole, or the file is gone although slots are known, every
  count is taken for spent.
- The file keeps its size and its place: a full disk stops nobody's PIN.
- Pages carry a keyed tag, so that they cannot be edited without keeper's key. An older copy of the whole disk brings
  older counts back; nothing on the same disk can prevent that.

Byte form, little-endian: two pages of 16384 bytes, written in turn. A page: magic "DWAT" | version (u8) | sequence
(u64) | door (u16) | slots (u16), then per slot, ascending: slot (u32) | count (u16), then the tag (16, keyed BLAKE2b
over all before it); the rest is not read. Of two whole pages the one with the greater sequence counts.
"""

from __future__ import annotations

import os
import struct
from collections.abc import Iterable
from pathlib import Path

from nacl import bindings

from device.errors import StoreFault
from device.keeper.throttle import BUDGET, Budget, Counts

PAGE_BYTES = 16384
_MAGIC = b"DWAT\x01"
_HEAD = struct.Struct("<5sQHH")
_SLOT = struct.Struct("<IH")
_TAG_BYTES = 16
_MOST = 0xFFFF
_ROOM = (PAGE_BYTES - _HEAD.size - _TAG_BYTES) // _SLOT.size  # 2725
MAX_SLOTS = 2048  # of a door; fewer than a page has room for, because counts of damaged records stay


class AttemptFile:
    """The file at `path`, held open by the one process that owns it. Not to be used by two threads at once."""

    def __init__(self, path: Path, key: bytes, budget: Budget = BUDGET) -> None:
        self._path = path
        self._key = key
        self._budget = budget
        self._sequence = 0
        self._handle = -1
        self.damaged = False  # whether `load` had to assume the worst

    def load(self, known: Iterable[int]) -> Counts:
        """The saved counts; `known` are the slots there are. Makes the file on a new door. Raises StoreFault."""
        slots = tuple(known)
        worst = Counts.worst(slots, self._budget)
        try:
            missing = not self._path.exists()
            if missing:
                # Made with the worst inside: otherwise losing the file and starting twice would forget everything.
                self._create(worst if slots else Counts(0, {}))
            self._handle = os.open(self._path, os.O_RDWR | os.O_CLOEXEC | os.O_NOFOLLOW)
            pages = [os.pread(self._handle, PAGE_BYTES, page * PAGE_BYTES) for page in (0, 1)]
        except OSError as cause:
            msg = f"the counts of wrong attempts cannot be read: {cause.strerror}"
            raise StoreFault(msg) from cause
        whole = [parsed for page in pages if (parsed := _parse(page, self._key))]
        self.damaged = not whole or (missing and bool(slots))
        if not whole:
            return worst
        self._sequence, counts = max(whole, key=lambda page: page[0])
        return counts

    def save(self, counts: Counts) -> None:
        """Make `counts` durable. Raises StoreFault; what was durable before still is."""
        following = self._sequence + 1
        page = _pack(following, counts, self._key)
        try:
            _write_all(self._handle, page, (following % 2) * PAGE_BYTES)
            os.fsync(self._handle)
        except OSError as cause:
            # The sequence stays: the next try goes to this same page and never touches the whole one.
            msg = f"an attempt cannot be counted, so it is not made: {cause.strerror}"
            raise StoreFault(msg) from cause
        self._sequence = following

    def close(self) -> None:
        """Let go of the file."""
        if self._handle >= 0:
            os.close(self._handle)
            self._handle = -1

    def _create(self, counts: Counts) -> None:
        self._path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        fresh = self._path.with_name(self._path.name + ".new")
        handle = os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_CLOEXEC, 0o600)
        try:
            _write_all(handle, _pack(0, counts, self._key).ljust(2 * PAGE_BYTES, b"\0"), 0)
            os.fsync(handle)
        finally:
            os.close(handle)
        fresh.replace(self._path)
        folder = os.open(self._path.parent, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
        try:
            os.fsync(folder)
        finally:
            os.close(folder)


def _pack(sequence: int, counts: Counts, key: bytes) -> bytes:
    if len(counts.slots) > _ROOM:
        msg = f"a door counts the attempts of at most {_ROOM} slots"
        raise StoreFault(msg)
    parts = [_HEAD.pack(_MAGIC, sequence, min(counts.door, _MOST), len(counts.slots))]
    parts += [_SLOT.pack(slot, min(count, _MOST)) for slot, count in sorted(counts.slots.items())]
    data = b"".join(parts)
    return data + _tag(data, key)


def _parse(page: bytes, key: bytes) -> tuple[int, Counts] | None:
    """(sequence, counts) of a whole page, None for any other bytes."""
    if len(page) < _HEAD.size:
        return None
    magic, sequence, door, count = _HEAD.unpack_from(page)
    end = _HEAD.size + count * _SLOT.size
    if magic != _MAGIC or len(page) < end + _TAG_BYTES:
        return None
    if not bindings.sodium_memcmp(page[end : end + _TAG_BYTES], _tag(page[:end], key)):
        return None
    return sequence, Counts(door, dict(_SLOT.iter_unpack(page[_HEAD.size : end])))


def _tag(data: bytes, key: bytes) -> bytes:
    return bytes(bindings.crypto_generichash_blake2b_salt_personal(data, _TAG_BYTES, key=key, person=b"doorward count"))


def _write_all(handle: int, data: bytes, offset: int) -> None:
    rest = memoryview(data)
    while rest:
        written = os.pwrite(handle, rest, offset)
        rest, offset = rest[written:], offset + written
