"""What the camera's plane costs, taken apart: the points that are found in it, and the crop that is cut from it.

    python -m tools.evaluate.tries.plane --faces DIR

Rules kept here:
- A picture is laid into the main plane as the replay camera does it; the points found there lie in the picture by the
  same scale, and the other way round. Of several faces the one that lies where the picture's own was found is taken.
- Each row changes one of the two; who is enrolled with what is the same in all.
- Only embeddings and points are kept, in a file that is valid for exactly the two networks and the pictures.
"""

from __future__ import annotations

from pathlib import Path
from typing import Final

import click
import numpy as np
import numpy.typing as npt
from rich.progress import track

from device.config.tables import CameraTable
from device.eye.alignment import picture_to_crop
from device.eye.camera import LOW_HEIGHT_PX, LOW_WIDTH_PX
from device.eye.detector import Detector
from device.eye.embedder import Embedder
from device.eye.pictures import read_scaled
from device.eye.pixels import Picture, Similarity, fit_area
from device.eye.runtime import Network, Runtime
from device.manifest import Job, load
from tools.evaluate.tries import geometry, measures
from tools.evaluate.tries.measures import Way
from tools.evaluate.tries.resampled import SHIPPED, Scaled, Shown, shipped
from tools.models.faces import read

ROOT: Final = Path(__file__).resolve().parents[3]
MODELS: Final = ROOT / "models"
ROWS: Final = (
    "points and crop of the picture",
    "crop of the plane",
    "points of the plane",
    "points and crop of the plane",
)

Points = npt.NDArray[np.float64]


class Laid:
    """A picture of `width` x `height` in the main plane: the way of points there and back, centres whole numbers."""

    def __init__(self, width: int, height: int) -> None:
        table = CameraTable()
        self.factor = min(table.width_px / width, table.height_px / height)
        shown = round(width * self.factor), round(height * self.factor)
        self.corner = np.array([(table.width_px - shown[0]) // 2, (table.height_px - shown[1]) // 2], np.float64)

    def there(self, points: Points) -> Points:
        """From the picture to the plane."""
        return (points + 0.5) * self.factor - 0.5 + self.corner

    def back(self, points: Points) -> Points:
        """From the plane to the picture."""
        return (points - self.corner + 0.5) / self.factor - 0.5


def found_in(main: Picture, detector: Detector, near: Points) -> Points:
    """The five points of the face nearest to `near`, in the main plane; `near` itself if none is within its eyes."""
    low = fit_area(main, LOW_HEIGHT_PX, LOW_WIDTH_PX)
    factor = main.shape[1] / low.shape[1]
    # Pixel i of the low plane is the mean of several: a door scales by the factor alone, and so is it done here.
    seen = [face.points * factor for face in detector.find(low)]
    apart = np.hypot(*(near[1] - near[0]))
    best = min(seen, key=lambda points: float(np.abs(points - near).sum()), default=near)
    return best if np.hypot(*(best - near).T).max() < apart else near


def embeddings(root: Path, found: geometry.Geometry, cache: Path) -> tuple[list[measures.Floats], float]:
    """(n, 128) for each of ROWS; how far a point of the plane lies from the picture's, median in pixels of the crop."""
    own = Shown(root, found, 0, Scaled())
    kept = cache / f"plane-{own.told(SHIPPED)}-{load(MODELS).for_job(Job.DETECT).model_id.hex()}.npz"
    if not kept.exists():
        made, apart = _made(root, found)
        kept.parent.mkdir(parents=True, exist_ok=True)
        half = kept.with_suffix(".half")
        with half.open("wb") as file:
            np.savez(file, apart=apart, **{f"v{row}": vectors for row, vectors in enumerate(made)})
        half.replace(kept)
    with np.load(kept) as stored:
        others = [stored[f"v{row}"] for row in range(len(ROWS) - 1)]
        return [own.vectors([SHIPPED], cache)[SHIPPED], *others], float(np.median(stored["apart"]))


def _made(root: Path, found: geometry.Geometry) -> tuple[list[measures.Floats], Points]:
    """Of all ROWS but the first, and how far the points lie from each other, (n, 5)."""
    manifest = load(MODELS)
    detector = Detector(Network.load(manifest.for_job(Job.DETECT), MODELS, Runtime.LITERT))
    embedder = Embedder(Network.load(manifest.for_job(Job.EMBED), MODELS, Runtime.LITERT))
    table = CameraTable()
    made = [np.zeros((len(found.files), 128), np.float32) for _ in ROWS[1:]]
    apart = np.zeros((len(found.files), 5))
    for row, file in enumerate(track(found.files.tolist(), description=root.name)):
        picture = np.ascontiguousarray(read(root / file))
        main = read_scaled(root / file, table.width_px, table.height_px, 1.0)
        laid = Laid(picture.shape[1], picture.shape[0])
        own = found.five[row].astype(np.float64)
        there = laid.there(own)
        plane = found_in(main, detector, there)
        back = laid.back(plane)
        apart[row] = np.hypot(*(back - own).T) * picture_to_crop(own).scale
        for which, (shown, points) in enumerate(((main, there), (picture, back), (main, plane))):
            made[which][row] = embedder.embed(shipped(shown, _from_crop(points)))
    return made, apart


def _from_crop(points: Points) -> Similarity:
    return picture_to_crop(points).inverse()


@click.command()
@click.option("--faces", type=click.Path(path_type=Path, file_okay=False, exists=True), required=True)
@click.option("--cache", type=click.Path(path_type=Path), default=ROOT / ".cache" / "evaluate" / "tries")
@click.option("--draws", type=click.IntRange(1), default=10, show_default=True, help="Of who enrols with what.")
def main(*, faces: Path, cache: Path, draws: int) -> None:
    """Print what the camera's plane costs of it by its points, and what by its pixels.

    \b
    Example: python -m tools.evaluate.tries.plane --faces lfw-dev
    """
    people = geometry.residents(geometry.find(faces, MODELS, cache))
    made, apart = embeddings(faces, people, cache / "resampled")
    click.echo(f"a point of the plane lies {apart:.2f} pixels of the crop from the picture's (median)\n")
    click.echo("| | pooled 1e-4 | points fewer | pooled 1e-5 | points fewer |\n|---|---|---|---|---|")
    first: list[measures.Rate] = []
    for name, vectors in zip(ROWS, made, strict=True):
        drawn = measures.drawn(Way(vectors, vectors), people.folders, draws)
        rates = [drawn.pooled(fmr) for fmr in measures.POOLED]
        first = first or rates
        told = [
            f"{100 * rate.value:.2f} | {100 * less:+.2f} ({100 * low:+.2f} to {100 * high:+.2f})"
            for rate, base in zip(rates, first, strict=True)
            for less, low, high in [rate.less_than(base)]
        ]
        click.echo(f"| {name} | {' | '.join(told)} |")


if __name__ == "__main__":
    main()
