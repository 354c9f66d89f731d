"""A plan of a building: its floors one above the other, and the doors of each in a row.

It is drawn from the words that the manager gave the doors, not from walls: it shows on which floor a door is and how it
is, and nothing of where on the floor.

Rules kept here:
- Pure: doors in, places on a sheet out.
- Floors are in the order in which people count them: numbers by value, the highest on top; words above them.
- A floor of many doors takes several rows; no door is left out and none lies upon another.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass

from provisioning.store_pages import DoorLine

MOST_DOORS = 600
IN_A_ROW = 6
BOX_WIDTH, BOX_HEIGHT, GAP, MARGIN, FLOOR_WIDTH = 168, 64, 12, 12, 110
_NUMBER = re.compile(r"[+-]?[0-9]{1,4}")
_LONGEST_SHOWN = 16  # letters of a door's name; a Chinese one is as wide as two


@dataclass(frozen=True, slots=True)
class Box:
    """A door on the plan: its upper left corner, and what fits of its name."""

    door: DoorLine
    x: int
    y: int
    name: str


@dataclass(frozen=True, slots=True)
class Floor:
    """A floor: where its band begins and how high it is."""

    name: str
    y: int
    height: int
    boxes: tuple[Box, ...]


@dataclass(frozen=True, slots=True)
class Plan:
    """A building on a sheet."""

    floors: tuple[Floor, ...]
    width: int
    height: int


def plan(doors: Sequence[DoorLine]) -> Plan:
    """The doors of one building, on their floors."""
    by_floor: dict[str, list[DoorLine]] = {}
    for door in doors:
        by_floor.setdefault(door.floor, []).append(door)
    floors: list[Floor] = []
    y = MARGIN
    for name in sorted(by_floor, key=_order, reverse=True):
        boxes = tuple(_box(door, at, y) for at, door in enumerate(by_floor[name]))
        rows = (len(boxes) + IN_A_ROW - 1) // IN_A_ROW
        height = rows * (BOX_HEIGHT + GAP) + GAP
        floors.append(Floor(name, y, height, boxes))
        y += height + GAP
    width = MARGIN + FLOOR_WIDTH + IN_A_ROW * (BOX_WIDTH + GAP) + MARGIN
    return Plan(tuple(floors), width, y)


def _box(door: DoorLine, at: int, y: int) -> Box:
    row, column = divmod(at, IN_A_ROW)
    # The building stands above the plan; what tells its doors apart comes first.
    name = shortened(door.name.removesuffix(door.building).rstrip(" ,-") or door.name, _LONGEST_SHOWN)
    left = MARGIN + FLOOR_WIDTH + column * (BOX_WIDTH + GAP)
    return Box(door, left, y + GAP + row * (BOX_HEIGHT + GAP), name)


def shortened(text: str, most: int) -> str:
    """As much of a text as is `most` letters wide."""
    width = 0
    for at, sign in enumerate(text):
        width += 2 if unicodedata.east_asian_width(sign) in "WF" else 1
        if width > most:
            return text[: max(at - 1, 0)] + "…"
    return text


def _order(floor: str) -> tuple[int, int, str]:
    if not floor:
        return (-1, 0, "")
    return (0, int(floor), "") if _NUMBER.fullmatch(floor) else (1, 0, floor)
