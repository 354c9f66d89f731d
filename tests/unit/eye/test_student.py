"""Student's t, against values that were published and against its own density."""

import math

import numpy as np
import pytest

from device.eye.attack.student import quantile, within


@pytest.mark.parametrize(
    ("probability", "freedom", "published"),
    [(0.95, 1, 6.314), (0.975, 2, 4.303), (0.995, 9, 3.250), (0.995, 21, 2.831), (0.999, 10, 4.144)],
)
def test_quantiles_are_those_of_the_tables(probability: float, freedom: int, published: float) -> None:
    assert quantile(probability, freedom) == pytest.approx(published, abs=6e-4)


@pytest.mark.parametrize("freedom", [1, 2, 3, 4, 7, 8, 9, 16, 31, 64, 101])
def test_what_lies_within_is_the_area_under_the_density(freedom: int) -> None:
    scale = math.exp(math.lgamma((freedom + 1) / 2) - math.lgamma(freedom / 2)) / math.sqrt(freedom * math.pi)
    for t in (0.1, 1.0, 2.8, 6.0):
        at = np.linspace(-t, t, 20001)
        density = scale * (1 + at**2 / freedom) ** (-(freedom + 1) / 2)
        area = float((density[1:] + density[:-1]).sum() / 2 * (at[1] - at[0]))
        assert within(t, freedom) == pytest.approx(area, abs=1e-7)


def test_what_lies_within_a_quantile_is_what_was_asked_for() -> None:
    for freedom in range(1, 40):
        assert within(quantile(0.995, freedom), freedom) == pytest.approx(0.99)
        assert quantile(0.5, freedom) == pytest.approx(0.0, abs=1e-9)
