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

from device.eye.pixels import Picture
from device.eye.runtime import Floats

MIN_TEXTURE: Final = 0.38
MIN_REDNESS: Final = 0.30
MIN_SKIN_REDNESS: Final = 0.04  # below it the picture is grey, or the light blue: there is no red to be missed

_TOP, _LEFT = 32, 26
_FACE: Final = (slice(_TOP, 106), slice(_LEFT, 88))  # all that is compared: a third of the crop


def _part(top: int, bottom: int, left: int, right: int) -> tuple[slice, slice]:
    """Rows and columns of the crop, as those of `_FACE`."""
    return slice(top - _TOP, bottom - _TOP), slice(left - _LEFT, right - _LEFT)


_EYES: Final = _part(42, 62, 26, 86)
_MOUTH: Final = _part(84, 102, 36, 76)
_LOWER: Final = _part(82, 106, 34, 78)
_SKIN: Final = (_part(56, 63, 28, 48), _part(56, 63, 64, 84), _part(32, 42, 46, 66))
_MAX_SHADE: Final = 0.5
_DARK: Final = 8.0  # grey levels added to a luma that is divided by: in the dark a quotient would be noise


@dataclass(frozen=True, slots=True)
class Cover:
    """Texture and redness around the mouth, in those of the upper face; about 1 for a bare face."""

    texture: float
    redness: float


def cover(crop: Picture) -> Cover:
    """Compare the two halves of an aligned crop, 112 x 112 x 3 BGR."""
    blue, green, red = np.array(crop[_FACE].transpose(2, 0, 1), np.float32, order="C")
    luma = np.float32(0.114) * blue + np.float32(0.587) * green + np.float32(0.299) * red
    excess = np.float32(0.713) * (red - luma)
    edges = np.abs(np.diff(luma, axis=1))[:-1] + np.abs(np.diff(luma, axis=0))[:, :-1]
    skin_luma, skin_excess = (_median([plane[part] for part in _SKIN]) for plane in (luma, excess))
    low_luma, low_excess = _median([luma[_LOWER]]), _median([excess[_LOWER]])
    shade = min(max((low_luma + _DARK) / (skin_luma + _DARK), _MAX_SHADE), 1.0)
    upper = float(edges[_EYES].mean()) * shade
    skin, lower = skin_excess / (skin_luma + _DARK), low_excess / (low_luma + _DARK)
    return Cover(
        texture=float(edges[_MOUTH].mean()) / upper if upper > 0 else 1.0,
        redness=lower / skin if skin >= MIN_SKIN_REDNESS else 1.0,
    )


def seems_covered(found: Cover) -> bool:
    """Whether mouth and nose seem covered."""
    return found.texture < MIN_TEXTURE or found.redness < MIN_REDNESS


def _median(parts: list[Floats]) -> float:
    """The median of an even number of values, parts of a plane together: without the many questions of `np.median`."""
    values = np.concatenate([part.ravel() for part in parts])
    upper = len(values) // 2
    values.partition((upper - 1, upper))
    return float((values[upper - 1] + values[upper]) / 2)
