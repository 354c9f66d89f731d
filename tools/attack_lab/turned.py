"""A photograph as a head, a flat sheet or a bent one that is turned before the lens.

Rules kept here:
- A real photograph gives the colours; how deep each of its pixels lies, the surface says. So a turned sheet is exact,
  as a lens would see it, and a turned head is as good as the head of `tools.attack_lab.head` is.
- The light does not change while it turns: geometry is all that is looked at here.
- Only around the face is anything turned; what lies farther off stays as it was.

Everything here is rendered.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np

from device.eye.pixels import Picture
from tools.attack_lab.head import Reals
from tools.attack_lab.place import Person
from tools.attack_lab.surfaces import Lens

_STEPS: Final = 8
_STEP: Final = 0.9  # of what is missing; below 1 where a nose's side moves its neighbours
_NECK_MM: Final = (60.0, 90.0)  # about which a head turns: so far below and behind the middle of the eyes
_HAIR_MM: Final = 70.0  # what surrounds the face lies that far behind the eyes
_FACE_MM: Final = 30.0  # from the eyes down to the middle of the face
_NOISE: Final = 2.0  # of 255: a sensor's, by lamplight
_WIDE, _UP, _DOWN = 2.3, 2.3, 3.0  # eye distances around the middle of the eyes that are rendered


@dataclass(frozen=True, eq=False)
class Solid:
    """`shown` (H, W, 3) before the lens with the depth (H, W) of each pixel, mm; it turns about `axis_mm` (3,)."""

    lens: Lens
    shown: Picture
    depth_mm: Reals
    axis_mm: Reals
    middle_px: complex
    eye_px: float

    def seen(self, turn: Reals, rng: np.random.Generator) -> Picture:
        """It, turned by `turn` (3, 3), a pixel or so beside its place, with a sensor's noise."""
        x, y, u, v = self._wanted(rng)
        across, down = (self.lens.width_px - 1) / 2, (self.lens.height_px - 1) / 2
        for _ in range(_STEPS):
            depth = _between(self.depth_mm, x, y)
            rays = np.stack([(x - across) / self.lens.focal_px, (y - down) / self.lens.focal_px, np.ones_like(x)], -1)
            at = (rays * depth[..., None] - self.axis_mm) @ turn.T + self.axis_mm
            x = x + _STEP * (u - across - at[..., 0] / at[..., 2] * self.lens.focal_px)
            y = y + _STEP * (v - down - at[..., 1] / at[..., 2] * self.lens.focal_px)
        whole = self.shown.astype(np.float64)
        whole[self._rows(), self._columns()] = _between(whole, x, y)
        result: Picture = np.clip(np.rint(whole + rng.normal(0, _NOISE, whole.shape)), 0, 255).astype(np.uint8)
        return result

    def _rows(self) -> slice:
        middle = self.middle_px.imag
        return slice(max(0, int(middle - _UP * self.eye_px)), int(middle + _DOWN * self.eye_px))

    def _columns(self) -> slice:
        middle = self.middle_px.real
        return slice(max(0, int(middle - _WIDE * self.eye_px)), int(middle + _WIDE * self.eye_px))

    def _wanted(self, rng: np.random.Generator) -> tuple[Reals, Reals, Reals, Reals]:
        y, x = np.mgrid[0 : self.lens.height_px, 0 : self.lens.width_px].astype(np.float64)
        x, y = x[self._rows(), self._columns()], y[self._rows(), self._columns()]
        shift = rng.normal(0, 1, 2)
        return x, y, x + shift[0], y + shift[1]


def head(lens: Lens, shown: Picture, person: Person) -> Solid:
    """The person in `shown`, who turns their head."""
    face = person.face
    depth = np.where(face.there, face.depth_mm, person.distance_mm + _HAIR_MM)
    depth = np.where(face.there, face.depth_mm, _smooth(_smooth(depth, 10), 3))
    axis = _eyes(lens, person) + np.array([0.0, *_NECK_MM])
    return Solid(lens, shown, depth, axis, person.middle_px, person.eye_px)


def sheet(lens: Lens, shown: Picture, person: Person, radius_mm: float | None, *, upright: bool = True) -> Solid:
    """A sheet with `shown` on it, where the face would be, flat or bent over an upright or lying cylinder.

    A radius below half of the face (80 mm upright, 100 mm lying) would hide some of it behind the bend.
    """
    eyes = _eyes(lens, person)
    depth = np.full(shown.shape[:2], float(eyes[2]))
    if radius_mm is not None:
        rays, across = lens.rays(), 0 if upright else 1
        centre = eyes + np.array([0.0, 0.0 if upright else _FACE_MM, radius_mm])
        a, b = rays[..., across] ** 2 + 1, rays[..., across] * centre[across] + centre[2]
        inside = b**2 - a * (centre[across] ** 2 + centre[2] ** 2 - radius_mm**2)
        depth = (b - np.sqrt(np.maximum(inside, 0))) / a
    return Solid(lens, shown, depth, eyes, person.middle_px, person.eye_px)


def _eyes(lens: Lens, person: Person) -> Reals:
    eyes: Reals = lens.ray(person.middle_px.real, person.middle_px.imag) * person.distance_mm
    return eyes


def _between(grid: Reals, x: Reals, y: Reals) -> Reals:
    """`grid` (H, W) or (H, W, 3) between its pixels; held at its edges."""
    height, width = grid.shape[:2]
    x, y = np.clip(x, 0, width - 1.001), np.clip(y, 0, height - 1.001)
    left, top = x.astype(np.intp), y.astype(np.intp)
    right_part, low_part = x - left, y - top
    if grid.ndim == 3:
        right_part, low_part = right_part[..., None], low_part[..., None]
    upper = grid[top, left] * (1 - right_part) + grid[top, left + 1] * right_part
    lower = grid[top + 1, left] * (1 - right_part) + grid[top + 1, left + 1] * right_part
    result: Reals = upper * (1 - low_part) + lower * low_part
    return result


def _smooth(grid: Reals, reach: int) -> Reals:
    """The mean over 2 * reach + 1 pixels each way."""
    weights = np.full(2 * reach + 1, 1 / (2 * reach + 1))

    def along(line: Reals) -> Reals:
        return np.convolve(np.pad(line, reach, mode="edge"), weights, "valid")

    result: Reals = np.apply_along_axis(along, 1, np.apply_along_axis(along, 0, grid))
    return result
