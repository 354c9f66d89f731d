"""Embeddings of a whole folder in several variants, in one pass over its pictures.

Rules kept here:
- Only embeddings are cached, one file a variant, valid for exactly the network's bytes, the variant and the geometry.
- All variants of a folder have the same rows: what is compared is the same pictures.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt
from rich.progress import track

from device.eye.alignment import CROP_PX
from device.eye.pixels import Picture, Warp
from tools.evaluate.tries import variants
from tools.evaluate.tries.geometry import Geometry, shown
from tools.evaluate.tries.variants import DLIB_PX, Variant
from tools.models.covered import Cloth
from tools.models.runner import Runner

Floats = npt.NDArray[np.float32]

DLIB_MEAN = np.array([122.782, 117.001, 104.298], np.float32)  # RGB: of dlib's training pictures


@dataclass(frozen=True)
class Folder:
    """A folder of pictures and its geometry. bare: the geometry without the cloth, where one is worn.

    by_votes: the geometry with the points of `tools.evaluate.tries.voted`, where they were found.
    """

    root: Path
    geometry: Geometry
    border_px: int = 0
    cloth: Cloth | None = None
    bare: Geometry | None = None
    by_votes: Geometry | None = None

    @property
    def name(self) -> str:
        """For files."""
        worn = f"-{self.cloth.name.replace(' ', '-')}" if self.cloth else ""
        return f"{self.root.name}-{self.border_px}{worn}"


@dataclass(frozen=True)
class Bench:
    """networks: a TFLite file by name. steady: `variants.placed`. cache: where embeddings are kept."""

    networks: dict[str, Path]
    steady: npt.NDArray[np.float64]
    cache: Path

    def embeddings(self, folder: Folder, wanted: list[Variant]) -> dict[Variant, Floats]:
        """(n, 128) of length 1 for each of `wanted`, without the length the network gave."""
        kept = {variant: self._kept(folder, variant) for variant in wanted}
        missing = [variant for variant in wanted if not kept[variant].exists()]
        if missing:
            for variant, vectors in self._made(folder, missing).items():
                _store(kept[variant], vectors)
        return {variant: _unit(np.load(path)) for variant, path in kept.items()}

    def lengths(self, folder: Folder, variant: Variant) -> Floats:
        """(n,): the lengths of a variant's embeddings before they were made 1. It must have been embedded."""
        return np.asarray(np.linalg.norm(np.load(self._kept(folder, variant)), axis=1), np.float32)

    def _kept(self, folder: Folder, variant: Variant) -> Path:
        network = hashlib.sha256(self.networks[variant.network].read_bytes()).hexdigest()[:8]
        where = folder.geometry.mesh.tobytes() + folder.geometry.five.tobytes() + self.steady.tobytes()
        geometry = hashlib.sha256(where).hexdigest()[:8]
        return self.cache / f"{folder.name}-{geometry}-{network}-{variant.name}.npy"

    def _made(self, folder: Folder, wanted: list[Variant]) -> dict[Variant, Floats]:
        runners = {name: Runner.load(self.networks[name]) for name in {variant.network for variant in wanted}}
        geometry = folder.geometry
        vectors = {variant: np.zeros((len(geometry.files), 128), np.float32) for variant in wanted}
        rows = {str(file): row for row, file in enumerate(folder.bare.files)} if folder.bare else {}
        warps = {side: Warp(side) for side in (CROP_PX, DLIB_PX)}
        for row, file in enumerate(track(geometry.files.tolist(), description=f"{folder.name} x {len(wanted)}")):
            bare = folder.bare.five[rows[file]] if folder.bare else None
            picture = shown(folder.root, file, folder.border_px, folder.cloth, bare)
            for variant in wanted:
                crop = self._crop(picture, geometry, row, variant, warps)
                vectors[variant][row] = _embedded(runners[variant.network], crop)
        return vectors

    def _crop(
        self, picture: Picture, geometry: Geometry, row: int, variant: Variant, warps: dict[int, Warp]
    ) -> Picture:
        to_crop = variants.placed(variant.alignment, geometry.five[row], geometry.mesh[row], self.steady)
        to_crop = variants.shifted(to_crop, variant.size, variant.right_px, variant.down_px)
        side = DLIB_PX if variant.alignment == "dlib" else CROP_PX
        crop = variants.cut(picture, to_crop, warps[side], side)
        crop = variants.relit(variants.spoil(crop, variant.spoiled, str(geometry.files[row])), variant.light)
        return np.ascontiguousarray(crop[:, ::-1]) if variant.mirrored else crop


def _embedded(runner: Runner, crop: Picture) -> Floats:
    if crop.shape[0] == DLIB_PX:
        values = (crop[..., ::-1].astype(np.float32) - DLIB_MEAN) / 255
    else:
        values = (crop.astype(np.float32) - 128) / 128
    (found,) = runner(values[None]).values()
    return np.asarray(found[0], np.float32)


def _unit(vectors: Floats) -> Floats:
    return np.asarray(vectors / np.linalg.norm(vectors, axis=1, keepdims=True), np.float32)


def _store(path: Path, vectors: Floats) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    half = path.with_suffix(".half")
    with half.open("wb") as file:
        np.save(file, vectors)
    half.replace(path)
