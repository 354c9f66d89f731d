"""Goals are met, missed or not told by what was measured; ways of counting differ by what they count."""

from __future__ import annotations

import numpy as np
import pytest

from tools.evaluate.accuracy.counting import counted
from tools.evaluate.accuracy.goals import Goal
from tools.evaluate.accuracy.rates import Rate
from tools.evaluate.accuracy.trials import Floats


@pytest.mark.parametrize(
    ("rate", "said"),
    [
        (Rate(0.003, 0.001, 0.004, 1000, 100, 3), "met"),
        (Rate(0.003, 0.001, 0.0041, 1000, 100, 3), "met as measured; the interval reaches beyond it"),
        (Rate(0.0041, 0.001, 0.009, 1000, 100, 4), "missed"),
        (Rate(0.0, 0.0, 0.03, 100, 100, 0), "met as measured; the interval reaches beyond it"),
        (None, "cannot be told from these people"),
    ],
)
def test_a_goal_is_met_by_what_was_measured_and_its_interval(rate: Rate | None, said: str) -> None:
    assert Goal("x", 0.004, rate, "").told == said


def person(generator: np.random.Generator, pictures: int, noise: float) -> Floats:
    made = generator.standard_normal((1, 128)) + noise * generator.standard_normal((pictures, 128))
    found: Floats = (made / np.linalg.norm(made, axis=1, keepdims=True)).astype(np.float32)
    return found


def test_who_is_photographed_often_counts_for_as_many_as_everybody_only_while_there_is_a_cap() -> None:
    generator = np.random.default_rng(1)
    hard = [person(generator, 8, 2.2) for _ in range(100)]
    easy = person(generator, 400, 0.1)
    capped, every, company = counted([*hard, easy], [*(each[:6] for each in hard), easy])
    assert (capped.most, every.most) == (10, 397)
    assert (capped.residents, capped.probes, every.probes) == (101, 100 * 5 + 10, 100 * 5 + 397)
    assert company.probes == 100 * 3 + 397
    refused = [each.points[0].fnmr for each in (capped, every)]
    assert refused[0] is not None
    assert refused[1] is not None
    assert refused[0].value > 1.5 * refused[1].value > 0


def test_too_few_people_are_counted_in_no_way() -> None:
    generator = np.random.default_rng(1)
    assert counted([person(generator, 3, 1.0)] * 2, [person(generator, 3, 1.0)] * 2) == ()
