"""Which face is looked at."""

import numpy as np
import pytest

from device.eye.choose import Range, choose
from device.eye.detector import Face
from device.wire import Hint

RANGE = Range(28.0, 400.0)


def face(eye_distance: float) -> Face:
    points = np.array([[0, 0], [eye_distance, 0], [0, 1], [0, 2], [1, 2]], np.float64)
    return Face(0.9, (0, 0, eye_distance * 2, eye_distance * 2), points)


@pytest.mark.parametrize(
    ("distances", "answer"),
    [
        ([], Hint.NOBODY),
        ([27.9], Hint.COME_CLOSER),
        ([27.9, 20], Hint.COME_CLOSER),
        ([401], Hint.STEP_BACK),
        ([401, 100], Hint.STEP_BACK),
        ([100, 70], Hint.ONE_PERSON_ONLY),
        ([70, 100], Hint.ONE_PERSON_ONLY),
        ([30, 27], Hint.ONE_PERSON_ONLY),
        ([100, 20, 71], Hint.ONE_PERSON_ONLY),
    ],
)
def test_refused_scenes_get_their_hint(distances: list[float], answer: Hint) -> None:
    assert choose([face(d) for d in distances], RANGE) is answer


@pytest.mark.parametrize("distances", [[28], [400], [100, 69], [20, 100], [5, 28]])
def test_largest_face_in_range_is_chosen(distances: list[float]) -> None:
    chosen = choose([face(d) for d in distances], RANGE)
    assert isinstance(chosen, Face)
    assert chosen.eye_distance_px == max(distances)
