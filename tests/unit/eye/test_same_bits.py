"""What was made quick gives the same bits as the plain formulas, on random pictures and at the edges."""

import math

import numpy as np
import numpy.typing as npt
import pytest

from device.eye.alignment import CROP_PX, TEMPLATE, picture_to_crop
from device.eye.covered import Cover, cover, cover_in
from device.eye.embedder import shift_of, unit
from device.eye.gather import Good, mean_of
from device.eye.middle import middle
from device.eye.pixels import Floats, Picture, Similarity, Warp, grey
from device.eye.quality import WHITE, Light, light, light_in

SEEDS = tuple(range(12))


def crop_of(seed: int) -> Picture:
    """Of every kind: noise, smooth shades, nearly black, nearly white, of one colour, and covered below."""
    random = np.random.default_rng(seed)
    noise = random.integers(0, 256, (CROP_PX, CROP_PX, 3))
    ys, xs = np.mgrid[:CROP_PX, :CROP_PX]
    waves = [127 + 100 * np.sin(xs / (9 + seed) + shift) * np.cos(ys / 13 - shift) for shift in range(3)]
    smooth = np.stack(waves, axis=2) + noise / 16
    covered = np.where(ys[..., None] > 70, random.integers(0, 256, 3), smooth)
    kinds = (noise, smooth, noise // 40, 255 - noise // 9, np.full_like(noise, 20 * seed), covered)
    crop: Picture = np.clip(kinds[seed % len(kinds)], 0, 255).astype(np.uint8)
    return crop


def plain_cover(crop: Picture) -> Cover:
    blue, green, red = (crop[..., channel].astype(np.float32) for channel in range(3))
    luma = np.float32(0.114) * blue + np.float32(0.587) * green + np.float32(0.299) * red
    excess = np.float32(0.713) * (red - luma)
    edges = np.abs(np.diff(luma, axis=1))[:-1] + np.abs(np.diff(luma, axis=0))[:, :-1]
    skin = [(slice(56, 63), slice(28, 48)), (slice(56, 63), slice(64, 84)), (slice(32, 42), slice(46, 66))]

    def median(plane: Floats, *parts: tuple[slice, slice]) -> float:
        return float(np.median(np.concatenate([plane[part].ravel() for part in parts])))

    lower = (slice(82, 106), slice(34, 78))
    shade = min(max((median(luma, lower) + 8) / (median(luma, *skin) + 8), 0.5), 1.0)
    upper = float(edges[42:62, 26:86].mean()) * shade
    red_above = median(excess, *skin) / (median(luma, *skin) + 8)
    red_below = median(excess, lower) / (median(luma, lower) + 8)
    texture = float(edges[84:102, 36:76].mean()) / upper if upper > 0 else 1.0
    return Cover(texture, red_below / red_above if red_above >= 0.04 else 1.0)


def plain_light(crop: Picture) -> Light:
    middle = grey(crop)[28:100, 24:88].astype(np.float32)
    mean = float(middle.sum()) / middle.size
    around = middle.ravel() - np.float32(mean)
    contrast = math.sqrt(float(np.dot(around, around)) / middle.size)
    neighbours = middle[:-2, 1:-1] + middle[2:, 1:-1] + middle[1:-1, :-2] + middle[1:-1, 2:]
    edges = np.abs(4 * middle[1:-1, 1:-1] - neighbours)
    sharpness = float(edges.sum()) / edges.size / contrast if contrast > 0 else 0.0
    return Light(mean, contrast, float(np.mean(middle >= WHITE)), sharpness)


@pytest.mark.parametrize("seed", SEEDS)
def test_cover_is_its_plain_formula(seed: int) -> None:
    assert cover(crop_of(seed)) == plain_cover(crop_of(seed))


@pytest.mark.parametrize("seed", SEEDS)
def test_light_is_its_plain_formula(seed: int) -> None:
    assert light(crop_of(seed)) == plain_light(crop_of(seed))


@pytest.mark.parametrize("seed", SEEDS)
def test_both_look_at_the_same_planes_and_leave_them_as_they_are(seed: int) -> None:
    crop = crop_of(seed)
    planes = middle(crop)
    for _ in range(2):
        assert light_in(planes) == plain_light(crop)
        assert cover_in(planes) == plain_cover(crop)
    assert np.array_equal(planes, middle(crop))


def plain_similarity(points: npt.NDArray[np.float64]) -> Similarity:
    found, wanted = points @ (1, 1j), TEMPLATE @ (1, 1j)
    mean, aim = found.mean(), wanted.mean()
    a = complex(np.vdot(found - mean, wanted - aim) / np.vdot(found - mean, found - mean).real)
    return Similarity(a, complex(aim - a * mean))


@pytest.mark.parametrize("seed", SEEDS)
def test_a_crop_is_that_of_the_least_squares_similarity(seed: int) -> None:
    # Another order of the same sums is another last bit of a double; the crop, of which all else follows, is the same.
    random = np.random.default_rng(seed)
    picture = random.integers(0, 256, (480, 640, 3), dtype=np.uint8)
    warp, quick, plain = Warp(CROP_PX), np.zeros_like(crop_of(0)), np.zeros_like(crop_of(0))
    for _ in range(20):
        turn = random.uniform(0.5, 3) * np.exp(1j * random.uniform(-0.5, 0.5))
        placed = (
            (TEMPLATE @ (1, 1j)) * turn + complex(*random.uniform(50, 300, 2)) + random.normal(0, 2, (5, 2)) @ (1, 1j)
        )
        points = np.stack([placed.real, placed.imag], axis=1)
        warp(picture, picture_to_crop(points).inverse(), quick)
        warp(picture, plain_similarity(points).inverse(), plain)
        assert np.array_equal(quick, plain)


def test_a_shift_is_found_where_there_is_one_and_nowhere_else() -> None:
    every = np.arange(256, dtype=np.uint8)
    for first in (0, 1, 128, 255):
        table = (every + np.uint8(first)).tobytes()
        shift = shift_of(table)
        assert shift is not None
        assert np.add(every, shift).tobytes() == table
        assert shift_of(table[:-1] + bytes([table[-1] ^ 1])) is None
    assert shift_of(bytes(byte // 2 for byte in range(256))) is None


def plain_unit(vector: Floats) -> Floats:
    length = np.float32(np.sqrt(np.dot(vector, vector)))
    scaled: Floats = vector / length
    return scaled


@pytest.mark.parametrize("size", [1e-18, 1.0, 3e4, 1e18])
def test_unit_and_mean_are_their_plain_formulas(size: float) -> None:
    vectors = (np.random.default_rng(5).normal(0, size, (40, 3, 128))).astype(np.float32)
    for three in vectors:
        assert np.array_equal(unit(three[0]), plain_unit(three[0]))
        units = [plain_unit(one) for one in three]
        for count in (1, 2, 3):
            good = [Good(time, one, covered=False) for time, one in enumerate(units[:count])]
            kept = units[0].copy()
            assert np.array_equal(mean_of(good).embedding, plain_unit(np.sum(units[:count], axis=0, dtype=np.float32)))
            assert np.array_equal(units[0], kept)
