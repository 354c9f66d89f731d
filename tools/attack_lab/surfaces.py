"""What stands before the lens, pixel by pixel: how far away it is, and which way it faces.

Rules kept here:
- A pinhole camera that sees 66 degrees across, as a Raspberry Pi Camera Module 3 and door.toml's own default do.
- A surface is what each pixel's ray meets first; nothing behind it shows.
- Normals are unit vectors out of the surface, so what faces the lens has a negative z.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import lru_cache
from typing import Final

import numpy as np
import numpy.typing as npt

from tools.attack_lab.head import Reals

Mask = npt.NDArray[np.bool_]

VIEW_DEG: Final = 66.0
FOCAL_WIDTHS: Final = 0.5 / math.tan(math.radians(VIEW_DEG / 2))


@dataclass(frozen=True, slots=True)
class Lens:
    """The camera: `width_px` x `height_px`, its axis through the middle of the picture."""

    width_px: int
    height_px: int

    @property
    def focal_px(self) -> float:
        """Pixels a unit of slope."""
        return FOCAL_WIDTHS * self.width_px

    def rays(self) -> Reals:
        """(H, W, 3), not to be written to: where each pixel looks; z is 1, so that a ray times a depth is a point."""
        return _rays(self)

    def ray(self, x: float, y: float) -> Reals:
        """(3,): where the pixel (x, y) looks."""
        middle = np.array([(self.width_px - 1) / 2, (self.height_px - 1) / 2])
        return np.append((np.array([x, y]) - middle) / self.focal_px, 1.0)


@lru_cache(maxsize=4)
def _rays(lens: Lens) -> Reals:
    y, x = np.mgrid[0 : lens.height_px, 0 : lens.width_px].astype(np.float64)
    across, down = (x - (lens.width_px - 1) / 2) / lens.focal_px, (y - (lens.height_px - 1) / 2) / lens.focal_px
    rays: Reals = np.stack([across, down, np.ones_like(x)], axis=-1)
    rays.setflags(write=False)
    return rays


@dataclass(frozen=True, eq=False)
class Surface:
    """`depth_mm` (H, W) along z; `normals` (H, W, 3); `there` (H, W): whether the pixel's ray meets it at all."""

    depth_mm: Reals
    normals: Reals
    there: Mask

    def before(self, other: Surface) -> Surface:
        """Both together: where this one is there, it hides the other."""
        there = self.there[..., None]
        return Surface(
            np.where(self.there, self.depth_mm, other.depth_mm),
            np.where(there, self.normals, other.normals),
            self.there | other.there,
        )


def wall(lens: Lens, depth_mm: float) -> Surface:
    """The other side of the hallway, facing the lens."""
    shape = (lens.height_px, lens.width_px)
    normals = np.zeros((*shape, 3))
    normals[..., 2] = -1
    return Surface(np.full(shape, depth_mm), normals, np.ones(shape, bool))


def plane(rays: Reals, point: Reals, normal: Reals, within: Mask) -> Surface:
    """A flat sheet through `point`, (3,), with the unit normal `normal`, seen in the pixels `within`."""
    depth = float(point @ normal) / (rays @ normal)
    return Surface(depth, np.broadcast_to(normal, rays.shape), within & (depth > 0))


def bent(rays: Reals, point: Reals, turn: Reals, radius_mm: float, within: Mask) -> Surface:
    """A sheet bent over a cylinder whose axis is the second column of `turn`, (3, 3), the first its way across.

    `point` is where the sheet touches the plane it would lie in flat; the third column points away from the lens, and
    the edges bend away (`radius_mm` above 0) or towards it (below). A ray that misses the cylinder meets no sheet.
    """
    across, away = turn[:, 0], turn[:, 2]
    centre = point + radius_mm * away
    dx, dz = rays @ across, rays @ away
    cx, cz = float(centre @ across), float(centre @ away)
    a, b = dx**2 + dz**2, dx * cx + dz * cz
    inside = b**2 - a * (cx**2 + cz**2 - radius_mm**2)
    root = np.sqrt(np.maximum(inside, 0))
    depth = (b - np.copysign(root, radius_mm)) / a  # the near side of a sheet bent away, the far side of a hollow one
    out = np.sign(radius_mm) * ((depth * dx - cx)[..., None] * across + (depth * dz - cz)[..., None] * away)
    length = np.linalg.norm(out, axis=-1, keepdims=True)
    return Surface(depth, out / np.maximum(length, 1e-9), within & (inside > 0) & (depth > 0))


def turned(yaw_deg: float, pitch_deg: float, roll_deg: float = 0.0) -> Reals:
    """(3, 3), its axes as columns: turned about y (yaw: what faced the lens faces left), x (pitch), z (roll)."""
    y, p, r = np.radians([yaw_deg, pitch_deg, roll_deg])
    about_y = np.array([[np.cos(y), 0, np.sin(y)], [0, 1, 0], [-np.sin(y), 0, np.cos(y)]])
    about_x = np.array([[1, 0, 0], [0, np.cos(p), -np.sin(p)], [0, np.sin(p), np.cos(p)]])
    about_z = np.array([[np.cos(r), -np.sin(r), 0], [np.sin(r), np.cos(r), 0], [0, 0, 1]])
    result: Reals = about_z @ about_x @ about_y
    return result
