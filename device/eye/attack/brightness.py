"""How bright patches are, linear in light, without touching more pixels than they have. Pure.

Rules kept here:
- Bytes become light through one table (the sRGB curve) before anything is averaged: a mean of encoded values is no mean
  of light, and only what is linear in light can be split into what the room and what each lamp gave.
- Green stands for light: half of a sensor's pixels are green, and on skin green is far from full when red is not.
- Red less blue stands for what is not shine: a mirror image has as much red as blue, as the lamp has, and skin
  has not.
- What lies between two pixels is read between them, by the slope: a patch that drifts by half a pixel does not jump.
- A patch with more than one pixel near white is not measured: what a lamp added there is lost, or its mirror image.
- A patch that is not wholly in the picture is not measured either.

Source: the curve is that of sRGB (IEC 61966-2-1). A camera's own differs a little; what is compared later are quotients
of differences at one patch, in which its slope cancels.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from typing import Any, Final

import numpy as np
import numpy.typing as npt

from device.eye.pixels import Picture

Floats = npt.NDArray[np.floating[Any]]

CLIPPED: Final = 250
"""The byte from which on a pixel counts as clipped, as in `device.eye.quality`."""

FEW: Final = 0.04
"""Which share of a patch may be clipped, one of its samples: at most so much of what a lamp adds is lost. A choice."""

_LINEAR_UP_TO: Final = 0.04045
_ENCODED: Final = np.arange(256) / 255
_CURVE: Final = np.where(_ENCODED <= _LINEAR_UP_TO, _ENCODED / 12.92, ((_ENCODED + 0.055) / 1.055) ** 2.4)
_LIGHT: Final = _CURVE.astype(np.float32)
_BLUE, _GREEN, _RED = 0, 1, 2


@dataclass(frozen=True, slots=True, eq=False)
class Patches:
    """Of each patch, in linear light: `green` (P,) and `warm` (P,), red less blue; the slopes (P, 2) of both, a pixel.

    NaN where it was not measured; `warm` also where red or blue is clipped.
    """

    green: Floats
    green_slopes: Floats
    warm: Floats
    warm_slopes: Floats


@dataclass(frozen=True, slots=True, eq=False)
class Square:
    """The samples of a patch: where they lie `around` its middle, (K, 2) of x and y in pixels, and how far at most.

    `weights` (K, 3): of each sample in the mean and in both slopes of the plane that fits best.
    """

    around: npt.NDArray[np.intp]
    least: npt.NDArray[np.intp]
    most: npt.NDArray[np.intp]
    weights: npt.NDArray[np.float32]


@lru_cache(maxsize=64)
def square(side: int, step: int = 1) -> Square:
    """`side` x `side` samples, `step` pixels apart, around their middle. Kept: every frame asks for the same few."""
    along = (np.arange(side) - (side - 1) // 2) * step
    x, y = np.meshgrid(along, along)
    around = np.stack([x.ravel(), y.ravel()], axis=1).astype(np.intp)
    centred = (around - around.mean(axis=0)).astype(np.float32)
    weights = np.concatenate([np.full((len(around), 1), 1 / len(around)), centred / (centred**2).sum(axis=0)], axis=1)
    return Square(around, around.min(axis=0), around.max(axis=0), weights.astype(np.float32))


def brightness(picture: Picture, middles: Floats, samples: Square) -> Floats:
    """The mean green light (P,) of the samples around each of `middles` (P, 2; x, y in pixels), 0 to 1; NaN as above.

    `picture` is H x W x 3, BGR. A middle that is NaN has no brightness.
    """
    pixels, inside, _ = _placed(picture, middles, samples)
    pixels *= 3
    green = picture.reshape(-1)[_GREEN:].take(pixels)  # ten times as fast as an index for each axis
    light: Floats = _LIGHT.take(green).mean(axis=1, dtype=np.float64)
    light[_clipped(green) | ~inside] = np.nan
    return light


def patches(picture: Picture, middles: Floats, samples: Square) -> Patches:
    """The same of green and of red less blue, with the slopes of the planes that fit the samples best.

    Fastest for a picture that is laid plane by plane, as the mesh's crop is.
    """
    pixels, inside, beside = _placed(picture, middles, samples)
    planes = picture.transpose(2, 0, 1).reshape(3, -1)
    colours = planes.reshape(-1).take(pixels + np.arange(3)[:, None, None] * planes.shape[1])  # (3, P, K)
    # One product for all patches and colours: one for each patch costs five times as much.
    fits = (_LIGHT.take(colours).reshape(-1, len(samples.around)) @ samples.weights).reshape(3, -1, 3)
    bad = ~inside | _clipped(colours)
    found = np.stack([fits[_GREEN], fits[_RED] - fits[_BLUE]])
    slopes = found[..., 1:].astype(np.float64)
    light = found[..., 0] + (slopes * beside).sum(axis=-1)
    light[np.stack([bad[_GREEN], bad[_RED] | bad[_BLUE]])] = np.nan
    return Patches(light[0], slopes[0], light[1], slopes[1])


def _placed(
    picture: Picture, middles: Floats, samples: Square
) -> tuple[npt.NDArray[np.intp], npt.NDArray[np.bool_], Floats]:
    """Which pixel each sample is (P, K); which patches lie in the picture (P,); each middle less its pixel (P, 2)."""
    height, width = picture.shape[:2]
    known = np.isfinite(middles).all(axis=1)
    middles = np.where(known[:, None], middles, -1e6)
    at = np.rint(middles).astype(np.intp)
    beside = middles - at
    inside = ((at + samples.least >= 0) & (at + samples.most < (width, height))).all(axis=1)
    at[~inside] = -samples.least
    rows = np.array([1, width])
    return (at @ rows)[:, None] + samples.around @ rows, inside, beside


def _clipped(samples: npt.NDArray[np.uint8]) -> npt.NDArray[np.bool_]:
    """Whether more than FEW of the samples along the last axis are clipped."""
    if samples.max(initial=0) < CLIPPED:  # counting costs ten times as much
        return np.zeros(samples.shape[:-1], np.bool_)
    near_white = (samples >= CLIPPED).sum(axis=-1, dtype=np.uint16)
    clipped: npt.NDArray[np.bool_] = near_white > FEW * samples.shape[-1]
    return clipped
