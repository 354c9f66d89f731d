"""What the simulated sensor makes of light: sums before it encodes, clips, and no frame twice."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
import pytest

from device.eye import lit
from device.eye.basis import Basis
from device.eye.lit import NOISE_LEVELS, SWAY_PX, Lit, encoding, sway

HEIGHT, WIDTH = 48, 64


def even(value: int) -> np.ndarray[tuple[int, ...], np.dtype[np.uint16]]:
    return np.full((HEIGHT, WIDTH, 3), value, np.uint16)


def srgb(linear: float) -> float:
    """IEC 61966-2-1 once more, to compare with."""
    return 255 * (12.92 * linear if linear <= 0.0031308 else 1.055 * linear ** (1 / 2.4) - 0.055)


@pytest.mark.parametrize("levels", [(0.0, 0.0), (1.0, 1.0), (3.0, 1.0), (0.5, 2.25), (3.0, 3.0)])
def test_light_adds_up_before_it_is_encoded(levels: tuple[float, float]) -> None:
    seen = Lit(Basis(even(6000), even(3000), even(1500)))
    mean = float(seen.exposed(levels, 1, 0.0).mean())
    assert mean == pytest.approx(srgb((6000 + levels[0] * 3000 + levels[1] * 1500) / 65535), abs=0.2)


def test_more_than_the_sensor_holds_is_white() -> None:
    seen = Lit(Basis(even(40000), even(20000), even(20000))).exposed((3.0, 3.0), 1, 0.0)
    assert float(np.median(seen)) == 255
    assert int(seen.min()) > 240, "and nothing wraps around"


def test_dark_stays_dark() -> None:
    seen = Lit(Basis(even(0), even(100), even(0))).exposed((0.0, 3.0), 1, 0.0)
    assert int(seen.max()) < 12


def test_no_two_frames_of_a_window_are_alike() -> None:
    seen = Lit(Basis(even(20000), even(0), even(0)))
    frames = {seen.exposed((1.0, 1.0), number, 0.0).tobytes() for number in range(600)}
    assert len(frames) == 600, "without a sway, by the noise alone"


def test_the_same_moments_give_the_same_frames() -> None:
    one, other = (Lit(Basis(even(20000), even(100), even(50))) for _ in range(2))
    for number, seconds in ((1, 0.0), (2, 0.04), (77, 2.5)):
        assert np.array_equal(one.exposed((1.0, 2.0), number, seconds), other.exposed((1.0, 2.0), number, seconds))


def test_noise_is_as_strong_as_it_says_in_dark_and_in_bright() -> None:
    for value in (3000, 12000, 45000):
        seen = Lit(Basis(even(value), even(0), even(0))).exposed((0.0, 0.0), 5, 0.0)
        assert float(seen.std()) == pytest.approx(NOISE_LEVELS, rel=0.1)


def test_somebody_sways_a_little_slowly_and_without_leaving_the_picture() -> None:
    places = [sway(at / 30) for at in range(900)]
    assert {abs(place) for each in places for place in each} == set(range(SWAY_PX + 1))
    steps = [abs(one[axis] - other[axis]) for one, other in pairwise(places) for axis in (0, 1)]
    assert max(steps) == 1
    ambient = even(20000)
    ambient[:, WIDTH // 2 :] = 500
    seen = Lit(Basis(ambient, even(0), even(0)))
    edges = set()
    for number, (at, (right, _)) in enumerate(zip(range(900), places, strict=True)):
        if number % 30 == 0:
            row = seen.exposed((0.0, 0.0), number, at / 30)[HEIGHT // 2, :, 1]
            assert int(np.argmax(row < 100)) == WIDTH // 2 - right
            edges.add(right)
    assert len(edges) > 1


def test_lights_between_two_levels_are_not_kept() -> None:
    seen = Lit(Basis(even(2000), even(100), even(100)))
    for share in range(50):
        seen.exposed((share / 49 * 3, 1.0), share, 0.0)
    assert set(seen._kept) == {(0.0, 1.0), (3.0, 1.0)}
    for left in range(4):
        for right in range(4):
            seen.exposed((float(left), float(right)), 1, 0.0)
    assert len(seen._kept) == lit._KEPT_LIGHTS


def test_the_encoding_rises_and_ends_where_it_should() -> None:
    curve = encoding()
    assert (int(curve[0]), int(curve[-1])) == (0, 255 << 4)
    assert np.all(np.diff(curve) >= 0)
