"""Where the steady points of a mesh put a face in its crop."""

import numpy as np
import pytest

from device.eye.alignment import CROP_PX, TEMPLATE, similarity
from device.eye.attack.surface import EYE_CORNERS
from device.eye.steady import PLACES, STEADY


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


def test_points_in_one_place_are_refused() -> None:
    with pytest.raises(ValueError, match="one place"):
        similarity(np.full((18, 2), 7.0), PLACES)
