"""What a power cut may not take back: names in a folder, and small files that are whole or not there.

Rules kept here:
- A name that was made, moved or removed is durable once its folder was synced, and not before.
- A file takes its place in one step: written beside it, synced, renamed, the folder synced. A power cut leaves the old
  one or the new one, never half of one.
- What stands beside a file from an earlier try is replaced and never followed, so that nobody who can make a link there
  has another file written; what could not be finished does not stay.
- The mode is what the caller says, whatever the umask.
"""

from __future__ import annotations

import os
from contextlib import suppress
from pathlib import Path


def sync_folder(folder: Path) -> None:
    """Make the names in `folder` durable. Raises OSError."""
    handle = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def replace(path: Path, content: bytes, mode: int) -> None:
    """Let `path`, in a folder that is there, hold `content`. Raises OSError: the old file then stands.

    Where only the last sync failed, the new one stands, and may be the old one again after a power cut.
    """
    beside = path.with_name(path.name + ".new")
    try:
        write_beside(beside, content, mode)
        beside.replace(path)
        sync_folder(path.parent)
    except OSError:
        with suppress(OSError):
            beside.unlink()
        raise


def remove(path: Path) -> None:
    """Let there be no file at `path`, whether there was one or not; nor need its folder be there. Raises OSError.

    Called again after an error it also makes durable what was removed before.
    """
    path.unlink(missing_ok=True)
    with suppress(FileNotFoundError):
        sync_folder(path.parent)


def write_beside(path: Path, content: bytes, mode: int) -> None:
    """A synced file at `path`, in the place of what an earlier try left; its name is not synced. Raises OSError."""
    path.unlink(missing_ok=True)
    handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC, mode)
    try:
        os.fchmod(handle, mode)
        rest = memoryview(content)
        while rest:
            rest = rest[os.write(handle, rest) :]
        os.fsync(handle)
    finally:
        os.close(handle)
