"""A face that is nobody's: painted by formulas on the rendered head, for pictures that people are shown.

Rules kept here:
- No photograph is read, of anybody. Colours and shapes are choices; who looks like this looks like a drawing.
- What is painted is reflectance in linear light, as a photograph's is elsewhere in the lab.
"""

from __future__ import annotations

from typing import Any, Final

import numpy as np
import numpy.typing as npt

from tools.attack_lab.colours import luminance
from tools.attack_lab.conditions import LENS_PX, Conditions
from tools.attack_lab.head import Head, Reals
from tools.attack_lab.place import stand
from tools.attack_lab.setting import Setting
from tools.attack_lab.surfaces import Lens, Mask

_WALL: Final = (0.42, 0.44, 0.46)  # BGR reflectances, as all below
_SKIN: Final = (0.16, 0.25, 0.42)
_LIPS: Final = (0.13, 0.12, 0.36)
_HAIR: Final = (0.02, 0.025, 0.035)
_WHITE: Final = (0.55, 0.58, 0.6)
_IRIS: Final = (0.06, 0.09, 0.05)
_SHIRT: Final = (0.28, 0.16, 0.08)
_SOFT_MM: Final = 1.2
_HAIRLINE_MM: Final = -62.0
_NECK_MM: Final = 36.0  # below the chin begins the shirt
_MOUTH_ABOVE_MIDDLE: Final = 0.1  # of the picture's height: the face stands a little above its middle


def somebody(cond: Conditions) -> Setting:
    """The painted face before the lens, straight ahead; the whole plane is picture."""
    lens, head = Lens(*LENS_PX), Head()
    px_per_mm = lens.focal_px / cond.distance_mm
    middle = np.array([lens.width_px / 2, lens.height_px * (0.5 - _MOUTH_ABOVE_MIDDLE)])
    points: npt.NDArray[Any] = middle + px_per_mm * head.landmarks_mm[:, :2]
    person = stand(lens, points, head)
    y, x = np.mgrid[0 : lens.height_px, 0 : lens.width_px]
    paper = _painted((x - middle[0]) / px_per_mm, (y - middle[1]) / px_per_mm, head, person.face.there)
    paper[~(person.face.there | person.body.there)] = _WALL
    paper *= cond.skin / float(luminance(paper[person.face.there]).mean())
    return Setting(lens, head, points, np.minimum(paper, 1.0), np.ones(paper.shape[:2], bool), cond)


def _painted(x: Reals, y: Reals, head: Head, face: Mask) -> Reals:
    """(H, W, 3): skin with brows, eyes and a mouth; around it hair, below it a neck and a shirt."""
    paper = np.broadcast_to(np.array(_SKIN), (*x.shape, 3)).copy()
    side, eye = np.abs(x), head.measures.eyes_mm / 2
    arch = y + 19 - 3.5 * np.cos((side - eye) / 11)
    half = head.measures.mouth_width_mm / 2
    cupid = y - head.mouth_mm + 1.4 * np.cos(x / 4.5) * (np.abs(x) < 14)
    _lay(paper, 0.5 * _within(((side - 38) / 17) ** 2 + ((y - 34) / 15) ** 2, 8), _LIPS)  # cheeks, a little red
    _lay(paper, _within(((side - eye) / 15) ** 2 + (arch / 3) ** 2), _HAIR)
    open_ = _within(((side - eye) / 13.5) ** 2 + ((y - 0.5) / 5.2) ** 2)
    _lay(paper, open_, _WHITE)
    _lay(paper, open_ * _within(((side - eye) / 5.6) ** 2 + (y / 5.6) ** 2), _IRIS)
    _lay(paper, open_ * _within(((side - eye) / 2.4) ** 2 + (y / 2.4) ** 2), _HAIR)
    _lay(paper, _within((x / half) ** 2 + (cupid / 7.0) ** 2), _LIPS)
    _lay(paper, 0.8 * _within((x / (half - 4)) ** 2 + ((y - head.mouth_mm) / 1.1) ** 2), _HAIR)
    _lay(paper, 0.7 * _within(((side - 8) / 4) ** 2 + ((y - head.subnasal_mm + 1) / 1.8) ** 2), _HAIR)  # nostrils
    below = y > head.chin_mm
    paper[~face & ~below] = _HAIR
    paper[face & (y < _HAIRLINE_MM + 0.006 * x**2)] = _HAIR
    paper[y > head.chin_mm + _NECK_MM - 0.012 * np.minimum(x**2, 3000)] = _SHIRT
    return paper


def _within(squared: Reals, softness_mm: float = _SOFT_MM) -> Reals:
    """1 inside the ellipse where `squared` is below 1, 0 outside, soft at its edge."""
    result: Reals = np.clip((1 - np.sqrt(squared)) * 8 / softness_mm, 0, 1)
    return result


def _lay(paper: Reals, share: Reals, colour: tuple[float, float, float]) -> None:
    paper += share[..., None] * (np.array(colour) - paper)
