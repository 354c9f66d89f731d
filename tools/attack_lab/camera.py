"""What a camera makes of light: rows one after the other, exposures that span a change, noise, bytes.

Rules kept here:
- Exposure is chosen once, with the lights at rest, and held: as `Camera.steady` does at the door.
- Each row is exposed at its own time; a change of the lights in the middle of an exposure counts for the part after it.
- Light that arrives is counted in electrons: shot noise, read noise, then the curve of the camera and 8 bits.
- What moves, moves in the picture: shifts, small turns, nearer and farther; its shading goes from one pose to another.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Final

import numpy as np
import numpy.typing as npt

from device.challenge import MS, REST, Lights
from device.eye.camera import LOW_HEIGHT_PX, LOW_WIDTH_PX, Frame
from device.eye.pixels import Picture, fit_area
from tools.attack_lab.colours import luminance
from tools.attack_lab.conditions import Conditions
from tools.attack_lab.head import Reals
from tools.attack_lab.light import Parts
from tools.attack_lab.shifted import Affine, Held

Floats = npt.NDArray[np.float32]

REST_AT: Final = 0.16  # how bright, in linear light, a camera makes the middle of the picture
READ_ELECTRONS: Final = 12.0  # of a pixel that is put together from a dozen or two of the sensor's
_STEPS: Final = 4095
_BAND: Final = 16  # rows that are done at a time: they stay in a processor's cache
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
    first, last = _planes(moving.first, gain), _planes(moving.last, gain)
    change = None if moving.first is moving.last else last - first
    shown = None if moving.shown is None else _planes(moving.shown, gain)
    _, _, height, width = first.shape
    rows_ns = np.arange(height) / height * cond.readout_ms * MS
    sway = _Sway.drawn(rng, cond.sway_px)
    electrons = cond.electrons_per_lux * cond.exposure_ms / 16.7 / gain
    held = Held(3, height, width)
    stamp = span_ns[0] + rng.uniform(0, 1000 / cond.fps) * MS
    while stamp < span_ns[1]:
        along = np.float32((stamp - span_ns[0]) / (span_ns[1] - span_ns[0]))
        begin_ns = stamp + cond.lag_ms * MS + rows_ns
        steady = _flicker(begin_ns, cond.flicker, cond.flicker_hz, cond.exposure_ms)
        own = drive if moving.answers is None or shown is not None else moving.answers
        left, right = own.levels(begin_ns, cond.exposure_ms)
        _mixed(held.planes, (first, change, along), (steady, left, right))
        if shown is not None:
            played = (moving.answers or drive).levels(begin_ns, cond.exposure_ms)
            pulse = _flicker(begin_ns, *moving.refresh, cond.exposure_ms)
            _add_own(held.planes, shown, (pulse, *played))
        main = _noisy_bytes(held.shifted(sway.where(width, height, float(along))), electrons, cond.curve, rng)
        yield Frame(main, fit_area(main, LOW_HEIGHT_PX, LOW_WIDTH_PX), int(stamp))
        stamp += (1000 / cond.fps + rng.uniform(-1, 1) * cond.jitter_ms) * MS


def _planes(parts: Parts, gain: float) -> Floats:
    """(3, 3, H, W): of the light around, the left and the right light, a plane of each colour, times `gain`."""
    height, width, _ = parts[0].shape
    planes: Floats = np.empty((3, 3, height, width), np.float32)
    for part, into in zip(parts, planes, strict=True):
        into[:] = np.moveaxis(part, -1, 0)
    planes *= np.float32(gain)
    return planes


def _mixed(light: Floats, still: tuple[Floats, Floats | None, np.float32], levels: Sequence[Reals]) -> None:
    """Write into `light`, (3, H, W), the three parts at the `levels` of each row, (H,), after a share of the change."""
    parts, change, along = still
    rows = [_rows(each) for each in levels]
    height = light.shape[1]
    for top in range(0, height, _BAND):
        band = slice(top, top + _BAND)
        for colour in range(3):
            sums = []
            for which in range(3):
                part = parts[which, colour, band]
                if change is not None:
                    moved = along * change[which, colour, band]
                    moved += part
                    moved *= rows[which][band]
                else:
                    moved = rows[which][band] * part
                sums.append(moved)
            sums[0] += sums[1]
            np.add(sums[0], sums[2], out=light[colour, band])


def _add_own(light: Floats, shown: Floats, levels: Sequence[Reals]) -> None:
    """Add to `light` what a screen shines by itself: as it refreshes, and as what it shows answered its lights."""
    pulse, left, right = (_rows(each) for each in levels)
    for top in range(0, light.shape[1], _BAND):
        band = slice(top, top + _BAND)
        for colour in range(3):
            own = left[band] * shown[1, colour, band]
            own += shown[0, colour, band]
            own += right[band] * shown[2, colour, band]
            own *= pulse[band]
            light[colour, band] += own


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

    def where(self, width: int, height: int, along: float) -> Affine:
        """What each pixel shows after the share `along` of the time."""
        dx, dy = (
            sum(each.real * np.sin((k + 1) * 2.2 * along + each.imag) for k, each in enumerate(pair))
            for pair in (self.across, self.down)
        )
        a = (1 + self.nearer * along) * np.exp(1j * self.roll * along)
        cx, cy = (width - 1) / 2, (height - 1) / 2
        shift = complex(cx + dx, cy + dy) - a * complex(cx, cy)
        return a.real, -a.imag, shift.real, a.imag, a.real, shift.imag


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


def _noisy_bytes(light: Floats, electrons: float, curve: float, rng: np.random.Generator) -> Picture:
    """`light`, which is used up, with the noise of counting (1 is so many `electrons`), as bytes."""
    stock, table = _stock(), _encoding(round(curve, 2))
    start = int(rng.integers(0, len(stock) - light.size))
    noise = stock[start : start + light.size].reshape(light.shape)
    per_electron, read = np.float32(1 / electrons), np.float32((READ_ELECTRONS / electrons) ** 2)
    shown: Picture = np.empty(light.shape, np.uint8)
    for top in range(0, len(light), _BAND):
        band = light[top : top + _BAND]
        spread = np.maximum(band, 0)
        spread *= per_electron
        spread += read
        np.sqrt(spread, out=spread)
        spread *= noise[top : top + _BAND]
        band += spread
        band *= np.float32(_STEPS)
        np.clip(band, 0, _STEPS, out=band)
        table.take(band.astype(np.intp), out=shown[top : top + _BAND], mode="clip")
    return shown


def _rows(values: Reals) -> Floats:
    return values.astype(np.float32)[:, None]


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
