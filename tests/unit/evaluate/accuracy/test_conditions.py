"""What a condition says it does to a picture is what it does, and the same every time."""

from __future__ import annotations

import math

import numpy as np
import pytest

from tools.evaluate.accuracy import conditions
from tools.evaluate.accuracy.conditions import CLEAN, CROP_EYES_PX, Condition, Where
from tools.evaluate.accuracy.spoilt import MEASURED

POINTS = np.array([[100.0, 100.0], [100.0 + CROP_EYES_PX, 100.0], [118.0, 120.0], [104.0, 140.0], [130.0, 140.0]])
WHERE = Where(POINTS, b"\x01" * 32)
GREY = np.full((200, 240, 3), 100, np.uint8)


@pytest.mark.parametrize("condition", [each for each in MEASURED if each.kind != "distance"])
def test_a_spoilt_picture_is_another_of_the_same_shape_and_repeats(condition: Condition) -> None:
    pattern = np.random.default_rng(1).integers(20, 230, GREY.shape, np.uint8)
    once, again = condition.spoil(pattern, WHERE), condition.spoil(pattern, WHERE)
    assert once.shape == pattern.shape
    assert once.dtype == np.uint8
    assert (once == again).all()
    assert (once != pattern).any()


def test_a_clean_picture_is_the_picture() -> None:
    assert CLEAN.spoil(GREY, WHERE) is GREY


def test_a_stop_halves_the_light() -> None:
    darker = Condition("exposure", -1.0).spoil(GREY, WHERE).astype(float)
    assert darker.mean() == pytest.approx(100 * 0.5 ** (1 / 2.2), abs=0.5)
    assert darker.std() == pytest.approx(4.0, abs=0.2)


def test_noise_has_the_width_it_says() -> None:
    assert (Condition("noise", 8.0).spoil(GREY, WHERE).astype(float) - 100).std() == pytest.approx(8.0, abs=0.2)


@pytest.mark.parametrize("kind", ["defocus", "motion"])
@pytest.mark.parametrize("sigma", [1.0, 2.0])
def test_blur_spreads_a_point_by_its_sigma(kind: str, sigma: float) -> None:
    dot = np.zeros((81, 81, 3), np.uint8)
    dot[38:43, 38:43] = 255
    soft = Condition(kind, sigma).spoil(dot, WHERE)[..., 0].astype(float)
    ys, xs = np.mgrid[0:81, 0:81] - 40.0
    spread = float((soft * (xs**2 + ys**2)).sum() / soft.sum())
    # The square has a variance of 2 in each direction; a Gaussian adds sigma squared to both, a path to one in all.
    added = 2 * sigma**2 if kind == "defocus" else sigma**2
    assert spread == pytest.approx(4 + added, rel=0.12, abs=0.4)
    assert soft.sum() == pytest.approx(25 * 255, rel=0.05)


def test_light_from_one_side_leaves_one_side_its_share() -> None:
    lit = Condition("side", 4.0).spoil(np.full((200, 240, 3), 200, np.uint8), WHERE)[..., 0].astype(float)
    sides = sorted((lit[:, :40].mean(), lit[:, -40:].mean()))
    assert sides[1] == pytest.approx(200, abs=2)
    assert sides[0] == pytest.approx(200 * 0.25 ** (1 / 2.2), abs=2)


def test_distance_is_the_pinholes() -> None:
    assert Condition("distance", 1.0).eyes_px(640, 90.0) == pytest.approx(0.063 * 320)
    assert Condition("distance", 2.0).eyes_px(640, 66.0) == pytest.approx(0.063 / 2 * 320 / math.tan(math.radians(33)))
    assert CLEAN.eyes_px() is None


def test_every_condition_has_a_name_of_its_own_and_a_family() -> None:
    assert len({each.name for each in MEASURED}) == len(MEASURED)
    assert {each.family for each in MEASURED} == {"light", "blur", "mask", "distance"}
    assert set(conditions.KINDS) <= set(conditions.FAMILIES)
