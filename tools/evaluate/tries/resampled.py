"""How the pixels of a crop are taken from the picture.

    python -m tools.evaluate.tries.resampled --faces DIR --groups DIR [--tail]

Rules kept here:
- Points, template and network are the door's; only how often the picture is read for a pixel of the crop, and with
  which weights, is tried. *as shipped* is the door's own warp; the others are Pillow's, which reads the same places.
- A picture is looked at as it is, or scaled by Pillow (bicubic, as the replay camera lays one into the main plane)
  until a pixel of the crop is as many of its pixels as is asked. Points are scaled with it, not found again.
- Only embeddings are kept, a file a cut, valid for exactly the network, the geometry, the cut and the scale.
- With --tail a cut is judged as `tools.evaluate.tries.tails` judges one: by the door's own rule, all of the groups.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Final

import click
import numpy as np
from PIL import Image
from rich.progress import track

from device.eye.alignment import CROP_PX, picture_to_crop
from device.eye.embedder import Embedder
from device.eye.pixels import Picture, Similarity, Warp
from device.eye.runtime import Network, Runtime
from device.manifest import Job, load
from tools.evaluate import groups as group_set
from tools.evaluate.gather import Gallery
from tools.evaluate.tries import geometry, measures, report, tails
from tools.evaluate.tries.aligned import Looked
from tools.evaluate.tries.geometry import Geometry
from tools.evaluate.tries.measures import Floats, Way
from tools.models.faces import read

ROOT: Final = Path(__file__).resolve().parents[3]
MODELS: Final = ROOT / "models"

Cut = Callable[[Picture, Similarity], Picture]
"""Picture, and where a place of the crop lies in it, to the crop."""

_warp = Warp(CROP_PX)


def shipped(picture: Picture, to_picture: Similarity) -> Picture:
    """The door's: bilinear; from 2 x 2 means where a crop's pixel is two to three of the picture's, and so on."""
    crop = np.zeros((CROP_PX, CROP_PX, 3), np.uint8)
    _warp(picture, to_picture, crop)
    return crop


def pillow(filtered: Image.Resampling, finer: int = 1) -> Cut:
    """Read `finer` x `finer` times for each pixel of the crop, and the mean taken."""

    def cut(picture: Picture, to_picture: Similarity) -> Picture:
        # Pillow speaks of corners, Similarity of centres; a finer grid lies within the crop's pixels.
        a, b = to_picture.a / finer, to_picture.b
        corner = b - to_picture.a * (0.5 + 0.5j) + (0.5 + 0.5j)
        places = (a.real, -a.imag, corner.real, a.imag, a.real, corner.imag)
        side = CROP_PX * finer
        crop = np.empty((CROP_PX, CROP_PX, 3), np.float32)
        for channel in range(3):  # as floats: of whole numbers Pillow cuts the fraction off
            plane = Image.fromarray(picture[..., channel].astype(np.float32))
            made = plane.transform((side, side), Image.Transform.AFFINE, places, filtered)
            crop[..., channel] = np.asarray(made.reduce(finer) if finer > 1 else made)
        return _bytes(crop)

    return cut


def shrunk_first(picture: Picture, to_picture: Similarity) -> Picture:
    """The picture is shrunk to the crop's scale (Lanczos, which reads all of it), then turned (bicubic)."""
    if to_picture.scale <= 1:
        return pillow(Image.Resampling.BICUBIC)(picture, to_picture)
    size = (round(picture.shape[1] / to_picture.scale), round(picture.shape[0] / to_picture.scale))
    small = np.asarray(Image.fromarray(picture).resize(size, Image.Resampling.LANCZOS))
    return pillow(Image.Resampling.BICUBIC)(small, scaled(to_picture, size[0] / picture.shape[1]))


def blurred(picture: Picture, to_picture: Similarity) -> Picture:
    """As shipped, then the mean with its neighbours: (1 6 1) / 8 along both axes."""
    return _sideways(shipped(picture, to_picture), 1 / 8)


def sharpened(picture: Picture, to_picture: Similarity) -> Picture:
    """As shipped, then what that takes is added: (-1 10 -1) / 8 along both axes."""
    return _sideways(shipped(picture, to_picture), -1 / 8)


def _sideways(crop: Picture, share: float) -> Picture:
    wide = np.pad(crop.astype(np.float32), ((1, 1), (1, 1), (0, 0)), mode="edge")
    rows = share * (wide[:-2] + wide[2:]) + (1 - 2 * share) * wide[1:-1]
    both = share * (rows[:, :-2] + rows[:, 2:]) + (1 - 2 * share) * rows[:, 1:-1]
    return _bytes(both)


def _bytes(values: Floats) -> Picture:
    return np.asarray(np.clip(np.rint(values), 0, 255), np.uint8)


SHIPPED: Final = "as shipped"
CUTS: Final[dict[str, Cut]] = {
    SHIPPED: shipped,
    "bilinear at every scale": pillow(Image.Resampling.BILINEAR),
    "bicubic": pillow(Image.Resampling.BICUBIC),
    "bilinear, mean of 3 x 3": pillow(Image.Resampling.BILINEAR, 3),
    "bicubic, mean of 3 x 3": pillow(Image.Resampling.BICUBIC, 3),
    "shrunk to scale first": shrunk_first,
    "as shipped, blurred": blurred,
    "as shipped, sharpened": sharpened,
}


def scaled(to_picture: Similarity, factor: float) -> Similarity:
    """The same place in a picture scaled by `factor`, centres of pixels being whole numbers."""
    half = 0.5 + 0.5j
    return Similarity(to_picture.a * factor, (to_picture.b + half) * factor - half)


@dataclass(frozen=True)
class Scaled:
    """How a picture is scaled before it is cut. per_px: its pixels to a pixel of the crop; None: as it is."""

    per_px: float | None = None

    def __call__(self, picture: Picture, to_picture: Similarity) -> tuple[Picture, Similarity]:
        if self.per_px is None:
            return picture, to_picture
        factor = self.per_px / to_picture.scale
        size = round(picture.shape[1] * factor), round(picture.shape[0] * factor)
        made = Image.fromarray(picture).resize(size, Image.Resampling.BICUBIC)
        return np.asarray(made), scaled(to_picture, size[0] / picture.shape[1])

    @property
    def name(self) -> str:
        """For people and files."""
        return "as it is" if self.per_px is None else f"{self.per_px:g} to one"


@dataclass(frozen=True)
class Shown:
    """A folder of pictures, where their faces lie, and how they are scaled before they are cut."""

    root: Path
    found: Geometry
    border_px: int
    size: Scaled

    def vectors(self, wanted: Sequence[str], cache: Path) -> dict[str, Floats]:
        """(n, 128) of length 1 for each of `wanted`, names of CUTS; from the cache or made."""
        kept = {name: cache / f"{self.told(name)}.npy" for name in wanted}
        missing = [name for name in wanted if not kept[name].exists()]
        if missing:
            cache.mkdir(parents=True, exist_ok=True)
            for name, made in self._made(missing, _embedder()).items():
                half = kept[name].with_suffix(".half")
                with half.open("wb") as file:
                    np.save(file, made)
                half.replace(kept[name])
        return {name: np.load(path) for name, path in kept.items()}

    def told(self, name: str) -> str:
        """For files: what the embeddings of the cut `name` are valid for."""
        listed = self.found.five.tobytes() + "\n".join(self.found.files.tolist()).encode()
        embedder = load(MODELS).for_job(Job.EMBED).model_id.hex()
        parts = (self.root.name, str(self.border_px), _short(listed), embedder, self.size.name, name)
        return "-".join(parts).replace(",", "").replace(" ", "_")

    def gallery(self, name: str, cache: Path) -> Gallery:
        """The same of one cut, as the tail wants it."""
        return Gallery(self.vectors([name], cache)[name], self.found.folders, self.found.names, self.found.lost, 0)

    def _made(self, wanted: list[str], embedder: Embedder) -> dict[str, Floats]:
        made = {name: np.zeros((len(self.found.files), 128), np.float32) for name in wanted}
        rows = list(zip(self.found.files.tolist(), self.found.five, strict=True))
        for row, (file, five) in enumerate(track(rows, description=f"{self.root.name}, {self.size.name}")):
            picture = np.ascontiguousarray(read(self.root / file, self.border_px))
            shown, to_picture = self.size(picture, picture_to_crop(five.astype(np.float64)).inverse())
            for name in wanted:
                made[name][row] = embedder.embed(np.ascontiguousarray(CUTS[name](shown, to_picture)))
        return made


def _embedder() -> Embedder:
    return Embedder(Network.load(load(MODELS).for_job(Job.EMBED), MODELS, Runtime.LITERT))


def _short(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()[:8]


_folder = click.Path(path_type=Path, file_okay=False, exists=True)


@click.command()
@click.option("--faces", type=_folder, required=True, help="DIR/person/picture.jpg")
@click.option("--groups", "cells", type=_folder, required=True, help="DIR/group-sex/age_*.jpg")
@click.option("--cache", type=click.Path(path_type=Path), default=ROOT / ".cache" / "evaluate" / "tries")
@click.option("--draws", type=click.IntRange(1), default=10, show_default=True, help="Of who enrols with what.")
@click.option(
    "--cut", "names", type=click.Choice(tuple(CUTS)), multiple=True, help="Beside as shipped; without it all."
)
@click.option("--scale", type=click.FloatRange(0.5, 6), help="A picture's pixels to one of the crop; else as it is.")
@click.option("--tail", "tailed", is_flag=True, help="The threshold and the refusals of the door's own rule instead.")
def main(
    *,
    faces: Path,
    cells: Path,
    cache: Path,
    draws: int,
    names: tuple[str, ...],
    scale: float | None,
    tailed: bool,
) -> None:
    """Print what each way to take a crop's pixels refuses, of half the pictures, as `--quick` of the tries takes them.

    \b
    Example: python -m tools.evaluate.tries.resampled --faces lfw-dev --groups groups-dev
    """
    wanted = (SHIPPED, *(name for name in (names or CUTS) if name != SHIPPED))
    try:
        people = Shown(faces, geometry.residents(geometry.find(faces, MODELS, cache)), 0, Scaled(scale))
        border = group_set.BORDER_PX
        adults = Shown(cells, geometry.adults(geometry.find(cells, MODELS, cache, border)), border, Scaled(scale))
    except FileNotFoundError as cause:
        raise click.UsageError(str(cause)) from cause
    kept = cache / "resampled"
    if tailed:
        click.echo(tails.HEAD)
        for name in wanted:
            found = [Looked({name: each.gallery(name, kept)}, NOBODY, NOBODY) for each in (adults, people)]
            click.echo("\n".join(tails.rows(name, tails.bare_tail(found[0], found[1], name, tails.judging()))))
        return
    judged = group_set.judged_in(MODELS / "duplicates.toml")
    person = measures.persons(adults.found.folders, adults.found.names, judged)[::2]
    adults = replace(adults, found=geometry.every_other(adults.found))
    sets = report.Sets(people.found.folders, adults.found.folders, person)
    own, met = (each.vectors(wanted, kept) for each in (people, adults))
    rows = [
        report.row(name, "", Way(own[name], own[name]), Way(met[name], met[name]), sets, draws=draws) for name in wanted
    ]
    click.echo(f"{report.table(rows)}\n\n{report.against(rows)}")


NOBODY: Final = np.zeros(0, np.bool_)

if __name__ == "__main__":
    main()
