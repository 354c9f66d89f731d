"""The crop's similarity against Umeyama's own formula."""

import cmath

import numpy as np
import numpy.typing as npt
import pytest
from hypothesis import given
from hypothesis import strategies as st

from device.eye.alignment import TEMPLATE, picture_to_crop

Points = npt.NDArray[np.float64]


def umeyama(points: Points) -> Points:
    """2 x 3, by singular value decomposition (Umeyama 1991, eqs. 40-43)."""
    a, b = points - points.mean(0), TEMPLATE - TEMPLATE.mean(0)
    u, s, vt = np.linalg.svd(b.T @ a)
    sign = np.array([1.0, np.sign(np.linalg.det(u @ vt))])
    linear = (s * sign).sum() / (a**2).sum() * (u * sign) @ vt
    return np.column_stack([linear, TEMPLATE.mean(0) - linear @ points.mean(0)])


@given(st.floats(0.2, 20), st.floats(-3.1, 3.1), st.floats(-2000, 2000), st.floats(-2000, 2000), st.integers(0, 10**6))
def test_similarity_equals_umeyama(scale: float, angle: float, x: float, y: float, seed: int) -> None:
    turn = cmath.rect(scale, angle)
    z = (TEMPLATE[:, 0] + 1j * TEMPLATE[:, 1]) * turn + complex(x, y)
    wobble = np.random.default_rng(seed).normal(0, 3 * scale, (5, 2))
    points = np.column_stack([z.real, z.imag]) + wobble
    expected = points @ umeyama(points)[:, :2].T + umeyama(points)[:, 2]
    found = np.array([picture_to_crop(points)(*point) for point in points])
    assert np.allclose(found, expected, atol=1e-6)


def test_the_way_back_is_the_way_back() -> None:
    to_crop = picture_to_crop(TEMPLATE * 3.7 + 11)
    assert np.allclose(to_crop.inverse()(*to_crop(123.0, 45.0)), (123.0, 45.0))


def test_five_points_in_one_place_are_refused() -> None:
    with pytest.raises(ValueError, match="one place"):
        picture_to_crop(np.full((5, 2), 7.0))
