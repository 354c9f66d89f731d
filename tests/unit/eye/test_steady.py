"""Where the steady points of a mesh put a face in its crop."""

import cmath

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from device.eye.alignment import CROP_PX, TEMPLATE
from device.eye.attack.mesh import POINTS
from device.eye.attack.surface import EYE_CORNERS
from device.eye.pixels import Similarity
from device.eye.steady import PLACES, STEADY, mesh_to_crop


def test_the_places_are_a_face_in_the_crop_as_symmetric_as_the_template() -> None:
    assert PLACES.shape == (len(STEADY), 2)
    assert len(set(STEADY)) == len(STEADY)
    assert (PLACES > 20).all()
    assert (PLACES < CROP_PX - 10).all()
    at = dict(zip(STEADY, PLACES, strict=True))
    middle = at[168][0]
    for left, right in ((33, 263), (133, 362), (159, 386), (145, 374), (98, 327), (61, 291)):
        assert at[left][0] < middle < at[right][0]
        assert middle - at[left][0] == pytest.approx(at[right][0] - middle, abs=0.5)
        assert at[left][1] == pytest.approx(at[right][1], abs=0.5)  # the template's own eyes differ by 0.2
    assert at[168][1] < at[1][1] < at[0][1] < at[17][1]
    for corners, eye in zip(EYE_CORNERS, TEMPLATE[:2], strict=True):
        assert np.mean([at[corner] for corner in corners], axis=0) == pytest.approx(eye, abs=1.5)


@given(st.floats(0.1, 10), st.floats(-3.1, 3.1), st.floats(-500, 500), st.floats(0.2, 5), st.floats(-3.1, 3.1))
def test_a_mesh_in_its_places_comes_back_wherever_the_picture_had_it(
    size: float, turn: float, shift: float, scale: float, roll: float
) -> None:
    """Whatever the mesh's own crop was, and wherever the face lies in the picture."""
    to_picture = Similarity(cmath.rect(size, turn), complex(shift, -shift))
    in_picture = Similarity(cmath.rect(scale, roll), complex(300, 200))
    points = np.full((POINTS, 3), 900.0)  # whatever else the mesh says counts for nothing
    for number, place in zip(STEADY, PLACES, strict=True):
        points[number, :2] = to_picture.inverse()(*in_picture(*place))
    found = mesh_to_crop(points, to_picture)
    for place in PLACES:
        assert found(*in_picture(*place)) == pytest.approx(place, abs=1e-5)


def test_points_in_one_place_are_refused() -> None:
    with pytest.raises(ValueError, match="one place"):
        mesh_to_crop(np.full((POINTS, 3), 7.0), Similarity(1 + 0j, 0j))
