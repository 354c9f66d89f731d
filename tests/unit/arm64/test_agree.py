"""Whether two processors say the same."""

from __future__ import annotations

import numpy as np
import pytest

from tools.arm64.agree import Floats, embeddings, largest_difference
from tools.arm64.counts import Counted
from tools.arm64.kinds import Kind
from tools.arm64.plan import Asked
from tools.arm64.table import lines


def unit(*degrees: float) -> Floats:
    return np.array([[[np.cos(np.deg2rad(each)), np.sin(np.deg2rad(each))]] for each in degrees], np.float32)


def test_the_same_embeddings_agree_whatever_their_length() -> None:
    here = unit(0, 40, 200)
    found = embeddings(here, here * np.float32(7), 0.6)
    assert (found.pairs, found.flipped) == (3, 0)
    assert found.least == pytest.approx(1)
    assert found.moved == pytest.approx(0, abs=1e-6)


def test_a_pair_that_another_processor_would_decide_otherwise_is_counted() -> None:
    # cos 52 is above 0.6 and cos 56 is below: the second picture is seen 4 degrees off.
    found = embeddings(unit(0, 52), unit(0, 56), 0.6)
    assert (found.pairs, found.flipped) == (1, 1)
    assert found.least == pytest.approx(np.cos(np.deg2rad(4)))
    assert found.moved == pytest.approx(np.cos(np.deg2rad(52)) - np.cos(np.deg2rad(56)), abs=1e-6)


def test_the_largest_difference_is_over_all_outputs_and_shapes_must_match() -> None:
    a, b = np.zeros((2, 3), np.float32), np.ones((2, 1), np.float32)
    assert largest_difference([a, b], [a, b - np.float32(0.25)]) == pytest.approx(0.25)
    with pytest.raises(ValueError, match="same shapes"):
        largest_difference([a], [b])


def test_a_network_that_was_refused_has_a_row_that_says_so() -> None:
    rows = [Asked("sface", "int8"), Asked("sface", "float16")]
    counted = {0: Counted(222_563_360, 222_563_360, 12, dict.fromkeys(Kind, 0), 3)}
    head, first, second = lines(rows, counted)
    assert head.split()[:2] == ["network", "numbers"]
    assert first.split()[:6] == ["sface", "int8,", "ships", "on", "1", "222.6"]
    assert second.split()[:5] == ["sface", "float16", "on", "1", "refused"]
