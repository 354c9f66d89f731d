"""Doors as comma-separated values: what is written for a spreadsheet, and what is read from one.

Rules kept here:
- No cell that is written begins as a formula does (=, +, -, @, tab, return): such a one gets an apostrophe in front,
  which spreadsheets take for "this is text". A plain number stays one: "-1" is a cellar.
- No cell that is read may begin so either, but a floor that is a number: it is refused by its row, not repaired.
- A file is read wholly or not at all, and nothing of it is believed: size, rows, letters and lengths have bounds.
- Each row that cannot be is told with its number and one sentence; the rest is shown as it would be.
"""

from __future__ import annotations

import csv
import io
import re
import unicodedata
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

from provisioning.errors import FleetRefused
from provisioning.fleet import LONGEST_NAME
from provisioning.placing import LONGEST_FLOOR, Placed
from provisioning.store_pages import DoorLine

LARGEST = 1024 * 1024
MOST_ROWS = 5000
COLUMNS = ("name", "building", "floor")
_FORMULA = ("=", "+", "-", "@", "\t", "\r")
_NUMBER = re.compile(r"[+-]?[0-9]{1,4}")
_LONGEST_SHOWN = 80


@dataclass(frozen=True, slots=True)
class Row:
    """A row of a file: its number as an editor shows it, what it holds, and why it cannot be ("" if it can)."""

    number: int
    placed: Placed
    why: str = ""


@dataclass(frozen=True, slots=True)
class Read:
    """A file that was read; `text` is its content, to be sent once more when somebody has looked at it."""

    rows: tuple[Row, ...]
    text: str

    @property
    def wrong(self) -> tuple[Row, ...]:
        """The rows that cannot be."""
        return tuple(row for row in self.rows if row.why)


def exported(doors: Iterable[DoorLine]) -> bytes:
    """A file of doors, in UTF-8 with the mark by which spreadsheets know it."""
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\r\n")
    writer.writerow((*COLUMNS, "id", "state", "certificate until", "places"))
    for door in doors:
        ends = "" if door.not_after_unix is None else f"{datetime.fromtimestamp(door.not_after_unix, UTC):%Y-%m-%d}"
        cells = (door.name, door.building, door.floor, door.id, door.state.value, ends, str(door.places))
        writer.writerow([harmless(cell) for cell in cells])
    return b"\xef\xbb\xbf" + out.getvalue().encode()


def harmless(cell: str) -> str:
    """A cell that no spreadsheet takes for a formula."""
    return f"'{cell}" if cell.startswith(_FORMULA) and not _NUMBER.fullmatch(cell) else cell


def read(content: bytes, taken: Sequence[str] | frozenset[str] = ()) -> Read:
    """The rows of a file; `taken` are names that doors have already. Raises FleetRefused if it is no such file."""
    if len(content) > LARGEST:
        msg = f"this file has {len(content)} bytes, and a list of doors at most {LARGEST}; nothing was done"
        raise FleetRefused(msg)
    text = _text(content)
    try:
        cells = list(csv.reader(io.StringIO(text, newline=""), strict=True))
    except csv.Error as cause:
        msg = f"this is no list of doors in comma-separated values: {cause}"
        raise FleetRefused(msg) from cause
    if not cells or (head := [cell.strip().lower() for cell in cells[0]])[:1] != ["name"]:
        msg = "the first row of a list of doors reads: name,building,floor"
        raise FleetRefused(msg)
    if len(cells) - 1 > MOST_ROWS:
        msg = f"a list has at most {MOST_ROWS} doors, and this one {len(cells) - 1}; cut it in two"
        raise FleetRefused(msg)
    places = {name: head.index(name) for name in COLUMNS if name in head}
    rows = [_row(number, row, places) for number, row in enumerate(cells[1:], 2) if any(cell.strip() for cell in row)]
    if not rows:
        msg = "this list has no doors"
        raise FleetRefused(msg)
    return Read(tuple(_twice(rows, frozenset(taken))), text)


def _text(content: bytes) -> str:
    try:
        text = content.decode("utf-8-sig")
    except UnicodeDecodeError as cause:
        msg = "this file is no text in UTF-8; let your spreadsheet save it as CSV UTF-8"
        raise FleetRefused(msg) from cause
    if "\0" in text:
        msg = "this file is no text"
        raise FleetRefused(msg)
    return text


def _row(number: int, cells: list[str], places: dict[str, int]) -> Row:
    found = {name: cells[at].strip() if at < len(cells) else "" for name, at in places.items()}
    clean = [unicodedata.normalize("NFC", found.get(name, "")) for name in COLUMNS]
    short = Placed(*(cell[:_LONGEST_SHOWN] for cell in clean))
    name, building, floor = clean
    why = ""
    if not name:
        why = "there is no name"
    elif any(cell.startswith(_FORMULA) for cell in (name, building)) or (
        floor.startswith(_FORMULA) and not _NUMBER.fullmatch(floor)
    ):
        why = "a cell begins as a formula does; take the sign away"
    elif len(name) > LONGEST_NAME or len(building) > LONGEST_NAME:
        why = f"a name is longer than {LONGEST_NAME} characters"
    elif len(floor) > LONGEST_FLOOR:
        why = f"a floor is longer than {LONGEST_FLOOR} characters"
    elif not all(cell.isprintable() for cell in clean):
        why = "a cell holds something that cannot be printed"
    return Row(number, short, why)


def _twice(rows: list[Row], taken: frozenset[str]) -> Iterable[Row]:
    seen: dict[str, int] = {}
    for row in rows:
        name = row.placed.name
        if row.why:
            yield row
        elif name in taken:
            yield Row(row.number, row.placed, "there is a door of this name already")
        elif name in seen:
            yield Row(row.number, row.placed, f"row {seen[name]} has the same name")
        else:
            seen[name] = row.number
            yield row
