"""The counts of `throttle` on the disk.

Rules kept here:
- `save` is durable when it returns. The page that was durable before is never the one being written: a write that is
  cut short leaves the counts before this attempt, and this attempt was never checked, because `save` had not returned.
- What cannot be read is never taken for zero. If no page is whole, or the file is gone although slots are known, every
  count is taken for spent.
- The file keeps its size and its place: a full disk stops nobody's PIN.
- Pages are sealed and always of the same size: whoever takes the card home sees neither which slots typed, nor how
  many there are, and they cannot be edited or moved to each other's place. An older copy of the whole disk brings older
  counts back; nothing on the same disk can prevent that.
- Reading accepts exactly what writing makes, and a page that is anything else is not whole.
- The time of the last write is set to a fixed one, as far as the file system lets: it would say when somebody came.
  What the file system keeps for itself (the inode's change time, its journal) is not in keeper's hand.

Byte form, little-endian: two pages of 16384 bytes, written in turn: the one with an even sequence first, then the one
with an odd. A page: magic "DWAT" | version (u8: 2) | place (u8: 0 or 1) | zeros (2) | sealed box of the rest with those
8 bytes as additional data. Inside the box, 16336 bytes: sequence (u64) | door (u16) | slots (u16), then per slot,
ascending from 1: slot (u32) | count (u16, from 1), then zeros. Of two whole pages the one with the greater sequence
counts.
"""

from __future__ import annotations

import contextlib
import os
import struct
from collections.abc import Iterable, Sequence
from itertools import pairwise
from pathlib import Path

from device.errors import StoreFault
from device.keeper.throttle import BUDGET, Budget, Counts
from device.sealing import box
from device.wire import NOBODY

PAGE_BYTES = 16384
_BOUND = struct.Struct("<5sBxx")
_MAGIC = b"DWAT\x02"
_HEAD = struct.Struct("<QHH")
_SLOT = struct.Struct("<IH")
_INSIDE_BYTES = PAGE_BYTES - _BOUND.size - box.OVERHEAD_BYTES  # 16336
_MOST = 0xFFFF
_NO_TIME_NS = 0  # 1970: whatever the last write's time was, the file shows this one
_ROOM = (_INSIDE_BYTES - _HEAD.size) // _SLOT.size  # 2720
MAX_SLOTS = 2048  # of a door; fewer than a page has room for, because counts of damaged records stay


class AttemptFile:
    """The file at `path`, held open by the one process that owns it. Not to be used by two threads at once.

    `key`: 32 bytes that seal nothing else.
    """

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
        whole = [parsed for place, page in enumerate(pages) if (parsed := _parse(page, place, self._key))]
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
            _hide_time(self._handle)
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
            _hide_time(handle)
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
    # A count of nothing, and a count of nobody, say the same as none.
    told = sorted((slot, min(count, _MOST)) for slot, count in counts.slots.items() if slot != NOBODY and count > 0)
    if len(told) > _ROOM:
        msg = f"a door counts the attempts of at most {_ROOM} slots"
        raise StoreFault(msg)
    parts = [_HEAD.pack(sequence, min(counts.door, _MOST), len(told))]
    parts += [_SLOT.pack(slot, count) for slot, count in told]
    bound = _BOUND.pack(_MAGIC, sequence % 2)
    return bound + box.seal(key, b"".join(parts).ljust(_INSIDE_BYTES, b"\0"), bound)


def _parse(page: bytes, place: int, key: bytes) -> tuple[int, Counts] | None:
    """(sequence, counts) of a whole page that belongs at `place`, None for any other bytes."""
    bound = _BOUND.pack(_MAGIC, place)
    if len(page) != PAGE_BYTES or not page.startswith(bound):
        return None
    inside = box.unseal(key, page[len(bound) :], bound)
    if inside is None:
        return None
    sequence, door, count = _HEAD.unpack_from(inside)
    end = _HEAD.size + count * _SLOT.size
    if sequence % 2 != place or end > len(inside) or any(inside[end:]):
        return None
    told: list[tuple[int, int]] = list(_SLOT.iter_unpack(inside[_HEAD.size : end]))
    return (sequence, Counts(door, dict(told))) if _makes_sense(told) else None


def _makes_sense(told: Sequence[tuple[int, int]]) -> bool:
    slots = [NOBODY, *(slot for slot, _ in told)]
    return all(low < high for low, high in pairwise(slots)) and all(count > 0 for _, count in told)


def _hide_time(handle: int) -> None:
    # Before the sync, so that the disk never holds the true one for long. A file system that refuses keeps nobody out.
    with contextlib.suppress(OSError):
        os.utime(handle, ns=(_NO_TIME_NS, _NO_TIME_NS))


def _write_all(handle: int, data: bytes, offset: int) -> None:
    rest = memoryview(data)
    while rest:
        written = os.pwrite(handle, rest, offset)
        rest, offset = rest[written:], offset + written
