"""What the simulated camera's sensor makes of somebody who stands in the light of the two lamps.

Rules kept here:
- Light adds up before it is encoded, as it does on a sensor: ambient, and each lamp times its mean level while the
  frame was exposed. Beyond full it is clipped.
- No two frames of a stream are alike: each has other noise, and who stands there is never quite still.
- The same moments give the same frames: noise and sway follow from the frame's number and time alone.

Left out here, and rendered by tools/attack_lab: a rolling shutter, and lamps that need time to light up.
"""

from __future__ import annotations

from functools import lru_cache
from typing import Final

import numpy as np
import numpy.typing as npt

from device.eye.basis import Basis, Linear
from device.eye.pixels import Picture

SWAY_PX: Final = 2
"""The farthest that somebody sways to a side, in pixels of the main plane: a choice."""

NOISE_LEVELS: Final = 1.5
"""Standard deviation of the noise in 8-bit levels after encoding: a choice. One figure will do for dark and bright:
photons vary like the square root of their number, and the encoding is near a square root, which makes that even
(Anscombe 1948)."""

_FRACTION: Final = 4  # bits of an encoded level below the 8 that are shown: what noise is added to before it is rounded
_FIELD: Final = 64  # the noise is one field, shifted by up to this many pixels both ways: 4096 frames without a repeat
_STEP: Final = 2731  # odd, so that every one of 64 * 64 shifts has its turn
_FULL: Final = 65535
_LINEAR_BELOW: Final = 0.0031308  # where the curve of IEC 61966-2-1 begins to be a power
_KEPT_LIGHTS: Final = (
    10  # of one basis; each 1.9 MB at 640 x 480. A challenge has four, and a window's begin and end two.
)
_NOISE_SEED: Final = 1948

Encoded = npt.NDArray[np.int16]


class Lit:
    """A basis in changing light, seen by a sensor of the basis' own size."""

    def __init__(self, basis: Basis) -> None:
        self._height, self._width = basis.ambient.shape[:2]
        self._ambient, self._left, self._right = (_padded(each) for each in (basis.ambient, basis.left, basis.right))
        self._noise = _noise(self._height, self._width)
        self._kept: dict[tuple[float, float], Encoded] = {}

    def exposed(self, levels: tuple[float, float], number: int, seconds: float) -> Picture:
        """Frame `number` of the stream, begun `seconds` after its begin, with the lights at these mean levels."""
        across, down = sway(seconds)
        top, left = SWAY_PX + down, SWAY_PX + across
        lower, farther = divmod(number * _STEP % (_FIELD * _FIELD), _FIELD)
        seen = self._encoded(levels)[top : top + self._height, left : left + self._width]
        seen = seen + self._noise[lower : lower + self._height, farther : farther + self._width]
        seen >>= _FRACTION
        np.maximum(seen, 0, out=seen)
        np.minimum(seen, 255, out=seen)
        return seen.astype(np.uint8)

    def _encoded(self, levels: tuple[float, float]) -> Encoded:
        """Kept where nothing changed during the exposure: most frames see one of few lights."""
        known = self._kept.get(levels)
        if known is not None:
            return known
        mixed = self._left * np.float32(levels[0])
        mixed += self._right * np.float32(levels[1])
        mixed += self._ambient
        np.minimum(mixed, _FULL, out=mixed)
        encoded = encoding().take(mixed.astype(np.uint16))
        if all(level.is_integer() for level in levels) and len(self._kept) < _KEPT_LIGHTS:
            self._kept[levels] = encoded
        return encoded


def sway(seconds: float) -> tuple[int, int]:
    """Where somebody who tries to stand still is, right and down, in pixels: slow and faster together."""
    turn = 2 * np.pi * seconds
    right = 1.3 * np.sin(0.31 * turn) + 0.7 * np.sin(0.83 * turn + 1.0)
    down = 0.8 * np.sin(0.23 * turn + 2.0) + 0.4 * np.sin(1.1 * turn)
    return round(float(right)), round(float(down))


@lru_cache(maxsize=1)
def encoding() -> Encoded:
    """Linear light 0..65535 to encoded levels with _FRACTION bits more, rounded: IEC 61966-2-1 (sRGB)."""
    linear = np.arange(_FULL + 1) / _FULL
    curve = np.where(linear <= _LINEAR_BELOW, 12.92 * linear, 1.055 * linear ** (1 / 2.4) - 0.055)
    encoded: Encoded = np.rint(curve * (255 << _FRACTION)).astype(np.int16)
    return encoded


@lru_cache(maxsize=2)
def _noise(height: int, width: int) -> Encoded:
    """Noise with the half level that makes the cutting off of fractions a rounding."""
    field = np.random.default_rng(_NOISE_SEED).standard_normal((height + _FIELD, width + _FIELD, 3), np.float32)
    noise: Encoded = np.rint((field * NOISE_LEVELS + 0.5) * (1 << _FRACTION)).astype(np.int16)
    return noise


def _padded(plane: Linear) -> Linear:
    """With an edge to sway over."""
    return np.pad(plane, ((SWAY_PX, SWAY_PX), (SWAY_PX, SWAY_PX), (0, 0)), mode="edge")
