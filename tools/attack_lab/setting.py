"""Somebody's photograph laid before the lens as large as the conditions say, and what stands around it.

Rules kept here:
- The detector says where the five points are, and nothing else of it is used: not for depth, not for light.
- The picture is as large as a head of that size is at that distance.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property, lru_cache
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from device.eye.pictures import EMPTY_GREY, read_scaled
from tools.attack_lab.colours import linear, luminance
from tools.attack_lab.conditions import LENS_PX, Conditions
from tools.attack_lab.head import Head, Reals
from tools.attack_lab.landmarks import five_points
from tools.attack_lab.light import MATT, WALL_REFLECTS, Parts, lit
from tools.attack_lab.place import Person, stand
from tools.attack_lab.surfaces import Lens, Mask

Points = tuple[tuple[float, float], ...]


@dataclass(frozen=True, eq=False)
class Setting:
    """`paper` (H, W, 3) the photograph in linear light, its face as bright as the skin; `within` where it lies.

    `sort` is which paper or screen an attacker has in hand: a number is one sheet, however often it is held up.
    """

    lens: Lens
    head: Head
    points: npt.NDArray[Any]
    paper: Reals
    within: Mask
    cond: Conditions
    sort: int = 0

    @classmethod
    def of(cls, picture: Path, head: Head, cond: Conditions, sort: int = 0) -> Setting:
        """`picture` before the lens. Raises PictureRefused if there is no face in it."""
        lens = Lens(*LENS_PX)
        points = _found(picture, 1.0)
        wanted_px = head.measures.eyes_mm * lens.focal_px / cond.distance_mm
        scale = wanted_px / float(np.hypot(*(points[1] - points[0])))
        shown = read_scaled(picture, *LENS_PX, scale)
        points = _found(picture, scale)
        paper = linear(shown)
        face = _standing(lens, _plain(points), head, 0.0, 0.0).face.there
        paper *= cond.skin / float(luminance(paper[face]).mean())
        grey = (shown == EMPTY_GREY).all(axis=-1)
        return cls(lens, head, points, np.minimum(paper, 1.0), ~_bordering(grey), cond, sort)

    @cached_property
    def person(self) -> Person:
        """Whoever is in the photograph."""
        return self.looking(0.0, 0.0)

    def looking(self, yaw_deg: float, pitch_deg: float) -> Person:
        """The same, the head turned a little."""
        return _standing(self.lens, _plain(self.points), self.head, yaw_deg, pitch_deg)

    def bought(self) -> np.random.Generator:
        """What the paper or the screen is drawn from: always the same numbers."""
        return np.random.default_rng([self.sort, 11])

    @cached_property
    def hallway(self) -> Parts:
        """The photograph's background where it reaches, the hallway's wall around it."""
        return self._lit_wall(np.where(self.within[..., None], self.paper, WALL_REFLECTS))

    @cached_property
    def empty(self) -> Parts:
        """The hallway's wall alone."""
        return self._lit_wall(np.full(self.paper.shape, WALL_REFLECTS))

    @cached_property
    def body(self) -> Parts:
        """Hair, neck and shoulders."""
        return lit(self.lens, self.person.body, self.paper, MATT, self.cond.around, self.cond.lamps)

    def _lit_wall(self, colours: Reals) -> Parts:
        """The wall behind in these colours."""
        back = self.person.hallway(self.lens, self.cond.behind_mm)
        return lit(self.lens, back, colours, MATT, self.cond.around, self.cond.lamps)


@lru_cache(maxsize=4096)
def _found(picture: Path, scale: float) -> npt.NDArray[Any]:
    """(5, 2), not to be written to: where the five points of `picture` lie when it is shown in that size."""
    points = five_points(read_scaled(picture, *LENS_PX, scale), picture.name)
    points.setflags(write=False)
    return points


@lru_cache(maxsize=3)
def _standing(lens: Lens, points: Points, head: Head, yaw_deg: float, pitch_deg: float) -> Person:
    """Whoever is looked at twice: along a curve it is the same person after the other."""
    return stand(lens, np.array(points), head, yaw_deg, pitch_deg)


def _plain(points: npt.NDArray[Any]) -> Points:
    return tuple((float(x), float(y)) for x, y in points)


def _bordering(grey: Mask) -> Mask:
    """Of grey pixels those in whole rows or columns of grey: the frame around a picture too small for the plane."""
    frame: Mask = grey & (grey.all(axis=0)[None, :] | grey.all(axis=1)[:, None])
    return frame
