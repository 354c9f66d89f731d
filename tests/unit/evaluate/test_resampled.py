"""How a crop's pixels are taken, and how steady points are: the ways that are tried read the places they should."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from device.config.tables import CameraTable
from device.eye.alignment import picture_to_crop
from device.eye.pictures import read_scaled
from device.eye.pixels import Picture, Similarity
from tools.evaluate.tries import plane, resampled, unsteady
from tools.evaluate.tries.geometry import Geometry
from tools.evaluate.tries.resampled import CUTS, SHIPPED, Scaled, Shown, scaled, shipped

FIVE = np.array([[100.3, 110.2], [142.1, 112.7], [121.0, 133.9], [103.2, 158.4], [138.8, 160.1]])
READ_ONCE = ("bilinear at every scale", "bicubic", "bilinear, mean of 3 x 3", "bicubic, mean of 3 x 3")


def smooth(side: int = 250) -> Picture:
    """Colours that change slowly, differently in every channel and direction."""
    y, x = np.mgrid[:side, :side]
    waves = [np.sin(x / 31 + 0.4) + np.cos(y / 23), np.cos((x + y) / 27), np.sin((x - 2 * y) / 37)]
    made: Picture = np.stack([127 + 60 * wave for wave in waves], axis=2).astype(np.uint8)
    return made


def apart(one: Picture, other: Picture) -> float:
    return float(np.abs(one.astype(int) - other.astype(int)).mean())


@pytest.mark.parametrize("name", sorted(set(CUTS) - {"as shipped, blurred", "as shipped, sharpened"}))
@pytest.mark.parametrize("scale", [None, 1.0, 2.2, 3.1])
def test_every_cut_shows_the_same_place(name: str, scale: float | None) -> None:
    to_picture = picture_to_crop(FIVE).inverse()
    wanted = shipped(smooth(), to_picture)
    shown, place = Scaled(scale)(smooth(), to_picture)
    assert apart(CUTS[name](shown, place), wanted) < 0.7
    half_a_pixel_off = Similarity(place.a, place.b + 0.5 * place.scale)
    assert apart(CUTS[name](shown, half_a_pixel_off), wanted) > 0.7


def test_bilinear_is_the_doors_own_warp_below_two_to_one() -> None:
    to_picture = picture_to_crop(FIVE).inverse()
    assert 1 < to_picture.scale < 2
    noise = np.random.default_rng(3).integers(0, 256, (250, 250, 3), np.uint8)
    assert (
        np.abs(CUTS["bilinear at every scale"](noise, to_picture).astype(int) - shipped(noise, to_picture)).max() <= 1
    )
    twice = scaled(to_picture, 2.2 / to_picture.scale)
    large = np.random.default_rng(3).integers(0, 256, (600, 600, 3), np.uint8)
    assert apart(CUTS["bilinear at every scale"](large, twice), shipped(large, twice)) > 5


def test_what_is_read_between_two_pixels_of_the_crop_counts_in_a_mean_alone() -> None:
    """Stripes as fine as the picture's pixels, a little more than two of them to the crop's."""
    stripes = np.zeros((300, 300, 3), np.uint8)
    stripes[:, ::2] = 200
    place = Similarity(complex(2.04, 0), complex(20, 20))
    spread = {name: float(CUTS[name](stripes, place)[..., 0].std()) for name in READ_ONCE}
    assert spread["bilinear at every scale"] > 50
    assert spread["bilinear, mean of 3 x 3"] < 25


def test_a_cut_is_embedded_once_and_anew_for_another_place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "set" / "somebody").mkdir(parents=True)
    Image.fromarray(smooth()).save(tmp_path / "set" / "somebody" / "a.png")
    found = Geometry(
        np.array(["somebody/a.png"]),
        FIVE[None].astype(np.float32),
        np.zeros((1, 468, 2), np.float32),
        np.ones(1, np.float32),
        0,
    )
    folder = Shown(tmp_path / "set", found, 0, Scaled())
    first = folder.vectors([SHIPPED, "bicubic"], tmp_path / "kept")
    assert all(np.linalg.norm(one) == pytest.approx(1, abs=1e-3) for one in first.values())
    moved = Shown(folder.root, replace(found, five=found.five + 3), 0, Scaled())
    assert not np.array_equal(moved.vectors([SHIPPED], tmp_path / "kept")[SHIPPED], first[SHIPPED])
    monkeypatch.setattr(resampled, "_embedder", None)  # whoever embeds now fails
    again = folder.gallery(SHIPPED, tmp_path / "kept")
    assert np.array_equal(again.vectors, first[SHIPPED])
    assert again.folders.tolist() == ["somebody"]
    with pytest.raises(TypeError):
        Shown(folder.root, found, 0, Scaled(2.2)).vectors([SHIPPED], tmp_path / "kept")


def test_a_picture_and_the_plane_show_a_point_in_the_same_place(tmp_path: Path) -> None:
    dark = np.zeros((250, 250, 3), np.uint8)
    dark[100:102, 60:62] = 255
    Image.fromarray(dark).save(tmp_path / "a.png")
    table = CameraTable()
    main = read_scaled(tmp_path / "a.png", table.width_px, table.height_px, 1.0)
    laid = plane.Laid(250, 250)
    at = laid.there(np.array([[60.5, 100.5]]))
    light = main[..., 0].astype(float)
    light[:, : int(laid.corner[0])] = light[:, int(laid.corner[0]) + 480 :] = 0
    y, x = np.mgrid[: main.shape[0], : main.shape[1]]
    seen = np.array([(light * x).sum(), (light * y).sum()]) / light.sum()
    assert at[0] == pytest.approx(seen, abs=0.1)
    assert laid.back(at)[0] == pytest.approx([60.5, 100.5])


def test_points_that_move_along_with_the_frame_have_no_spread() -> None:
    still = np.repeat(FIVE[None], 9, axis=0)
    assert unsteady._spread(still) == pytest.approx(0)
    assert unsteady._alignment(still) == pytest.approx((0, 0, 0))
    noisy = FIVE + np.random.default_rng(1).normal(0, 1.0, (400, 5, 2))
    scale = picture_to_crop(FIVE).scale
    assert unsteady._spread(noisy) == pytest.approx(2**0.5 * scale, rel=0.04)
    turned = np.stack([FIVE @ np.array([[np.cos(t), -np.sin(t)], [np.sin(t), np.cos(t)]]) for t in (-0.1, 0.1)])
    assert unsteady._alignment(turned)[2] == pytest.approx(np.degrees(0.1), rel=1e-3)


def test_a_frame_is_moved_by_whole_pixels() -> None:
    main = np.random.default_rng(2).integers(0, 256, (48, 64, 3), np.uint8)
    moved = unsteady._moved(main, 5, 3)
    assert np.array_equal(moved[3:, 5:], main[:-3, :-5])
    assert (moved[:3] == moved[0, 0]).all()
