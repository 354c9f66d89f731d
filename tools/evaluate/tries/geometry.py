"""Where every face of a folder lies: YuNet's five points and FaceMesh's 468, found once and kept.

Rules kept here:
- What finds the faces is what ships: the detector and the mesh of `device.eye`, the picture playing the main plane.
- Only points, scores and file names are cached, never a picture or a crop. A file of the cache is valid for exactly
  the networks, the border, the cloth and the files (name and size) it was made from.
- A face that the mesh does not see keeps the detector's points: no picture is left out of one try and not of another.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import numpy as np
import numpy.typing as npt
from rich.progress import track

from device.eye.attack.mesh import Mesh, face_to_picture
from device.eye.pixels import Picture
from device.eye.runtime import Network, Runtime
from device.manifest import Job, load
from tools.evaluate.gather import Pipeline, pictures_in
from tools.evaluate.groups import ADULT, NOT_USED
from tools.models.covered import Cloth
from tools.models.faces import read

Points = npt.NDArray[np.float32]

ARRAYS: Final = ("files", "five", "mesh", "score")


@dataclass(frozen=True)
class Geometry:
    """The pictures of a folder that show a face, and where it lies in them (pixels, border included).

    files: n paths under the folder, "person/picture.jpg". five: (n, 5, 2). mesh: (n, 468, 2), NaN where the mesh saw
    no face. score: (n,) of the detector. lost: pictures without a face, or that cannot be read.
    """

    files: npt.NDArray[np.str_]
    five: Points
    mesh: Points
    score: Points
    lost: int

    def of(self, chosen: npt.NDArray[np.bool_]) -> Geometry:
        """The chosen rows."""
        return Geometry(self.files[chosen], self.five[chosen], self.mesh[chosen], self.score[chosen], self.lost)

    @property
    def folders(self) -> npt.NDArray[np.str_]:
        """(n,): the person, or the cell of the group set."""
        return np.array([str(file).split("/")[0] for file in self.files])

    @property
    def names(self) -> npt.NDArray[np.str_]:
        """(n,): the file without its folder."""
        return np.array([str(file).split("/")[1] for file in self.files])


def adults(geometry: Geometry) -> Geometry:
    """Of the group set those who may set a threshold (`tools.evaluate.groups`): named groups, 18 to 70."""
    chosen = [
        not folder.startswith(NOT_USED) and int(name.split("_")[0]) in ADULT
        for folder, name in zip(geometry.folders, geometry.names, strict=True)
    ]
    return geometry.of(np.array(chosen))


def residents(geometry: Geometry, least: int = 4) -> Geometry:
    """Of the people those with `least` pictures: three to enrol and one to look with."""
    names, counts = np.unique(geometry.folders, return_counts=True)
    return geometry.of(np.isin(geometry.folders, names[counts >= least]))


def every_other(geometry: Geometry) -> Geometry:
    """Every second picture."""
    return geometry.of(np.arange(len(geometry.files)) % 2 == 0)


def listed(paths: list[Path]) -> str:
    """A name for exactly these files."""
    listing = "\n".join(f"{path.parent.name}/{path.name} {path.stat().st_size}" for path in paths)
    return hashlib.sha256(listing.encode()).hexdigest()[:16]


def find(root: Path, models: Path, cache: Path, border_px: int = 0, cloth: Cloth | None = None) -> Geometry:
    """The geometry of `root`/*/*.jpg, from the cache or made. Raises FileNotFoundError if there is no picture."""
    paths = pictures_in(root)
    manifest = load(models)
    identity = "-".join(manifest.for_job(job).model_id.hex() for job in (Job.DETECT, Job.LANDMARKS))
    worn = f"-{cloth.name.replace(' ', '-')}" if cloth else ""
    kept = cache / f"geometry-{root.name}-{border_px}{worn}-{identity}-{listed(paths)}.npz"
    if not kept.exists():
        made = _found(root, paths, Pipeline(models, manifest), _mesh(models), border_px, cloth)
        store(kept, made)
    with np.load(kept) as stored:
        return Geometry(**{name: stored[name] for name in ARRAYS}, lost=int(stored["lost"]))


def store(path: Path, value: Geometry) -> None:
    """Whole or not there."""
    path.parent.mkdir(parents=True, exist_ok=True)
    half = path.with_suffix(".half")
    with half.open("wb") as file:
        np.savez(file, lost=np.array(value.lost), **{name: getattr(value, name) for name in ARRAYS})
    half.replace(path)


def shown(root: Path, file: str, border_px: int, cloth: Cloth | None, bare: Points | None) -> Picture:
    """The picture as it was looked at: with its border, and the cloth over the face at the points `bare`."""
    picture = np.ascontiguousarray(read(root / file, border_px))
    if cloth is None or bare is None:
        return picture
    return cloth.over(picture, bare.astype(np.float64), Path(file).name)


def _mesh(models: Path) -> Mesh:
    return Mesh(Network.load(load(models).for_job(Job.LANDMARKS), models, Runtime.LITERT))


def _found(
    root: Path, paths: list[Path], pipeline: Pipeline, mesh: Mesh, border_px: int, cloth: Cloth | None
) -> Geometry:
    files, five, points, score = [], [], [], []
    for path in track(paths, description=f"faces of {root.name}"):
        try:
            picture = np.ascontiguousarray(read(path, border_px))
        except OSError:
            continue
        face = pipeline.face(picture)
        if face is not None and cloth is not None:
            picture = cloth.over(picture, face.points, path.name)
            face = pipeline.face(picture)
        if face is None:
            continue
        to_picture = face_to_picture(face)
        seen = mesh.find(picture, to_picture)
        placed = np.full((468, 2), np.nan, np.float32)
        if seen is not None:
            at = to_picture.a * (seen[:, 0] + 1j * seen[:, 1]) + to_picture.b
            placed = np.stack([at.real, at.imag], axis=1)
        files.append(f"{path.parent.name}/{path.name}")
        five.append(face.points)
        points.append(placed)
        score.append(face.score)
    if not files:
        msg = f"no picture with a face was found in {root}"
        raise FileNotFoundError(msg)
    return Geometry(
        np.array(files),
        np.array(five, np.float32),
        np.array(points, np.float32),
        np.array(score, np.float32),
        len(paths) - len(files),
    )
