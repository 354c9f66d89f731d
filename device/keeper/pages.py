"""A small file that survives power cuts: two sealed pages, written in turn.

Rules kept here:
- `save` is durable when it returns. The page that was durable before is never the one being written: a write that is
  cut short leaves what was there before.
- The file keeps its size and its place: a full disk stops nothing that was possible before.
- Pages are sealed and always of the same size; they cannot be edited, nor moved to each other's place.
- A page counts only if it is exactly what writing makes. What to assume when none does is the caller's to say.
- The time of the last write is set to a fixed one, as far as the file system lets.

Byte form, little-endian: two pages; the one with an even sequence first, then the one with an odd. A page: magic and
version (5) | place (u8: 0 or 1) | zeros (2) | sealed box of the rest, with those 8 bytes as additional data. Inside the
box: sequence (u64) | payload | zeros to the end. Of two whole pages the one with the greater sequence counts.
"""

from __future__ import annotations

import contextlib
import os
import struct
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Generic, TypeVar

from device.durable import sync_folder
from device.errors import StoreFault
from device.sealing import box

_T = TypeVar("_T")
_BOUND = struct.Struct("<5sBxx")
_SEQUENCE = struct.Struct("<Q")
OVERHEAD_BYTES = _BOUND.size + box.OVERHEAD_BYTES + _SEQUENCE.size  # 56
_NO_TIME_NS = 0  # 1970: whatever the last write's time was, the file shows this one
_PLACES = (0, 1)


@dataclass(frozen=True, slots=True)
class Form(Generic[_T]):
    """What one such file holds.

    `magic`: 5 bytes, the last of them a version. `pack` gives at most `page_bytes` - OVERHEAD_BYTES and may raise
    StoreFault; `parse` gets exactly that many, with zeros after what `pack` gave, and gives None for anything else.
    `name` is what a sentence calls it.
    """

    magic: bytes
    page_bytes: int
    name: str
    pack: Callable[[_T], bytes]
    parse: Callable[[bytes], _T | None]


class TwinPages(Generic[_T]):
    """The file at `path`, held open by the one process that owns it. Not to be used by two threads at once.

    `key`: 32 bytes that seal nothing else.
    """

    def __init__(self, path: Path, key: bytes, form: Form[_T]) -> None:
        self._path = path
        self._key = key
        self._form = form
        self._sequence = 0
        self._handle = -1
        self.missing = False  # whether `load` had to make the file

    def load(self, first: _T) -> _T | None:
        """What is saved, or None if no page is whole. A file that is missing is made with `first` in it.

        Raises StoreFault.
        """
        try:
            self.missing = not self._path.exists()
            if self.missing:
                self._create(first)
            self._handle = os.open(self._path, os.O_RDWR | os.O_CLOEXEC | os.O_NOFOLLOW)
            size = self._form.page_bytes
            pages = [os.pread(self._handle, size, place * size) for place in _PLACES]
        except OSError as cause:
            msg = f"{self._form.name} cannot be read: {cause.strerror}"
            raise StoreFault(msg) from cause
        whole = [told for place, page in zip(_PLACES, pages, strict=True) if (told := self._opened(page, place))]
        if not whole:
            return None
        self._sequence, value = max(whole, key=lambda told: told[0])
        return value

    def save(self, value: _T) -> None:
        """Make `value` durable. Raises StoreFault; what was durable before still is."""
        following = self._sequence + 1
        page = self._sealed(following, value)
        try:
            _write_all(self._handle, page, following % len(_PLACES) * self._form.page_bytes)
            _hide_time(self._handle)
            os.fsync(self._handle)
        except OSError as cause:
            # The sequence stays: the next try goes to this same page and never touches the whole one.
            msg = f"{self._form.name} cannot be saved: {cause.strerror}"
            raise StoreFault(msg) from cause
        self._sequence = following

    def close(self) -> None:
        """Let go of the file."""
        if self._handle >= 0:
            os.close(self._handle)
            self._handle = -1

    def _create(self, value: _T) -> None:
        self._path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        fresh = self._path.with_name(self._path.name + ".new")
        handle = os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_CLOEXEC, 0o600)
        try:
            _write_all(handle, self._sealed(0, value).ljust(len(_PLACES) * self._form.page_bytes, b"\0"), 0)
            _hide_time(handle)
            os.fsync(handle)
        finally:
            os.close(handle)
        fresh.replace(self._path)
        sync_folder(self._path.parent)

    def _sealed(self, sequence: int, value: _T) -> bytes:
        bound = _BOUND.pack(self._form.magic, sequence % len(_PLACES))
        inside = _SEQUENCE.pack(sequence) + self._form.pack(value)
        room = self._form.page_bytes - _BOUND.size - box.OVERHEAD_BYTES
        if len(inside) > room:
            msg = f"{self._form.name} are more than the file has room for"
            raise StoreFault(msg)
        return bound + box.seal(self._key, inside.ljust(room, b"\0"), bound)

    def _opened(self, page: bytes, place: int) -> tuple[int, _T] | None:
        bound = _BOUND.pack(self._form.magic, place)
        if len(page) != self._form.page_bytes or not page.startswith(bound):
            return None
        inside = box.unseal(self._key, page[len(bound) :], bound)
        if inside is None:
            return None
        (sequence,) = _SEQUENCE.unpack_from(inside)
        value = self._form.parse(inside[_SEQUENCE.size :])
        return None if sequence % len(_PLACES) != place or value is None else (sequence, value)


def _hide_time(handle: int) -> None:
    # Before the sync, so that the disk never holds the true one for long. A file system that refuses keeps nobody out.
    with contextlib.suppress(OSError):
        os.utime(handle, ns=(_NO_TIME_NS, _NO_TIME_NS))


def _write_all(handle: int, data: bytes, offset: int) -> None:
    rest = memoryview(data)
    while rest:
        written = os.pwrite(handle, rest, offset)
        rest, offset = rest[written:], offset + written
