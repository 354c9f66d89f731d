"""The notice as a page can show it on a narrow screen: the same words, in parts instead of columns.

Rules kept here:
- Not a word is added, left out or moved: what a person agrees to is hashed as text, and the text itself can be fetched.
- What is not understood stays a paragraph.

Pure.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

_TERM = re.compile(r"(\S(?:.*?\S)?) {2,}(\S.*)")
_ITEM = "- "


@dataclass(frozen=True, slots=True)
class Block:
    """A part of the notice: a heading and paragraphs, terms with their meaning, or a list."""

    heading: str = ""
    paragraphs: tuple[str, ...] = ()
    terms: tuple[tuple[str, str], ...] = ()
    items: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Shown:
    """A notice in one language."""

    title: str
    blocks: tuple[Block, ...]


def shown(text: str, language: str) -> Shown:
    """The notice `text`, which is in `language` (one of `device.consent.LANGUAGES`)."""
    glue = "" if language == "zh" else " "
    title, *parts = [part for part in text.strip("\n").split("\n\n") if part.strip()]
    return Shown(title.strip(), tuple(_block(part.splitlines(), glue) for part in parts))


def meaning(notice: Shown, term: str) -> str:
    """What the notice says of `term`, in its own words; empty if it has no such term."""
    return next((said for block in notice.blocks for name, said in block.terms if name == term), "")


def _block(lines: list[str], glue: str) -> Block:
    if _TERM.fullmatch(lines[0]):
        return Block(terms=tuple(_terms(lines, glue)))
    at = next((number for number, line in enumerate(lines) if line.startswith(_ITEM)), None)
    if at is None:
        return Block(paragraphs=(_joined(lines, glue),))
    heading = _joined(lines[:at], glue)
    return Block(heading=heading, items=tuple(_items(lines[at:], glue)))


def _terms(lines: list[str], glue: str) -> Iterator[tuple[str, str]]:
    term, meaning = "", list[str]()
    for line in lines:
        if found := _TERM.fullmatch(line):
            if term:
                yield term, _joined(meaning, glue)
            term, meaning = found[1], [found[2]]
        else:
            meaning.append(line)
    yield term, _joined(meaning, glue)


def _items(lines: list[str], glue: str) -> Iterator[str]:
    item: list[str] = []
    for line in lines:
        if line.startswith(_ITEM):
            if item:
                yield _joined(item, glue)
            item = [line.removeprefix(_ITEM)]
        else:
            item.append(line)
    yield _joined(item, glue)


def _joined(lines: list[str], glue: str) -> str:
    return glue.join(line.strip() for line in lines)
