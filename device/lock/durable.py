"""Small files of lock's that are whole or not there.

Rules kept here:
- What is read is a file and small: nothing that lies there instead keeps lock waiting, or takes its memory.
- Write beside, sync, rename, sync the folder: a power cut leaves the old file or the new one, never half of one.
"""

from __future__ import annotations

import os
from pathlib import Path

from device import reading
from device.durable import sync_folder
from device.errors import StoreFault

_MOST = 1 << 20  # the largest, an entry for each slot there can be, takes a tenth of it


def load(path: Path) -> bytes:
    """What `path` holds. Raises OSError, also where it is no file, or longer than anything of lock's."""
    return reading.whole(path, _MOST)


def store(path: Path, content: bytes, what: str) -> None:
    """Let `path` hold `content`, durably. Raises StoreFault, which names `what`; the old file then stands."""
    temporary = path.with_suffix(".new")
    try:
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        with temporary.open("wb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        temporary.replace(path)
        sync_folder(path.parent)
    except OSError as cause:
        msg = f"{what} cannot be stored: {cause.strerror}"
        raise StoreFault(msg) from cause
