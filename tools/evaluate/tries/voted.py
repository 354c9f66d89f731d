"""The five points as the mean of all cells of the detector that see the face, not of the best cell alone.

Rules kept here:
- A cell counts if its box overlaps the chosen face's by half, as much as its score to the fourth power says. That costs
  nothing: the detector has put them all out anyway.
- Points are cached as in `tools.evaluate.tries.geometry`.
"""

from __future__ import annotations

import hashlib
from dataclasses import replace
from pathlib import Path
from typing import Final

import numpy as np
from rich.progress import track

from device.eye.detector import Candidates, Detector, Face, overlaps
from device.eye.pixels import fit_area
from device.eye.runtime import Network, Runtime
from device.manifest import Job, load
from tools.evaluate.tries.embed import Folder
from tools.evaluate.tries.geometry import Geometry, Points
from tools.models.faces import read

OVERLAP: Final = 0.5
POWER: Final = 4


class OpenDetector(Detector):
    """The door's detector, which keeps what it chose from."""

    last: Candidates

    def _candidates(self) -> Candidates:
        self.last = super()._candidates()
        return self.last


def points_of(found: Candidates, chosen: Face) -> Points:
    """(5, 2): the mean of the cells that see `chosen`, in the pixels of both."""
    left, top, width, height = chosen.box
    box = np.array([left, top, left + width, top + height])
    same = overlaps(box, found.boxes) >= OVERLAP
    weight = found.scores[same].astype(np.float64) ** POWER
    mean: Points = np.tensordot(weight / weight.sum(), found.points[same], axes=1).astype(np.float32)
    return mean


def geometry(folder: Folder, models: Path, cache: Path) -> Geometry:
    """The folder's geometry with the mean of all cells in the place of the best one."""
    return replace(folder.geometry, five=find(folder, models, cache))


def find(folder: Folder, models: Path, cache: Path) -> Points:
    """(n, 5, 2) for the rows of the folder's geometry, in pixels of its pictures."""
    detector = load(models).for_job(Job.DETECT).sha256.hex()[:8]
    rows = hashlib.sha256("\n".join(folder.geometry.files.tolist()).encode() + folder.geometry.five.tobytes())
    kept = cache / f"voted-{folder.name}-{rows.hexdigest()[:16]}-{detector}.npy"
    if not kept.exists():
        looker = OpenDetector(Network.load(load(models).for_job(Job.DETECT), models, Runtime.LITERT))
        wanted = zip(folder.geometry.files.tolist(), folder.geometry.five, strict=True)
        made = [_looked(folder, looker, name, five) for name, five in track(list(wanted), description="votes")]
        half = kept.with_suffix(".half")
        with half.open("wb") as file:
            np.save(file, np.array(made, np.float32))
        half.replace(kept)
    found: Points = np.load(kept)
    return found


def _looked(folder: Folder, detector: OpenDetector, file: str, five: Points) -> Points:
    picture = np.ascontiguousarray(read(folder.root / file, folder.border_px))
    height, width = picture.shape[:2]
    factor = min(1.0, detector.height / height, detector.width / width)
    low = fit_area(picture, round(height * factor), round(width * factor))
    faces = detector.find(low)
    if not faces:
        return five
    chosen = min(faces, key=lambda face: float(np.abs(face.points / factor - five).sum()))
    return np.asarray(points_of(detector.last, chosen) / factor, np.float32)
