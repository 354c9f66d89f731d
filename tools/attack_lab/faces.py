"""Whose pictures are used: every attempt of a kind another person, in an order that is always the same.

Rules kept here:
- People are drawn, not pictures: who has many pictures in a set counts once like everybody.
- Two halves, every other person by name, take turns: whatever was made while looking at one half can be told from the
  other by its own counts.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from hashlib import sha256
from itertools import groupby
from pathlib import Path

import numpy as np

from device.eye.pictures import SUFFIXES


@dataclass(frozen=True, slots=True)
class Faces:
    """`people`: the pictures of each, by name."""

    people: tuple[tuple[Path, ...], ...]

    @classmethod
    def below(cls, folder: Path) -> Faces:
        """Those of `folder`/person/picture; nobody, if there are none."""
        found = sorted(path for path in folder.glob("*/*") if path.suffix.lower() in SUFFIXES)
        return cls(tuple(tuple(pictures) for _, pictures in groupby(found, key=lambda path: path.parent)))

    @classmethod
    def single(cls, pictures: Sequence[Path]) -> Faces:
        """Each picture somebody else."""
        return cls(tuple((picture,) for picture in pictures))

    @property
    def pictures(self) -> int:
        """How many there are."""
        return sum(map(len, self.people))

    @property
    def digest(self) -> str:
        """What tells one set of people and pictures from another: their names and sizes, wherever they lie."""
        named = ((path.parent.name, path.name, path.stat().st_size) for each in self.people for path in each)
        return sha256(repr(sorted(named)).encode()).hexdigest()

    def number(self, number: int) -> tuple[Path, ...]:
        """The pictures of the person of attempt `number`: even numbers of one half, odd ones of the other."""
        half = self.people[number % 2 :: 2] or self.people
        order = np.random.default_rng(len(half)).permutation(len(half))
        return half[int(order[number // 2 % len(half)])]
