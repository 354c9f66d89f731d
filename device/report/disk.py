"""Whether report's disk has room left: low storage is told in the next report, before it costs anybody anything.

Rules kept here:
- It is asked for each report anew; a disk that cannot be asked has no room.
- A disk that was low is well again once twice as much is free. All rooms write to it: a flag that went back and forth
  at the bound would tell of every few kilobytes that somebody's enrolment takes.
"""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path

LEAST_FREE_BYTES = 32 * 2**20
"""An outbox of 1000 messages takes about 1 MB; all rooms share the disk, and their records and journals need some."""


def room_in(folder: Path) -> Callable[[], bool]:
    """A function that says whether the file system of `folder` has room left for whoever is not root."""
    low = False

    def room() -> bool:
        nonlocal low
        low = not _has(folder, 2 * LEAST_FREE_BYTES if low else LEAST_FREE_BYTES)
        return not low

    return room


def _has(folder: Path, least_bytes: int) -> bool:
    try:
        found = os.statvfs(folder)
    except OSError:
        return False
    no_more_files = found.f_files > 0 and found.f_favail == 0  # some file systems have no limit, and say 0 of 0
    return found.f_bavail * found.f_frsize >= least_bytes and not no_more_files
