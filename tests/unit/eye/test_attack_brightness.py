"""Patches: light, and red less blue, read between pixels; what is clipped or outside is no number."""

import numpy as np
import numpy.typing as npt
import pytest

from device.eye.attack.brightness import CLIPPED, Patches, brightness, patches, square

SQUARE = square(7)


def picture(red: int = 120, green: int = 90, blue: int = 60) -> npt.NDArray[np.uint8]:
    shown = np.empty((40, 50, 3), np.uint8)
    shown[:] = (blue, green, red)
    return shown


def at(shown: npt.NDArray[np.uint8], x: float, y: float) -> Patches:
    return patches(shown, np.array([[x, y]]), SQUARE)


def linear(byte: int) -> float:
    return float(((byte / 255 + 0.055) / 1.055) ** 2.4)


def test_green_is_light_and_warm_is_red_less_blue() -> None:
    found = at(picture(), 20, 20)
    assert found.green[0] == pytest.approx(linear(90), rel=1e-4)
    assert found.warm[0] == pytest.approx(linear(120) - linear(60), rel=1e-4)
    assert np.abs([found.green_slopes, found.warm_slopes]).max() < 1e-6
    assert brightness(picture(), np.array([[20.0, 20.0]]), SQUARE)[0] == pytest.approx(linear(90), rel=1e-4)


def test_what_shines_in_the_lamps_colour_adds_to_green_and_not_to_warm() -> None:
    encoded = np.arange(256) / 255
    light = np.where(encoded <= 0.04045, encoded / 12.92, ((encoded + 0.055) / 1.055) ** 2.4)

    def byte(value: float) -> int:
        return int(np.abs(light - value).argmin())

    dull = (0.5, 0.3, 0.2)
    one, other = (at(picture(*(byte(part + shine) for part in dull)), 20, 20) for shine in (0.0, 0.2))
    assert other.green[0] - one.green[0] == pytest.approx(0.2, abs=0.01)
    assert other.warm[0] - one.warm[0] == pytest.approx(0.0, abs=0.01)


def test_a_patch_between_two_pixels_is_read_between_them() -> None:
    shown = picture()
    shown[:, :, 1] = 60 + 2 * np.arange(50)
    whole, half, next_one = (float(at(shown, x, 20).green[0]) for x in (20.0, 20.5, 21.0))
    assert half == pytest.approx((whole + next_one) / 2, rel=1e-3)
    assert float(at(shown, 20.4, 20).green_slopes[0, 0]) == pytest.approx(next_one - whole, rel=0.05)


def test_rounding_to_whole_pixels_would_jump() -> None:
    """What the line between pixels is worth: without it half a pixel is nothing, or one."""
    shown = picture()
    shown[:, :, 1] = 60 + 2 * np.arange(50)
    rounded = brightness(shown, np.array([[20.0, 20.0], [20.4, 20.0], [20.6, 20.0], [21.0, 20.0]]), SQUARE)
    assert rounded[0] == rounded[1] < rounded[2] == rounded[3]


def test_a_clipped_colour_is_no_number_and_spoils_only_what_it_is_part_of() -> None:
    shown = picture()
    shown[18:20, 18:20, 2] = CLIPPED
    found = at(shown, 20, 20)
    assert np.isnan(found.warm[0])
    assert np.isfinite(found.green[0])
    shown[18:20, 18:20, 1] = CLIPPED
    assert np.isnan(at(shown, 20, 20).green[0])
    assert np.isnan(brightness(shown, np.array([[20.0, 20.0]]), SQUARE)[0])


def test_one_pixel_of_a_patch_may_be_clipped() -> None:
    shown = picture()
    shown[20, 20] = 255
    assert np.isfinite([at(shown, 20, 20).green[0], at(shown, 20, 20).warm[0]]).all()


@pytest.mark.parametrize("middle", [(2.0, 20.0), (47.0, 20.0), (20.0, 2.0), (20.0, 37.0), (np.nan, 20.0), (-1e9, 5.0)])
def test_a_patch_that_is_not_wholly_in_the_picture_is_no_number(middle: tuple[float, float]) -> None:
    found = at(picture(), *middle)
    assert np.isnan([found.green[0], found.warm[0]]).all()
    assert np.isnan(brightness(picture(), np.array([middle]), SQUARE)[0])


def test_a_picture_laid_plane_by_plane_is_read_like_any_other() -> None:
    shown = np.random.default_rng(6).integers(0, 256, (40, 50, 3), dtype=np.uint8)
    middles = np.random.default_rng(7).random((60, 2)) * (60, 50) - 5
    by_planes = np.ascontiguousarray(shown.transpose(2, 0, 1)).transpose(1, 2, 0)
    one, other = patches(shown, middles, SQUARE), patches(by_planes, middles, SQUARE)
    assert np.isfinite(one.green).any()
    for name in ("green", "green_slopes", "warm", "warm_slopes"):
        assert np.array_equal(getattr(one, name), getattr(other, name), equal_nan=True)
    assert np.array_equal(brightness(shown, middles, SQUARE), brightness(by_planes, middles, SQUARE), equal_nan=True)


def test_each_colour_and_each_patch_is_clipped_for_itself() -> None:
    shown = picture()
    shown[10:30, 10:20, 2] = 255  # red alone, at the first of both
    found = patches(shown, np.array([[15.0, 20.0], [35.0, 20.0]]), SQUARE)
    assert np.isnan(found.warm).tolist() == [True, False]
    assert np.isnan(found.green).tolist() == [False, False]
