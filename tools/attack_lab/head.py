"""A head as a height over its own plane, in sizes drawn from published measurements of adults.

Rules kept here:
- Its own shape: ellipses and bumps with names, of sizes that callipers measured. No mesh of anybody, and nothing of
  the networks that are put to the test.
- Two people drawn are two shapes; the same seed is the same person.

Sources: widths and heights from the table 9 of Maxillofacial Plastic and Reconstructive Surgery 41 (2019), article
s40902-019-0191-7 (means of men and women, standard deviations widened to a whole population); eyes from Dodgson
("Variation and extrema of human interpupillary distance", SPIE 5291, 2004: mean 63 mm, most adults 50 to 75). How far
noses stand out: about 20 mm with a standard deviation near 2.5 mm in surveys for respirators (Zhuang and Bradtmiller,
Journal of Occupational and Environmental Hygiene 2, 2005), from where it meets the lip. The creases of its wings lie
farther back: wings are some 32 mm long (alar length) and 19 mm beside the tip. Other depths are choices.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import Any, Final

import numpy as np
import numpy.typing as npt

Reals = npt.NDArray[np.float64]

SIDE_MM: Final = 95  # the grid: this far to each side of the middle of the eyes
ABOVE_MM: Final = 125
BELOW_MM: Final = 135
_NASION_MM: Final = -3.0  # the root of the nose stands a little above the eyes
_DEPTH_MM: Final = 85.0  # from the front of the face to the ears
_ROUNDNESS: Final = 2.2  # 2 is an ellipse; faces are flatter in front
_SMOOTHED_MM: Final = 1.5
_ROOT_MM: Final = 6.0  # how far the root of the nose stands out between the eyes
_WINGS_BACK_MM: Final = 7.0  # how far the creases of the wings lie behind the point where the nose meets the lip


@dataclass(frozen=True, slots=True)
class Measures:
    """Sizes of one head, mm. Heights of nose and lip are between landmarks, `lower_face_mm` from nose to chin.

    `fullness` scales cheeks, lips and chin, `sockets` the depth of the eyes: 1 is the middle.
    """

    eyes_mm: float = 63.0
    nose_height_mm: float = 49.3
    nose_out_mm: float = 20.0
    nose_width_mm: float = 38.0
    lip_height_mm: float = 24.8
    mouth_width_mm: float = 52.0
    lower_face_mm: float = 73.0
    cheekbones_mm: float = 134.0
    jaw_mm: float = 104.0
    fullness: float = 1.0
    sockets: float = 1.0


MEAN: Final = Measures()


def draw_measures(rng: np.random.Generator) -> Measures:
    """Somebody; each size within two and a half standard deviations."""

    def size(mean: float, deviation: float) -> float:
        return mean + deviation * float(np.clip(rng.standard_normal(), -2.5, 2.5))

    return Measures(
        eyes_mm=size(MEAN.eyes_mm, 3.7),
        nose_height_mm=size(MEAN.nose_height_mm, 3.5),
        nose_out_mm=size(MEAN.nose_out_mm, 2.5),
        nose_width_mm=size(MEAN.nose_width_mm, 4.0),
        lip_height_mm=size(MEAN.lip_height_mm, 2.2),
        mouth_width_mm=size(MEAN.mouth_width_mm, 4.0),
        lower_face_mm=size(MEAN.lower_face_mm, 5.0),
        cheekbones_mm=size(MEAN.cheekbones_mm, 6.0),
        jaw_mm=size(MEAN.jaw_mm, 7.0),
        fullness=size(1.0, 0.25),
        sockets=size(1.0, 0.25),
    )


@dataclass(frozen=True)
class Head:
    """The surface of `measures`: x right, y down from the middle of the eyes, heights towards the camera, all in mm."""

    measures: Measures = MEAN

    @property
    def subnasal_mm(self) -> float:
        """Where the nose ends below, under the eyes."""
        return _NASION_MM + self.measures.nose_height_mm

    @property
    def tip_mm(self) -> float:
        """Where the tip of the nose is, under the eyes."""
        return self.subnasal_mm - 8.0

    @property
    def mouth_mm(self) -> float:
        """Where the mouth is, under the eyes."""
        return self.subnasal_mm + self.measures.lip_height_mm

    @property
    def chin_mm(self) -> float:
        """Where the face ends below, under the eyes."""
        return self.subnasal_mm + self.measures.lower_face_mm

    @cached_property
    def heights(self) -> Reals:
        """One height a millimetre, (ABOVE + BELOW + 1) x (2 * SIDE + 1); the face's outline is `half_width`."""
        y, x = np.mgrid[-ABOVE_MM : BELOW_MM + 1, -SIDE_MM : SIDE_MM + 1].astype(np.float64)
        return _smoothed(self._base(x, y) + self._features(x, y) + self._nose(x, y))

    @cached_property
    def slopes(self) -> tuple[Reals, Reals]:
        """What `heights` rise a millimetre to the right, and downwards."""
        down, right = np.gradient(self.heights)
        return right, down

    @property
    def landmarks_mm(self) -> Reals:
        """(5, 3): eyes, tip of the nose, corners of the mouth as seen; x, y, height."""
        eye, corner = self.measures.eyes_mm / 2, self.measures.mouth_width_mm / 2
        flat = np.array(
            [[-eye, 0], [eye, 0], [0, self.tip_mm], [-corner, self.mouth_mm], [corner, self.mouth_mm]], np.float64
        )
        return np.column_stack([flat, sampled(self.heights, flat[:, 0], flat[:, 1])])

    def half_width(self, y: Reals) -> Reals:
        """How far the face reaches to each side at `y`."""
        m = self.measures
        heights = [
            -125.0,
            -105.0,
            -75.0,
            -30.0,
            20.0,
            self.mouth_mm,
            self.chin_mm - 12,
            self.chin_mm,
            self.chin_mm + 16,
        ]
        widths = [20.0, 48.0, 0.49 * m.cheekbones_mm, 0.52 * m.cheekbones_mm, 0.52 * m.cheekbones_mm]
        widths += [0.58 * m.jaw_mm, 0.46 * m.jaw_mm, 0.33 * m.jaw_mm, 12.0]
        result: Reals = np.interp(y, heights, widths)
        return result

    def _base(self, x: Reals, y: Reals) -> Reals:
        """Skull and jaw: a flattened ellipse across, a profile down the middle."""
        heights = [-125.0, -105.0, -75.0, -45.0, -14.0, _NASION_MM, self.subnasal_mm, self.mouth_mm]
        profile = [-75.0, -34.0, -6.0, 9.0, 13.0, 8.0, 11.0, 12.0]
        heights += [self.chin_mm - 18, self.chin_mm - 6, self.chin_mm, self.chin_mm + 16]
        profile += [8.0, 2.0, -8.0, -60.0]
        across = np.minimum(np.abs(x / self.half_width(y)), 0.995) ** _ROUNDNESS
        base: Reals = np.interp(y, heights, profile) - _DEPTH_MM * (1 - (1 - across) ** (1 / _ROUNDNESS))
        return base

    def _features(self, x: Reals, y: Reals) -> Reals:
        m = self.measures
        eye, side = m.eyes_mm / 2, np.abs(x)
        sockets = -6.5 * _bump(side - eye + 2, 14, y - 1, 9) + 4.0 * _bump(side - eye, 8, y, 6.5)
        brows = 3.0 * _bump(side - eye + 4, 16, y + 17, 6)
        cheeks = 4.5 * _bump(side - 0.27 * m.cheekbones_mm, 15, y - 32, 15)
        lips = 4.0 * _bump(x, 0.33 * m.mouth_width_mm, y - self.mouth_mm, 6)
        lips -= 2.0 * _bump(x, 0.4 * m.mouth_width_mm, y - self.mouth_mm, 1.6)
        fold = -3.0 * _bump(x, 17, y - self.mouth_mm - 15, 5)
        chin = 5.0 * _bump(x, 17, y - self.chin_mm + 17, 10)
        features: Reals = m.sockets * sockets + brows + m.fullness * (cheeks + lips + fold + chin)
        return features

    def _nose(self, x: Reals, y: Reals) -> Reals:
        m = self.measures
        down = (y - _NASION_MM) / (self.tip_mm - _NASION_MM)
        under = (y - self.tip_mm) / (self.subnasal_mm + 3 - self.tip_mm)
        upper = _ROOT_MM + (m.nose_out_mm + _WINGS_BACK_MM - _ROOT_MM) * np.clip(down, 0, 1) ** 1.1
        upper *= np.clip((y - _NASION_MM + 10) / 10, 0, 1)
        lower = m.nose_out_mm + _WINGS_BACK_MM
        ridge = np.where(down <= 1, upper, lower * np.clip(1 - under**2, 0, 1))
        width = 8.5 + (0.42 * m.nose_width_mm - 8.5) * np.clip(down, 0, 1)
        steep = 2 + np.clip(down, 0, 1)  # the bridge is round, the wings stand up
        lip = _WINGS_BACK_MM * _bump(x, 14, y - self.subnasal_mm - 8, 12)
        wings = 4.0 * _bump(np.abs(x) - 0.34 * m.nose_width_mm, 4.5, y - self.subnasal_mm + 5, 5)
        nose: Reals = ridge * np.exp(-(np.abs(x / width) ** steep)) + wings + lip
        return nose


def sampled(grid: Reals, x: Any, y: Any) -> Reals:
    """`grid` (one value a millimetre, laid out as `Head.heights`) between its points; held at its edges."""
    height, width = grid.shape
    column = np.clip(np.asarray(x, np.float64) + SIDE_MM, 0, width - 1.001)
    row = np.clip(np.asarray(y, np.float64) + ABOVE_MM, 0, height - 1.001)
    left, top = column.astype(np.intp), row.astype(np.intp)
    right_part, low_part = column - left, row - top
    flat, at = grid.reshape(-1), top * width + left
    upper = flat[at] * (1 - right_part) + flat[at + 1] * right_part
    lower = flat[at + width] * (1 - right_part) + flat[at + width + 1] * right_part
    result: Reals = upper * (1 - low_part) + lower * low_part
    return result


def _bump(x: Reals, width: float, y: Reals, height: float) -> Reals:
    result: Reals = np.exp(-((x / width) ** 2) - (y / height) ** 2)
    return result


def _smoothed(grid: Reals) -> Reals:
    """Creases are rounded as skin rounds them."""
    reach = int(3 * _SMOOTHED_MM)
    weights = np.exp(-0.5 * (np.arange(-reach, reach + 1) / _SMOOTHED_MM) ** 2)
    weights /= weights.sum()

    def along(line: Reals) -> Reals:
        return np.convolve(np.pad(line, reach, mode="edge"), weights, "valid")

    result: Reals = np.apply_along_axis(along, 1, np.apply_along_axis(along, 0, grid))
    return result
