"""The group set: folders of like people, one picture a file, and who counts as a stranger to whom.

Rules kept here:
- A cell is one sex of one group, the folder's name says which ("asian-female"). Only the adult cells set a threshold:
  `other` is no group, children never open a door by face alone; both are reported and not used.
- Everybody in a cell is an impostor to everybody else, unless the committed list names both as the same person. No pair
  is set aside for its score.
- Who is the same person as somebody who is the same person is the same person: confirmed links chain.
"""

from __future__ import annotations

import tomllib
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from tools.evaluate.gather import Floats, Gallery, Names

ADULT = range(18, 71)
BORDER_PX = 60  # the group set is cropped too tightly to detect in
NOT_USED = ("child", "other")
SAME = ("same_picture", "same_person")

Pair = tuple[str, str]


@dataclass(frozen=True)
class Judged:
    """What somebody saw who looked at pairs of one cell. Each pair is (file, file), the smaller name first."""

    same: frozenset[Pair]
    apart: frozenset[Pair]


@dataclass(frozen=True)
class Cell:
    """One sex of one group. `people`: a number per picture, equal where the list says it is one person."""

    name: str
    vectors: Floats
    files: Names
    people: NDArray[np.int_]

    @property
    def used(self) -> bool:
        """Whether this cell may set a threshold."""
        return not self.name.startswith(NOT_USED)

    def cosines(self) -> Floats:
        """(n, n) scores of every picture with every other."""
        return np.clip(self.vectors @ self.vectors.T, -1.0, 1.0)

    def impostors(self) -> NDArray[np.bool_]:
        """(n, n), True above the diagonal where the two pictures are not known to show one person."""
        return np.triu(self.people[:, None] != self.people[None, :], 1)


def judged_in(path: Path, same_kinds: tuple[str, ...] = SAME) -> dict[str, Judged]:
    """The committed list of judged pairs, by cell name. same_kinds: the verdicts that make two pictures one person."""
    tables = tomllib.loads(path.read_text(encoding="utf-8"))
    found: dict[str, Judged] = {}
    for name, table in tables.items():
        if name not in ("above", "control"):
            kinds = {kind: frozenset(pair_of(a, b) for a, b in pairs) for kind, pairs in table.items()}
            same = frozenset[Pair]().union(*(kinds.get(kind, frozenset()) for kind in same_kinds))
            found[name] = Judged(same, frozenset[Pair]().union(*kinds.values()) - same)
    return found


def pair_of(one: str, other: str) -> Pair:
    """The pair in its one order."""
    return (one, other) if one < other else (other, one)


def cells(gallery: Gallery, judged: dict[str, Judged]) -> list[Cell]:
    """The cells of the group set: people of 18 to 70, and the child cells as they are."""
    made = []
    for name in np.unique(gallery.folders):
        part = gallery.of(members(gallery, str(name)))
        known = judged.get(str(name), Judged(frozenset(), frozenset()))
        made.append(Cell(str(name), part.vectors, part.files, people(part.files, known.same)))
    return made


def people(files: Names, same: frozenset[Pair]) -> NDArray[np.int_]:
    """A number per file; files that `same` links, directly or over others, share it."""
    row = {str(file): number for number, file in enumerate(files)}
    number = np.arange(len(files))
    for one, other in same:
        if one in row and other in row:
            low, high = sorted((number[row[one]], number[row[other]]))
            number[number == high] = low
    return number


def members(gallery: Gallery, name: str) -> NDArray[np.bool_]:
    """Mask of one cell; all but the child cells hold adults only."""
    inside: NDArray[np.bool_] = gallery.folders == name
    if name.startswith("child"):
        return inside
    ages = np.array([int(file.split("_")[0]) if inside[row] else -1 for row, file in enumerate(gallery.files)])
    return inside & (ages >= ADULT.start) & (ages < ADULT.stop)
