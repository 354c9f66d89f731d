"""Embed every picture of a folder once, with the door's own detector, alignment and embedder.

Rules kept here:
- What is measured is what ships: the code of `device.eye` does the work.
- Only embeddings and file names are cached, never a picture or a crop. A part of the cache is valid for exactly the
  detector, the embedder, the border and the files (name and size) it was made from; otherwise it is made anew.
- A run that was interrupted goes on where it stopped; a part is whole or not there.
- A picture that cannot be decoded, or in which no face is found, is counted, not guessed.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from rich.progress import track

from device.eye.alignment import CROP_PX, picture_to_crop
from device.eye.detector import Detector, Face
from device.eye.embedder import Embedder
from device.eye.pixels import Picture, Warp, fit_area
from device.eye.runtime import Network, Runtime
from device.manifest import Job, Manifest, load
from tools.models.faces import read

Floats = NDArray[np.float32]
Names = NDArray[np.str_]

PART = 200  # pictures in one file of the cache: a few seconds of work are lost by an interruption
_NO_FACE, _UNREADABLE = 1, 2


@dataclass(frozen=True)
class Gallery:
    """Embeddings (n, 128) of length 1, the folder and file name each came from, and how many gave none."""

    vectors: Floats
    folders: Names
    files: Names
    faceless: int
    unreadable: int

    def of(self, chosen: NDArray[np.bool_]) -> Gallery:
        """The chosen rows."""
        return Gallery(self.vectors[chosen], self.folders[chosen], self.files[chosen], self.faceless, self.unreadable)


class Pipeline:
    """Picture in, embedding out, as on the door; the picture plays the main plane."""

    def __init__(self, models: Path, manifest: Manifest, runtime: Runtime = Runtime.LITERT) -> None:
        self._detector = Detector(Network.load(manifest.for_job(Job.DETECT), models, runtime))
        self._embedder = Embedder(Network.load(manifest.for_job(Job.EMBED), models, runtime))
        self._warp = Warp(CROP_PX)

    def face(self, picture: Picture) -> Face | None:
        """The largest face near the middle, in pixels of `picture`; the sets show bystanders, a door refuses them."""
        height, width = picture.shape[:2]
        factor = min(1.0, self._detector.height / height, self._detector.width / width)
        low = fit_area(picture, round(height * factor), round(width * factor))
        found = [face.scaled(1 / factor) for face in self._detector.find(low)]
        return max(found, key=lambda face: prominence(face, width, height), default=None)

    def embedding(self, picture: Picture, face: Face) -> Floats:
        """(128,), length 1."""
        crop = np.zeros((CROP_PX, CROP_PX, 3), np.uint8)
        self._warp(picture, picture_to_crop(face.points).inverse(), crop)
        return self._embedder.embed(crop)


def pictures_in(root: Path) -> list[Path]:
    """All root/folder/*.jpg, sorted. Raises FileNotFoundError if there is none."""
    paths = sorted(root.glob("*/*.jpg"))
    if not paths:
        msg = f"there is no folder with .jpg pictures in {root}"
        raise FileNotFoundError(msg)
    return paths


def gather(root: Path, models: Path, cache: Path, border_px: int = 0) -> Gallery:
    """The embeddings of all pictures in `root`. border_px: black frame added before detecting.

    Raises FileNotFoundError if `root` holds no pictures or none shows a face.
    """
    paths = pictures_in(root)
    manifest = load(models)
    identity = "-".join(manifest.for_job(job).model_id.hex() for job in (Job.DETECT, Job.EMBED))
    folder = cache / f"{root.name}-{border_px}-{identity}"
    folder.mkdir(parents=True, exist_ok=True)
    pipeline: Pipeline | None = None
    parts, states = [], []
    for part in track(list(_parts(paths)), description=f"{root.name}: {len(paths)} pictures"):
        kept = folder / f"{_key(part)}.npz"
        if not kept.exists():
            pipeline = pipeline or Pipeline(models, manifest)
            _store(kept, *_embed(part, pipeline, border_px))
        with np.load(kept) as stored:
            parts.append(stored["vectors"])
            states.append(stored["states"])
    state = np.concatenate(states)
    good = [path for path, lost in zip(paths, state, strict=True) if lost == 0]
    if not good:
        msg = f"no picture with a face was found in {root}"
        raise FileNotFoundError(msg)
    return Gallery(
        np.concatenate(parts),
        np.array([path.parent.name for path in good]),
        np.array([path.name for path in good]),
        int((state == _NO_FACE).sum()),
        int((state == _UNREADABLE).sum()),
    )


def _parts(paths: list[Path]) -> Iterator[list[Path]]:
    for start in range(0, len(paths), PART):
        yield paths[start : start + PART]


def _key(part: list[Path]) -> str:
    listing = "\n".join(f"{path.parent.name}/{path.name} {path.stat().st_size}" for path in part)
    return hashlib.sha256(listing.encode()).hexdigest()[:24]


def _embed(part: list[Path], pipeline: Pipeline, border_px: int) -> tuple[Floats, NDArray[np.uint8]]:
    vectors: list[Floats] = []
    states = np.zeros(len(part), np.uint8)
    for row, path in enumerate(part):
        try:
            picture = np.ascontiguousarray(read(path, border_px))
        except OSError:
            states[row] = _UNREADABLE
            continue
        face = pipeline.face(picture)
        if face is None:
            states[row] = _NO_FACE
            continue
        vectors.append(pipeline.embedding(picture, face))
    return np.array(vectors, np.float32).reshape(-1, 128), states


def _store(path: Path, vectors: Floats, states: NDArray[np.uint8]) -> None:
    half = path.with_suffix(".half")
    with half.open("wb") as file:
        np.savez(file, vectors=vectors, states=states)
    half.replace(path)


def prominence(face: Face, width: int, height: int) -> float:
    """How much `face` is the one a picture of `width` x `height` is of: large, and near the middle."""
    left, top, face_width, face_height = face.box
    offset = np.hypot(left + face_width / 2 - width / 2, top + face_height / 2 - height / 2)
    return float(face_width * face_height - 2 * offset**2)
