"""Whether a straight-edged frame around a face (a phone's bezel, the edge of a print) could be a reason to refuse.

Rules kept here:
- It was measured before it was to be built. The score is of a simple detector of our own: the least share of three
  sides of a rectangle around the face that lies on an edge, the best over places and small turns.
- Bona fide pictures are photographs as they are; attacks are the same photographs with another one pasted in as a
  print or a phone: made up, not recaptured. Their edges are blurred as a lens blurs and have noise.
- People stand before rectangles too: a door, a window, a mirror, the back of a lift. The same photographs are put
  before one, made up as well: head and shoulders stay as they are, and an edge runs behind them.
- Both are told apart by one threshold, and the report says what each choice of it costs.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
import numpy.typing as npt
from PIL import Image, ImageDraw, ImageFilter

from device.eye.pixels import Picture

Reals = npt.NDArray[np.float64]
Box = tuple[float, float, float, float]

WIDTH, HEIGHT = 320, 240
TURNS_DEG: Final = (-6.0, -3.0, 0.0, 3.0, 6.0)
LEAST_STEP: Final = 6.0  # grey levels a pixel: fainter is no edge
_SIDE: Final = 1.2  # how far beside the face a side may lie, in widths of its box
_OVER: Final = 1.0  # how far above or below, in heights


@dataclass(frozen=True, slots=True)
class Instrument:
    """What is held up: how much wider than the face it is, its border (share of its width) and that border's grey.

    `cut`: with scissors, around the head.
    """

    name: str
    wider: float
    border: float
    grey: int
    cut: bool = False


INSTRUMENTS: Final = (
    Instrument("print, white edge", 1.9, 0.05, 235),
    Instrument("print, cut to the picture", 1.7, 0.0, 0),
    Instrument("phone, dark bezel", 1.6, 0.06, 25),
    Instrument("tablet, dark bezel", 2.2, 0.06, 25),
    Instrument("print, cut out around the head", 1.4, 0.0, 0, cut=True),
)


def score(grey: Reals, face: Box) -> float:
    """0 to 1: how much of three sides of one rectangle around `face` (left, top, width, height) lies on edges."""
    left, top, width, height = face
    centre = (left + width / 2, top + height / 2)
    picture = Image.fromarray(np.clip(grey, 0, 255).astype(np.uint8))
    turned = (picture.rotate(turn, Image.Resampling.BILINEAR, center=centre) for turn in TURNS_DEG)
    return max(_upright(np.asarray(each, np.float64), face) for each in turned)


def held_up(scene: Picture, shown: Picture, face: Box, instrument: Instrument, rng: np.random.Generator) -> Reals:
    """The grey low plane of `scene` with `shown` held before it; both 240 x 320 x 3, `face` that of `shown`."""
    left, top, width, height = face
    half = width * instrument.wider / 2
    tall = half * rng.uniform(1.25, 1.6)
    centre = (left + width / 2, top + height / 2)
    layer = Image.fromarray(shown).convert("L")
    edge = Image.new("L", layer.size, instrument.grey)
    inside, outside = Image.new("L", layer.size, 0), Image.new("L", layer.size, 0)
    border = 2 * half * instrument.border
    for mask, more in ((inside, 0.0), (outside, border)):
        box = (centre[0] - half - more, centre[1] - tall - more, centre[0] + half + more, centre[1] + tall + more)
        draw = ImageDraw.Draw(mask)
        (draw.ellipse if instrument.cut else draw.rectangle)(box, fill=255)
    turn = float(rng.uniform(-5, 5))
    edge.paste(layer, (0, 0), inside)
    edge, outside = (each.rotate(turn, Image.Resampling.BILINEAR, center=centre) for each in (edge, outside))
    made = Image.fromarray(scene).convert("L")
    made.paste(edge, (0, 0), outside)
    return _seen(made, rng)


def stood_before(person: Picture, face: Box, rng: np.random.Generator) -> Reals:
    """The grey low plane of `person` (240 x 320 x 3) before a doorway as wide as 1.6 to 2.4 faces, lit otherwise."""
    left, top, width, height = face
    middle, half = left + width / 2, width * rng.uniform(0.8, 1.2)
    lintel = top - height * rng.uniform(0.25, 0.8)
    picture = Image.fromarray(person).convert("L")
    lit = float(rng.choice((0.6, 1.5)))
    wall = picture.point([min(255, round(level * lit)) for level in range(256)])
    kept = Image.new("L", picture.size, 0)
    draw = ImageDraw.Draw(kept)
    draw.rectangle((middle - half, lintel, middle + half, HEIGHT), fill=255)  # what lies behind the doorway
    draw.ellipse((left - 0.2 * width, top - 0.35 * height, left + 1.2 * width, top + 1.1 * height), fill=255)
    draw.rectangle((left - 0.6 * width, top + 1.2 * height, left + 1.6 * width, HEIGHT), fill=255)  # shoulders
    wall.paste(picture, (0, 0), kept)
    return _seen(wall, rng)


def _seen(made: Image.Image, rng: np.random.Generator) -> Reals:
    blurred = np.asarray(made.filter(ImageFilter.GaussianBlur(0.7)), np.float64)
    return np.clip(blurred + rng.normal(0.0, 1.5, blurred.shape), 0, 255)


def at_share(bona_fide: Sequence[float], share: float) -> float:
    """The threshold above which at most `share` of bona fide pictures lie."""
    ordered = np.sort(np.asarray(bona_fide))
    return float(ordered[min(len(ordered) - 1, int(np.ceil(len(ordered) * (1 - share))))])


def _upright(grey: Reals, face: Box) -> float:
    down, across = np.gradient(grey)
    sides = _on_edge(across, down)
    caps = _on_edge(down.T, across.T)
    return max((_three(sides, caps, *sought) for sought in _sought(face)), default=0.0)


def _on_edge(step: Reals, along: Reals) -> Reals:
    """Running count down each column of pixels on an edge across it, one column to either side counting as well."""
    edge = (np.abs(step) >= LEAST_STEP) & (np.abs(step) > 2 * np.abs(along))
    near = edge.copy()
    near[:, 1:] |= edge[:, :-1]
    near[:, :-1] |= edge[:, 1:]
    return np.concatenate([np.zeros((1, near.shape[1])), np.cumsum(near, axis=0)])


def _sought(face: Box) -> Iterator[tuple[range, range, range, int]]:
    """Columns left and right, rows of the cap, and the row where the sides end: frames open below, and open above."""
    left, top, width, height = face
    lefts = range(max(2, int(left - _SIDE * width)), int(left + 0.05 * width), 2)
    rights = range(int(left + 0.95 * width), min(WIDTH - 2, int(left + (1 + _SIDE) * width)), 2)
    above = range(max(2, int(top - _OVER * height)), int(top + 0.05 * height), 2)
    below = range(int(top + 0.95 * height), min(HEIGHT - 2, int(top + (1 + _OVER) * height)), 2)
    if lefts and rights and above:
        yield lefts, rights, above, min(HEIGHT - 1, int(top + height))
    if lefts and rights and below:
        yield lefts, rights, below, max(1, int(top))


def _three(sides: Reals, caps: Reals, lefts: range, rights: range, rows: range, ends: int) -> float:
    row, left, right = np.asarray(rows), np.asarray(lefts), np.asarray(rights)
    length = np.abs(row - ends)[:, None]
    beside_left = np.abs(sides[ends, left][None, :] - sides[row][:, left]) / length
    beside_right = np.abs(sides[ends, right][None, :] - sides[row][:, right]) / length
    cap = (caps[right][:, row][:, None, :] - caps[left][:, row][None, :, :]) / (right[:, None] - left[None, :])[
        ..., None
    ]
    least = np.minimum(np.minimum(beside_left.T[None, :, :], beside_right.T[:, None, :]), cap)
    return float(least.max())
