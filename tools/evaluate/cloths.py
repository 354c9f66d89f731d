"""The tail of covered faces: every cell in every cloth of `WORN`, painted, and what averaging does to them.

Rules kept here:
- Both faces of a pair wear the same cloth: two strangers in the same mask are more alike than in two.
- A cell and a cloth together are a cell of their own, so that the door takes the worst of both.
- Of what averaging adds, and of what it still refuses, the worse cloth counts.
- Crops are cut as the door cuts those of covered faces: by the mesh, by the five points where it sees nothing like one.
- The cloth is painted (`tools.models.covered`): it says what less of a face costs the embedder, and not what real cloth
  does. Which is why a covered face never opens without the PIN, whatever is measured here.
"""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
from rich.progress import track

from tools.evaluate import groups, modes, tail
from tools.evaluate.files import Mode
from tools.evaluate.gather import Gallery
from tools.evaluate.tail import CellTail
from tools.evaluate.tries import aligned
from tools.models.covered import CLOTHS, Cloth

WORN = ("over the nose, surgical blue", "over the nose, black")


def worn() -> list[Cloth]:
    """The cloths that are measured."""
    return [cloth for cloth in CLOTHS if cloth.name in WORN]


def cells(gallery: Gallery, cloth: Cloth, judged: dict[str, groups.Judged], factor: float) -> list[CellTail]:
    """The tail of every adult cell in `cloth`."""
    members = [cell for cell in groups.cells(gallery, judged) if cell.used]
    measured = [tail.measure(cell, factor) for cell in track(members, description=cloth.name)]
    return [replace(cell, name=f"{cell.name}-{cloth.colour.replace(' ', '-')}") for cell in measured]


def worse(one: list[Mode], other: list[Mode]) -> list[Mode]:
    """For each mode the shifts of the cloth that shifts more, the refusals of the one that refuses more."""
    return [
        replace(max(pair, key=lambda mode: mode.shift), fnmr=np.maximum(pair[0].fnmr, pair[1].fnmr))
        for pair in zip(one, other, strict=True)
    ]


def measure(
    group_set: Path, faces: Path, models: Path, cache: Path, factor: float
) -> tuple[list[CellTail], list[Mode], str, str]:
    """The cells of all cloths, what averaging does in the worst one, and what was looked at: groups, then faces."""
    judged = groups.judged_in(models / "duplicates.toml")
    found: list[CellTail] = []
    averaged: list[Mode] = []
    looked: tuple[list[str], list[str]] = ([], [])
    for cloth in worn():
        adults, own = aligned.looked(faces, group_set, models, cache, cloth)
        gallery, people = adults.galleries[aligned.MESH], own.galleries[aligned.MESH]
        found += cells(gallery, cloth, judged, factor)
        made = modes.measure(people)
        averaged = worse(averaged, made) if averaged else made
        looked[0].append(f"{cloth.name}: {len(gallery.files)} pictures, {gallery.faceless} without a face")
        looked[1].append(f"{cloth.name}: {len(people.files)} pictures")
    return found, averaged, "; ".join(looked[0]), "; ".join(looked[1])
