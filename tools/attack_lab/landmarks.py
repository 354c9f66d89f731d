"""Five points of a face in a picture, found more closely than in one look.

Rules kept here:
- The detector alone says where they are. It looks several times, at the picture shifted, scaled and mirrored a little,
  and the mean counts: its error differs from look to look.
- How far that mean still is from the truth is part of what is rendered: a head is never laid over a photograph exactly.
"""

from __future__ import annotations

from functools import lru_cache
from typing import Any, Final

import numpy as np
import numpy.typing as npt
from PIL import Image

from device.errors import PictureRefused
from device.eye.camera import LOW_HEIGHT_PX, LOW_WIDTH_PX
from device.eye.detector import Detector
from device.eye.pixels import Picture, fit_area
from device.eye.runtime import Network
from device.eye.runtime import choose as choose_runtime
from device.manifest import Job, load
from device.paths import models_dir

_LOOKS: Final = ((0, 0, 1.0), (7, -5, 1.06), (-9, 4, 0.94), (4, 9, 1.0), (-5, -8, 1.12))  # shift in pixels, scale
_SAME: Final = 0.2  # eye distances: a look that found another face, or none, is left out
_MIRRORED: Final = (1, 0, 2, 4, 3)


def five_points(shown: Picture, name: str) -> npt.NDArray[Any]:
    """Eyes, nose, mouth corners as seen, (5, 2) pixels, of the largest face in a plane 4:3.

    Raises PictureRefused if there is none.
    """
    first = _look(shown)
    if first is None:
        raise PictureRefused(f"no face was found in {name}: nobody can be made of it")
    limit = _SAME * float(np.hypot(*(first[1] - first[0])))
    found = [again for again in _again(shown) if np.abs(again - first).max() < limit]
    mean: npt.NDArray[Any] = np.mean([first, *found], axis=0)
    return mean


def _again(shown: Picture) -> list[npt.NDArray[Any]]:
    height, width = shown.shape[:2]
    looks = []
    straight = Image.fromarray(shown)
    both = (straight, straight.transpose(Image.Transpose.FLIP_LEFT_RIGHT))
    for dx, dy, scale in _LOOKS:
        for mirrored, picture in enumerate(both):
            where = (1 / scale, 0, dx, 0, 1 / scale, dy)
            moved = picture.transform((width, height), Image.Transform.AFFINE, where, Image.Resampling.BILINEAR)
            points = _look(np.asarray(moved))
            if points is None:
                continue
            points = points / scale + [dx, dy]
            if mirrored:
                points[:, 0] = width - 1 - points[:, 0]
                points = points[list(_MIRRORED)]
            looks.append(points)
    return looks


def _look(shown: Picture) -> npt.NDArray[Any] | None:
    found = _detector().find(fit_area(shown, LOW_HEIGHT_PX, LOW_WIDTH_PX))
    if not found:
        return None
    return max(found, key=lambda face: face.eye_distance_px).scaled(shown.shape[1] / LOW_WIDTH_PX).points


@lru_cache(maxsize=1)
def _detector() -> Detector:
    folder = models_dir()
    return Detector(Network.load(load(folder).for_job(Job.DETECT), folder, choose_runtime("auto")))
