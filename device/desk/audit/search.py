"""Search something long for a mark: the first bytes of an erased record's sealed box, random to everybody.

Rules kept here:
- It streams: what is searched may be far larger than the memory. The pieces overlap, so that a mark that lies across
  two of them is found, and found once.
- Only plain files and block devices are read; a pipe or a terminal could last for ever.
- What could not be read to its end was not searched: that is an error, never "not found".
"""

from __future__ import annotations

import contextlib
import os
import stat
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

from device.errors import Fault

CHUNK_BYTES = 1 << 22


class SearchFault(Fault, OSError):
    """What should be searched cannot be opened, or not be read to its end."""


@dataclass(frozen=True, slots=True)
class Searchable:
    """Something open that can be searched; `size` in bytes."""

    path: Path
    handle: int
    size: int

    def read(self, count: int) -> bytes:
        """The next bytes; none at the end. Raises SearchFault."""
        try:
            return os.read(self.handle, count)
        except OSError as cause:
            at = os.lseek(self.handle, 0, os.SEEK_CUR)
            msg = f"{self.path} cannot be read from byte {at} on ({cause.strerror}), so the rest was not searched"
            raise SearchFault(msg) from cause


@contextlib.contextmanager
def opened(path: Path, *, follow: bool) -> Iterator[Searchable]:
    """Open `path` for searching; `follow` links or refuse them. Raises SearchFault."""
    # O_NONBLOCK: the opening of a pipe would wait for a writer; it means nothing for files and disks.
    flags = os.O_RDONLY | os.O_CLOEXEC | os.O_NONBLOCK | (0 if follow else os.O_NOFOLLOW)
    try:
        handle = os.open(path, flags)
    except OSError as cause:
        msg = f"{path} cannot be opened: {cause.strerror}"
        raise SearchFault(msg) from cause
    try:
        mode = os.fstat(handle).st_mode
        if not (stat.S_ISREG(mode) or stat.S_ISBLK(mode)):
            msg = f"{path} is neither a file nor a disk"
            raise SearchFault(msg)
        if stat.S_ISBLK(mode):
            # A disk is cached apart from the files on it: pages that an earlier search left could be out of date.
            os.posix_fadvise(handle, 0, 0, os.POSIX_FADV_DONTNEED)
        size = os.lseek(handle, 0, os.SEEK_END)  # fstat says 0 for a disk
        os.lseek(handle, 0, os.SEEK_SET)
        yield Searchable(path, handle, size)
    finally:
        os.close(handle)


def offsets(
    read: Callable[[int], bytes],
    mark: bytes,
    advance: Callable[[int], None] = lambda _count: None,
    chunk_bytes: int = CHUNK_BYTES,
) -> Iterator[int]:
    """Where `mark` begins in what `read` gives, ascending; `advance` hears how many bytes each piece had."""
    if not mark:
        msg = "an empty mark is everywhere"
        raise ValueError(msg)
    tail, start = b"", 0  # `start`: the offset of the first byte of the tail
    while piece := read(chunk_bytes):
        window = tail + piece
        at = window.find(mark)
        while at >= 0:
            yield start + at
            at = window.find(mark, at + 1)
        keep = min(len(mark) - 1, len(window))
        start += len(window) - keep
        tail = window[len(window) - keep :]
        advance(len(piece))
