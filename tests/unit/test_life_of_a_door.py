"""docs/life-of-a-door.md: every event has its row, and every test that a row names is there."""

from __future__ import annotations

import ast
import re
from functools import cache
from pathlib import Path

TESTS = Path(__file__).parents[1]
PAGE = TESTS.parent / "docs" / "life-of-a-door.md"
# The events for which the door was designed, in their order. None may be left out.
EVENTS = (
    "move in",
    "several people, carer, cleaner",
    "lost PIN, lost card",
    "move out",
    "erase, pause, resume",
    "who cannot see, hear or has no phone",
    "emergency",
    "power or network gone",
    "dead board",
    "bystanders",
)
_NAMED = re.compile(r"`([\w./-]+\.py)::(\w+)`")


def rows(text: str) -> list[list[str]]:
    """The cells of each row of the one table, without its head."""
    lines = [line for line in text.splitlines() if line.startswith("|")]
    return [[cell.strip() for cell in line.strip("|").split("|")] for line in lines[2:]]


@cache
def named_in(file: Path) -> frozenset[str]:
    """The names of the tests in it, none if it is not there."""
    if not file.exists():
        return frozenset()
    found = ast.parse(file.read_text("utf-8"))
    return frozenset(each.name for each in found.body if isinstance(each, ast.FunctionDef))


def wrong(text: str) -> list[str]:
    """What does not hold of a page of this text."""
    table = rows(text)
    missing = [event for event in EVENTS if f"**{event}**" not in [row[0] for row in table]]
    ill = [row[0] for row in table if len(row) != 5 or not all(row[:3])]
    unshown = [row[0] for row in table if len(row) == 5 and not _NAMED.search(row[3])]
    strange = [
        row[0] for row in table if len(row) == 5 and _NAMED.sub("", row[3]).replace(",", "").strip()
    ]  # a name that is written otherwise would be looked for by nobody
    gone = [f"{file}::{name}" for file, name in _NAMED.findall(text) if name not in named_in(TESTS / file)]
    return [*missing, *ill, *unshown, *strange, *gone]


def test_every_event_has_its_row_and_every_row_a_test_that_is_there() -> None:
    assert wrong(PAGE.read_text("utf-8")) == []
    assert len(rows(PAGE.read_text("utf-8"))) >= 2 * len(EVENTS)


def test_a_row_that_is_left_out_or_names_no_test_is_noticed() -> None:
    """Seeded faults."""
    text = PAGE.read_text("utf-8")
    shown = "`unit/lock/test_patterns.py::test_any_two_are_told_apart_by_ear_alone_and_by_eye_alone`"
    for fault in (
        text.replace("| **dead board** |", "| a board |"),
        text.replace("::test_a_code_for_days", "::test_a_code_for_months"),
        text.replace("unit/keeper/test_offers.py", "unit/keeper/test_gone.py"),
        text.replace(shown, shown.replace("::", ": ")),
        text + "| another event | somebody | somehow | nothing shows it | |\n",
        text + "| another event | somebody | | " + shown + " | |\n",
    ):
        assert fault != text
        assert wrong(fault) != []
