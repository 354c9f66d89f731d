"""A small world for the motion challenge: skin with a pattern on a surface that turns before a lens, and its mesh.

The mesh is as a network's is: it takes everything for a face, and a sheet that was turned for a head that was.
"""

from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import lru_cache

import numpy as np

from device.challenge import MS
from device.eye.attack.mesh import MESH_PX, POINTS
from device.eye.attack.motion import BEFORE_MS, Moment
from device.eye.attack.parallax import Shot
from device.eye.attack.surface import EYE_CORNERS
from device.motion import PROMPT_MS, Asked, Facing, Prompted
from tests.unit.eye.lit_world import Height, Reals, face, flat

BEGAN_NS = 10**12
APART_PX = 45.0
EYES_PX = np.array([95.5, 70.0])
LENS = 8.0  # eye distances before the eyes: half a metre
SIDE = {Facing.LEFT: 1, Facing.MIDDLE: 0, Facing.RIGHT: -1}


def bent(radius: float) -> Height:
    """A sheet over an upright cylinder; eye distances."""

    def height(x: Reals, y: Reals) -> Reals:
        return np.asarray(np.sqrt(np.maximum(radius**2 - x**2, 0.01)) - radius + 0 * y)

    return height


@dataclass(frozen=True)
class Thing:
    """What turns. `believed`: by how much more, or less, the mesh turns than it does."""

    height: Height = face
    believed: float = 1.0
    pattern: int = 1
    noise: float = 1.5

    def shot(self, degrees: float, seed: int = 0) -> Shot:
        """It, turned so far to its own left; the same one each time."""
        return _shot(self, degrees, seed)

    def made(self, degrees: float, seed: int) -> Shot:
        """The same, made anew."""
        rng = np.random.default_rng([self.pattern, seed, round(degrees * 10) + 900])
        y, x = np.mgrid[0:MESH_PX, 0:MESH_PX].astype(float)
        u, v = (x - EYES_PX[0]) / APART_PX, (y - EYES_PX[1]) / APART_PX
        x, y = u, v
        for _ in range(14):
            across, down = _seen(x, y, self.height(x, y), degrees)
            x, y = x + 0.8 * (u - across), y + 0.8 * (v - down)
        grey = 110 + 22 * _pattern(self.pattern)(x, y) + rng.normal(0, self.noise, x.shape)
        points = _mesh().copy()
        # What the network makes of it: a face, turned as far as it believes.
        points[:, 2] = face(points[:, 0], points[:, 1])
        across, down = _seen(points[:, 0], points[:, 1], points[:, 2], degrees * self.believed)
        found = np.stack([across, down], axis=1) * APART_PX + EYES_PX
        found += rng.normal(0, 0.1, found.shape)
        depth = -points[:, 2] * APART_PX
        return Shot(np.clip(np.rint(grey), 0, 255).astype(np.uint8), np.column_stack([found, depth]))

    def turned(self, asked: Asked, degrees: float = 12.0, did: Asked | None = None) -> tuple[Prompted, list[Moment]]:
        """What was asked, and a frame every 50 ms of it doing that (or `did`), half a second after each prompt."""
        began = (BEGAN_NS, BEGAN_NS + PROMPT_MS * MS, BEGAN_NS + 2 * PROMPT_MS * MS)
        prompted = Prompted(asked, began, BEGAN_NS + 3 * PROMPT_MS * MS)
        shots = {facing: self.shot(SIDE[facing] * degrees) for facing in Facing}
        facing, moments = Facing.MIDDLE, []
        for time_ns in range(BEGAN_NS - BEFORE_MS * MS, prompted.ended_ns + 1, 50 * MS):
            for where, from_ns in zip(did or asked, began, strict=True):
                if time_ns >= from_ns + 500 * MS:
                    facing = where
            moments.append(Moment(time_ns, shots[facing]))
        return prompted, moments


PERSON = Thing()
SHEETS = {
    "flat": Thing(flat),
    "bent": Thing(bent(2.5)),
    "bent narrowly": Thing(bent(1.3)),
    "hollow": Thing(lambda x, y: -bent(2.5)(x, y)),
}


def other(thing: Thing, **change: object) -> Thing:
    """`thing` with something changed."""
    return replace(thing, **change)  # type: ignore[arg-type] # the names are those of Thing's own fields


@lru_cache(maxsize=256)
def _shot(thing: Thing, degrees: float, seed: int) -> Shot:
    return thing.made(degrees, seed)


def _seen(x: Reals, y: Reals, z: Reals, degrees: float) -> tuple[Reals, Reals]:
    turn = np.radians(degrees)
    across, towards = x * np.cos(turn) + z * np.sin(turn), z * np.cos(turn) - x * np.sin(turn)
    nearer = LENS / (LENS - towards)
    return across * nearer, y * nearer


@lru_cache
def _mesh() -> Reals:
    rng = np.random.default_rng(5)
    places = rng.uniform((-1.1, -0.9), (1.1, 1.9), (20 * POINTS, 2))
    places = places[(places[:, 0] / 1.05) ** 2 + ((places[:, 1] - 0.5) / 1.35) ** 2 < 1][:POINTS]
    for pair, at in zip(EYE_CORNERS, (-0.5, 0.5), strict=True):
        places[pair[0]], places[pair[1]] = (at - 0.18, 0.0), (at + 0.18, 0.0)
    return np.column_stack([places, np.zeros(len(places))])


@lru_cache
def _pattern(seed: int) -> Callable[[Reals, Reals], Reals]:
    rng = np.random.default_rng(seed)
    waves = [(rng.normal(0, 7, 2), rng.uniform(0, 2 * np.pi)) for _ in range(12)]

    def pattern(x: Reals, y: Reals) -> Reals:
        return np.asarray(sum(np.sin(way[0] * x + way[1] * y + begin) for way, begin in waves) / np.sqrt(6))

    return pattern
