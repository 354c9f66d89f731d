"""What one frame of a light challenge leaves behind: a few hundred numbers, no picture.

Rules kept here:
- A glance holds how bright patches of the face and of the background are, where they lie and how they are turned; no
  face can be drawn from it, and it says nothing about who somebody is.
- Brightness is linear in light. What was too bright to be measured, or lies outside the picture, is NaN, no guess.
- Lengths are in eye distances: x right in the picture, y down, z towards the camera, from the middle of the eyes.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Final

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.floating[Any]]

EYE_DISTANCE_MM: Final = 63.0
"""Between the pupils of an adult: 63 mm in the mean, nearly all from 50 to 75 mm (Dodgson: "Variation and extrema of
human interpupillary distance", SPIE 5291, 2004). An error of it scales every distance alike."""


@dataclass(frozen=True, slots=True, eq=False)
class Glance:
    """One frame. `time_ns`: the beginning of its exposure, CLOCK_MONOTONIC.

    `face` (P,) and `behind` (B,): brightness of patches, 0 black to 1 white; `warm` (P,): how much more red than blue
    comes from the face, in the same unit. `slopes` and `warm_slopes` (P, 2): how much more that becomes across each
    patch, to the right and down, an eye distance: what a small move would change. `places` (P, 2), `normals` (P, 3):
    where each patch of the face lies, and its outward unit normal. `lens` (3,): where the camera is. P and B, and which
    patch is which, stay the same within one challenge.
    """

    time_ns: int
    face: Floats
    slopes: Floats
    warm: Floats
    warm_slopes: Floats
    places: Floats
    normals: Floats
    behind: Floats
    lens: Floats


@dataclass(frozen=True, slots=True)
class Fitted:
    """How the lights are mounted: each `light_offset_mm` beside the lens, in the lens's plane, at its height."""

    light_offset_mm: float
