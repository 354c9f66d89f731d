"""Where the steady points of a mesh put a face in its crop, and what is no mesh to go by."""

from collections.abc import Callable
from dataclasses import dataclass, field
from types import SimpleNamespace
from typing import Any, cast

import numpy as np
import numpy.typing as npt
import pytest

from device.eye.alignment import CROP_PX, TEMPLATE, similarity
from device.eye.attack.mesh import face_to_picture
from device.eye.attack.surface import EYE_CORNERS
from device.eye.detector import Face
from device.eye.runtime import Network
from device.eye.steady import LEAST_PRESENCE, PLACES, STEADY, Aligner


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


# ---- the mesh over a face

FACE = Face(0.9, (260.0, 160.0, 120.0, 150.0), np.array([[290.0, 220], [350, 224], [320, 255], [295, 285], [345, 288]]))
MAIN = np.full((480, 640, 3), 90, np.uint8)
Points = npt.NDArray[np.float32]


@dataclass
class Said:
    """A mesh network that says what it is told to."""

    points: Points
    presence: float
    entry: Any = field(
        default_factory=lambda: SimpleNamespace(
            file="mesh",
            input=SimpleNamespace(shape=(1, 192, 192, 3)),
            outputs=[SimpleNamespace(meaning="landmarks"), SimpleNamespace(meaning="presence")],
        )
    )

    def feed(self, fill: Callable[[npt.NDArray[np.float32]], None]) -> None:
        fill(np.zeros((1, 192, 192, 3), np.float32))

    def invoke_only(self) -> None:
        pass

    def fetch(self, which: int) -> npt.NDArray[np.float32]:
        return np.array([[self.presence]], np.float32) if which else self.points


def in_the_mesh_crop(tilt: complex) -> Points:
    """A mesh whose steady points lie as in the embedder's crop, turned and scaled by `tilt`, about its middle."""
    points = np.zeros((468, 3), np.float32)
    at = ((PLACES - 56) @ (1, 1j)) * tilt + 96 * (1 + 1j)
    points[list(STEADY), :2] = np.stack([at.real, at.imag], axis=1)
    return points


def aligner(points: Points, presence: float) -> Aligner:
    return Aligner(cast("Network", Said(points, presence)))


@pytest.mark.parametrize("tilt", [1.2 + 0j, 0.9 + 0.3j])
@pytest.mark.parametrize("presence", [LEAST_PRESENCE, 20.0])
def test_the_points_come_to_lie_in_their_places(tilt: complex, presence: float) -> None:
    points = in_the_mesh_crop(tilt)
    to_crop = aligner(points, presence).to_crop(MAIN, FACE)
    assert to_crop is not None
    to_picture = face_to_picture(FACE)
    for number, (x, y) in zip(STEADY, PLACES, strict=True):
        assert to_crop(*to_picture(float(points[number, 0]), float(points[number, 1]))) == pytest.approx(
            (x, y), abs=1e-2
        )


def spoilt(change: Callable[[Points], object]) -> Points:
    points = in_the_mesh_crop(1.0 + 0j)
    change(points)
    return points


@pytest.mark.parametrize(
    ("points", "presence"),
    [
        (in_the_mesh_crop(1.0 + 0j), LEAST_PRESENCE - 0.01),
        (in_the_mesh_crop(1.0 + 0j), float("nan")),
        (spoilt(lambda points: points[3].fill(np.nan)), 20.0),
        (spoilt(lambda points: points[3].fill(np.inf)), 20.0),
        (spoilt(lambda points: points.fill(7.0)), 20.0),
        (in_the_mesh_crop(0.1 + 0j), 20.0),
    ],
    ids=["denied", "no presence", "no number", "endless", "in one place", "too small"],
)
def test_what_is_no_mesh_says_nothing(points: Points, presence: float) -> None:
    assert aligner(points, presence).to_crop(MAIN, FACE) is None
