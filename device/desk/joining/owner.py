"""Working in another room's folder with that room's rights.

Rules kept here:
- Root follows no link that a room may have laid: what is done in report's folder is done as report, which could have
  done it by itself.
- Afterwards everything is as before, however it ended. A user that is not root stays who it is.

Source: credentials(7), seteuid(2).
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from device.errors import StoreFault


@contextmanager
def as_owner(folder: Path) -> Iterator[None]:
    """Act as whoever owns `folder`, which is made first if it is not there. Raises StoreFault."""
    try:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        owner = folder.stat()
    except OSError as cause:
        msg = f"{folder} cannot be used: {cause.strerror}"
        raise StoreFault(msg) from cause
    if os.geteuid() != 0 or owner.st_uid == 0:
        yield
        return
    group, groups = os.getegid(), os.getgroups()
    os.setgroups([])
    os.setegid(owner.st_gid)
    os.seteuid(owner.st_uid)
    try:
        yield
    finally:
        os.seteuid(0)
        os.setegid(group)
        os.setgroups(groups)
