"""Glasses: a dark frame around each eye, and two lenses that mirror the lights.

Rules kept here:
- Lenses are spherical caps of 88 mm (a base curve of six dioptres of glass of index 1.53), as spectacle lenses are.
- What is behind a lens is seen through it, twice through two surfaces; what it mirrors comes on top.
"""

from __future__ import annotations

from typing import Final

import numpy as np

from tools.attack_lab.head import Reals
from tools.attack_lab.light import INDEX_GLASS, Gloss, Parts, shone
from tools.attack_lab.place import Person
from tools.attack_lab.setting import Setting
from tools.attack_lab.surfaces import Surface

_RADIUS_MM: Final = 88.0
_HALF_MM: Final = (25.0, 18.0)
_RIM: Final = 1.18
_IN_FRONT_MM: Final = 14.0  # of the eye
_THROUGH: Final = 0.85
_FRAME_COLOUR: Final = 0.04
_POLISHED: Final = Gloss(INDEX_GLASS, 0.03)


def put_on(at: Setting, person: Person, parts: Parts) -> Parts:
    """`parts` with glasses on the person's eyes."""
    y, x = np.mgrid[0 : at.lens.height_px, 0 : at.lens.width_px]
    mm = at.head.measures.eyes_mm / person.eye_px
    result = [part.copy() for part in parts]
    rays, seen = at.lens.rays().reshape(-1, 3), [part.reshape(-1, 3) for part in result]
    for eye_x, eye_y in at.points[:2]:
        away = ((x - eye_x) * mm / _HALF_MM[0]) ** 2 + ((y - eye_y) * mm / _HALF_MM[1]) ** 2
        worn = np.flatnonzero(away < _RIM**2)
        inside = away.reshape(-1)[worn] < 1
        rim = ~inside
        nearest = at.lens.ray(float(eye_x), float(eye_y)) * (person.distance_mm - _IN_FRONT_MM)
        cap = _cap(rays[worn], nearest + np.array([0.0, 0.0, _RADIUS_MM]))
        met = Surface(cap.depth_mm, cap.normals, np.ones(len(worn), bool))
        colour = np.where(rim[:, None], _FRAME_COLOUR, np.zeros((1, 3)))
        glass = shone(rays[worn], met, colour, _POLISHED, at.cond.around, at.cond.lamps)
        for part, own in zip(seen, glass, strict=True):
            part[worn[inside]] = _THROUGH * part[worn[inside]] + own[inside]
            part[worn[rim]] = own[rim]
    return result[0], result[1], result[2]


def _cap(rays: Reals, centre: Reals) -> Surface:
    """The near side of a sphere of _RADIUS_MM."""
    a, b = (rays**2).sum(-1), rays @ centre
    inside = b**2 - a * (float(centre @ centre) - _RADIUS_MM**2)
    depth = (b - np.sqrt(np.maximum(inside, 0))) / a
    return Surface(depth, (rays * depth[..., None] - centre) / _RADIUS_MM, inside > 0)
