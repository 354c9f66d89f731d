"""Whether the lower half of a face seems covered, from two comparisons within one crop.

Rules kept here:
- It says of which kind an embedding is, and no more: vault compares covered faces with covered ones and bare with bare,
  and nothing is loosened by it. While enrolling it is a prompt as well (`device.eye.series`).
- Nothing is learned and nothing is guessed about the person: the face is compared with itself, so that skin, beard,
  light and camera cancel out as far as they can.
- When in doubt it keeps silent: a prompt that is wrong tells somebody to take off what they do not wear.

The two comparisons, on the aligned crop of 112 pixels (eyes at row 52, mouth at row 92):
- texture: the mean absolute difference of neighbouring pixels around the mouth over that around the eyes. Cloth is
  smoother than lips, teeth or a beard, unless it has a pattern. A lower half that is darker than the upper one has
  less texture by as much, and that is put back, up to twofold: a lamp overhead is no mask.
- redness: red difference over luma (BT.601) around the mouth over that under the eyes and between the brows. White,
  grey, blue and black cloth has lost the red that every skin has. In a grey picture it says nothing.

`python -m tools.models.covered` measures both limits, on masks painted into pictures: no masked faces were at hand. Of
3,725 bare faces (251 people of lfw-dev, 282 to 297 in each of the twelve groups of groups-dev) 7 seemed covered, 0.2 %;
in the worst groups, Indian women and Indian men, 2 of 296 and 2 of 291, 0.7 %. With the lower half at 0.6 of its
brightness 0.3 %, worst group 3 of 272; with noise of 6 grey levels 0.1 %. Of 250 faces in each cloth, those noticed
among those that pass the other gates: over the nose white 90 % (two thirds are refused as too bright before), black
100 %, surgical blue 96 %, grey 98 %, the face's own colour 89 %; below the nose white 95 %, black 98 %, surgical blue
97 %, own colour 84 %; scarf red 95 %, grey 99 %, black 100 %, chequered 88 %. The limits were chosen on another draw of
the same pictures. The cue takes 0.1 ms on x86-64.

What it does not see: cloth of the colour of skin with a pattern, a hand, a full beard that hides nothing. Where light
and camera turn neutral cloth reddish, or noise drowns texture, it keeps silent.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np

from device.eye.middle import HIGH, LEFT, TOP, WIDE, middle
from device.eye.pixels import Floats, Picture

MIN_TEXTURE: Final = 0.38
MIN_REDNESS: Final = 0.30
MIN_SKIN_REDNESS: Final = 0.04  # below it the picture is grey, or the light blue: there is no red to be missed


def _part(top: int, bottom: int, left: int, right: int) -> tuple[slice, slice]:
    """Rows and columns of the crop, as those of its middle."""
    return slice(top - TOP, bottom - TOP), slice(left - LEFT, right - LEFT)


_EYES: Final = _part(42, 62, 26, 86)
_MOUTH: Final = _part(84, 102, 36, 76)
_LOWER: Final = _part(82, 106, 34, 78)
_SKIN: Final = (_part(56, 63, 28, 48), _part(56, 63, 64, 84), _part(32, 42, 46, 66))
_PLACES: Final = np.arange(HIGH * WIDE).reshape(HIGH, WIDE)
_SKIN_PLACES: Final = np.concatenate([_PLACES[part].ravel() for part in _SKIN])
_LOWER_PLACES: Final = _PLACES[_LOWER].ravel()
_MAX_SHADE: Final = 0.5
_DARK: Final = 8.0  # grey levels added to a luma that is divided by: in the dark a quotient would be noise


@dataclass(frozen=True, slots=True)
class Cover:
    """Texture and redness around the mouth, in those of the upper face; about 1 for a bare face."""

    texture: float
    redness: float


def cover(crop: Picture) -> Cover:
    """Compare the two halves of an aligned crop, 112 x 112 x 3 BGR."""
    return cover_in(middle(crop))


def cover_in(planes: Floats) -> Cover:
    """The same, of the crop whose `middle` is `planes`."""
    blue, green, red = planes
    both = np.empty((2, HIGH * WIDE), np.float32)
    luma, excess = both
    np.multiply(blue, np.float32(0.114), out=luma)
    work = green * np.float32(0.587)
    luma += work
    np.multiply(red, np.float32(0.299), out=work)
    luma += work
    np.subtract(red, luma, out=excess)
    excess *= np.float32(0.713)
    edges = _edges(luma, work)
    skin_luma, skin_excess = _medians(both.take(_SKIN_PLACES, axis=1))
    low_luma, low_excess = _medians(both.take(_LOWER_PLACES, axis=1))
    shade = min(max((low_luma + _DARK) / (skin_luma + _DARK), _MAX_SHADE), 1.0)
    upper = _mean(edges[_EYES]) * shade
    skin, lower = skin_excess / (skin_luma + _DARK), low_excess / (low_luma + _DARK)
    return Cover(
        texture=_mean(edges[_MOUTH]) / upper if upper > 0 else 1.0,
        redness=lower / skin if skin >= MIN_SKIN_REDNESS else 1.0,
    )


def seems_covered(found: Cover) -> bool:
    """Whether mouth and nose seem covered."""
    return found.texture < MIN_TEXTURE or found.redness < MIN_REDNESS


def _edges(luma: Floats, work: Floats) -> Floats:
    """How much each pixel but the last row's differs from the next and the lower one; `work`, as long, is written over.

    In the last column the next pixel is one of the row below: nobody looks there.
    """
    count = (HIGH - 1) * WIDE
    here, across = luma[:count], work[:count]
    np.abs(np.subtract(luma[1 : count + 1], here, out=across), out=across)
    down = luma[WIDE:] - here
    across += np.abs(down, out=down)
    return across.reshape(HIGH - 1, WIDE)


def _mean(part: Floats) -> float:
    """The mean, float32: without the many questions of `ndarray.mean`."""
    return float(np.float32(float(np.add.reduce(part, axis=None)) / part.size))


def _medians(rows: Floats) -> tuple[float, float]:
    """The median of each of the two `rows`, of an even number of values: without the many questions of `np.median`."""
    upper = rows.shape[1] // 2
    rows.partition((upper - 1, upper), axis=1)
    one, other = (rows[:, upper - 1] + rows[:, upper]).tolist()
    return one / 2, other / 2
