"""The list of what was tried, each as the embeddings that enrol and those that probe.

Rules kept here:
- A row is a whole way to recognise: what is enrolled, what is looked with, and how both are compared. Cost is counted
  in runs of the embedder.
- Several embeddings of one picture are averaged to one unit vector, as the door averages frames.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace
from typing import Final

import numpy as np

from tools.evaluate.tries.embed import Bench, Floats, Folder
from tools.evaluate.tries.measures import Way
from tools.evaluate.tries.variants import Variant


@dataclass(frozen=True)
class Try:
    """One way. cost: what a look takes more than by five points. votes: aligned by `Folder.by_votes`."""

    name: str
    enrol: tuple[Variant, ...]
    probe: tuple[Variant, ...]
    cost: str = "none"
    votes: bool = False

    def way(self, bench: Bench, folder: Folder) -> Way:
        """Its embeddings of `folder`. Raises ValueError for votes that were not found."""
        if self.votes:
            if folder.by_votes is None:
                raise ValueError(self.name)
            folder = replace(folder, geometry=folder.by_votes)
        made = bench.embeddings(folder, list(dict.fromkeys((*self.enrol, *self.probe))))
        return Way(together([made[v] for v in self.enrol]), together([made[v] for v in self.probe]))


def together(vectors: list[Floats]) -> Floats:
    """The unit mean of several embeddings of each picture."""
    total = np.sum(vectors, axis=0)
    return np.asarray(total / np.linalg.norm(total, axis=1, keepdims=True), np.float32)


FIVE: Final = Variant()
MIRRORED: Final = Variant(mirrored=True)
MANY: Final = Variant(alignment="mesh many")
HALFWAY: Final = Variant(alignment="mean of both")
FLOAT: Final = Variant("float")

BASE: Final = Try("by five points, as shipped", (FIVE,), (FIVE,))
TRIES: Final = (
    BASE,
    Try("float32 instead of int8", (FLOAT,), (FLOAT,), "0.9 run"),
    Try("mirrored too, when enrolling", (FIVE, MIRRORED), (FIVE,)),
    Try("mirrored too, always", (FIVE, MIRRORED), (FIVE, MIRRORED), "1 run"),
    Try("aligned by the mean of the detector's cells", (FIVE,), (FIVE,), votes=True),
    Try("aligned by 18 points of the mesh", (MANY,), (MANY,), "0.45 run (the mesh)"),
    Try("aligned halfway between detector and mesh", (HALFWAY,), (HALFWAY,), "0.45 run (the mesh)"),
    Try("enrolled in three alignments and mirrored", (FIVE, MIRRORED, MANY, HALFWAY), (FIVE,)),
    Try(
        "the same, looked at by the mesh",
        (FIVE, MIRRORED, MANY, HALFWAY),
        (MANY,),
        "0.45 run (the mesh)",
    ),
)


def of_networks(names: Iterable[str]) -> list[Try]:
    """As shipped, then every network of the same kind by itself: `names` that begin with "float" or "sface"."""
    others = sorted(name for name in names if name.startswith((FLOAT.network, "sface")))
    return [BASE, *(Try(name, (Variant(name),), (Variant(name),), "") for name in others)]
