"""Documents as files: what a door's document is called, and where it is kept until somebody carries it.

Rules kept here:
- The name is the door's id and the document's version, so that a folder of them tells which is the newest, and whose.
- An existing file is never replaced.
"""

from __future__ import annotations

from pathlib import Path
from typing import Protocol

from provisioning import files
from provisioning.store import Door


class Made(Protocol):
    """A document that was made for a door."""

    @property
    def door(self) -> Door:
        """The door, as it is in the fleet now."""

    @property
    def version(self) -> int:
        """The version that the document has."""

    @property
    def document(self) -> bytes:
        """Signed, and sealed to the door."""


def name(door: Door, version: int) -> str:
    """What the document `version` of `door` is called in a fleet's folder."""
    return f"{door.id}-{version}.doc"


def keep(folder: Path, made: Made, out: Path | None = None) -> Path:
    """Write what was made to the new file `out`, or by its name into `folder`; where it is.

    Raises FleetRefused if it is there, or FleetFault.
    """
    path = out or folder / name(made.door, made.version)
    files.create(path, made.document)
    return path
