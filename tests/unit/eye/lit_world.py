"""A small world for the light challenge: a surface, two point lamps, a room, a sensor with noise; no picture.

The face is a surface of its own making; the mesh of this world sees it where nothing else is said, as a network sees a
face in a print too.
"""

from collections.abc import Callable
from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt

from device import challenge, wire
from device.challenge import MS, REST, Code, Lights
from device.eye.attack.glance import EYE_DISTANCE_MM, Fitted, Glance
from device.eye.attack.surface import PATCHES

Reals = npt.NDArray[np.float64]
Height = Callable[[Reals, Reals], Reals]
FITTED = Fitted(80.0)
NONCE = b"\1" * 16
BEGAN_NS = 10**12
PLACES: Reals = PATCHES[np.abs(PATCHES[:, 0]) < 0.75].astype(float)


def face(x: Reals, y: Reals) -> Reals:
    """A head with nose, sockets, cheeks, lips and chin; eye distances towards the camera."""
    head = -0.55 * (x / 1.15) ** 2 - 0.5 * ((y - 0.5) / 1.6) ** 2
    bridge = np.clip((y + 0.15) / 0.75, 0, 1) ** 1.2 / (1 + np.exp((y - 0.72) / 0.05))
    nose = 0.42 * np.exp(-((x / 0.16) ** 2)) * bridge
    socket = sum(-0.12 * np.exp(-(((x - at) / 0.22) ** 2) - (y / 0.16) ** 2) for at in (-0.48, 0.48))
    cheek = sum(0.06 * np.exp(-(((x - at) / 0.3) ** 2) - ((y - 0.55) / 0.3) ** 2) for at in (-0.6, 0.6))
    return np.asarray(head + nose + socket + cheek)


def flat(x: Reals, y: Reals) -> Reals:
    return 0 * x * y


def tilted(x: Reals, y: Reals) -> Reals:
    return 0.4 * x + 0.2 * y


def bent(x: Reals, y: Reals) -> Reals:
    return np.asarray(np.sqrt(1.5**2 - x**2) + 0 * y)


def bent_aslant(x: Reals, y: Reals) -> Reals:
    return np.asarray(np.sqrt(2.0**2 - (0.7 * (x + y - 0.5)) ** 2))


def folded(x: Reals, y: Reals) -> Reals:
    return -0.6 * np.abs(x) + 0 * y


def pleated(x: Reals, y: Reals) -> Reals:
    """Paper with a nose's ridge in it, from forehead to chin."""
    return np.asarray(0.5 * np.exp(-((x / 0.3) ** 2)) + 0 * y)


FLAT: dict[str, Height] = {
    "flat": flat,
    "tilted": tilted,
    "bent": bent,
    "bent aslant": bent_aslant,
    "folded along the nose": folded,
    "pleated": pleated,
}


def normals(height: Height) -> Reals:
    x, y, step = *PLACES.T, 0.04
    across = (height(x + step, y) - height(x - step, y)) / (2 * step)
    down = (height(x, y + step) - height(x, y - step)) / (2 * step)
    found = np.stack([-across, -down, np.ones_like(across)], axis=1)
    return np.asarray(found / np.linalg.norm(found, axis=1)[:, None])


@dataclass(frozen=True)
class World:
    """`lamp`: one level of one lamp, straight ahead, in the room's light; `gains` of both; `noise` of a patch.

    `shine`: how bright the lamps' mirror images are, as a share of what the surface scatters, on paper with a slope of
    0.1; `tone` bends the camera's curve, and `printed` makes the surface as bright as a face in the lamps' light is.
    """

    shape: Height = face
    lamp: float = 0.08
    noise: float = 0.004
    fps: float = 30.0
    distance: float = 8.0
    gains: tuple[float, float] = (1.0, 1.0)
    lag_ms: float = 10.0
    drift: float = 0.0
    flicker: float = 0.0
    mains_hz: float = 50.0
    behind: float = 0.2
    shine: float = 0.0
    tone: float = 0.0
    printed: bool = False
    before: Lights = REST
    answers: Callable[[Code], Code | None] = lambda code: code
    late_ms: tuple[int, int, int] = (0, 2, 1)

    def challenge(self, seed: int) -> tuple[wire.ChallengeLog, list[Glance]]:
        """A code drawn with `seed`, its log, and what was seen of it."""
        rng = np.random.default_rng(seed)
        code = challenge.draw(rng.bytes(16), self.before)
        log = log_of(code, self.before, self.late_ms)
        answered = self.answers(code)
        times = np.arange(BEGAN_NS - 150 * MS, log.ended_ns + 50 * MS, 1e9 / self.fps) + rng.uniform(0, 1e9 / self.fps)
        levels = np.stack([self._levels(answered, side, times) for side in ("left", "right")])
        return log, self._seen(rng, times, levels)

    def _levels(self, code: Code | None, side: str, times: Reals) -> Reals:
        level = np.full_like(times, getattr(self.before, side), dtype=float)
        if code is not None:
            lights = (self.before, *code.lights)
            for old, new, offset, late in zip(lights, lights[1:], code.offsets_ms, self.late_ms, strict=False):
                share = np.clip((times + (self.lag_ms + 16) * MS - BEGAN_NS - (offset + late) * MS) / (16 * MS), 0, 1)
                level += (getattr(new, side) - getattr(old, side)) * share
        return level

    def _seen(self, rng: np.random.Generator, times: Reals, levels: Reals) -> list[Glance]:
        lens = np.array([0.4, 0.8, self.distance])
        turned, mesh = normals(self.shape), normals(face)
        surface = np.stack([*PLACES.T, self.shape(*PLACES.T) - self.shape(np.zeros(1), np.zeros(1))], axis=1)
        given, mirrored = [], []
        for side, gain in zip((1, -1), self.gains, strict=True):
            way = lens + np.array([side * FITTED.light_offset_mm / EYE_DISTANCE_MM, 0, 0]) - surface
            cosine = np.maximum((turned * way).sum(axis=1), 0)
            given.append(gain * self.lamp * self.distance**2 * cosine / np.linalg.norm(way, axis=1) ** 3)
            half = (
                way / np.linalg.norm(way, axis=1)[:, None]
                + (lens - surface) / np.linalg.norm(lens - surface, axis=1)[:, None]
            )
            half /= np.linalg.norm(half, axis=1)[:, None]
            tilt2 = 1 / np.clip((turned * half).sum(axis=1), 0.05, 1) ** 2 - 1
            mirrored.append(self.shine * gain * self.lamp * np.exp(-tilt2 / 0.1**2))
        skin = rng.uniform(0.5, 1.0, len(PLACES))
        room = 0.8 + 0.3 * turned[:, 2] - 0.2 * turned[:, 1]
        seconds = (times - BEGAN_NS) / 1e9
        around = 1 + self.drift * seconds + self.flicker * np.sin(4 * np.pi * self.mains_hz * seconds)
        if self.printed:
            skin = skin * mesh[:, 2] ** 2
        matt = 0.25 * skin * (around[:, None] * room + levels.T @ np.stack(given))
        light = matt + 0.25 * levels.T @ np.stack(mirrored)
        behind = 0.25 * (0.5 * around + self.behind * self.lamp * levels.sum(axis=0))[:, None] * np.ones(15)
        light *= 1 + self.noise * rng.normal(size=light.shape)
        light, matt = light * (1 + self.tone * light), matt * (1 + self.tone * matt)
        warm = rng.uniform(0.8, 1.2, len(PLACES)) * matt * (1 + self.noise * rng.normal(size=light.shape))
        behind *= 1 + self.noise * rng.normal(size=behind.shape)
        still = np.zeros_like(PLACES)
        return [
            Glance(int(at), one, still, red, still, PLACES, mesh, back, lens)
            for at, one, red, back in zip(times, light, warm, behind, strict=True)
        ]


def log_of(code: Code, before: Lights = REST, late_ms: tuple[int, int, int] = (0, 0, 0)) -> wire.ChallengeLog:
    first, second, third = (
        BEGAN_NS + (offset + late) * MS for offset, late in zip(code.offsets_ms, late_ms, strict=True)
    )
    one, two, three = code.lights
    return wire.ChallengeLog(
        NONCE, BEGAN_NS, before.left, before.right, first, one.left, one.right, second, two.left, two.right,
        third, three.left, three.right, BEGAN_NS + code.length_ms * MS,
    )  # fmt: skip


def other_timing(code: Code) -> Code:
    """The same lights, each a step earlier or later: the nearest that somebody could guess without knowing it."""
    delay = challenge.DELAYS_MS[(challenge.DELAYS_MS.index(code.delay_ms) + 2) % len(challenge.DELAYS_MS)]
    return replace(code, delay_ms=delay)


def other_lights(code: Code) -> Code:
    """Left for right."""
    swapped = tuple(Lights(light.right, light.left) for light in code.lights)
    return replace(code, lights=(swapped[0], swapped[1], swapped[2]))
