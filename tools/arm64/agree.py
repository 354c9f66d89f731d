"""If a network says on one processor what it says on another.

Rules kept here:
- Embeddings are compared by their cosine, and by what they would decide: of every two pictures, one seen here and one
  there, whether the pair counts as one person as it does when both are seen here.
- Other outputs are compared by their largest difference.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float32]


@dataclass(frozen=True, slots=True)
class Embeddings:
    """`least`, `mean`: cosine of a picture's two embeddings. `flipped` of `pairs` decisions; `moved`: largest."""

    least: float
    mean: float
    pairs: int
    flipped: int
    moved: float


def largest_difference(here: Sequence[Floats], there: Sequence[Floats]) -> float:
    """Over all outputs, each of the same shape. ValueError if the shapes differ."""
    if any(a.shape != b.shape for a, b in zip(here, there, strict=True)):
        raise ValueError("the two runs did not give outputs of the same shapes")
    return max(float(np.abs(a - b).max()) for a, b in zip(here, there, strict=True))


def embeddings(here: Floats, there: Floats, threshold: float) -> Embeddings:
    """Compare (pictures, 1, 128) with (pictures, 1, 128); `threshold` is a cosine."""
    a, b = _units(here), _units(there)
    same = (a * b).sum(1)
    upper = np.triu_indices(len(a), 1)
    usual, mixed = (a @ a.T)[upper], (a @ b.T)[upper]
    flipped = int(((usual >= threshold) != (mixed >= threshold)).sum())
    return Embeddings(
        float(same.min()), float(same.mean()), len(usual), flipped, float(np.abs(usual - mixed).max(initial=0.0))
    )


def _units(values: Floats) -> npt.NDArray[Any]:
    flat = values.reshape(len(values), -1).astype(np.float64)
    units: npt.NDArray[Any] = flat / np.linalg.norm(flat, axis=1, keepdims=True)
    return units
