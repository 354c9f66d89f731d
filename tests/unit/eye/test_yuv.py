"""Pixels of a USB camera: known colours, both ranges, padding, and a second reckoning in floating point."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from device.eye.yuv import BT601, BT709, BT2020, Colours, yuyv_to_bgr

FULL_601 = Colours(full=True)


def packed(*yuyv: int) -> np.ndarray[tuple[int, ...], np.dtype[np.uint8]]:
    return np.array([yuyv], np.uint8)


def reckoned(y: int, u: int, v: int, colours: Colours) -> list[int]:
    """B, G, R by the equations of BT.601-7, 2.5, in floating point."""
    luma, blue, red = (y - 0, u - 128, v - 128) if colours.full else (y - 16, u - 128, v - 128)
    luma_1 = luma / (255 if colours.full else 219)
    blue_1, red_1 = (each / (255 if colours.full else 224) for each in (blue, red))
    r = luma_1 + 2 * (1 - colours.red) * red_1
    b = luma_1 + 2 * (1 - colours.blue) * blue_1
    g = (luma_1 - colours.red * r - colours.blue * b) / (1 - colours.red - colours.blue)
    return [min(255, max(0, round(255 * each))) for each in (b, g, r)]


@pytest.mark.parametrize(
    ("yuv", "bgr"),
    [
        # The 100 % bars of BT.601 at 8 bits, limited range: Y, Cb, Cr and what they stand for.
        ((16, 128, 128), (0, 0, 0)),
        ((235, 128, 128), (255, 255, 255)),
        ((81, 90, 240), (0, 0, 255)),
        ((145, 54, 34), (0, 255, 0)),
        ((41, 240, 110), (255, 0, 0)),
    ],
)
def test_the_bars_of_bt601_are_what_they_stand_for(yuv: tuple[int, int, int], bgr: tuple[int, int, int]) -> None:
    y, u, v = yuv
    assert yuyv_to_bgr(packed(y, u, y, v), 2, BT601)[0, 0].tolist() == pytest.approx(bgr, abs=2)


@given(
    *(st.integers(0, 255) for _ in range(4)),
    st.sampled_from([BT601, BT709, BT2020, FULL_601, Colours(BT709.red, BT709.blue, full=True)]),
)
def test_it_agrees_with_the_equations(y0: int, u: int, y1: int, v: int, colours: Colours) -> None:
    got = yuyv_to_bgr(packed(y0, u, y1, v), 2, colours)
    for index, y in enumerate((y0, y1)):
        assert got[0, index].tolist() == pytest.approx(reckoned(y, u, v, colours), abs=1)


def test_a_wrong_range_or_matrix_would_be_seen() -> None:
    orange = packed(138, 68, 138, 183)
    right = yuyv_to_bgr(orange, 2, BT601)[0, 0].astype(int)
    for wrong in (FULL_601, BT709, BT2020):
        assert np.abs(yuyv_to_bgr(orange, 2, wrong)[0, 0].astype(int) - right).max() > 5


def test_padding_at_the_end_of_rows_is_no_picture() -> None:
    rows = np.full((3, 20), 255, np.uint8)
    rows[:, :8] = [16, 128, 235, 128] * 2
    assert yuyv_to_bgr(rows, 4, BT601)[..., 1].tolist() == [[0, 255, 0, 255]] * 3
