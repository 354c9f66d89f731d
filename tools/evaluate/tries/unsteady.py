"""How steady the five points are when a frame shifts, by how the detector's plane is made of the camera's.

    python -m tools.evaluate.tries.unsteady --faces DIR

Rules kept here:
- A picture is laid into the main plane as the replay camera does it, then moved by whole pixels: nothing of the face
  changes but where it lies on the detector's grid. Whatever the points do beyond moving along is the detector's noise.
- *as shipped* is the door's own way to the low plane. A way that finds no face in one of the places is counted there.
- Spread is in pixels of the crop: how far a point lies from its own mean over the places, root mean square.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import click
import numpy as np
import numpy.typing as npt
from PIL import Image, ImageFilter
from rich.progress import track

from device.config.tables import CameraTable
from device.eye.alignment import CROP_PX, picture_to_crop
from device.eye.camera import LOW_HEIGHT_PX, LOW_WIDTH_PX
from device.eye.pictures import EMPTY_GREY, read_scaled
from device.eye.pixels import Picture, fit_area
from device.eye.runtime import Network, Runtime
from device.manifest import Job, load
from tools.evaluate.gather import pictures_in, prominence
from tools.evaluate.tries.voted import OpenDetector, points_of

ROOT: Final = Path(__file__).resolve().parents[3]
MODELS: Final = ROOT / "models"
PLACES: Final = ((0, 0), (1, 3), (3, 6), (5, 1), (7, 4), (2, 8), (8, 2), (6, 7), (4, 5))  # right, down; pixels
SIZES: Final = (1.0, 0.5)  # of a picture that fills the plane

Points = npt.NDArray[np.float64]  # (..., 5, 2)
Shrink = Callable[[Picture], Picture]


def _by(filtered: Image.Resampling) -> Shrink:
    return lambda main: np.asarray(Image.fromarray(main).resize((LOW_WIDTH_PX, LOW_HEIGHT_PX), filtered))


def _soft(main: Picture) -> Picture:
    blurred = Image.fromarray(main).filter(ImageFilter.GaussianBlur(1.5))
    return fit_area(np.asarray(blurred), LOW_HEIGHT_PX, LOW_WIDTH_PX)


SHRINKS: Final[dict[str, Shrink]] = {
    "as shipped: the mean of 2 x 2": lambda main: fit_area(main, LOW_HEIGHT_PX, LOW_WIDTH_PX),
    "every other pixel": _by(Image.Resampling.NEAREST),
    "triangle": _by(Image.Resampling.BILINEAR),
    "bicubic": _by(Image.Resampling.BICUBIC),
    "Lanczos": _by(Image.Resampling.LANCZOS),
    "blurred first": _soft,
}


@dataclass(frozen=True)
class Steadiness:
    """Root mean squares over `pictures` less `lost`, pixels of the crop but for the last two.

    eyes_px: between the eyes in the main plane, the mean. best, cells: of a point of the best cell, of the mean of the
    cells. middle, size (of 1), turn_deg: of the crop that the best cell's points cut.
    """

    pictures: int
    lost: int
    eyes_px: float
    best: float
    cells: float
    middle: float
    size: float
    turn_deg: float


def measured(paths: list[Path], scale: float, shrink: Shrink, detector: OpenDetector) -> Steadiness | None:
    """Over `paths`, each in PLACES; None if no face was found in all of them."""
    table = CameraTable()
    rows: list[tuple[float, ...]] = []
    lost = 0
    for path in track(paths, description=f"{scale:g}"):
        main = read_scaled(path, table.width_px, table.height_px, scale)
        found = [_points(_moved(main, *place), shrink, detector, place) for place in PLACES]
        if any(one is None for one in found):
            lost += 1
            continue
        best, cells = (np.array([one[which] for one in found if one is not None]) for which in (0, 1))
        rows.append((_eyes(best), _spread(best), _spread(cells), *_alignment(best)))
    if not rows:
        return None
    eyes_px, *squares = np.array(rows).T
    return Steadiness(len(paths), lost, float(eyes_px.mean()), *(float(np.sqrt((one**2).mean())) for one in squares))


def _points(
    main: Picture, shrink: Shrink, detector: OpenDetector, place: tuple[int, int]
) -> tuple[Points, Points] | None:
    """Of the best cell and of the mean of the cells, in the main plane before it was moved to `place`."""
    low = shrink(main)
    factor = main.shape[1] / low.shape[1]
    found = detector.find(low)
    if not found:
        return None
    face = max(found, key=lambda each: prominence(each, low.shape[1], low.shape[0]))
    cells = points_of(detector.last, face).astype(np.float64)
    return face.points * factor - place, cells * factor - place


def _moved(main: Picture, right: int, down: int) -> Picture:
    moved = np.full_like(main, EMPTY_GREY)
    moved[down:, right:] = main[: main.shape[0] - down, : main.shape[1] - right]
    return moved


def _eyes(points: Points) -> float:
    across = points[:, 1] - points[:, 0]
    return float(np.hypot(across[:, 0], across[:, 1]).mean())


def _spread(points: Points) -> float:
    """points: (places, 5, 2) in the main plane; pixels of the crop."""
    mean = points.mean(axis=0)
    apart = ((points - mean) ** 2).sum(axis=2).mean()
    return float(np.sqrt(apart) * picture_to_crop(mean).scale)


def _alignment(points: Points) -> tuple[float, float, float]:
    """Of the crop: how its middle wanders (pixels of the crop), how its size (of 1) and its turn (degrees) do."""
    to_crop = [picture_to_crop(five) for five in points]
    middle = complex(CROP_PX, CROP_PX) / 2
    a = np.array([each.a for each in to_crop])
    at = np.array([complex(*each.inverse()(middle.real, middle.imag)) for each in to_crop])
    wander = np.abs(at - at.mean()) * np.abs(a).mean()
    return (
        float(np.sqrt((wander**2).mean())),
        float(np.log(np.abs(a)).std()),
        float(np.degrees(np.angle(a / a.mean()).std())),
    )


@click.command()
@click.option("--faces", type=click.Path(path_type=Path, file_okay=False, exists=True), required=True)
@click.option("--every", type=click.IntRange(1), default=48, show_default=True, help="One picture each of every N-th.")
def main(*, faces: Path, every: int) -> None:
    """Print how far the five points wander while a face is moved over the detector's grid.

    \b
    Example: python -m tools.evaluate.tries.unsteady --faces lfw-dev
    """
    first = {path.parent.name: path for path in reversed(pictures_in(faces))}
    paths = sorted(first.values())[::every]
    detector = OpenDetector(Network.load(load(MODELS).for_job(Job.DETECT), MODELS, Runtime.LITERT))
    click.echo(
        "| low plane | eyes apart | lost | best cell | mean of the cells | crop's middle | its size | its turn |"
    )
    click.echo("|---" * 8 + "|")
    for scale in SIZES:
        for name, shrink in SHRINKS.items():
            made = measured(paths, scale, shrink, detector)
            told = "no face in all places"
            if made is not None:
                parts = f"{made.best:.2f} | {made.cells:.2f} | {made.middle:.2f} | {made.size:.2%}"
                told = f"{made.eyes_px:.0f} px | {made.lost} of {made.pictures} | {parts} | {made.turn_deg:.2f} deg"
            click.echo(f"| {name} | {told} |")


if __name__ == "__main__":
    main()
