"""Where doors are, in the manager's own words, and adding many of them at once.

Rules kept here:
- A building and a floor are words for lists and plans. No door knows them, and no document names them.
- Of a list all doors are added or none.
"""

from __future__ import annotations

import secrets
import time
import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass

from device import document
from provisioning.errors import FleetRefused
from provisioning.fleet import LONGEST_NAME, Fleet, door_name
from provisioning.store import Door

LONGEST_FLOOR = 16


@dataclass(frozen=True, slots=True)
class Placed:
    """A door's name, and where it is; the latter may be empty."""

    name: str
    building: str = ""
    floor: str = ""


def add_doors(fleet: Fleet, wanted: Sequence[Placed]) -> tuple[Door, ...]:
    """New doors with random ids, all of them or none. Raises FleetRefused or FleetFault."""
    now, made = int(time.time()), []
    for each in wanted:
        building, floor = _where(each.building, each.floor)
        door_id = secrets.token_hex(document.DOOR_ID_BYTES)
        made.append(Door(door_name(each.name), door_id, created_unix=now, building=building, floor=floor))
    fleet.store.add_doors(made)
    return tuple(made)


def place(fleet: Fleet, name: str, building: str, floor: str) -> Door:
    """Note where a door is; empty words: nowhere. Raises FleetRefused or FleetFault."""
    return fleet.store.place_door(name, *_where(building, floor))


def _where(building: str, floor: str) -> tuple[str, str]:
    found = tuple(unicodedata.normalize("NFC", word.strip()) for word in (building, floor))
    for word, longest in zip(found, (LONGEST_NAME, LONGEST_FLOOR), strict=True):
        if len(word) > longest or not all(sign.isprintable() for sign in word):
            msg = f"a building has at most {LONGEST_NAME} letters, digits, spaces or signs, and a floor {LONGEST_FLOOR}"
            raise FleetRefused(msg)
    return found[0], found[1]
