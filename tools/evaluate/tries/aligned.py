"""Faces of a folder, bare or in painted cloth, embedded once for every way to cut the crop.

Rules kept here:
- Detector, mesh, warp and embedder are the door's own; only where the points of a crop come from is tried.
- All ways have the same rows: a face that one way cannot place is cut by the detector's five points there.
- Only embeddings and file names are kept, as in `tools.evaluate.gather`, a part of PART pictures at a time;
  a part is valid for exactly the networks, the border, the cloth, the ways and the files it was made from.
"""

from __future__ import annotations

import hashlib
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from functools import lru_cache
from multiprocessing import get_context
from pathlib import Path
from typing import Final

import numpy as np
from numpy.typing import NDArray
from rich.progress import track

from device.eye.alignment import CROP_PX, picture_to_crop
from device.eye.covered import cover, seems_covered
from device.eye.detector import Face
from device.eye.embedder import Embedder
from device.eye.pixels import Picture, Similarity, Warp, fit_area
from device.eye.runtime import Network, Runtime
from device.eye.steady import LEAST_PRESENCE, Aligner
from device.manifest import Job, Manifest, load
from tools.evaluate.gather import Floats, Gallery, pictures_in, prominence
from tools.evaluate.groups import ADULT, BORDER_PX, NOT_USED
from tools.evaluate.tries.voted import OpenDetector, points_of
from tools.models.covered import Cloth
from tools.models.faces import read

PART: Final = 100
LEAST: Final = 4  # three to enrol, one to look with
FIVE, CELLS, MESH = "five points", "mean of the cells", f"mesh at {LEAST_PRESENCE:g} or more"
BARE_WAYS: Final = (FIVE, CELLS)
COVERED_WAYS: Final = (FIVE, CELLS, MESH)


@dataclass(frozen=True)
class Placed:
    """One face: what the detector says of it, the mean of its cells, and the mesh's way to the crop if it has one."""

    face: Face
    cells: NDArray[np.float64]
    by_mesh: Similarity | None

    def to_crop(self, way: str) -> Similarity:
        """From the picture to the crop. Raises ValueError for an unknown way."""
        if way == CELLS:
            return picture_to_crop(self.cells)
        if way == MESH and self.by_mesh is not None:
            return self.by_mesh
        if way in (FIVE, MESH):
            return picture_to_crop(self.face.points)
        raise ValueError(way)


class Looker:
    """Finds and places the face of a picture; the picture plays the main plane."""

    def __init__(self, models: Path) -> None:
        manifest = load(models)
        detector, mesh, embedder = (
            Network.load(manifest.for_job(job), models, Runtime.LITERT)
            for job in (Job.DETECT, Job.LANDMARKS, Job.EMBED)
        )
        self._detector, self._aligner, self._embedder = OpenDetector(detector), Aligner(mesh), Embedder(embedder)
        self._warp, self.crop = Warp(CROP_PX), np.zeros((CROP_PX, CROP_PX, 3), np.uint8)

    def face(self, picture: Picture) -> tuple[Face, NDArray[np.float64]] | None:
        """As `tools.evaluate.gather` chooses it, with the mean of the cells that see it; pixels of `picture`."""
        height, width = picture.shape[:2]
        factor = min(1.0, self._detector.height / height, self._detector.width / width)
        found = self._detector.find(fit_area(picture, round(height * factor), round(width * factor)))
        if not found:
            return None
        chosen = max(found, key=lambda face: prominence(face.scaled(1 / factor), width, height))
        cells = points_of(self._detector.last, chosen).astype(np.float64) / factor
        return chosen.scaled(1 / factor), cells

    def placed(self, picture: Picture, face: Face, cells: NDArray[np.float64], *, ask_mesh: bool) -> Placed:
        """With what the mesh says of it, if it is asked."""
        return Placed(face, cells, self._aligner.to_crop(picture, face) if ask_mesh else None)

    def embedded(self, picture: Picture, to_crop: Similarity) -> Floats:
        """(128,), length 1; the crop stays in `crop`."""
        self._warp(picture, to_crop.inverse(), self.crop)
        return self._embedder.embed(self.crop)


@dataclass(frozen=True)
class Looked:
    """A gallery for each way; denied (n,), whether the mesh placed none; covered (n,), what the door's cue says.

    The cue looks at the crop of the five points.
    """

    galleries: dict[str, Gallery]
    denied: NDArray[np.bool_]
    covered: NDArray[np.bool_]


@dataclass(frozen=True)
class Task:
    """Pictures to embed: `paths` of one folder of folders, as `ways`."""

    paths: tuple[Path, ...]
    ways: tuple[str, ...]
    models: Path
    border_px: int
    cloth: Cloth | None


def gather(
    paths: list[Path],
    ways: tuple[str, ...],
    models: Path,
    cache: Path,
    border_px: int = 0,
    cloth: Cloth | None = None,
    jobs: int = 2,
) -> Looked:
    """All of `paths`, from the cache or made by `jobs` processes."""
    tasks = [Task(tuple(paths[at : at + PART]), ways, models, border_px, cloth) for at in range(0, len(paths), PART)]
    kept = [cache / f"{_key(task, load(models))}.npz" for task in tasks]
    cache.mkdir(parents=True, exist_ok=True)
    missing = [(task, path) for task, path in zip(tasks, kept, strict=True) if not path.exists()]
    if missing:
        with ProcessPoolExecutor(jobs, mp_context=get_context("spawn")) as pool:
            waiting = [pool.submit(_made, task, path) for task, path in missing]
            for one in track(waiting, description=f"{len(paths)} pictures, {cloth.name if cloth else 'bare'}"):
                one.result()
    parts = [dict(np.load(path)) for path in kept]
    whole = {name: np.concatenate([part[name] for part in parts]) for name in parts[0]}
    good = [path for path, lost in zip(paths, whole["lost"], strict=True) if not lost]
    folders, names = np.array([path.parent.name for path in good]), np.array([path.name for path in good])
    lost = int(whole["lost"].sum())
    made = {way: Gallery(whole[f"v{row}"], folders, names, lost, 0) for row, way in enumerate(ways)}
    return Looked(made, whole["denied"], whole["covered"])


def _key(task: Task, manifest: Manifest) -> str:
    networks = [manifest.for_job(job).sha256.hex() for job in Job]
    shown = [f"{path.parent.name}/{path.name} {path.stat().st_size}" for path in task.paths]
    worn = task.cloth.name if task.cloth else ""
    valid_for = "\n".join([*networks, *task.ways, str(task.border_px), worn, *shown])
    return hashlib.sha256(valid_for.encode()).hexdigest()[:24]


@lru_cache(maxsize=1)
def _looker(models: Path) -> Looker:
    return Looker(models)


def _made(task: Task, kept: Path) -> None:
    looker = _looker(task.models)
    vectors: list[list[Floats]] = [[] for _ in task.ways]
    denied, covered, lost = [], [], []
    for path in task.paths:
        found = look(looker, path, task)
        lost.append(found is None)
        if found is None:
            continue
        picture, placed = found
        denied.append(placed.by_mesh is None)
        for row, way in enumerate(task.ways):
            vectors[row].append(looker.embedded(picture, placed.to_crop(way)))
            if way == FIVE:
                covered.append(seems_covered(cover(looker.crop)))
    half = kept.with_suffix(".half")
    with half.open("wb") as file:
        np.savez(
            file,
            lost=np.array(lost, bool),
            denied=np.array(denied, bool),
            covered=np.array(covered, bool),
            **{f"v{row}": np.array(made, np.float32).reshape(-1, 128) for row, made in enumerate(vectors)},
        )
    half.replace(kept)


def look(looker: Looker, path: Path, task: Task) -> tuple[Picture, Placed] | None:
    """The picture as it is worn, and where its face lies; None if none is found or it cannot be read."""
    try:
        picture = np.ascontiguousarray(read(path, task.border_px))
    except OSError:
        return None
    found = looker.face(picture)
    if found is not None and task.cloth is not None:
        picture = task.cloth.over(picture, found[0].points, path.name)
        found = looker.face(picture)
    return None if found is None else (picture, looker.placed(picture, *found, ask_mesh=MESH in task.ways))


def looked(
    faces: Path, cells: Path, models: Path, cache: Path, worn: Cloth | None, jobs: int = 2
) -> tuple[Looked, Looked]:
    """The adults of the group set, then the people; in cloth only those of whom there are LEAST pictures or more."""
    ways, cache = COVERED_WAYS if worn else BARE_WAYS, cache / "aligned"
    own = people_with(faces, LEAST) if worn else pictures_in(faces)
    return (
        gather(adults(cells), ways, models, cache, BORDER_PX, worn, jobs),
        gather(own, ways, models, cache, 0, worn, jobs),
    )


def adults(cells: Path) -> list[Path]:
    """The pictures of the group set that may set a threshold."""
    paths = [path for path in pictures_in(cells) if not path.parent.name.startswith(NOT_USED)]
    return [path for path in paths if int(path.name.split("_")[0]) in ADULT]


def people_with(faces: Path, least: int) -> list[Path]:
    """The pictures of people who have `least` of them."""
    paths = pictures_in(faces)
    names, counts = np.unique([path.parent.name for path in paths], return_counts=True)
    enough = set(names[counts >= least].tolist())
    return [path for path in paths if path.parent.name in enough]
