"""The middle of an aligned crop, colour by colour: what the gate of light and the comparison of covered faces look at.

Rules kept here:
- It is taken apart once for both, and neither writes into it.
- Each colour is one long row: one step for numpy where a picture of so many rows is as many.
"""

from __future__ import annotations

from typing import Final

import numpy as np

from device.eye.pixels import Floats, Picture

TOP, LEFT, HIGH, WIDE = 28, 24, 78, 64
"""Of the 112 px crop: from the brows to below the chin, from cheek to cheek."""

_MIDDLE: Final = (slice(TOP, TOP + HIGH), slice(LEFT, LEFT + WIDE))


def middle(crop: Picture) -> Floats:
    """Blue, green and red of the middle of `crop` (112 x 112 x 3 BGR): float32, (3, HIGH * WIDE)."""
    return crop[_MIDDLE].reshape(-1, 3).T.astype(np.float32, order="C")
