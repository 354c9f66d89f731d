"""A dark crop is brought to the brightness of others, and one in ordinary light keeps every byte."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from device.eye.dark import DARK_BELOW, LIT_TO, lit
from device.eye.pixels import Picture
from device.eye.quality import MIN_MEAN, light
from tools.evaluate.tries.variants import relit


def crop(seed: int, brightness: float) -> Picture:
    """A face's worth of soft shapes, with noise."""
    generator = np.random.default_rng(seed)
    shapes = np.kron(generator.integers(20, 235, (14, 14, 3)), np.ones((8, 8, 1)))
    noisy = shapes * brightness + generator.normal(0, 3, shapes.shape)
    return np.clip(np.rint(noisy), 0, 255).astype(np.uint8)


@given(seed=st.integers(0, 2**16), brightness=st.floats(0.1, 1.0))
def test_only_a_dark_crop_is_changed_and_the_one_that_came_never(seed: int, brightness: float) -> None:
    came = crop(seed, brightness)
    kept, mean = came.copy(), light(came).mean
    found = lit(came, mean)
    assert (found is came) == (mean >= DARK_BELOW)
    assert np.array_equal(came, kept)
    if mean < DARK_BELOW:
        # What does not fit into a byte stays at white, and the light's mean is of whole levels, rounded down.
        assert abs(light(found).mean - LIT_TO) < 8


@given(seed=st.integers(0, 2**16), brightness=st.floats(0.08, 0.25))
def test_it_is_what_was_measured(seed: int, brightness: float) -> None:
    came = crop(seed, brightness)
    mine, measured = lit(came, light(came).mean), relit(came, "smooth gain", DARK_BELOW)
    apart = np.abs(mine.astype(int) - measured.astype(int))
    assert apart.max() <= 1  # where a half is rounded
    assert (apart > 0).mean() < 0.01


def test_noise_is_not_lifted_as_much_as_the_face_is() -> None:
    flat = np.full((112, 112, 3), 20.0)
    noisy = np.clip(np.rint(flat + np.random.default_rng(5).normal(0, 3, flat.shape)), 0, 255).astype(np.uint8)
    found = lit(noisy, light(noisy).mean).astype(float)
    gain = found.mean() / noisy.mean()
    assert 5 < gain < 6.5
    # The mean of 3 x 3 with weights 1, 2, 1 leaves three eighths of independent noise.
    assert found[1:-1, 1:-1].std() < 0.45 * gain * noisy.std()


@pytest.mark.parametrize("mean", [0.0, 0.4, MIN_MEAN])
def test_a_crop_that_is_all_but_black_divides_by_nothing(mean: float) -> None:
    assert lit(np.zeros((112, 112, 3), np.uint8), mean).max() == 0


def test_one_constant_for_everybody() -> None:
    dark = [np.full((112, 112, 3), grey, np.uint8) for grey in (12, 20, 29)]
    assert {int(lit(each, light(each).mean)[50, 50, 0]) for each in dark} == {115}
