"""What can be done to a face between the picture and the network: how it is cut, lit, mirrored, and spoiled first.

Rules kept here:
- A crop is made by the door's own warp; only where the points come from, and what is done to its light, is tried.
- Nothing is fitted to the pictures that are measured: where the mesh's points belong in the crop follows
  from a face of nobody (`device.eye.steady`), and what changes the light has fixed constants.
- What spoils a picture (darkness, noise) is drawn from a seed that the file's name gives: each try meets the same.
"""

from __future__ import annotations

import zlib
from dataclasses import dataclass
from typing import Final

import numpy as np
import numpy.typing as npt

from device.eye.alignment import CROP_PX, TEMPLATE, similarity
from device.eye.pixels import Picture, Similarity, Warp, grey
from device.eye.steady import STEADY
from tools.evaluate.tries.geometry import Points
from tools.models.compare import darkened

Floats = npt.NDArray[np.float64]

DLIB_PX: Final = 150
DLIB_TEMPLATE: Final = np.array([[47.55, 46.6], [100.48, 46.6], [74.01, 76.56], [50.41, 103.02], [97.61, 103.02]])
"""YuNet's five points in dlib's chip of 150 pixels: its mean face, padded by a quarter (dlib, image_transforms)."""

DARK_BELOW: Final = 45.0  # mean grey of the middle: no face of lfw-dev has less than 56 (device.eye.quality)
LIFTED_TO: Final = 0.45
_MIDDLE: Final = (slice(28, 100), slice(24, 88))


@dataclass(frozen=True)
class Variant:
    """One way to an embedding. The words are those of ALIGNMENTS, LIGHTS and SPOILS; network: a file's name."""

    network: str = "shipped"
    alignment: str = "yunet"
    light: str = "as is"
    mirrored: bool = False
    spoiled: str = "no"
    size: float = 1.0
    right_px: float = 0.0
    down_px: float = 0.0

    @property
    def name(self) -> str:
        """For people and files."""
        parts = [self.network, self.alignment, self.light, self.spoiled]
        parts += ["mirrored"] if self.mirrored else []
        moved = (self.size, self.right_px, self.down_px)
        parts += ["{:g},{:g},{:g}".format(*moved)] if moved != (1.0, 0.0, 0.0) else []
        return "-".join(part.replace(" ", "_") for part in parts)


def placed(alignment: str, five: Points, mesh: Points, steady: Floats) -> Similarity:
    """From the picture to the crop. `steady`: where those points of the mesh belong in the crop."""
    by_detector = similarity(five.astype(np.float64), TEMPLATE)
    if alignment == "yunet" or np.isnan(mesh).any():
        return by_detector
    if alignment == "dlib":
        return similarity(five.astype(np.float64), DLIB_TEMPLATE)
    by_many = similarity(mesh[list(STEADY)].astype(np.float64), steady)
    if alignment == "mesh many":
        return by_many
    if alignment == "mean of both":
        return _between(by_detector, by_many)
    raise ValueError(alignment)


def _between(one: Similarity, other: Similarity) -> Similarity:
    """Halfway: scale and turn by their geometric mean, and the crop's middle halfway as well."""
    a = one.a * complex(np.sqrt(other.a / one.a))
    middle = complex(CROP_PX, CROP_PX) / 2
    back = (complex(*one.inverse()(middle.real, middle.imag)) + complex(*other.inverse()(middle.real, middle.imag))) / 2
    return Similarity(a, middle - a * back)


def shifted(to_crop: Similarity, size: float, right_px: float, down_px: float) -> Similarity:
    """`to_crop` with the face `size` times as large around the crop's middle, then moved."""
    middle = complex(CROP_PX, CROP_PX) / 2
    return Similarity(to_crop.a * size, (to_crop.b - middle) * size + middle + complex(right_px, down_px))


def cut(picture: Picture, to_crop: Similarity, warp: Warp, side: int = CROP_PX) -> Picture:
    """The crop, side x side x 3."""
    crop = np.zeros((side, side, 3), np.uint8)
    warp(picture, to_crop.inverse(), crop)
    return crop


def spoil(crop: Picture, how: str, file: str) -> Picture:
    """`crop` in the dark ("dark": gamma 2.5, half the brightness, noise of 4 grey levels), or as it is ("no")."""
    return darkened(crop, zlib.crc32(file.encode())) if how == "dark" else crop


RELIT: Final = frozenset({"smooth", "gamma", "gain", "stretch", "equalised"})


def is_way(how: str) -> bool:
    """Whether `relit` knows these words."""
    return how == "as is" or set(how.split()) <= RELIT


def relit(crop: Picture, how: str, below: float = DARK_BELOW) -> Picture:
    """`crop` after what is tried against darkness; one whose middle is not darker than `below` stays as it is."""
    if how == "as is":
        return crop
    mean = float(grey(crop[_MIDDLE]).mean())
    if mean >= below:
        return crop
    soft = "smooth" in how
    values = (blurred(crop) if soft else crop.astype(np.float64)) / 255
    if "gamma" in how:
        values = np.maximum(values, 1e-4) ** (np.log(LIFTED_TO) / np.log(max(mean, 2.0) / 255))
    if "gain" in how:
        values = values * (LIFTED_TO * 255 / max(mean, 2.0))
    if "stretch" in how:
        luma = values[_MIDDLE].mean(axis=2)
        low, high = np.quantile(luma, (0.02, 0.98))
        values = 0.15 + (values - low) * (0.65 / max(high - low, 1e-3))
    if "equalised" in how:
        values = _equalised(values)
    lit: Picture = np.clip(np.rint(values * 255), 0, 255).astype(np.uint8)
    return lit


def blurred(crop: Picture) -> Floats:
    """The binomial mean of 3 x 3 pixels, edges repeated."""
    wide = np.pad(crop.astype(np.float64), ((1, 1), (1, 1), (0, 0)), mode="edge")
    rows = (wide[:-2] + 2 * wide[1:-1] + wide[2:]) / 4
    return np.asarray((rows[:, :-2] + 2 * rows[:, 1:-1] + rows[:, 2:]) / 4)


def _equalised(values: Floats, tiles: int = 4, limit: float = 3.0) -> Floats:
    """Contrast-limited adaptive equalisation of the luma (Zuiderveld, Graphics Gems IV, 1994); colours in ratio."""
    luma = np.clip(values.mean(axis=2), 0, 1)
    side = luma.shape[0] // tiles
    levels = 64
    maps = np.empty((tiles, tiles, levels))
    for row in range(tiles):
        for column in range(tiles):
            tile = luma[row * side : (row + 1) * side, column * side : (column + 1) * side]
            counts = np.histogram(tile, levels, (0, 1))[0].astype(np.float64)
            most = limit * tile.size / levels
            over = np.maximum(counts - most, 0).sum()
            maps[row, column] = np.cumsum(np.minimum(counts, most) + over / levels) / tile.size
    at = np.clip((np.arange(luma.shape[0]) + 0.5) / side - 0.5, 0, tiles - 1)
    low = np.minimum(at.astype(int), tiles - 2)
    part = at - low
    bins = np.minimum((luma * levels).astype(int), levels - 1)
    rows, columns = low[:, None], low[None, :]
    down, across = part[:, None], part[None, :]
    mapped = (1 - down) * ((1 - across) * maps[rows, columns, bins] + across * maps[rows, columns + 1, bins])
    mapped += down * ((1 - across) * maps[rows + 1, columns, bins] + across * maps[rows + 1, columns + 1, bins])
    return np.asarray(values * (mapped / np.maximum(luma, 1e-2))[..., None])
