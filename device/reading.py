"""What lies in a file that somebody else may have put there: read without waiting for it, and no more than it may hold.

Rules kept here:
- Opening never waits. A pipe has no content before somebody writes to it, and nobody may: a room that waited for that
  would not start, and a command would not answer.
- What is no file (a pipe, a device, a socket, a folder) is refused by what it is, not by what comes out of it: some
  devices never end.
- No more than the caller wants is ever in memory, however long the file says it is.
- What the caller's own shell handed over (`/dev/stdin`, `/dev/fd/63`) is read to its end, whatever it is: whoever
  pipes a document into a command means to write it.
"""

from __future__ import annotations

import errno
import io
import os
import stat
from pathlib import Path

from device.errors import Fault, Refusal

_HANDED = ("/dev/stdin", "/dev/fd/", "/proc/self/fd/")
_CHUNK_BYTES = 1 << 16


def content(path: Path | str, most: int) -> bytes:
    """At most the first `most` bytes of the file `path`; ask for one more than are wanted to see that it is longer.

    Raises OSError, whose `strerror` says why, also where `path` is no file.
    """
    handle = opened(path)
    try:
        return _read(handle, most)
    finally:
        os.close(handle)


def whole(path: Path | str, most: int) -> bytes:
    """All of the file `path`, which holds at most `most` bytes. Raises OSError as above, and where it is longer."""
    found = content(path, most + 1)
    if len(found) > most:
        raise OSError(errno.EFBIG, os.strerror(errno.EFBIG), str(path))
    return found


def within(path: Path, most: int, refused: type[Refusal | Fault], too_long: str) -> bytes:
    """All of `path`, which holds at most `most` bytes. Raises `refused`, with `too_long` or why it cannot be read."""
    try:
        found = content(path, most + 1)
    except OSError as cause:
        msg = f"{path} cannot be read: {cause.strerror}"
        raise refused(msg) from cause
    if len(found) > most:
        raise refused(too_long)
    return found


def text(path: Path | str, most: int) -> str:
    """As `whole`, as text in UTF-8; lines end in a line feed, whatever ended them. Raises UnicodeDecodeError too."""
    return io.TextIOWrapper(io.BytesIO(whole(path, most)), encoding="utf-8").read()


def opened(path: Path | str, flags: int = 0) -> int:
    """A descriptor of the file `path`, for reading, with more `flags` of open(2) if wanted. Raises OSError as above."""
    if str(path).startswith(_HANDED):
        return os.open(path, os.O_RDONLY | os.O_CLOEXEC | flags)
    # O_NONBLOCK means nothing for files; O_NOCTTY keeps a terminal that is named here from becoming ours.
    handle = os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_NOCTTY | os.O_CLOEXEC | flags)
    mode = os.fstat(handle).st_mode
    if stat.S_ISREG(mode):
        return handle
    os.close(handle)
    if stat.S_ISDIR(mode):
        raise IsADirectoryError(errno.EISDIR, os.strerror(errno.EISDIR), str(path))
    raise OSError(errno.EINVAL, "it is a pipe or a device and no file", str(path))


def _read(handle: int, most: int) -> bytes:
    parts, left = [], most
    while left and (part := os.read(handle, min(left, _CHUNK_BYTES))):
        parts.append(part)
        left -= len(part)
    return b"".join(parts)
