"""Decoding and suppression on made-up outputs."""

import numpy as np
import pytest

from device.eye.detector import (
    MAX_CANDIDATES,
    MIN_SCORE,
    NO_CANDIDATES,
    Candidates,
    Cells,
    decode,
    joint_score,
    overlaps,
    suppressed,
)


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
    joined = Cells.joined([cells([0.7], plain, 8), cells([0.9], plain, 32, (1, 2))])
    found = decode(joined)
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
