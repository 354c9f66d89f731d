"""How alike two frames of one person are: standing still, swaying, turned, on another day.

`python -m tools.models.views --people DIR` prints it.

Rules kept here:
- What is compared is what eye compares: embeddings by the shipped networks, after all gates.
- A turned head is simulated: each pixel of the picture moves in proportion to its depth on an ellipsoid with a nose.
- Pictures are changed in memory; nothing of them is written.
"""

from __future__ import annotations

import argparse
import sys
from collections import defaultdict
from collections.abc import Iterator
from pathlib import Path
from typing import Final

import numpy as np
import numpy.typing as npt
from PIL import Image

from device.config.tables import EyeTable
from device.eye.alignment import picture_to_crop
from device.eye.camera import LOW_HEIGHT_PX, LOW_WIDTH_PX, Frame
from device.eye.pictures import EMPTY_GREY, read_scaled
from device.eye.pixels import Picture, fit_area
from device.eye.quality import pose
from device.eye.sight import Sight
from device.paths import models_dir

Floats = npt.NDArray[np.float64]
WIDTH, HEIGHT = 640, 480
SENSOR: Final = 2.0  # grey levels of noise in every frame that is not about noise
STILL: Final = (0.0, 0.3, 2.0, 8.0)
SWAYS: Final = ((1.0, 0.01, 2.0), (3.0, 0.03, 6.0))  # at most: degrees, share of the scale, pixels
TURNS: Final = (3, 6, 10, 15)
NOD: Final = 10


def noisy(main: Picture, sd: float, rng: np.random.Generator) -> Picture:
    """With the noise of a sensor."""
    return np.clip(main + rng.normal(0, sd, main.shape), 0, 255).astype(np.uint8) if sd else main


def swayed(main: Picture, most: tuple[float, float, float], rng: np.random.Generator) -> Picture:
    """Rotated, scaled and moved around the middle by up to `most`."""
    degrees, share, right, down = rng.uniform(-1, 1, 4) * (most[0], most[1], most[2], most[2])
    back = 1 / (np.exp(1j * np.deg2rad(degrees)) * (1 + share))
    middle = complex(WIDTH / 2, HEIGHT / 2)
    shift = middle - back * (middle + complex(right, down))
    matrix = (back.real, -back.imag, shift.real, back.imag, back.real, shift.imag)
    moved = Image.fromarray(main).transform(
        (WIDTH, HEIGHT), Image.Transform.AFFINE, matrix, Image.Resampling.BILINEAR, fillcolor=(EMPTY_GREY,) * 3
    )
    return np.asarray(moved)


def turned(main: Picture, points: Floats, yaw: float, pitch: float) -> Picture:
    """The head turned by so many degrees, seen as a relief."""
    to_crop = picture_to_crop(points)
    ys, xs = np.mgrid[0:HEIGHT, 0:WIDTH].astype(np.float64)
    at = to_crop.a * (xs + 1j * ys) + to_crop.b
    unit_px = 35.0  # between the eyes, in the crop
    u, v = (at.real - 56) / unit_px, (at.imag - 72) / unit_px
    depth = 1.1 * np.sqrt(np.clip(1 - (u / 1.5) ** 2 - (v / 2) ** 2, 0, None))
    depth += 0.3 * np.exp(-((u / 0.28) ** 2) - (v / 0.35) ** 2)
    moves = (depth - 0.55) * unit_px / to_crop.scale
    x = np.clip(xs - np.sin(np.deg2rad(yaw)) * moves, 0, WIDTH - 1.01)
    y = np.clip(ys - np.sin(np.deg2rad(pitch)) * moves, 0, HEIGHT - 1.01)
    column, row = x.astype(int), y.astype(int)
    right, down = (x - column)[..., None], (y - row)[..., None]
    above = main[row, column] * (1 - right) + main[row, column + 1] * right
    below = main[row + 1, column] * (1 - right) + main[row + 1, column + 1] * right
    relief: Picture = (above * (1 - down) + below * down).astype(np.uint8)
    return relief


def pairs(
    main: Picture, other: Picture, points: Floats, rng: np.random.Generator
) -> Iterator[tuple[str, Picture, Picture]]:
    """What is compared, by name."""
    for sd in STILL:
        yield f"still, noise of {sd:g}", noisy(main, sd, rng), noisy(main, sd, rng)
    for most in SWAYS:
        one, two = (noisy(swayed(main, most, rng), SENSOR, rng) for _ in range(2))
        yield f"sway to {most[0]:g} deg, {most[1]:.0%}, {most[2]:g} px", one, two
    straight = noisy(main, SENSOR, rng)
    for degrees in TURNS:
        yield f"turned by {degrees}", straight, noisy(turned(main, points, degrees * _side(rng), 0), SENSOR, rng)
    yield f"nodded by {NOD}", straight, noisy(turned(main, points, 0, NOD * _side(rng)), SENSOR, rng)
    yield "another day", main, other


def _side(rng: np.random.Generator) -> int:
    return int(rng.choice((-1, 1)))


def main() -> int:
    """Print the table; 0, or 2 if the folder is not there."""
    parser = argparse.ArgumentParser(description="How alike two frames of one person are.")
    parser.add_argument("--people", type=Path, required=True, help="a folder of person/picture")
    parser.add_argument("--count", type=int, default=90, help="people with two pictures; default 90")
    asked = parser.parse_args()
    if not asked.people.is_dir():
        print(f"there is no folder {asked.people}", file=sys.stderr)
        return 2
    rng = np.random.default_rng(3)
    sight = Sight.load(EyeTable(), models_dir())
    people = [files for each in sorted(asked.people.iterdir()) if len(files := sorted(each.iterdir())) > 1]
    cosines: dict[str, list[float]] = defaultdict(list)
    yaws: dict[str, list[float]] = defaultdict(list)
    for at in rng.permutation(len(people))[: asked.count]:
        first, second = (read_scaled(path, WIDTH, HEIGHT, 1.0) for path in people[at][:2])
        if sight.look(_frame(first)).embedding is None:
            continue
        for name, one, two in pairs(first, second, _points(sight, first), rng):
            before, after = sight.look(_frame(one)), sight.look(_frame(two))
            if before.embedding is not None and after.embedding is not None:
                cosines[name].append(float(before.embedding @ after.embedding))
                yaws[name].append(abs(pose(_points(sight, one)).yaw - pose(_points(sight, two)).yaw))
    print(f"{'cosine':28} pairs     5 %    50 %    95 %  largest   yaw moved: 50 %    95 %")
    for name, found in cosines.items():
        low, middle, high = np.quantile(found, (0.05, 0.5, 0.95))
        moved = np.quantile(yaws[name], (0.5, 0.95))
        print(
            f"{name:28} {len(found):5} {low:7.3f} {middle:7.3f} {high:7.3f} {max(found):8.4f} "
            f"{moved[0]:17.3f} {moved[1]:7.3f}"
        )
    return 0


def _frame(main: Picture) -> Frame:
    return Frame(main, fit_area(main, LOW_HEIGHT_PX, LOW_WIDTH_PX), 0)


def _points(sight: Sight, main: Picture) -> Floats:
    return max(sight.faces(_frame(main)), key=lambda face: face.eye_distance_px).points


if __name__ == "__main__":
    sys.exit(main())
