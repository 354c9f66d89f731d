"""Make the calibration samples for the int8 builds from the photographs inside a package.

Rules: photographs and crops live in memory only; the order is fixed, so that the same environment builds the same file.
"""

from collections.abc import Iterator

import numpy as np

from tools.models import faces
from tools.models.faces import Picture
from tools.models.layers import Samples
from tools.models.runner import Floats, Runner


def crops(detector: Runner, photographs: list[tuple[str, bytes]]) -> list[Picture]:
    """One aligned 112 x 112 BGR crop for every photograph in which a face is found."""
    found = []
    for _, data in photographs:
        picture = faces.read(data)
        face = faces.main_face(detector, picture)
        if face is not None:
            found.append(faces.crop(picture, face.points))
    return found


def with_mirrors(aligned: list[Picture]) -> list[Picture]:
    """Every crop, followed by its mirror image."""
    return [np.ascontiguousarray(p) for crop in aligned for p in (crop, crop[:, ::-1])]


def embedder_samples(aligned: list[Picture]) -> Samples:
    """Crops as the converter wants them."""

    def generate() -> Iterator[list[Floats]]:
        for crop in aligned:
            yield [faces.normalised(crop)]

    return generate


def detector_samples(photographs: list[tuple[str, bytes]], height: int, width: int) -> Samples:
    """Whole photographs, scaled into the detector's canvas, BGR 0..255."""

    def generate() -> Iterator[list[Floats]]:
        for _, data in photographs:
            canvas, _ = faces.fit(faces.read(data), height, width)
            yield [canvas[None].astype(np.float32)]

    return generate
