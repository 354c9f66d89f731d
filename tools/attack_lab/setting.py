"""Somebody's photograph laid before the lens as large as the conditions say, and what stands around it.

Rules kept here:
- The detector says where the five points are, and nothing else of it is used: not for depth, not for light.
- The picture is as large as a head of that size is at that distance.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from device.eye.pictures import EMPTY_GREY, read_scaled
from tools.attack_lab.colours import linear, luminance
from tools.attack_lab.conditions import LENS_PX, Conditions
from tools.attack_lab.head import Head, Reals
from tools.attack_lab.hold_up import WALL_REFLECTS
from tools.attack_lab.landmarks import five_points
from tools.attack_lab.light import MATT, Parts, lit
from tools.attack_lab.place import Person, stand
from tools.attack_lab.surfaces import Lens, Mask


@dataclass(frozen=True, eq=False)
class Setting:
    """`paper` (H, W, 3) the photograph in linear light, its face as bright as the skin; `within` where it lies."""

    lens: Lens
    head: Head
    points: npt.NDArray[Any]
    paper: Reals
    within: Mask
    cond: Conditions

    @classmethod
    def of(cls, picture: Path, head: Head, cond: Conditions) -> Setting:
        """`picture` before the lens. Raises PictureRefused if there is no face in it."""
        lens = Lens(*LENS_PX)
        points = five_points(read_scaled(picture, *LENS_PX, 1.0), picture.name)
        wanted_px = head.measures.eyes_mm * lens.focal_px / cond.distance_mm
        scale = wanted_px / float(np.hypot(*(points[1] - points[0])))
        shown = read_scaled(picture, *LENS_PX, scale)
        points = five_points(shown, picture.name)
        paper = linear(shown)
        face = stand(lens, points, head).face.there
        paper *= cond.skin / float(luminance(paper[face]).mean())
        grey = (shown == EMPTY_GREY).all(axis=-1)
        return cls(lens, head, points, np.minimum(paper, 1.0), ~_bordering(grey), cond)

    def person(self, yaw_deg: float = 0.0, pitch_deg: float = 0.0) -> Person:
        """Whoever is in the photograph."""
        return stand(self.lens, self.points, self.head, yaw_deg, pitch_deg)

    def hallway(self, person: Person) -> Parts:
        """The photograph's background where it reaches, the hallway's wall around it."""
        colours = np.where(self.within[..., None], self.paper, WALL_REFLECTS)
        return self.lit_wall(person, colours)

    def empty(self, person: Person) -> Parts:
        """The hallway's wall alone."""
        return self.lit_wall(person, np.full(self.paper.shape, WALL_REFLECTS))

    def lit_wall(self, person: Person, colours: Reals) -> Parts:
        """The wall behind in these colours."""
        back = person.hallway(self.lens, self.cond.behind_mm)
        return lit(self.lens, back, colours, MATT, self.cond.around, self.cond.lamps)


def _bordering(grey: Mask) -> Mask:
    """Of grey pixels those in whole rows or columns of grey: the frame around a picture too small for the plane."""
    frame: Mask = grey & (grey.all(axis=0)[None, :] | grey.all(axis=1)[:, None])
    return frame
