"""Which face is looked at."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

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


@pytest.mark.parametrize("distances", [[100, 28], [28, 100], [100, 69], [30, 27], [100, 20, 40]])
def test_while_enrolling_nobody_else_may_be_in_range(distances: list[float]) -> None:
    assert choose([face(d) for d in distances], RANGE, alone=True) is Hint.ONE_PERSON_ONLY


@pytest.mark.parametrize("distances", [[28], [400], [100, 27.9], [20, 100], [100, 5, 27]])
def test_while_enrolling_who_passes_out_of_range_disturbs_nobody(distances: list[float]) -> None:
    chosen = choose([face(d) for d in distances], RANGE, alone=True)
    assert isinstance(chosen, Face)
    assert chosen.eye_distance_px == max(distances)


@given(st.lists(st.floats(1, 500), max_size=5))
def test_enrolling_never_looks_where_recognising_would_not(distances: list[float]) -> None:
    faces = [face(d) for d in distances]
    alone, recognising = choose(faces, RANGE, alone=True), choose(faces, RANGE)
    assert alone is recognising or alone is Hint.ONE_PERSON_ONLY
