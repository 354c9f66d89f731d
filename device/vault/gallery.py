"""The gallery: the templates that are awake, and the one comparison of a probe with each of them.

Rules kept here:
- One comparison per slot and probe: a slot has one template, and a probe is compared with it once.
- Templates lie here turned, as on the disk; the probe is turned alike before it is compared, which changes no score.
- Only a slot comes out, or None. The score dies inside `compare`.
- Whoever is paused or asleep is not in the matrix, so no flag can be forgotten at comparison time.
- Two slots with the same best score are nobody: the door does not guess between two people.
- Each template has a threshold of its own, that of its kind (`Averaged`). The best score alone counts: if it misses its
  own threshold that is nobody, and never the next best one, whose threshold may be lower.

The score is the cosine of the angle between two unit vectors, their dot product (the measure SFace was trained for:
Zhong et al., "SFace: Sigmoid-Constrained Hypersphere Loss", 2021).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from device.vault.record import ONE_PICTURE, Averaged, Vector
from device.vault.rotation import Rotation
from device.wire import EMBEDDING_DIM


@dataclass(frozen=True, slots=True, eq=False)
class Gallery:
    """`templates`: N x 128 float32, one turned unit row per awake slot; `slots`: their N numbers.

    kinds: each way in which one of them was averaged, once; kind_of: for each row which of them it is. A house has few
    kinds however many faces it has, so thresholds are worked out per kind.
    """

    slots: tuple[int, ...]
    templates: NDArray[np.float32] = field(repr=False)
    rotation: Rotation
    kinds: tuple[Averaged, ...]
    kind_of: tuple[int, ...] = field(repr=False)

    def __len__(self) -> int:
        return len(self.slots)

    def compare(self, probe: Vector, *thresholds: float) -> int | None:
        """The slot whose template has the highest score with `probe`, if that reaches its own threshold; else None.

        `probe`: a unit vector as eye makes it; `thresholds`: one for each of `kinds`.
        """
        if not self.slots:
            return None
        scores = self.templates @ self.rotation.apply(probe)
        best = int(scores.argmax())
        # `not >=` and not `<`: a score that is no number is no match.
        if not scores[best] >= thresholds[self.kind_of[best]]:
            return None
        alone = np.count_nonzero(scores == scores[best]) == 1
        return self.slots[best] if alone else None


def gallery_of(
    templates: Mapping[int, Vector], rotation: Rotation, averaged: Mapping[int, Averaged] | Averaged = ONE_PICTURE
) -> Gallery:
    """A gallery of unit vectors by slot, turned by `rotation`; `averaged`: of what each is the mean, or all of them."""
    matrix = np.empty((len(templates), EMBEDDING_DIM), dtype=np.float32)
    for row, vector in enumerate(templates.values()):
        matrix[row] = vector
    each = [averaged if isinstance(averaged, Averaged) else averaged[slot] for slot in templates]
    number = {kind: at for at, kind in enumerate(dict.fromkeys(each))}
    return Gallery(tuple(templates), matrix, rotation, tuple(number), tuple(number[kind] for kind in each))
