"""Embed every picture of a folder once, with the door's own detector, alignment and embedder.

Rules: what is measured is what ships, so the code of `device.eye` does the work; only embeddings and names are cached,
never a picture or a crop, and the cache is valid for exactly the detector and embedder bytes it was made with; a
picture that cannot be decoded, or without a detected face, is counted, not guessed.
"""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from device.eye.alignment import CROP_PX, picture_to_crop
from device.eye.detector import Detector, Face
from device.eye.embedder import Embedder
from device.eye.pixels import Picture, Warp, fit_area
from device.eye.runtime import Network, Runtime
from device.manifest import Job, Manifest, load
from tools.models import faces

Floats = npt.NDArray[np.float32]


@dataclass(frozen=True)
class Gallery:
    """Embeddings (n, 128) of length 1, the folder and file name each came from, and how many gave none."""

    vectors: Floats
    folders: npt.NDArray[np.str_]
    files: npt.NDArray[np.str_]
    faceless: int
    unreadable: int


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
        return max(found, key=lambda face: _prominence(face, width, height), default=None)

    def embedding(self, picture: Picture, face: Face) -> Floats:
        """(128,), length 1."""
        crop = np.zeros((CROP_PX, CROP_PX, 3), np.uint8)
        self._warp(picture, picture_to_crop(face.points).inverse(), crop)
        return self._embedder.embed(crop)


def gather(root: Path, models: Path, cache: Path, border_px: int = 0) -> Gallery:
    """All root/folder/*.jpg, in sorted order. border_px: black frame added before detecting."""
    manifest = load(models)
    identity = "-".join(manifest.for_job(job).model_id.hex() for job in (Job.DETECT, Job.EMBED))
    kept = cache / f"{root.name}-{border_px}-{identity}.npz"
    if not kept.exists():
        cache.mkdir(parents=True, exist_ok=True)
        np.savez(kept, **_embed_all(root, Pipeline(models, manifest), border_px))
    with np.load(kept) as stored:
        lost = (int(n) for n in stored["lost"])
        return Gallery(stored["vectors"], stored["folders"], stored["files"], *lost)


def _embed_all(root: Path, pipeline: Pipeline, border_px: int) -> dict[str, npt.NDArray[Any]]:
    vectors, folders, files, faceless, unreadable = [], [], [], 0, 0
    for path in sorted(root.glob("*/*.jpg")):
        try:
            picture = np.ascontiguousarray(faces.read(path, border_px))
        except OSError:
            unreadable += 1
            continue
        face = pipeline.face(picture)
        if face is None:
            faceless += 1
            continue
        vectors.append(pipeline.embedding(picture, face))
        folders.append(path.parent.name)
        files.append(path.name)
    if not vectors:
        raise FileNotFoundError(f"No picture with a face was found in {root}.")
    return {
        "vectors": np.stack(vectors),
        "folders": np.array(folders),
        "files": np.array(files),
        "lost": np.array([faceless, unreadable]),
    }


def _prominence(face: Face, width: int, height: int) -> float:
    left, top, face_width, face_height = face.box
    offset = np.hypot(left + face_width / 2 - width / 2, top + face_height / 2 - height / 2)
    return float(face_width * face_height - 2 * offset**2)
