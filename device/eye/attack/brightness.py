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


def offsets(side: int, step: int = 1) -> npt.NDArray[np.intp]:
    """A square of `side` x `side` samples, `step` pixels apart, around its middle: (side * side, 2) of x and y."""
    along = (np.arange(side) - (side - 1) // 2) * step
    x, y = np.meshgrid(along, along)
    square: npt.NDArray[np.intp] = np.stack([x.ravel(), y.ravel()], axis=1).astype(np.intp)
    return square


def brightness(picture: Picture, middles: Floats, around: npt.NDArray[np.intp]) -> Floats:
    """The mean green light (P,) of the samples `around` each of `middles` (P, 2; x, y in pixels), 0 to 1; NaN as above.

    `picture` is H x W x 3, BGR. A middle that is NaN has no brightness.
    """
    samples, inside, _ = _read(picture, middles, around)
    green = samples[..., _GREEN]
    light: Floats = _LIGHT[green].mean(axis=1, dtype=np.float64)
    light[_clipped(green) | ~inside] = np.nan
    return light


def patches(picture: Picture, middles: Floats, around: npt.NDArray[np.intp]) -> Patches:
    """The same of green and of red less blue, with the slopes of the planes that fit the samples best."""
    samples, inside, beside = _read(picture, middles, around)
    centred = (around - around.mean(axis=0)).astype(np.float32)
    weights = np.concatenate([np.full((len(around), 1), 1 / len(around)), centred / (centred**2).sum(axis=0)], axis=1)
    fits = _LIGHT[samples].transpose(0, 2, 1) @ weights.astype(np.float32)  # (P, colours, mean and slopes)
    bad = ~inside[:, None] | _clipped(samples)
    found = []
    for fit, unseen in ((fits[:, _GREEN], bad[:, _GREEN]), (fits[:, _RED] - fits[:, _BLUE], bad[:, ::2].any(axis=1))):
        light = fit[:, 0] + (fit[:, 1:] * beside).sum(axis=1)
        light[unseen] = np.nan
        found += [light, fit[:, 1:].astype(np.float64)]
    return Patches(*found)


def _read(
    picture: Picture, middles: Floats, around: npt.NDArray[np.intp]
) -> tuple[npt.NDArray[np.uint8], npt.NDArray[np.bool_], Floats]:
    """The samples (P, K, 3); which patches lie in the picture (P,); how far each middle lies beside a pixel (P, 2)."""
    height, width = picture.shape[:2]
    known = np.isfinite(middles).all(axis=1)
    middles = np.where(known[:, None], middles, -1e6)
    at = np.rint(middles).astype(np.intp)
    beside = middles - at
    reach = around.max(axis=0), around.min(axis=0)
    inside = ((at + reach[1] >= 0) & (at + reach[0] < (width, height))).all(axis=1)
    at[~inside] = -reach[1]
    flat = (at[:, 1] * width + at[:, 0])[:, None] + (around[:, 1] * width + around[:, 0])
    return np.take(picture.reshape(-1, 3), flat, axis=0), inside, beside  # three times as fast as two indices


def _clipped(samples: npt.NDArray[np.uint8]) -> npt.NDArray[np.bool_]:
    """Whether more than FEW of the samples along the second axis are clipped."""
    clipped = np.zeros((len(samples), *samples.shape[2:]), np.bool_)
    if samples.max(initial=0) >= CLIPPED:  # counting costs as much as all the rest
        clipped |= np.count_nonzero(samples >= CLIPPED, axis=1) > FEW * samples.shape[1]
    return clipped
