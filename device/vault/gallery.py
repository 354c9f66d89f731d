"""The gallery: the templates that are awake, and the one comparison of a probe with each of them.

Rules kept here:
- One comparison per slot and probe: a slot has one template, and a probe is compared with it once.
- Templates lie here turned, as on the disk; the probe is turned alike before it is compared, which changes no score.
- Only a slot comes out, or None. The score dies inside `compare`.
- Whoever is paused or asleep is not in the matrix, so no flag can be forgotten at comparison time.
- Two slots with the same best score are nobody: the door does not guess between two people.

The score is the cosine of the angle between two unit vectors, their dot product (the measure SFace was trained for:
Zhong et al., "SFace: Sigmoid-Constrained Hypersphere Loss", 2021).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from device.vault.record import Vector
from device.vault.rotation import Rotation
from device.wire import EMBEDDING_DIM


@dataclass(frozen=True, slots=True, eq=False)
class Gallery:
    """`templates`: N x 128 float32, one turned unit row per awake slot; `slots`: their N numbers.

    pictures: the most that were averaged in one of the templates; worth: as how many different ones the one counts that
    counts most.
    """

    slots: tuple[int, ...]
    templates: NDArray[np.float32] = field(repr=False)
    rotation: Rotation
    pictures: int = 1
    worth: int = 1

    def __len__(self) -> int:
        return len(self.slots)

    def compare(self, probe: Vector, threshold: float) -> int | None:
        """The slot whose template has the highest score with `probe`, if that reaches `threshold`; else None.

        `probe`: a unit vector as eye makes it.
        """
        if not self.slots:
            return None
        scores = self.templates @ self.rotation.apply(probe)
        best = int(scores.argmax())
        # `not >=` and not `<`: a score that is no number is no match.
        if not scores[best] >= threshold:
            return None
        alone = np.count_nonzero(scores == scores[best]) == 1
        return self.slots[best] if alone else None


def gallery_of(templates: Mapping[int, Vector], rotation: Rotation, pictures: int = 1, worth: int = 0) -> Gallery:
    """A gallery of unit vectors by slot, turned by `rotation`, each a mean of at most `pictures`.

    worth: as how many different ones the one counts that counts most; 0 if that is not known: then as many.
    """
    matrix = np.empty((len(templates), EMBEDDING_DIM), dtype=np.float32)
    for row, vector in enumerate(templates.values()):
        matrix[row] = vector
    return Gallery(tuple(templates), matrix, rotation, pictures, worth or pictures)
