"""The quality gate on made-up faces and crops."""

import numpy as np
import numpy.typing as npt
import pytest

from device.eye.alignment import CROP_PX, TEMPLATE
from device.eye.pixels import Picture
from device.eye.quality import light, light_hint, points_inside, pose, pose_hint
from device.wire import Hint

Points = npt.NDArray[np.float64]


def turned(points: Points, degrees: float) -> Points:
    angle = np.deg2rad(degrees)
    turn = np.array([[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]])
    moved: Points = (points - points.mean(0)) @ turn.T + points.mean(0)
    return moved


def moved_nose(dx: float, dy: float) -> Points:
    points = TEMPLATE.copy()
    points[2] += (dx, dy)
    return points


def textured(mean: float = 128, spread: float = 40, seed: int = 2) -> Picture:
    """Something with the edges of a face: smooth shades and some fine detail."""
    rng = np.random.default_rng(seed)
    coarse = np.kron(rng.normal(0, 1, (14, 14)), np.ones((8, 8)))
    values = coarse + rng.normal(0, 0.25, (CROP_PX, CROP_PX))
    grey = np.clip(mean + spread * values / values.std(), 0, 255).astype(np.uint8)
    return np.repeat(grey[:, :, None], 3, axis=2)


def blurred(crop: Picture, radius: int) -> Picture:
    kernel = np.ones(2 * radius + 1) / (2 * radius + 1)
    plane = crop[..., 0].astype(float)
    for axis in (0, 1):
        plane = np.apply_along_axis(
            lambda line: np.convolve(np.pad(line, radius, "edge"), kernel, "valid"), axis, plane
        )
    return np.repeat(plane.astype(np.uint8)[:, :, None], 3, axis=2)


def test_face_towards_the_camera_is_accepted() -> None:
    assert pose_hint(pose(TEMPLATE)) is None
    assert pose(TEMPLATE).yaw == pytest.approx(0, abs=0.01)


@pytest.mark.parametrize("degrees", [-20, -10, 10, 20])
def test_pose_does_not_depend_on_a_tilted_head(degrees: float) -> None:
    straight, tilted = pose(TEMPLATE), pose(turned(TEMPLATE, degrees))
    assert tilted.yaw == pytest.approx(straight.yaw)
    assert tilted.pitch == pytest.approx(straight.pitch)
    assert tilted.roll_deg - straight.roll_deg == pytest.approx(degrees)
    assert pose_hint(tilted) is None


@pytest.mark.parametrize(
    "points",
    [
        moved_nose(15, 0),
        moved_nose(-15, 0),
        moved_nose(0, 9),
        moved_nose(0, -9),
        turned(TEMPLATE, 40),
        turned(TEMPLATE, 180),
        np.full((5, 2), 3.0),
    ],
)
def test_face_turned_away_is_asked_to_look(points: Points) -> None:
    assert pose_hint(pose(points)) is Hint.LOOK_AT_CAMERA


@pytest.mark.parametrize("point", [(-1.0, 50.0), (50.0, -1.0), (640.0, 50.0), (50.0, 480.0), (np.nan, 50.0)])
def test_face_cut_off_by_the_edge_is_seen_as_such(point: tuple[float, float]) -> None:
    points = np.full((5, 2), 100.0)
    assert points_inside(points, 640, 480)
    points[3] = point
    assert not points_inside(points, 640, 480)


def test_well_lit_sharp_crop_is_accepted() -> None:
    assert light_hint(light(textured())) is None


@pytest.mark.parametrize(
    ("crop", "hint"),
    [
        (textured(mean=9, spread=5), Hint.TOO_DARK),
        (textured(mean=225, spread=15), Hint.TOO_BRIGHT),
        (np.where(textured() > 140, 255, textured()).astype(np.uint8), Hint.TOO_BRIGHT),
        (textured(spread=2), Hint.HOLD_STILL),
        (blurred(textured(), 6), Hint.HOLD_STILL),
        (np.full((CROP_PX, CROP_PX, 3), 128, np.uint8), Hint.HOLD_STILL),
        (np.zeros((CROP_PX, CROP_PX, 3), np.uint8), Hint.TOO_DARK),
    ],
)
def test_bad_light_and_blur_get_their_hint(crop: Picture, hint: Hint) -> None:
    assert light_hint(light(crop)) is hint


def test_sharpness_does_not_depend_on_brightness_or_contrast() -> None:
    assert light(textured(100, 20)).sharpness == pytest.approx(light(textured(150, 35)).sharpness, rel=0.1)
