"""From five points of a face to the crop the embedder was trained on.

Rules kept here:
- The crop is a similarity of the picture: rotated, scaled and shifted, never sheared or mirrored.
- The five points are left eye, right eye, nose, left and right mouth corner, as seen in the picture.

Sources: the 112 x 112 template is ArcFace's (Deng et al., CVPR 2019). In two dimensions and without mirror images the
least-squares similarity of Umeyama (IEEE TPAMI 13, 1991) is one complex regression, which needs no decomposition.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

from device.eye.pixels import Similarity

CROP_PX = 112
TEMPLATE = np.array(
    [[38.2946, 51.6963], [73.5318, 51.5014], [56.0252, 71.7366], [41.5493, 92.3655], [70.7299, 92.2041]]
)


def similarity(points: npt.NDArray[Any], target: npt.NDArray[Any]) -> Similarity:
    """The similarity that brings `points` closest to `target`, both (n, 2). Raises ValueError if they all coincide."""
    return _nearest(_complex(points), *_about_its_middle(_complex(target)))


def picture_to_crop(points: npt.NDArray[Any]) -> Similarity:
    """The similarity that brings the detector's five `points`, (5, 2), closest to the template. Raises ValueError."""
    return _nearest(_complex(points), *_TEMPLATE)


def _complex(points: npt.NDArray[Any]) -> list[complex]:
    """`points` (n, 2) as x + iy. They are few: Python's own arithmetic is quicker than a dozen calls into numpy."""
    return [complex(x, y) for x, y in points.tolist()]


def _about_its_middle(points: list[complex]) -> tuple[list[complex], complex]:
    """`points` less their mean, and that."""
    mean = sum(points) / len(points)
    return [point - mean for point in points], mean


_TEMPLATE = _about_its_middle(_complex(TEMPLATE))


def _nearest(points: list[complex], wanted: list[complex], aim: complex) -> Similarity:
    found, mean = _about_its_middle(points)
    spread = sum([point.real * point.real + point.imag * point.imag for point in found])
    if spread <= 0:
        msg = "points in one place say nothing about a face"
        raise ValueError(msg)
    a = sum([point.conjugate() * aim for point, aim in zip(found, wanted, strict=True)]) / spread
    return Similarity(a, aim - a * mean)
