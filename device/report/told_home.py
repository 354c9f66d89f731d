"""A mark on disk that a broker may still keep what was told under the profile HOME.

Rules kept here:
- It is there before anything is handed to a broker that it keeps, and goes once the broker has forgotten all of it. So
  a report that starts while the choice is taken back knows that there is something to take back.
- It holds nothing: not what was told, and not when.
- A disk that does not take it costs the mark alone, and is said.
"""

from __future__ import annotations

import os
from pathlib import Path

from device.journal import log

NAME = "told-home"


class ToldHome:
    """The mark in report's state folder `folder`."""

    def __init__(self, folder: Path) -> None:
        self._path = folder / NAME

    def stands(self) -> bool:
        """Whether something may be kept."""
        return self._path.exists()

    def set(self) -> None:
        """From now on something may be, durably."""
        if self.stands():
            return
        try:
            self._path.parent.mkdir(parents=True, exist_ok=True)
            self._path.touch(mode=0o600)
            self._sync()
        except OSError as trouble:
            log(f"report: that the live state is told cannot be noted ({trouble.strerror})")

    def clear(self) -> None:
        """The broker has forgotten everything."""
        try:
            self._path.unlink(missing_ok=True)
        except OSError as trouble:
            log(f"report: the live state is over, and its mark cannot be removed ({trouble.strerror})")

    def _sync(self) -> None:
        folder = os.open(self._path.parent, os.O_RDONLY | os.O_DIRECTORY)
        try:
            os.fsync(folder)
        finally:
            os.close(folder)
