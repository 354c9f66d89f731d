"""The cue for a covered face on made-up crops: a comparison of the face with itself."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from device.eye.alignment import CROP_PX
from device.eye.covered import MIN_REDNESS, MIN_TEXTURE, Cover, cover, seems_covered
from device.eye.pixels import Picture

SKIN = (105, 130, 175)  # blue, green, red
CLOTH = {
    "white": (220, 222, 225),
    "black": (25, 25, 28),
    "surgical blue": (205, 170, 125),
    "skin": SKIN,
}


def bare(spread: float = 20.0, skin: tuple[int, int, int] = SKIN) -> Picture:
    """Skin with the same fine detail everywhere."""
    detail = np.random.default_rng(3).normal(0, spread, (CROP_PX, CROP_PX, 1))
    crop: Picture = np.clip(np.array(skin) + detail, 0, 255).astype(np.uint8)
    return crop


def covered(colour: str) -> Picture:
    """The same below a cloth with little detail."""
    crop = bare()
    crop[66:] = np.clip(np.array(CLOTH[colour]) + np.random.default_rng(4).normal(0, 2, (46, 112, 1)), 0, 255)
    return crop


def test_bare_face_is_like_itself() -> None:
    found = cover(bare())
    assert found.texture == pytest.approx(1, abs=0.1)
    assert found.redness == pytest.approx(1, abs=0.1)
    assert not seems_covered(found)


@pytest.mark.parametrize("colour", CLOTH)
def test_cloth_of_any_colour_is_noticed(colour: str) -> None:
    assert seems_covered(cover(covered(colour)))


@pytest.mark.parametrize(("colour", "cue"), [("skin", "texture"), ("surgical blue", "redness")])
def test_each_of_the_two_cues_is_needed(colour: str, cue: str) -> None:
    crop = covered(colour)
    if cue == "redness":  # cloth with as much detail as the face
        crop[66:] = np.clip(np.array(CLOTH[colour]) + np.random.default_rng(5).normal(0, 20, (46, 112, 1)), 0, 255)
    found = cover(crop)
    assert (found.texture < MIN_TEXTURE) == (cue == "texture")
    assert (found.redness < MIN_REDNESS) == (cue == "redness")


@given(st.tuples(st.integers(40, 120), st.integers(0, 40), st.integers(10, 60)))
def test_bare_face_of_any_skin_is_left_alone(shades: tuple[int, int, int]) -> None:
    blue, more_green, more_red = shades
    assert not seems_covered(cover(bare(skin=(blue, blue + more_green, blue + more_green + more_red))))


@pytest.mark.parametrize("light", [0.8, 0.6, 0.5])
def test_lamp_overhead_is_no_mask(light: float) -> None:
    crop = bare()
    crop[66:] = crop[66:] * light
    assert not seems_covered(cover(crop))


def test_grey_picture_is_no_reason_to_ask() -> None:
    crop = bare(skin=(120, 120, 120))
    crop[66:] = np.clip(crop[66:].astype(np.int16) + 60, 0, 255)
    assert cover(crop).redness == 1
    assert not seems_covered(cover(crop))


@pytest.mark.parametrize("level", [0, 118, 255])
def test_crop_without_anything_in_it_is_no_reason_to_ask(level: int) -> None:
    assert cover(np.full((CROP_PX, CROP_PX, 3), level, np.uint8)) == Cover(1.0, 1.0)


@pytest.mark.parametrize("seed", range(4))
def test_what_is_reckoned_of_the_face_alone_is_what_the_whole_crop_gives(seed: int) -> None:
    crop = np.random.default_rng(seed).integers(0, 250, (CROP_PX, CROP_PX, 3)).astype(np.uint8)
    blue, green, red = crop.transpose(2, 0, 1).astype(float)
    luma = 0.114 * blue + 0.587 * green + 0.299 * red
    excess = 0.713 * (red - luma)
    edges = np.abs(np.diff(luma, axis=1))[:-1] + np.abs(np.diff(luma, axis=0))[:, :-1]
    of_skin = [
        np.median([*plane[56:63, 28:48].ravel(), *plane[56:63, 64:84].ravel(), *plane[32:42, 46:66].ravel()])
        for plane in (luma, excess)
    ]
    low = [np.median(plane[82:106, 34:78]) for plane in (luma, excess)]
    shade = min(max((low[0] + 8) / (of_skin[0] + 8), 0.5), 1.0)
    found = cover(crop)
    assert found.texture == pytest.approx(edges[84:102, 36:76].mean() / (edges[42:62, 26:86].mean() * shade), rel=1e-4)
    redness = of_skin[1] / (of_skin[0] + 8)
    assert found.redness == pytest.approx(low[1] / (low[0] + 8) / redness if redness >= 0.04 else 1.0, rel=1e-2)
