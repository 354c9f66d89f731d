"""What passive hints would cost people and what they would see: repeats, rectangles, moire.

Rules kept here:
- People first: each hint is measured on photographs of people, and what it sees is told at thresholds that refuse a
  stated share of them.
- Everything about attacks is made up here and called so. No print, phone or screen was recaptured.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import numpy as np
import numpy.typing as npt
from PIL import Image

from device.eye.detector import Detector
from device.eye.pictures import read_scaled
from device.eye.pixels import Picture
from device.eye.runtime import Network
from device.eye.runtime import choose as choose_runtime
from device.manifest import Job, load
from tools.evaluate import moire, rectangles, repeats
from tools.evaluate.intervals import upper_bound

Reals = npt.NDArray[np.float64]

SHARES: Final = (0.001, 0.01, 0.03)
CONTRASTS: Final = (0.002, 0.005, 0.01, 0.02, 0.05)
_SIDE_PX: Final = 150  # of a photograph in the low plane: a face then has the size it has at half a metre
_RIM: Final = 0.1  # of each side of a photograph that is left out
_BLACK: Final = 8  # what JPEG leaves of black
_WEDGE: Final = 0.01  # of the rim
_STILL: Final = 30  # pictures for the repeats: each is exposed some hundred times
_EVERY: Final = 2


@dataclass(frozen=True, slots=True, eq=False)
class Seen:
    """A photograph as the door's planes have it, the largest face's box in the low plane, and the middle of that face.

    `middle` is from the file as it is, not resampled: SIDE_PX x SIDE_PX grey values.
    """

    low: Picture
    face: rectangles.Box
    middle: Reals


def seen(files: Iterable[Path], models: Path) -> list[Seen]:
    """Every picture with a face in it, and whose rim is of the picture. Raises ModelRefused.

    Photographs that were turned upright have black wedges along their rims: straight edges that no scene has.
    """
    entry = load(models).for_job(Job.DETECT)
    detector = Detector(Network.load(entry, models, choose_runtime("auto"), 1))
    found = []
    for file in files:
        middle = _middle(file)
        if _wedged(middle):
            continue
        low = _filled(middle)
        faces = detector.find(low)
        if faces:
            grey = np.asarray(middle.convert("L"), np.float64)
            top, left = ((size - moire.SIDE_PX) // 2 for size in grey.shape)
            patch = grey[top : top + moire.SIDE_PX, left : left + moire.SIDE_PX]
            found.append(Seen(low, max(faces, key=lambda face: face.box[2]).box, patch))
    return found


def report(folder: Path, models: Path, pictures: int, seed: int = 0) -> str:
    """The three tables, as Markdown. Raises FileNotFoundError for a folder without enough pictures."""
    files = sorted(folder.glob("*/*.jpg"))
    if len(files) < _EVERY * _STILL:
        msg = f"{folder} holds {len(files)} pictures as person/picture.jpg, which is too few"
        raise FileNotFoundError(msg)
    files = files[:: max(1, len(files) // pictures)][:pictures]
    people = seen(files, models)
    still = (read_scaled(file, 640, 480, 4 / 3) for file in files[:: max(1, len(files) // _STILL)][:_STILL])
    parts = (
        f"{len(people)} photographs with a face, of {len(files)}.",
        "A scene and a camera that both stand still:\n\n" + repeats.table(repeats.measure(still, seed)),
        "Rectangles, pasted in:\n\n" + _rectangles(people, seed),
        "Patterns, laid over:\n\n" + _patterns(people, seed),
        "What optics leave of a screen's grid, at most:\n\n" + _grids(),
    )
    return "\n\n".join(parts) + "\n"


def _rectangles(people: list[Seen], seed: int) -> str:
    rng = np.random.default_rng(seed)
    bona_fide = [rectangles.score(_grey(each.low), each.face) for each in people]
    lines = [_head("held up", SHARES), _row("(people refused)", bona_fide, bona_fide)]
    before = [
        rectangles.score(rectangles.stood_before(each.low, each.face, rng), each.face) for each in people[::_EVERY]
    ]
    lines.append(_row("(people before a doorway refused)", before, bona_fide))
    for instrument in rectangles.INSTRUMENTS:
        scores = []
        for number, each in enumerate(people[::_EVERY]):
            scene = people[(number * _EVERY + 1) % len(people)].low
            made = rectangles.held_up(scene, each.low, each.face, instrument, rng)
            scores.append(rectangles.score(made, each.face))
        lines.append(_row(instrument.name, scores, bona_fide))
    return "\n".join(lines)


def _patterns(people: list[Seen], seed: int) -> str:
    rng = np.random.default_rng(seed)
    bona_fide = [moire.strongest(each.middle) for each in people]
    lines = [_head("contrast of the pattern", SHARES), _row("(people refused)", bona_fide, bona_fide)]
    for contrast in CONTRASTS:
        scores = [moire.strongest(moire.patterned(each.middle, contrast, rng)) for each in people]
        lines.append(_row(f"{contrast:.1%}", scores, bona_fide))
    return "\n".join(lines)


def _grids() -> str:
    lines = ["| screen | " + " | ".join(f"{width} pixels across" for width in moire.WIDTHS_PX) + " |"]
    lines.append("|---" * (1 + len(moire.WIDTHS_PX)) + "|")
    for screen in moire.SCREENS:
        left = (f"{screen.left_over(width):.1e}" for width in moire.WIDTHS_PX)
        lines.append(f"| {screen.name}, at {screen.distance_mm:.0f} mm | " + " | ".join(left) + " |")
    return "\n".join(lines)


def _head(first: str, shares: tuple[float, ...]) -> str:
    titles = " | ".join(f"threshold for {share:.1%} of people" for share in shares)
    return f"| {first} | {titles} |\n" + "|---" * (1 + len(shares)) + "|"


def _row(name: str, scores: list[float], bona_fide: list[float]) -> str:
    cells = []
    for share in SHARES:
        above = sum(score > rectangles.at_share(bona_fide, share) for score in scores)
        cells.append(f"{above} of {len(scores)}, at most {upper_bound(above, len(scores)):.1%}")
    return f"| {name} | " + " | ".join(cells) + " |"


def _middle(file: Path) -> Image.Image:
    with Image.open(file) as opened:
        rim = [round(_RIM * side) for side in opened.size]
        return opened.convert("RGB").crop((rim[0], rim[1], opened.width - rim[0], opened.height - rim[1]))


def _wedged(picture: Image.Image) -> bool:
    darkest = np.asarray(picture).max(axis=2) <= _BLACK
    rim = np.concatenate([darkest[0], darkest[-1], darkest[:, 0], darkest[:, -1]])
    return bool(rim.mean() > _WEDGE)


def _filled(picture: Image.Image) -> Picture:
    """The low plane with the picture in its middle, mirrored outwards: no edge but those it has."""
    small = np.asarray(picture.resize((_SIDE_PX, _SIDE_PX), Image.Resampling.BOX))
    rows, columns = ((size - _SIDE_PX) // 2 for size in (rectangles.HEIGHT, rectangles.WIDTH))
    filled = np.pad(small, ((rows, rows), (columns, columns), (0, 0)), mode="reflect")
    return np.ascontiguousarray(filled[..., ::-1])


def _grey(low: Picture) -> Reals:
    return np.asarray(Image.fromarray(low).convert("L"), np.float64)
