"""Who a door is to its manager: its id, and the key that what is meant for it is sealed to.

Rules kept here:
- A key belongs to one door id; the file of another door is refused by name.
- A key that nothing can be sealed to is refused when it is brought, not when somebody waits for a document.
- Nothing of it is secret, and nothing of it proves anything: who swapped the file on its way could read what is sealed
  from then on, though never sign. So two people compare the fingerprint.
"""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from pathlib import Path
from typing import Self

from device import document, reading
from device.errors import DocumentRefused
from provisioning.errors import FleetRefused
from provisioning.store import Door

LARGEST_FILE = 4096
_KEY = re.compile(r"[0-9a-fA-F]{64}")
_ID = re.compile(r"[0-9a-f]{16}")


@dataclass(frozen=True, slots=True)
class Identity:
    """`door` is its id (16 hexadecimal digits), `document_key` an X25519 key (64)."""

    door: str
    document_key: str

    @classmethod
    def of(cls, door: Door) -> Self:
        """The identity of a door of the fleet. Raises FleetRefused, saying what to do, while its key is not known."""
        if not door.document_key:
            msg = (
                f'the key of "{door.name}" is not known yet, so nothing can be sealed to it: at the door, run `doorctl '
                "export-identity --out FILE`, and here `doorward door identify NAME FILE`"
            )
            raise FleetRefused(msg)
        return cls(door.id, door.document_key)

    @property
    def fingerprint(self) -> str:
        """Five groups of four digits, to compare by phone."""
        return document.fingerprint(bytes.fromhex(self.door), bytes.fromhex(self.document_key))


def read(path: Path) -> Identity:
    """The identity in a file of `doorctl export-identity`. Raises FleetRefused."""
    try:
        found = json.loads(reading.content(path, LARGEST_FILE))
    except OSError as cause:
        msg = f"{path} cannot be read: {cause.strerror}"
        raise FleetRefused(msg) from cause
    except (ValueError, RecursionError):
        found = None
    door, key = (found.get("door"), found.get("document_key")) if isinstance(found, dict) else (None, None)
    if not isinstance(door, str) or not isinstance(key, str) or not _ID.fullmatch(door):
        msg = f"{path} is no identity of a door; `doorctl export-identity --out FILE` writes one at the door"
        raise FleetRefused(msg)
    return typed(door, key)


def typed(door: str, key: str) -> Identity:
    """The identity of the door with the id `door`, with a key that somebody typed. Raises FleetRefused."""
    digits = "".join(key.split())
    if not _KEY.fullmatch(digits):
        msg = "a door's document key has 64 digits from 0 to 9 and a to f"
        raise FleetRefused(msg)
    try:
        document.seal(b"?", door_id=bytes.fromhex(door), document_key=bytes.fromhex(digits))
    except DocumentRefused as cause:
        msg = "this is no key that anything can be sealed to; ask the door again with `doorctl export-identity`"
        raise FleetRefused(msg) from cause
    return Identity(door, digits.lower())
