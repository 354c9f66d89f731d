"""Decoding and suppression on made-up outputs."""

from collections.abc import Callable
from typing import cast

import numpy as np
import numpy.typing as npt
import pytest

from device.eye.detector import (
    MAX_CANDIDATES,
    MIN_SCORE,
    NO_CANDIDATES,
    STRIDES,
    Candidates,
    Cells,
    Detector,
    decode,
    joint_score,
    overlaps,
    suppressed,
)
from device.eye.runtime import Network
from device.manifest import Job, ModelEntry, Tensor


def candidates(*boxes: tuple[float, float, float, float, float]) -> Candidates:
    """Each as score, left, top, right, bottom."""
    rows = np.array(sorted(boxes, reverse=True), np.float64).reshape(-1, 5)
    return Candidates(rows[:, 0], rows[:, 1:], np.zeros((len(rows), 5, 2)))


def cells(scores: list[float], bbox: list[list[float]], stride: int = 8, place: tuple[int, int] = (3, 1)) -> Cells:
    count = len(scores)
    kps = np.tile(np.arange(10, dtype=np.float32), (count, 1))
    places = np.tile(np.array(place), (count, 1))
    return Cells(np.full(count, stride), places, np.array(scores, np.float32), np.array(bbox, np.float32), kps)


def test_cell_offset_and_size_follow_yunet() -> None:
    found = decode(cells([0.9], [[0.5, 0.25, np.log(4), np.log(2)]]))
    assert np.allclose(found.boxes, [[28 - 16, 10 - 8, 28 + 16, 10 + 8]], atol=1e-4)
    assert np.allclose(found.points[0, 0], (24, 16))
    assert np.allclose(found.points[0, 4], (24 + 64, 8 + 72))


def test_cells_of_different_strides_keep_their_own_scale() -> None:
    plain = [[0.0, 0.0, 0.0, 0.0]]
    each = [cells([0.7], plain, 8), cells([0.9], plain, 32, (1, 2))]
    found = decode(Cells(*(np.concatenate([getattr(one, name) for one in each]) for name in Cells.__slots__)))
    assert found.scores.tolist() == pytest.approx([0.9, 0.7])
    assert np.allclose(found.boxes, [[16, 48, 48, 80], [20, 4, 28, 12]])


def test_score_is_the_root_of_the_product_within_bounds() -> None:
    score = joint_score(np.array([0.25, 2.0, -1.0, np.nan]), np.array([1.0, 0.25, -1.0, 1.0]))
    assert np.allclose(score, [0.5, 0.5, 0.0, 0.0])
    assert score[2] < MIN_SCORE


def test_best_of_overlapping_boxes_stays_and_distant_ones_too() -> None:
    faces = suppressed(candidates((0.7, 1, 1, 11, 11), (0.9, 0, 0, 10, 10), (0.8, 50, 50, 60, 60)))
    assert [face.score for face in faces] == [0.9, 0.8]
    assert faces[0].box == (0, 0, 10, 10)


def test_cells_that_are_no_numbers_or_below_the_score_are_dropped() -> None:
    good = [0.0, 0.0, 0.0, 0.0]
    bad = [[np.nan, 0, 0, 0], [0, np.inf, 0, 0], [0, 0, 0, np.nan], good, good, good]
    found = decode(cells([0.9, 0.9, 0.9, MIN_SCORE - 0.01, np.nan, 0.8], bad))
    assert found.scores.tolist() == pytest.approx([0.8])


def test_nothing_found_is_no_face() -> None:
    assert suppressed(NO_CANDIDATES) == []


def test_work_is_bounded() -> None:
    assert len(decode(cells([0.9] * 2000, [[0.0] * 4] * 2000)).scores) == MAX_CANDIDATES


def test_huge_sizes_do_not_overflow() -> None:
    found = decode(cells([0.9], [[0, 0, 1e9, 1e9]]))
    assert len(found.scores) == 1
    assert np.isfinite(found.boxes).all()


def test_overlap_of_a_box_with_itself_and_with_nothing() -> None:
    one = np.array([0.0, 0, 10, 10])
    assert np.allclose(overlaps(one, np.array([one, [10, 10, 20, 20], [0, 0, 10, 5]])), [1, 0, 0.5])


class Grids:
    """A network of 64 x 96 that answers `values`, by meaning."""

    def __init__(self, values: dict[str, npt.NDArray[np.float32]]) -> None:
        self._values = list(values.values())
        tensors = tuple(Tensor(name, value.shape, "float32", name, 0.0, 0) for name, value in values.items())
        entry_in = Tensor("in", (1, 64, 96, 3), "float32", "BGR", 0.0, 0)
        self.entry = ModelEntry("n", "n.tflite", b"", 1, Job.DETECT, "float32", "MIT", "n.md", entry_in, tensors)

    def feed(self, fill: Callable[[npt.NDArray[np.float32]], None]) -> None:
        fill(np.empty(self.entry.input.shape, np.float32))

    def invoke_only(self) -> None: ...

    def fetch(self, which: int) -> npt.NDArray[np.float32]:
        return self._values[which].copy()


@pytest.mark.parametrize("silent", [(), (16,), (8, 32), STRIDES])
def test_every_cell_of_every_stride_is_read_at_its_own_place(silent: tuple[int, ...]) -> None:
    rng = np.random.default_rng(5)
    values: dict[str, npt.NDArray[np.float32]] = {}
    for stride in STRIDES:
        count = (64 // stride) * (96 // stride)
        seen = np.zeros(count) if stride in silent else rng.random(count)
        values |= {
            f"cls/{stride}": seen.astype(np.float32).reshape(1, count, 1),
            f"obj/{stride}": rng.random((1, count, 1), np.float32),
            f"bbox/{stride}": rng.normal(0, 1, (1, count, 4)).astype(np.float32),
            f"kps/{stride}": rng.normal(0, 1, (1, count, 10)).astype(np.float32),
        }
    alone = [
        (float(score), cell % (96 // stride), cell // (96 // stride), stride, values[f"bbox/{stride}"][0, cell])
        for stride in STRIDES
        for cell in range((64 // stride) * (96 // stride))
        if (score := joint_score(values[f"cls/{stride}"][0, cell, 0], values[f"obj/{stride}"][0, cell, 0])) >= MIN_SCORE
    ]
    wanted = [
        ((box[0] + column) * stride, (box[1] + row) * stride, np.exp(box[2]) * stride, np.exp(box[3]) * stride)
        for _, column, row, stride, box in sorted(alone, key=lambda one: -one[0])
    ]
    found = Detector(cast("Network", Grids(values)))._candidates()
    assert bool(wanted) == (set(silent) != set(STRIDES))
    middles = (found.boxes[:, :2] + found.boxes[:, 2:]) / 2
    sizes = found.boxes[:, 2:] - found.boxes[:, :2]
    assert np.allclose(np.concatenate([middles, sizes], axis=1), np.reshape(wanted, (-1, 4)), rtol=1e-4)
