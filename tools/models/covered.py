"""How often a covered face is noticed, and how often a bare one is taken for covered, by kind of cloth and by group.

`python -m tools.models.covered --people DIR --groups DIR` prints it.

Rules kept here:
- Every group is printed, never only the pool; the worst group counts.
- The masks are painted: cloth of one colour or a chequered one, shaded by the light on the face and by its own
  roundness, with pleats where surgical masks have them, in a light that is not quite white. Real cloth will differ.
- Detector, gates and cut see the painted picture, as they would at a door.
- Pictures are painted in memory; nothing of them is written.
"""

from __future__ import annotations

import argparse
import sys
import zlib
from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import numpy as np
import numpy.typing as npt
from PIL import Image, ImageDraw

from device.config.tables import EyeTable
from device.eye.alignment import picture_to_crop
from device.eye.camera import LOW_HEIGHT_PX, LOW_WIDTH_PX, Frame
from device.eye.pictures import read_scaled
from device.eye.pixels import Picture, Similarity, fit_area
from device.eye.sight import Sight
from device.paths import models_dir
from device.wire import LookMode
from tools.models.darkness import TIGHT_CROP_SCALE

Floats = npt.NDArray[np.float64]

# Outlines in pixels of the aligned crop.
OVER_NOSE: Final = (
    (16, 66),
    (36, 66),
    (56, 58),
    (76, 66),
    (96, 66),
    (94, 90),
    (82, 112),
    (56, 124),
    (30, 112),
    (18, 90),
)
UNDER_NOSE: Final = ((16, 74), (36, 78), (56, 80), (76, 78), (96, 74), *OVER_NOSE[5:])
SCARF: Final = ((10, 68), (56, 66), (102, 68), (108, 150), (4, 150))
# Blue, green, red on a face of middle brightness; "skin" takes the colour of this face.
COLOURS: Final = {
    "white": (205, 207, 210),
    "black": (28, 28, 30),
    "surgical blue": (205, 170, 125),
    "grey": (125, 125, 125),
    "red": (40, 40, 150),
    "chequered": (200, 200, 205),
}
MIDDLE_GREY: Final = 130.0


@dataclass(frozen=True, slots=True)
class Cloth:
    """What is painted: its shape, its outline in pixels of the aligned crop, its colour."""

    shape: str
    outline: tuple[tuple[int, int], ...]
    colour: str

    @property
    def name(self) -> str:
        """Shape and colour."""
        return f"{self.shape}, {self.colour}"

    def over(self, main: Picture, points: Floats, seed: str) -> Picture:
        """`main` with this cloth over the face whose five points these are; the same for the same `seed`."""
        return painted(main, points, self.outline, self.colour, zlib.crc32(seed.encode()))


CLOTHS: Final = (
    *(Cloth("over the nose", OVER_NOSE, colour) for colour in ("white", "black", "surgical blue", "grey", "skin")),
    *(Cloth("under the nose", UNDER_NOSE, colour) for colour in ("white", "black", "surgical blue", "skin")),
    *(Cloth("scarf", SCARF, colour) for colour in ("red", "grey", "black", "chequered")),
)
SHADED, NOISY = "bare, lower half x 0.6", "bare, noise of 6"


@dataclass(slots=True)
class Tally:
    """Pictures shown, those that became an embedding, and those of them that seemed covered."""

    shown: int = 0
    good: int = 0
    covered: int = 0

    def __str__(self) -> str:
        share = self.covered / self.good if self.good else 0.0
        return f"{self.shown:6} {self.good:6} {self.covered:6} {share:8.1%}"


def painted(main: Picture, points: Floats, outline: tuple[tuple[int, int], ...], colour: str, seed: int) -> Picture:
    """`main` with cloth over the face whose five points these are."""
    rng = np.random.default_rng(seed)
    to_crop = picture_to_crop(points)
    back = to_crop.inverse()
    aside = (to_crop(*points[2])[0] - 56) * 0.6  # of a head turned aside, the cloth follows the nose
    corners = np.array([back(x + aside, y + rng.normal(0, 0.8)) for x, y in outline])
    left, top = np.maximum(corners.min(axis=0).astype(int) - 4, 0)
    right, low = np.minimum(corners.max(axis=0).astype(int) + 4, (main.shape[1], main.shape[0]))
    part = main[top:low, left:right].astype(np.float64)
    if not part.size:
        return main
    twice = Image.new("L", ((right - left) * 2, (low - top) * 2), 0)
    ImageDraw.Draw(twice).polygon([(float(x), float(y)) for x, y in (corners - (left, top)) * 2], fill=255)
    inside = np.asarray(twice.resize((right - left, low - top), Image.Resampling.BILINEAR)) / 255.0
    ys, xs = np.mgrid[top:low, left:right]
    at = to_crop.a * (xs + 1j * ys) + to_crop.b
    cloth = _weave(_skin(main, back), colour, at, rng) * _light(part, inside, back.scale, at)[..., None]
    out = main.copy()
    out[top:low, left:right] = np.rint(part * (1 - inside[..., None]) + np.clip(cloth, 0, 255) * inside[..., None])
    return out


def _skin(main: Picture, back: Similarity) -> Floats:
    """The colour under the eyes and between the brows."""
    height, width = main.shape[:2]
    spots = [main[max(0, y - 2) : y + 3, max(0, x - 2) : x + 3] for x, y in _pixels(back, width, height)]
    mean: Floats = np.mean([spot.reshape(-1, 3).mean(axis=0) for spot in spots], axis=0)
    return mean


def _pixels(back: Similarity, width: int, height: int) -> Iterator[tuple[int, int]]:
    for x, y in (back(40, 62), back(72, 62), back(56, 38)):
        yield min(max(int(x), 0), width - 1), min(max(int(y), 0), height - 1)


def _weave(skin: Floats, colour: str, at: npt.NDArray[np.complex128], rng: np.random.Generator) -> Floats:
    """The cloth's own colour at each place of the crop, H x W x 3: pleats, folds, threads."""
    if colour == "skin":
        plain = skin
    else:
        # A camera exposes for the scene: on a dark picture white cloth is dark too, and lamps are not quite white.
        exposure = np.clip(skin.mean() / MIDDLE_GREY, 0.5, 1.3) if colour != "black" else 1.0
        plain = np.array(COLOURS[colour]) * exposure * np.exp(rng.normal(0, 1, 3) * (0.05, 0.02, 0.05))
    x, y = at.real, at.imag
    waves = 1 + 0.05 * np.sin(x / 17 + rng.uniform(0, 6)) * np.sin(y / 13 + rng.uniform(0, 6))
    if colour in ("white", "surgical blue"):
        waves += 0.06 * np.sin(y / 7 * 2 * np.pi + rng.uniform(0, 6))
    waves += rng.normal(0, 0.02, waves.shape)
    squares = (np.floor(x / 6) + np.floor(y / 6)) % 2 if colour == "chequered" else np.ones_like(x)
    woven: Floats = waves[..., None] * plain * (0.25 + 0.75 * squares[..., None])
    return woven


def _light(part: Floats, inside: Floats, scale: float, at: npt.NDArray[np.complex128]) -> Floats:
    """How light falls on the cloth, H x W: as on the face under it, smoothed, and less at the sides."""
    blurred = Image.fromarray(part.mean(axis=2).astype(np.uint8))
    small = blurred.resize([max(1, int(side / (12 * scale))) for side in blurred.size], Image.Resampling.BOX)
    falls = np.asarray(small.resize(blurred.size, Image.Resampling.BICUBIC)).astype(np.float64)
    even = np.clip(falls / max(1.0, float(falls[inside > 0.5].mean())), 0.55, 1.3) if (inside > 0.5).any() else 1.0
    round_: Floats = even * (1 - 0.25 * ((at.real - 56) / 45) ** 2)
    return round_


def shaded(main: Picture, points: Floats) -> Picture:
    """`main` with less light below the eyes, as of somebody under a lamp."""
    at = picture_to_crop(points)
    ys, xs = np.mgrid[0 : main.shape[0], 0 : main.shape[1]]
    below = np.clip(((at.a * (xs + 1j * ys) + at.b).imag - 60) / 25, 0, 1)
    darker: Picture = np.rint(main * (1 - 0.4 * below[..., None])).astype(np.uint8)
    return darker


def measure(sight: Sight, pictures: list[Path], scale: float, masked: int) -> dict[str, Tally]:
    """Each picture bare, shaded and noisy; the first `masked` of them in each cloth."""
    tallies: dict[str, Tally] = defaultdict(Tally)

    def look(kind: str, main: Picture) -> None:
        seen = sight.look(_frame(main), LookMode.ENROL)
        tallies[kind].shown += 1
        tallies[kind].good += seen.embedding is not None
        tallies[kind].covered += seen.covered

    for number, path in enumerate(pictures):
        main = read_scaled(path, 640, 480, scale)
        if sight.look(_frame(main), LookMode.ENROL).embedding is None:
            continue
        face = max(sight.faces(_frame(main)), key=lambda found: found.eye_distance_px)
        seed = zlib.crc32(path.name.encode())
        look("bare", main)
        look(SHADED, shaded(main, face.points))
        noise = np.random.default_rng(seed).normal(0, 6, main.shape)
        look(NOISY, np.clip(main + noise, 0, 255).astype(np.uint8))
        for cloth in CLOTHS if number < masked else ():
            look(cloth.name, cloth.over(main, face.points, path.name))
    return tallies


def _frame(main: Picture) -> Frame:
    return Frame(main, fit_area(main, LOW_HEIGHT_PX, LOW_WIDTH_PX), 0)


def chosen(folders: list[Path], count: int, seed: int) -> list[Path]:
    """`count` pictures, at random but always the same."""
    files = [file for folder in folders for file in sorted(folder.iterdir())]
    return [files[at] for at in np.random.default_rng(seed).permutation(len(files))[:count]]


def main() -> int:
    """Print the tables; 0, or 2 if a folder is not there."""
    parser = argparse.ArgumentParser(description="Covered faces noticed, and bare ones mistaken, by group.")
    parser.add_argument("--people", type=Path, required=True, help="a folder of person/picture")
    parser.add_argument("--groups", type=Path, required=True, help="a folder of group/picture")
    parser.add_argument("--bare", type=int, default=400, help="bare pictures a group; default 400")
    parser.add_argument("--masked", type=int, default=25, help="of them painted in every cloth; default 25")
    parser.add_argument("--seed", type=int, default=1, help="which pictures are chosen")
    asked = parser.parse_args()
    for folder in (asked.people, asked.groups):
        if not folder.is_dir():
            print(f"there is no folder {folder}", file=sys.stderr)
            return 2
    sight = Sight.load(EyeTable(), models_dir())
    sets = {"people": (sorted(each for each in asked.people.iterdir() if each.is_dir()), 1.0)}
    sets |= {each.name: ([each], TIGHT_CROP_SCALE) for each in sorted(asked.groups.iterdir()) if each.is_dir()}
    cloths: dict[str, Tally] = defaultdict(Tally)
    print(f"{'group':16} {'kind':28}  shown   good covered")
    for name, (folders, scale) in sets.items():
        for kind, tally in measure(sight, chosen(folders, asked.bare, asked.seed), scale, asked.masked).items():
            if kind in ("bare", SHADED, NOISY):
                print(f"{name:16} {kind:28} {tally}", flush=True)
            total = cloths[kind]
            total.shown, total.good, total.covered = (
                total.shown + tally.shown,
                total.good + tally.good,
                total.covered + tally.covered,
            )
    for kind, tally in cloths.items():
        print(f"{'all':16} {kind:28} {tally}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
