"""Patches of the mesh: where they lie and how they are turned, against one plane fitted at a time."""

import numpy as np
import numpy.typing as npt
import pytest

from device.eye.attack.surface import EYE_CORNERS, NEIGHBOURS, eyes_apart, in_eye_distances, surface


def mesh(seed: int) -> npt.NDArray[np.float32]:
    return np.random.default_rng(seed).normal(96, 40, (468, 3)).astype(np.float32)


def test_a_patch_lies_at_the_mean_of_its_points_and_is_turned_as_their_plane() -> None:
    points = mesh(1)
    members = np.random.default_rng(2).permutation(468)[: 20 * NEIGHBOURS].reshape(20, NEIGHBOURS)
    places, normals = surface(points, members)
    for place, normal, own in zip(places, normals, members, strict=True):
        x, y, z = points[own].astype(float).T
        slopes = np.linalg.lstsq(np.stack([x, y, np.ones(NEIGHBOURS)], axis=1), z, rcond=None)[0][:2]
        wanted = np.array([-slopes[0], -slopes[1], 1]) / np.hypot(np.hypot(*slopes), 1)
        assert place == pytest.approx([x.mean(), y.mean()], rel=1e-5)
        assert normal == pytest.approx(wanted, abs=1e-4)


def test_a_patch_without_points_or_without_a_plane_is_no_number() -> None:
    points = mesh(3)
    points[:NEIGHBOURS, :2] = 7  # one above the other
    members = np.stack([np.arange(NEIGHBOURS), np.full(NEIGHBOURS, -1), np.arange(20, 20 + NEIGHBOURS)])
    places, normals = surface(points, members)
    assert np.isnan(places).all(axis=1).tolist() == [True, True, False]
    assert np.isnan(normals).all(axis=1).tolist() == [True, True, False]


def test_lengths_are_in_distances_between_the_middles_of_both_eyes() -> None:
    points = mesh(4)
    left, right = (points[list(pair), :2].astype(float).mean(axis=0) for pair in EYE_CORNERS)
    placed, apart = in_eye_distances(points)
    assert apart == eyes_apart(points) == pytest.approx(np.hypot(*(right - left)), rel=1e-6)
    assert placed[:, :2] == pytest.approx((points[:, :2] - (left + right) / 2) / apart, abs=1e-5)
    assert placed[:, 2] == pytest.approx(-points[:, 2] / apart, abs=1e-5)
    points[:] = 5
    with pytest.raises(ValueError, match="no face"):
        in_eye_distances(points)
