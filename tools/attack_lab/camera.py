"""What a camera makes of light: rows one after the other, exposures that span a change, noise, bytes.

Rules kept here:
- Exposure is chosen once, with the lights at rest, and held: as `Camera.steady` does at the door.
- Each row is exposed at its own time; a change of the lights in the middle of an exposure counts for the part after it.
- Light that arrives is counted in electrons: shot noise, read noise, then the curve of the camera and 8 bits.
- What moves, moves in the picture: shifts, small turns, nearer and farther; its shading goes from one pose to another.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache
from typing import Final

import numpy as np
import numpy.typing as npt
from PIL import Image

from device.challenge import MS, REST, Lights
from device.eye.camera import LOW_HEIGHT_PX, LOW_WIDTH_PX, Frame
from device.eye.pixels import Picture, fit_area
from tools.attack_lab.colours import luminance
from tools.attack_lab.conditions import Conditions
from tools.attack_lab.head import Reals
from tools.attack_lab.light import Parts

Floats = npt.NDArray[np.float32]

REST_AT: Final = 0.16  # how bright, in linear light, a camera makes the middle of the picture
READ_ELECTRONS: Final = 12.0  # of a pixel that is put together from a dozen or two of the sensor's
_STEPS: Final = 4095
_NOISE: Final = 1 << 21


@dataclass(frozen=True, slots=True)
class Drive:
    """What lights did: `lights[i]` from `at_ns[i]` on; the first of them before all."""

    at_ns: tuple[int, ...]
    lights: tuple[Lights, ...]

    def levels(self, begin_ns: Reals, length_ms: float) -> tuple[Reals, Reals]:
        """The mean levels (R,) of both lights over exposures of `length_ms` that begin at `begin_ns` (R,)."""
        left = np.full(begin_ns.shape, float(self.lights[0].left))
        right = np.full(begin_ns.shape, float(self.lights[0].right))
        pairs = zip(self.lights, self.lights[1:], strict=False)
        for at, (before, after) in zip(self.at_ns[1:], pairs, strict=True):
            share = np.clip((begin_ns + length_ms * MS - at) / (length_ms * MS), 0, 1)
            left += share * (after.left - before.left)
            right += share * (after.right - before.right)
        return left, right


@dataclass(frozen=True, eq=False)
class Moving:
    """Something before the lens: how it answers light at the beginning and at the end of the challenge.

    `answers`: the lights that it answers, if those are not the door's (an injected or a shown recording).
    `shown`: what is added that answers `answers` while all else answers the door's lights (a screen's own picture);
    `refresh`: how deep, and how often a second, that darkens.
    """

    first: Parts
    last: Parts
    answers: Drive | None = None
    shown: Parts | None = None
    refresh: tuple[float, float] = (0.0, 240.0)


def film(moving: Moving, drive: Drive, cond: Conditions, span_ns: tuple[int, int], seed: int) -> Iterator[Frame]:
    """The frames of `moving` between two moments, while the door's lights do what `drive` says."""
    rng = np.random.default_rng(seed)
    gain = _gain(moving)
    first, last = (
        [np.float32(gain) * part.astype(np.float32) for part in each] for each in (moving.first, moving.last)
    )
    change = [b - a for a, b in zip(first, last, strict=True)]
    shown = None if moving.shown is None else [np.float32(gain) * part.astype(np.float32) for part in moving.shown]
    height = first[0].shape[0]
    rows_ns = np.arange(height) / height * cond.readout_ms * MS
    sway = _Sway.drawn(rng, cond.sway_px)
    electrons = cond.electrons_per_lux * cond.exposure_ms / 16.7 / gain
    stamp = span_ns[0] + rng.uniform(0, 1000 / cond.fps) * MS
    while stamp < span_ns[1]:
        along = np.float32((stamp - span_ns[0]) / (span_ns[1] - span_ns[0]))
        begin_ns = stamp + cond.lag_ms * MS + rows_ns
        steady = _flicker(begin_ns, cond.flicker, cond.flicker_hz, cond.exposure_ms)
        own = drive if moving.answers is None or shown is not None else moving.answers
        left, right = own.levels(begin_ns, cond.exposure_ms)
        parts = [a + along * d for a, d in zip(first, change, strict=True)]
        light = _rows(steady) * parts[0] + _rows(left) * parts[1] + _rows(right) * parts[2]
        if shown is not None:
            played = (moving.answers or drive).levels(begin_ns, cond.exposure_ms)
            own_light = shown[0] + _rows(played[0]) * shown[1] + _rows(played[1]) * shown[2]
            light += _rows(_flicker(begin_ns, *moving.refresh, cond.exposure_ms)) * own_light
        main = _bytes(_noisy(sway.moved(light, float(along)), electrons, rng), cond.curve)
        yield Frame(main, fit_area(main, LOW_HEIGHT_PX, LOW_WIDTH_PX), int(stamp))
        stamp += (1000 / cond.fps + rng.uniform(-1, 1) * cond.jitter_ms) * MS


@dataclass(frozen=True, slots=True)
class _Sway:
    """Two slow swings across and two down (pixels), a roll (radians), a step nearer (share)."""

    across: tuple[complex, complex]
    down: tuple[complex, complex]
    roll: float
    nearer: float

    @classmethod
    def drawn(cls, rng: np.random.Generator, size_px: float) -> _Sway:
        def swing() -> complex:
            return complex(size_px * rng.uniform(-1, 1) / 2, rng.uniform(0, 2 * np.pi))

        small = min(1.0, size_px / 4)
        return cls(
            (swing(), swing()), (swing(), swing()), small * rng.uniform(-0.02, 0.02), small * rng.uniform(-0.02, 0.02)
        )

    def moved(self, light: Floats, along: float) -> Floats:
        """`light` as it is shifted after the share `along` of the time: sampled between pixels, held at the edges."""
        height, width = light.shape[:2]
        dx, dy = (
            sum(each.real * np.sin((k + 1) * 2.2 * along + each.imag) for k, each in enumerate(pair))
            for pair in (self.across, self.down)
        )
        a = (1 + self.nearer * along) * np.exp(1j * self.roll * along)
        cx, cy = (width - 1) / 2, (height - 1) / 2
        shift = complex(cx + dx, cy + dy) - a * complex(cx, cy)
        where = (a.real, -a.imag, shift.real, a.imag, a.real, shift.imag)
        planes = [
            Image.fromarray(np.ascontiguousarray(light[..., k])).transform(
                (width, height), Image.Transform.AFFINE, where, Image.Resampling.BILINEAR
            )
            for k in range(3)
        ]
        return np.stack([np.asarray(plane, np.float32) for plane in planes], axis=-1)


def _gain(moving: Moving) -> float:
    """What brings the middle of the picture, the lights at rest, to REST_AT: sensor units for each lux on white."""
    at_rest = moving.first[0] + REST.left * moving.first[1] + REST.right * moving.first[2]
    if moving.shown is not None:
        at_rest = at_rest + moving.shown[0] + REST.left * moving.shown[1] + REST.right * moving.shown[2]
    height, width = at_rest.shape[:2]
    middle = luminance(at_rest[height // 5 : -height // 5, width // 4 : -width // 4])
    return REST_AT / float(middle.mean())


def _flicker(begin_ns: Reals, depth: float, often_hz: float, exposure_ms: float) -> Reals:
    """The mean over an exposure of light that swings by `depth` around its mean, as a share of that mean."""
    turns = 2 * np.pi * often_hz / 1e9
    half = turns * exposure_ms * MS / 2
    result: Reals = 1 + depth * np.sin(turns * begin_ns + half) * np.sin(half) / half
    return result


def _noisy(light: Floats, electrons: float, rng: np.random.Generator) -> Floats:
    """`light` with the noise of counting: 1 is so many `electrons`."""
    stock = _stock()
    start = int(rng.integers(0, len(stock) - light.size))
    noise = stock[start : start + light.size].reshape(light.shape)
    spread = np.sqrt(np.maximum(light, 0) * np.float32(1 / electrons) + np.float32((READ_ELECTRONS / electrons) ** 2))
    noisy: Floats = light + spread * noise
    return noisy


def _bytes(light: Floats, curve: float) -> Picture:
    steps = np.clip(light * np.float32(_STEPS), 0, _STEPS).astype(np.intp)
    shown: Picture = _encoding(round(curve, 2))[steps]
    return shown


def _rows(values: Reals) -> Floats:
    return values.astype(np.float32)[:, None, None]


@lru_cache(maxsize=32)
def _encoding(curve: float) -> Picture:
    """The bytes (sRGB, IEC 61966-2-1) of linear steps, bent by an exponent as cameras bend it."""
    level = np.arange(_STEPS + 1) / _STEPS
    encoded = np.where(level <= 0.0031308, 12.92 * level, 1.055 * np.maximum(level, 1e-9) ** (1 / 2.4) - 0.055)
    table: Picture = np.rint(255 * encoded**curve).astype(np.uint8)
    return table


@lru_cache(maxsize=1)
def _stock() -> Floats:
    """Normal deviates, drawn once: each frame takes a stretch of them from a place of its own."""
    return np.random.default_rng(20).standard_normal(_NOISE, np.float32)
