"""Each link of each page leads to a file and a heading that are there, and docs/README.md leads to each page."""

from __future__ import annotations

import re
from functools import cache
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
_LINK = re.compile(r"\]\(([^)\s]+)\)")
_ELSEWHERE = ("http:", "https:", "mailto:")


def pages() -> list[str]:
    found = [*ROOT.glob("*.md"), *(ROOT / "docs").rglob("*.md")]
    return sorted(str(path.relative_to(ROOT)) for path in found)


@cache
def headings(page: Path) -> frozenset[str]:
    """What a link to a heading is called: as those who show Markdown make it of its words."""
    found = re.findall(r"^#+ (.*)$", page.read_text(encoding="utf-8"), re.MULTILINE)
    plain = (re.sub(r"\[([^\]]*)\]\([^)]*\)", r"\1", each).lower() for each in found)
    return frozenset(re.sub(r"[^\w\- ]", "", each).strip().replace(" ", "-") for each in plain)


def dead(page: Path, text: str) -> list[str]:
    """The links of `text`, the contents of `page`, that lead nowhere."""
    found = []
    for link in _LINK.findall(text):
        name, _, heading = link.partition("#")
        target = page.parent / name if name else page
        if link.startswith(_ELSEWHERE):
            continue
        if not target.exists() or (heading and target.suffix == ".md" and heading not in headings(target)):
            found.append(link)
    return found


@pytest.mark.parametrize("page", pages())
def test_every_link_of_a_page_leads_to_what_is_there(page: str) -> None:
    assert dead(ROOT / page, (ROOT / page).read_text(encoding="utf-8")) == []


def test_seeded_fault_links_to_nowhere_are_seen() -> None:
    page = ROOT / "docs" / "README.md"
    text = "[one](nowhere.md) [two](rules.md#no-such-rule) [three](../device/nowhere.py) [four](rules.md#the-rules)"
    assert dead(page, text) == ["nowhere.md", "rules.md#no-such-rule", "../device/nowhere.py"]


def test_the_first_page_names_every_other() -> None:
    first = ROOT / "docs" / "README.md"
    named = {link.partition("#")[0] for link in _LINK.findall(first.read_text(encoding="utf-8"))}
    assert {path.name for path in first.parent.glob("*.md")} - {first.name} - named == set()
