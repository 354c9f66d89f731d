"""Light on surfaces: two small lamps beside the lens, the hallway's own light, the sun; matt and shiny things.

Rules kept here:
- Everything is linear light. What a camera makes of it is `camera`'s affair.
- A lamp is a point on a board that faces the scene: luminous intensity, inverse square, cosine at the board and at the
  surface. A surface that is turned away from a lamp gets nothing of it. (What one part of a face throws as a shadow on
  another is left out: at the angles of these lamps it is a narrow rim beside the nose.)
- What shines, shines by one lobe after Cook and Torrance with Beckmann's distribution (ACM Transactions on Graphics 1,
  1982): reflectance at right angles from the refractive index, a width from measurements.

Sources: skin reflects as a refractive index of 1.4 does ((1.4 - 1)**2 / (1.4 + 1)**2 = 0.028), with slopes around 0.3
(Weyrich and others, "Analysis of human faces using a measurement-based skin reflectance model", ACM Transactions on
Graphics 25, 2006). Paper and glass: 1.5, so 0.04.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np

from tools.attack_lab.head import Reals
from tools.attack_lab.surfaces import Lens, Mask, Surface

Parts = tuple[
    Reals, Reals, Reals
]  # H x W x 3 linear light: of the light around, of one level of the left light, of the right

INDEX_SKIN: Final = 0.028
INDEX_GLASS: Final = 0.04
_MM2_PER_M2: Final = 1e6
_AT_ONCE: Final = 4096  # pixels that are lit at a time: they stay in a processor's cache
_GRAZING: Final = 0.05  # the lobe's formula is not used flatter than this: it has no measured meaning there


@dataclass(frozen=True, slots=True)
class Lamps:
    """The two lights: `candela` of one level of one of them, straight ahead, and how far each is from the lens.

    `left` is at the left hand of who looks into the lens: on the right of the picture.
    """

    offset_mm: float = 80.0
    candela: float = 8.0

    @property
    def left_at(self) -> Reals:
        """Where the left light is, mm from the lens."""
        return np.array([self.offset_mm, 0.0, 0.0])

    @property
    def right_at(self) -> Reals:
        """Where the right light is."""
        return np.array([-self.offset_mm, 0.0, 0.0])


@dataclass(frozen=True, slots=True)
class Gloss:
    """How something shines: its reflectance at right angles, and the slope of its roughness (small is a mirror)."""

    reflectance: float
    slope: float


@dataclass(frozen=True, slots=True)
class Around:
    """The light that was there before, in lux: from everywhere, from above, and from one far place (`towards`, (3,)).

    `towards` is a unit vector to the sun or the window, in the lens's coordinates.
    """

    even_lx: float = 100.0
    above_lx: float = 50.0
    sun_lx: float = 0.0
    towards: tuple[float, float, float] = (0.5, -0.6, -0.62)

    @property
    def total_lx(self) -> float:
        """All of it, on something that faces it."""
        return self.even_lx + self.above_lx + self.sun_lx


HALLWAY: Final = Around()
BOARD: Final = Lamps()
MATT: Final = Gloss(0.0, 0.3)
SKIN: Final = Gloss(INDEX_SKIN, 0.3)
WALL_REFLECTS: Final = 0.5  # of the light, by the walls of a hallway


def lit(
    lens: Lens,
    surface: Surface,
    paper: Reals,
    gloss: Gloss,
    around: Around = HALLWAY,
    lamps: Lamps = BOARD,
    behind: Parts | None = None,
) -> Parts:
    """What comes from a surface coloured `paper` (H, W, 3): from the light around, from one level of each light.

    `behind`: what is seen where the surface is not; nothing is, if it is left out.
    """
    ambient, left, right = parts = (
        [part.copy() for part in behind] if behind else [np.zeros(paper.shape) for _ in range(3)]
    )
    rays, colours, normals = (each.reshape(-1, 3) for each in (lens.rays(), paper, surface.normals))
    depth_mm, into = surface.depth_mm.reshape(-1), [part.reshape(-1, 3) for part in parts]
    there = np.flatnonzero(surface.there)
    for start in range(0, len(there), _AT_ONCE):
        some = there[start : start + _AT_ONCE]
        met = Surface(depth_mm[some], normals[some], np.ones(len(some), bool))
        for whole, part in zip(into, shone(rays[some], met, colours[some], gloss, around, lamps), strict=True):
            whole[some] = part
    return ambient, left, right


def shone(rays: Reals, met: Surface, colour: Reals, gloss: Gloss, around: Around, lamps: Lamps) -> Parts:
    """What comes along `rays` (N, 3) from what they `met`, coloured `colour` (N, 3): three times (N, 3), as `lit`."""
    ambient = from_around(met, around)[:, None] * colour
    lux, shine = from_lamp(rays, met, lamps.left_at, lamps.candela, gloss)
    left = lux[:, None] * colour + shine[:, None]
    lux, shine = from_lamp(rays, met, lamps.right_at, lamps.candela, gloss)
    return ambient, left, lux[:, None] * colour + shine[:, None]


def over(there: Mask, front: Parts, back: Parts) -> Parts:
    """`front` where `there` says so, else `back`."""
    one, two, three = (np.where(there[..., None], a, b) for a, b in zip(front, back, strict=True))
    return one, two, three


def from_lamp(rays: Reals, surface: Surface, lamp_mm: Reals, candela: float, gloss: Gloss) -> tuple[Reals, Reals]:
    """Lux on each pixel's surface from a lamp, and what it shines of that to the lens, as if diffuse."""
    points = rays * surface.depth_mm[..., None]
    to_lamp = lamp_mm - points
    squared = (to_lamp**2).sum(-1)
    distance = np.sqrt(squared)
    to_lamp /= distance[..., None]
    facing = np.maximum((surface.normals * to_lamp).sum(-1), 0)
    lux = candela * _MM2_PER_M2 * (points[..., 2] / distance) / squared * facing
    lux[~surface.there] = 0
    if gloss.reflectance == 0:
        return lux, np.zeros_like(lux)
    return lux, lux * np.pi * lobe(points, surface.normals, to_lamp, gloss)


def from_around(surface: Surface, around: Around) -> Reals:
    """Lux on each pixel's surface from the light that was there before."""
    up = -surface.normals[..., 1]
    sun = np.maximum(surface.normals @ np.array(around.towards), 0)
    lux = around.even_lx + around.above_lx * (0.5 + 0.5 * up) + around.sun_lx * sun
    result: Reals = np.where(surface.there, lux, 0)
    return result


def lobe(points: Reals, normals: Reals, to_lamp: Reals, gloss: Gloss) -> Reals:
    """What of a lamp's light shines to the lens, per steradian (a BRDF); arrays (..., 3), directions of length 1."""
    to_lens = -points / np.linalg.norm(points, axis=-1, keepdims=True)
    half = to_lamp + to_lens
    half /= np.maximum(np.linalg.norm(half, axis=-1, keepdims=True), 1e-9)
    cos_half = np.clip((normals * half).sum(-1), _GRAZING, 1)
    cos_lamp = np.clip((normals * to_lamp).sum(-1), _GRAZING, 1)
    cos_lens = np.clip((normals * to_lens).sum(-1), _GRAZING, 1)
    cos_both = np.clip((to_lens * half).sum(-1), _GRAZING, 1)
    tan2 = (1 - cos_half**2) / cos_half**2
    spread = np.exp(-tan2 / gloss.slope**2) / (np.pi * gloss.slope**2 * cos_half**4)
    hidden = np.minimum(1, np.minimum(2 * cos_half * cos_lens, 2 * cos_half * cos_lamp) / cos_both)
    fresnel = gloss.reflectance + (1 - gloss.reflectance) * (1 - cos_both) ** 5  # Schlick, 1994
    result: Reals = spread * hidden * fresnel / (4 * cos_lamp * cos_lens)
    return result
