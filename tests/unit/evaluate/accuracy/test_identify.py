"""Searches of galleries: known people, known answers."""

from __future__ import annotations

from statistics import NormalDist

import numpy as np
import pytest

from tools.evaluate.accuracy.identify import measure, search, sizes
from tools.evaluate.accuracy.rates import weights
from tools.evaluate.accuracy.trials import Design

NORMAL = NormalDist()


def people(count: int, pictures: int, noise: float) -> list[np.ndarray[tuple[int, ...], np.dtype[np.float32]]]:
    generator = np.random.default_rng(4)
    made = generator.standard_normal((count, 1, 128)) + noise * generator.standard_normal((count, pictures, 128))
    return list((made / np.linalg.norm(made, axis=2, keepdims=True)).astype(np.float32))


def test_sizes_leave_half_of_the_people_as_strangers() -> None:
    assert sizes(2848) == [(4, 4, 0), (50, 50, 0), (500, 500, 0), (5000, 1424, 0)]
    assert sizes(11) == [(4, 4, 0), (50, 5, 0)]
    assert sizes(3) == []


def test_others_fill_what_half_of_the_people_does_not() -> None:
    assert sizes(2848, 5900)[-1] == (5000, 1424, 3576)
    assert sizes(2848, 3575)[-1] == (5000, 1424, 0)
    assert sizes(11, 500) == [(4, 4, 0), (50, 5, 45), (500, 5, 495)]


def test_who_fills_a_gallery_is_met_by_strangers_and_by_residents() -> None:
    """The filling are doubles of everybody: whoever comes is taken for them as often as for their own template."""
    crowd = people(40, 4, 0.001)
    doubles = np.stack([each[0] for each in crowd])
    alone, filled = (search(crowd, Design(1, 1), 20, others) for others in (None, doubles))
    assert alone is not None
    assert filled is not None
    bare = measure(alone, 20, 0.5, weights(40))
    full = measure(filled, 60, 0.5, weights(40), len(doubles))
    assert bare.door is not None
    assert full.door is not None
    assert (bare.door.fpir.value, full.door.fpir.value) == (0.0, 1.0)
    assert full.door.fnir.value > 0.3
    assert (full.size, full.filled) == (60, 40)


@pytest.mark.slow
def test_clear_faces_are_found_and_strangers_are_not() -> None:
    crowd = people(400, 4, 0.05)
    found = search(crowd, Design(1, 1), 50)
    assert found is not None
    row = measure(found, 50, 0.6, weights(400))
    assert row.door is not None
    assert (row.door.fpir.value, row.door.fnir.value) == (0.0, 0.0)
    assert row.rows[0].fnir is not None
    assert row.rows[0].fnir.value == 0.0


@pytest.mark.slow
@pytest.mark.parametrize("size", [4, 50])
def test_a_stranger_has_as_many_chances_as_the_gallery_has_faces(size: int) -> None:
    found = search(people(400, 3, 0.3), Design(1, 1), size)
    assert found is not None
    row = measure(found, size, 0.2, weights(400))
    assert row.door is not None
    # Directions drawn at random in 128 dimensions: their cosine is nearly N(0, 1 / 128).
    assert row.door.fpir.value == pytest.approx(1 - NORMAL.cdf(0.2 * np.sqrt(128)) ** size, rel=0.2)


def test_who_is_taken_for_another_was_not_found() -> None:
    twins = people(40, 3, 0.001)
    crowd = [*twins, *[each[::-1].copy() for each in twins]]  # everybody has a double under another name
    found = search(crowd, Design(1, 1), 40)
    assert found is not None
    row = measure(found, 40, 0.5, weights(80))
    assert row.door is not None
    assert row.door.fpir.value > 0.3, "strangers have doubles in the gallery"
    assert 0.05 < row.door.fnir.value < 0.5, "and residents have, too"


def test_too_few_strangers_give_no_rate() -> None:
    found = search(people(120, 3, 0.3), Design(1, 1), 50)
    assert found is not None
    row = measure(found, 50, None, weights(120))
    assert [at.fnir is None for at in row.rows] == [True, True]
    assert row.door is None
