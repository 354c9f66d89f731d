"""Find faces on the low plane: YuNet's twelve outputs become boxes with five points.

Rules kept here:
- The detector sees the small plane only, and says nothing about who somebody is.
- Everything is in pixels of the low plane; whoever needs the main plane scales by one factor.
- A detection below the score is no detection: it is not kept, counted or looked at again.

Source: YuNet (Wu et al., Machine Intelligence Research 2023), OpenCV's face_detect.cpp: score = sqrt(cls * obj), centre
and points relative to the cell in units of the stride, size as exp().
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np
import numpy.typing as npt

from device.errors import ModelRefused
from device.eye.pixels import Picture
from device.eye.runtime import Array, Floats, Network

STRIDES: Final = (8, 16, 32)
PARTS: Final = ("cls", "obj", "bbox", "kps")
MIN_SCORE: Final = 0.6  # OpenCV's sample uses 0.6; the quality gate does the finer sorting
MAX_OVERLAP: Final = 0.3  # intersection over union above which two boxes are one face, as in OpenCV's sample
MAX_LOG_SIZE: Final = 10.0  # exp(10) strides is beyond any plane: a broken output cannot overflow
MAX_CANDIDATES: Final = 512  # of 1680 cells, best first: a bound on the work a picture can cause


@dataclass(frozen=True, slots=True, eq=False)
class Face:
    """One face. `box`: left, top, width, height; `points`: (5, 2): eyes, nose, mouth corners as seen; pixels."""

    score: float
    box: tuple[float, float, float, float]
    points: npt.NDArray[np.float64]

    @property
    def eye_distance_px(self) -> float:
        """Between the two eyes."""
        across = self.points[1] - self.points[0]
        return float(np.hypot(across[0], across[1]))

    def scaled(self, factor: float) -> Face:
        """The same face in a plane `factor` times as large."""
        left, top, width, height = self.box
        box = (left * factor, top * factor, width * factor, height * factor)
        return Face(self.score, box, self.points * factor)


class Detector:
    """A YuNet of one fixed input size. Raises ModelRefused if the network is of another kind."""

    def __init__(self, network: Network) -> None:
        shape = network.entry.input.shape
        meanings = [tensor.meaning for tensor in network.entry.outputs]
        wanted = {f"{part}/{stride}" for part in PARTS for stride in STRIDES}
        if len(shape) != 4 or shape[3] != 3 or network.entry.input.dtype != "float32" or set(meanings) != wanted:  # noqa: PLR2004
            msg = f"{network.entry.file} is no face detector with outputs {', '.join(sorted(wanted))}"
            raise ModelRefused(msg)
        self.network = network
        self.height, self.width = shape[1], shape[2]
        self._at = {meaning: which for which, meaning in enumerate(meanings)}
        # Of every cell, one stride's after the other's: they are the same for every frame.
        counts = [(self.height // stride) * (self.width // stride) for stride in STRIDES]
        self._firsts = np.cumsum([0, *counts])
        self._strides = np.repeat(STRIDES, counts)
        within = np.arange(len(self._strides)) - np.repeat(self._firsts[:-1], counts)
        columns = self.width // self._strides
        self._places = np.stack([within % columns, within // columns], axis=1)

    def find(self, low: Picture) -> list[Face]:
        """The faces on `low` (at most the network's size; anchored top left, the rest black), best score first."""
        height, width = low.shape[:2]
        if height > self.height or width > self.width:
            msg = f"the low plane of {width} x {height} does not fit the detector's {self.width} x {self.height}"
            raise ModelRefused(msg)

        def fill(view: Array) -> None:
            view[0, :height, :width] = low
            view[0, height:] = 0
            view[0, :, width:] = 0

        self.network.feed(fill)
        self.network.invoke_only()
        return suppressed(self._candidates())

    def _candidates(self) -> Candidates:
        cls, obj = (np.concatenate([self._out(part, stride)[:, 0] for stride in STRIDES]) for part in ("cls", "obj"))
        # A superset, cheaply: holding values to 0..1 can only lower a product of positive ones.
        cells = np.flatnonzero(cls * obj >= MIN_SCORE * MIN_SCORE)
        if not len(cells):
            return NO_CANDIDATES
        # Boxes and points are the bulk of the output: only of strides that saw something are they fetched.
        ends = np.searchsorted(cells, self._firsts)
        seen = [
            (stride, cells[ends[row] : ends[row + 1]] - self._firsts[row])
            for row, stride in enumerate(STRIDES)
            if ends[row] < ends[row + 1]
        ]
        bbox, kps = (np.concatenate([self._out(part, stride)[own] for stride, own in seen]) for part in ("bbox", "kps"))
        score = joint_score(cls[cells], obj[cells])
        return decode(Cells(self._strides[cells], self._places[cells], score, bbox, kps))

    def _out(self, part: str, stride: int) -> Array:
        values: Array = self.network.fetch(self._at[f"{part}/{stride}"])[0]
        return values


@dataclass(frozen=True, slots=True, eq=False)
class Cells:
    """Cells of the network's grids as it puts them out: in units of their stride, relative to their place.

    strides (n,); places (n, 2) column and row; scores (n,); bbox (n, 4) centre and log size; kps (n, 10) five points.
    """

    strides: Array
    places: Array
    scores: Array
    bbox: Array
    kps: Array


@dataclass(frozen=True, slots=True, eq=False)
class Candidates:
    """Scores (n,), boxes (n, 4) left, top, right, bottom, points (n, 5, 2), in pixels; best score first."""

    scores: Array
    boxes: Array
    points: Array


NO_CANDIDATES: Final = Candidates(np.empty(0), np.empty((0, 4)), np.empty((0, 5, 2)))


def joint_score(cls: Array, obj: Array) -> Floats:
    """sqrt(cls * obj), each held to 0..1; what is no number scores 0."""
    # fmax, unlike maximum, prefers the number to what is none.
    score: Floats = np.sqrt(np.fmin(np.fmax(cls, 0), 1) * np.fmin(np.fmax(obj, 0), 1))
    return score


def decode(cells: Cells) -> Candidates:
    """The cells in pixels: at or above MIN_SCORE, at most MAX_CANDIDATES, without what is no number."""
    stride = cells.strides[:, None]
    centres = (cells.bbox[:, :2] + cells.places) * stride
    halves = np.exp(np.minimum(cells.bbox[:, 2:], MAX_LOG_SIZE)) * (stride / 2)
    boxes = np.concatenate([centres - halves, centres + halves], axis=1)
    points = (cells.kps.reshape(-1, 5, 2) + cells.places[:, None, :]) * stride[:, :, None]
    # A sum is finite only if all of its parts are.
    sound = np.isfinite(boxes.sum(axis=1) + points.sum(axis=(1, 2))) & (cells.scores >= MIN_SCORE)
    order = np.argsort(-cells.scores, kind="stable")
    order = order[sound[order]][:MAX_CANDIDATES]
    return Candidates(cells.scores[order], boxes[order], points[order])


def suppressed(candidates: Candidates) -> list[Face]:
    """The candidates that overlap no better one (greedy non-maximum suppression), best first."""
    faces: list[Face] = []
    boxes = candidates.boxes
    left = np.arange(len(boxes))
    while len(left):
        best, left = left[0], left[1:]
        box = boxes[best]
        size = box[2:] - box[:2]
        place = (float(box[0]), float(box[1]), float(size[0]), float(size[1]))
        faces.append(Face(float(candidates.scores[best]), place, candidates.points[best]))
        left = left[overlaps(box, boxes[left]) <= MAX_OVERLAP]
    return faces


def overlaps(one: Array, others: Array) -> Array:
    """Intersection over union of box `one` (left, top, right, bottom) with each of `others`, (n, 4)."""
    common = np.maximum(np.minimum(one[2:], others[:, 2:]) - np.maximum(one[:2], others[:, :2]), 0).prod(axis=1)
    area = (one[2:] - one[:2]).prod()
    shares: Array = common / (area + (others[:, 2:] - others[:, :2]).prod(axis=1) - common)
    return shares
