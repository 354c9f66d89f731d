"""Shrinking, warping, grey and YUV against plain formulas."""

import cmath

import numpy as np
import numpy.typing as npt
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from device.eye.pixels import Picture, Similarity, Warp, fit_area, grey, shrunk_planes, yuv420_to_bgr


def noise(height: int, width: int, seed: int = 1) -> Picture:
    return np.random.default_rng(seed).integers(0, 256, (height, width, 3), dtype=np.uint8)


def smooth(height: int, width: int) -> Picture:
    ys, xs = np.mgrid[0:height, 0:width]
    planes = [127 + 100 * np.sin(xs / 17 + c) * np.cos(ys / 23 - c) for c in range(3)]
    picture: Picture = np.stack(planes, axis=2).astype(np.uint8)
    return picture


def plainly_warped(picture: Picture, to_picture: Similarity, size: int) -> npt.NDArray[np.float64]:
    """Bilinear interpolation, one pixel at a time, black outside."""
    out = np.zeros((size, size, 3))
    height, width = picture.shape[:2]
    for row in range(size):
        for column in range(size):
            x, y = to_picture(column, row)
            left, top = int(np.floor(x)), int(np.floor(y))
            for dy in (0, 1):
                for dx in (0, 1):
                    if 0 <= left + dx < width and 0 <= top + dy < height:
                        share = (1 - abs(x - left - dx)) * (1 - abs(y - top - dy))
                        out[row, column] += share * picture[top + dy, left + dx]
    return out


@pytest.mark.parametrize("times", [1, 2, 3, 7, 15, 16, 20])
def test_shrinking_is_the_mean_of_each_box(times: int) -> None:
    picture = noise(3 * times + 1, 4 * times + 2)
    boxes = picture[: 3 * times, : 4 * times].reshape(3, times, 4, times, 3).mean(axis=(1, 3))
    assert np.abs(shrunk_planes(picture, times).transpose(1, 2, 0)[:3, :4] - boxes).max() <= 0.5


@pytest.mark.parametrize("shape", [(480, 640), (240, 320), (720, 960), (300, 400)])
def test_area_fit_keeps_the_mean(shape: tuple[int, int]) -> None:
    picture = noise(*shape)
    small = fit_area(picture, 240, 320)
    assert small.shape == (240, 320, 3)
    assert small.dtype == np.uint8
    assert abs(float(small.mean()) - float(picture.mean())) < 0.2  # halves are rounded up


def test_grey_is_luma_and_cannot_overflow() -> None:
    colours = np.array([[[255, 255, 255], [0, 0, 0], [255, 0, 0], [0, 255, 0], [0, 0, 255]]], np.uint8)
    assert np.abs(grey(colours)[0] - np.array([255, 0, 29, 150, 76])).max() <= 1


@pytest.mark.parametrize("angle", [0.0, 0.3, -1.2, 3.0])
@pytest.mark.parametrize("scale", [0.4, 1.0, 1.9])
def test_warp_is_bilinear_interpolation(angle: float, scale: float) -> None:
    picture = noise(90, 120)
    to_picture = Similarity(cmath.rect(scale, angle), 41.3 + 37.8j)
    out = np.empty((24, 24, 3), np.uint8)
    Warp(24)(picture, to_picture, out)
    assert np.abs(out - plainly_warped(picture, to_picture, 24)).max() <= 0.51


@settings(deadline=None, max_examples=40)
@given(st.floats(0.2, 6), st.floats(-3.2, 3.2), st.floats(-300, 400), st.floats(-300, 400))
def test_warp_never_reads_outside_and_is_black_there(scale: float, angle: float, x: float, y: float) -> None:
    picture = np.full((60, 80, 3), 200, np.uint8)
    to_picture = Similarity(cmath.rect(scale, angle), complex(x, y))
    out = np.full((16, 16, 3), 7, np.uint8)
    Warp(16)(picture, to_picture, out)
    for row in range(16):
        for column in range(16):
            px, py = to_picture(column, row)
            margin = 2 * max(1.0, scale)
            if px < -margin or py < -margin or px > 79 + margin or py > 59 + margin:
                assert out[row, column].max() == 0
            elif margin < px < 79 - margin and margin < py < 59 - margin:
                assert out[row, column].min() == 200


@pytest.mark.parametrize("scale", [2.0, 2.9, 5.3, 11.0])
def test_shrinking_warp_shows_the_same_place(scale: float) -> None:
    """The box means must not move the picture: half a pixel would already cost accuracy."""
    picture = smooth(700, 800)
    to_picture = Similarity(cmath.rect(scale, 0.2), 120 + 90j)
    out = np.empty((40, 40, 3), np.uint8)
    Warp(40)(picture, to_picture, out)
    points = np.array([to_picture(c, r) for r in range(40) for c in range(40)])
    exact = 127 + 100 * np.sin(points[:, 0] / 17) * np.cos(points[:, 1] / 23)
    # A box of `scale` pixels flattens the wave a little; a shift would show as a slope instead.
    blue = out[..., 0].reshape(-1).astype(float)
    slope = 100 / 17 * np.cos(points[:, 0] / 17) * np.cos(points[:, 1] / 23)
    shift_px = float(np.dot(blue - exact, slope) / np.dot(slope, slope))
    assert abs(shift_px) < 0.35  # of the large picture's pixels; truncation alone gives up to 0.1


def test_shrinking_warp_skips_nothing() -> None:
    """A fine pattern becomes its mean; sampling without a box mean would show it as it happens to fall."""
    picture = np.zeros((400, 400, 3), np.uint8)
    picture[::2] = 255
    out = np.empty((40, 40, 3), np.uint8)
    Warp(40)(picture, Similarity(4 + 0j, 40 + 40j), out)
    assert out.min() >= 126
    assert out.max() <= 129


@pytest.mark.parametrize("scale", [0.7, 1.9, 2.6])
def test_how_a_picture_and_a_crop_lie_in_memory_changes_nothing(scale: float) -> None:
    picture, to_picture = noise(300, 400), Similarity(cmath.rect(scale, 0.1), 60 + 50j)
    out, by_planes = np.empty((64, 64, 3), np.uint8), np.empty((3, 64, 64), np.uint8).transpose(1, 2, 0)
    Warp(64)(picture, to_picture, out)
    framed = np.pad(picture, ((3, 4), (5, 6), (0, 0)), constant_values=9)[3:-4, 5:-6]
    assert not framed.flags.c_contiguous
    Warp(64)(framed, to_picture, by_planes)
    assert np.array_equal(out, by_planes)


def test_forget_leaves_nothing_of_the_last_crop() -> None:
    warp = Warp(8)
    warp(np.full((30, 30, 3), 99, np.uint8), Similarity(1 + 0j, 5 + 5j), np.empty((8, 8, 3), np.uint8))
    assert warp._places.any()
    warp.forget()
    assert not warp._places.any()


@pytest.mark.parametrize("stride", [320, 384])
@pytest.mark.parametrize(
    ("yuv", "bgr"),
    [((16, 128, 128), (0, 0, 0)), ((235, 128, 128), (255, 255, 255)), ((81, 90, 240), (0, 0, 255)),
     ((145, 54, 34), (0, 255, 0)), ((41, 240, 110), (255, 0, 0))],
)  # fmt: skip
def test_yuv_colours_are_those_of_bt601(stride: int, yuv: tuple[int, int, int], bgr: tuple[int, int, int]) -> None:
    planes = np.full((360, stride), 77, np.uint8)  # whatever the padding holds, it is not looked at
    planes[:240, :320] = yuv[0]
    chroma = planes[240:].reshape(2, 120, stride // 2)
    chroma[0, :, :160], chroma[1, :, :160] = yuv[1], yuv[2]
    out = yuv420_to_bgr(planes, 320, 240)
    assert out.shape == (240, 320, 3)
    assert np.abs(out.astype(int) - np.array(bgr)).max() <= 2


def test_yuv_chroma_lies_over_its_own_four_pixels() -> None:
    planes = np.full((360, 320), 128, np.uint8)
    planes[240 + 60 // 2, 160:320] = 255  # blue chroma row 61, all columns: picture rows 122 and 123
    blue = yuv420_to_bgr(planes, 320, 240)[..., 0]
    assert set(np.flatnonzero((blue != blue[0, 0]).any(axis=1))) == {122, 123}
