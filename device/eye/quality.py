"""Whether a face is worth an embedding; if not, what the person could do.

Rules kept here:
- A hint says what to do with one's body or the light; it never says how close somebody came to being recognised.
- Nothing is guessed about the person: no age, sex, glasses or mood.
- A gate of light treats people unequally if it is tight, because skin is part of what it measures: it refuses only
  what no longer carries a face, and blur is measured free of brightness and contrast.

Where the limits come from: 600 pictures of lfw-dev in a main plane of 640 x 480, their largest face. Percentiles: yaw
1 % -0.44, 2 % -0.36, 98 % 0.28, 99 % 0.34; pitch 0 % 0.40, 100 % 0.70; mean grey 0 % 56, 100 % 198; clipped 99 %
0.011, 100 % 0.07; sharpness 0 % 0.09, 0.5 % 0.11, 50 % 0.21. And 278 of them darkened and blurred, the cosine of the
embedding with the undisturbed picture's (5th percentile, median): brightness x 0.3 (median grey 39) 0.85, 0.92; x 0.2
(grey 26) 0.77, 0.87; Gaussian blur of 1 pixel of the crop 0.91, 0.95 (sharpness below 0.10: 23 %), 1.5 pixels 0.79,
0.89 (68 %), 2 pixels 0.66, 0.80 (96 %). A darkened photograph has no sensor noise: a board may need other limits.

Why the limit of darkness is so low: with 30, at brightness x 0.35 and noise of 3 grey levels, 30 % of groups-dev's
black men were told that it is too dark and no Asian woman was (80 pictures a group), although the embeddings were
equally good (median cosine with the undisturbed picture 0.89 to 0.91 in all eight groups). With 12 nobody is refused
there, and at x 0.2 at most 2.5 % of a group (median 0.82 to 0.84 in all): python -m tools.models.darkness.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
import numpy.typing as npt

from device.eye.middle import WIDE, middle
from device.eye.pixels import Floats, Picture
from device.wire import Hint

MAX_YAW: Final = 0.35
MIN_PITCH: Final = 0.40
MAX_PITCH: Final = 0.70
MAX_ROLL_DEG: Final = 25.0  # a choice: lfw-dev is upright by construction (largest 10 degrees)
MIN_MEAN: Final = 12.0
MAX_MEAN: Final = 200.0
MIN_CONTRAST: Final = 2.5  # lfw-dev 0 %: 17; darkened x 0.2 that is 3.4
MAX_CLIPPED: Final = 0.10
MIN_SHARPNESS: Final = 0.10

WHITE: Final = 250  # grey at which a pixel counts as clipped
_COUNT: Final = 72 * WIDE  # of the middle of the crop: brows to chin
# BT.601 luma, in whole parts of 256, as in `device.eye.pixels.grey`.
_BLUE, _GREEN, _RED, _PART = np.float32(29), np.float32(150), np.float32(77), np.float32(1 / 256)


@dataclass(frozen=True, slots=True)
class Pose:
    """Three proxies from five points; facing the camera they are 0, about 0.56 and 0.

    `yaw`: the nose beside the middle of the eyes, in eye distances. `pitch`: its share of the way from eyes to mouth.
    """

    yaw: float
    pitch: float
    roll_deg: float


@dataclass(frozen=True, slots=True)
class Light:
    """Of the middle of the crop: mean grey, its standard deviation, the share of clipped pixels, and sharpness.

    `sharpness` is the mean absolute Laplacian over the standard deviation: blur lowers it, while brightness and
    contrast leave it as it is.
    """

    mean: float
    contrast: float
    clipped: float
    sharpness: float


def points_inside(points: npt.NDArray[Any], width: int, height: int) -> bool:
    """Whether all five points lie in the picture: a face that is cut off is not compared."""
    return all(0 <= x < width and 0 <= y < height for x, y in points.tolist())  # of five: quicker than four arrays


def pose(points: npt.NDArray[Any]) -> Pose:
    """The pose of a face from its points, (5, 2): eyes, nose, mouth corners as seen."""
    left, right, nose, mouth_left, mouth_right = (complex(x, y) for x, y in points.tolist())
    across = right - left
    distance = abs(across)
    if distance == 0:
        return Pose(math.inf, math.inf, 180.0)
    middle = (left + right) / 2
    # In the face's own axes: real part along the eyes, imaginary part down towards the mouth.
    turn = across.conjugate() / distance
    nose_at = (nose - middle) * turn
    mouth_at = ((mouth_left + mouth_right) / 2 - middle) * turn
    pitch = nose_at.imag / mouth_at.imag if mouth_at.imag > 0 else math.inf
    return Pose(nose_at.real / distance, pitch, math.degrees(math.atan2(across.imag, across.real)))


def pose_hint(found: Pose) -> Hint | None:
    """LOOK_AT_CAMERA for a face turned too far away, None for one that may be embedded."""
    straight = (
        abs(found.yaw) <= MAX_YAW and MIN_PITCH <= found.pitch <= MAX_PITCH and abs(found.roll_deg) <= MAX_ROLL_DEG
    )
    return None if straight else Hint.LOOK_AT_CAMERA


def light(crop: Picture) -> Light:
    """The light and sharpness of an aligned crop, 112 x 112 x 3 BGR."""
    return light_in(middle(crop))


def light_in(planes: Floats) -> Light:
    """The same, of the crop whose `middle` is `planes`."""
    blue, green, red = planes[:, :_COUNT]
    grey, work = blue * _BLUE, green * _GREEN
    grey += work
    np.multiply(red, _RED, out=work)
    grey += work
    grey *= _PART
    np.floor(grey, out=grey)
    mean = float(np.add.reduce(grey)) / _COUNT
    np.subtract(grey, np.float32(mean), out=work)
    contrast = math.sqrt(float(work.dot(work)) / _COUNT)
    sharpness = _edges(grey, work) / contrast if contrast > 0 else 0.0
    return Light(mean, contrast, float(np.count_nonzero(grey >= WHITE)) / _COUNT, sharpness)


def _edges(grey: Floats, edges: Floats) -> float:
    """The mean absolute Laplacian of the middle, one long row of grey; `edges`, as long, is written over.

    Whole numbers below 2 ** 24 are added, so float32 is exact in any order.
    """
    inner = slice(WIDE + 1, -WIDE - 1)
    inside = edges[inner]
    np.multiply(grey[inner], np.float32(4), out=inside)
    for step in (-WIDE, WIDE, -1, 1):
        inside -= grey[inner.start + step : inner.stop + step]
    np.abs(inside, out=inside)
    within = edges.reshape(-1, WIDE)[1:-1, 1:-1]  # without what wraps round into the next row
    return float(np.add.reduce(within, axis=None)) / within.size


def light_hint(found: Light) -> Hint | None:
    """TOO_DARK, TOO_BRIGHT or HOLD_STILL, or None for a crop that may be embedded."""
    if found.mean < MIN_MEAN:
        return Hint.TOO_DARK
    if found.mean > MAX_MEAN or found.clipped > MAX_CLIPPED:
        return Hint.TOO_BRIGHT
    # A flat crop has no contrast to be sharp with: fog, a strong lamp behind, or a lens that needs cleaning.
    if found.contrast < MIN_CONTRAST or found.sharpness < MIN_SHARPNESS:
        return Hint.HOLD_STILL
    return None
