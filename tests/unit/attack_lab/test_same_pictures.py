"""What was made cheaper shows what it showed: the plain formulas, written down once more, beside what is done."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pytest
from PIL import Image

from device.challenge import MS, REST, Lights
from device.eye.camera import LOW_HEIGHT_PX, LOW_WIDTH_PX, Frame
from device.eye.pixels import fit_area
from tools.attack_lab import camera, setting
from tools.attack_lab.camera import READ_ELECTRONS, Drive, Moving, film
from tools.attack_lab.conditions import Conditions
from tools.attack_lab.glasses import put_on
from tools.attack_lab.head import Head, Reals
from tools.attack_lab.instruments import live
from tools.attack_lab.light import Around, Gloss, Lamps, Parts, from_around, from_lamp, lit
from tools.attack_lab.made_up import somebody
from tools.attack_lab.place import stand
from tools.attack_lab.shifted import Affine, Floats, Held
from tools.attack_lab.surfaces import Lens, Surface, bent, turned
from tools.portraits import portrait

SMALL = (60, 80)
DRIVE = Drive((0, 60 * MS, 130 * MS), (REST, Lights(3, 0), Lights(1, 2)))
COND = Conditions(sway_px=3, jitter_ms=1, flicker=0.3, electrons_per_lux=90)


def drawn_parts(seed: int) -> Parts:
    rng = np.random.default_rng(seed)
    one, two, three = (part * rng.random((*SMALL, 3)) for part in (100.0, 20.0, 30.0))
    return one, two, three


def pillows(light: Floats, where: Affine) -> Floats:
    """`light` (H, W, 3) as Pillow samples it."""
    height, width, _ = light.shape
    planes = [
        Image.fromarray(np.ascontiguousarray(light[..., k])).transform(
            (width, height), Image.Transform.AFFINE, where, Image.Resampling.BILINEAR
        )
        for k in range(3)
    ]
    return np.stack([np.asarray(plane, np.float32) for plane in planes], axis=-1)


def plainly(moving: Moving, drive: Drive, cond: Conditions, span_ns: tuple[int, int], seed: int) -> list[Frame]:
    """`film` as a reader would write it down: whole pictures, nothing kept from one frame to the next."""
    rng = np.random.default_rng(seed)
    gain = np.float32(camera._gain(moving))

    def rows(values: Reals) -> Floats:
        result: Floats = values.astype(np.float32)[:, None, None]
        return result

    def mixed(parts: Sequence[Floats], levels: Sequence[Reals]) -> Floats:
        result: Floats = rows(levels[0]) * parts[0] + rows(levels[1]) * parts[1] + rows(levels[2]) * parts[2]
        return result

    first, last = ([gain * part.astype(np.float32) for part in each] for each in (moving.first, moving.last))
    height, width, _ = first[0].shape
    rows_ns = np.arange(height) / height * cond.readout_ms * MS
    sway = camera._Sway.drawn(rng, cond.sway_px)
    electrons = cond.electrons_per_lux * cond.exposure_ms / 16.7 / camera._gain(moving)
    frames, stamp = [], span_ns[0] + rng.uniform(0, 1000 / cond.fps) * MS
    while stamp < span_ns[1]:
        along = np.float32((stamp - span_ns[0]) / (span_ns[1] - span_ns[0]))
        begin_ns = stamp + cond.lag_ms * MS + rows_ns
        steady = camera._flicker(begin_ns, cond.flicker, cond.flicker_hz, cond.exposure_ms)
        own = drive if moving.answers is None or moving.shown is not None else moving.answers
        parts = [a + along * (b - a) for a, b in zip(first, last, strict=True)]
        light = mixed(parts, (steady, *own.levels(begin_ns, cond.exposure_ms)))
        if moving.shown is not None:
            played = (moving.answers or drive).levels(begin_ns, cond.exposure_ms)
            shown = mixed([gain * part.astype(np.float32) for part in moving.shown], (np.ones(height), *played))
            light = light + rows(camera._flicker(begin_ns, *moving.refresh, cond.exposure_ms)) * shown
        light = pillows(light, sway.where(width, height, float(along)))
        stock = camera._stock()
        start = int(rng.integers(0, len(stock) - light.size))
        counted = np.maximum(light, 0) * np.float32(1 / electrons) + np.float32((READ_ELECTRONS / electrons) ** 2)
        noisy = light + np.sqrt(counted) * stock[start : start + light.size].reshape(light.shape)
        steps = np.clip(noisy * np.float32(4095), 0, 4095).astype(np.intp)
        main = camera._encoding(round(cond.curve, 2))[steps]
        frames.append(Frame(main, fit_area(main, LOW_HEIGHT_PX, LOW_WIDTH_PX), int(stamp)))
        stamp += (1000 / cond.fps + rng.uniform(-1, 1) * cond.jitter_ms) * MS
    return frames


STILL = drawn_parts(1)
KINDS = {
    "moves": Moving(STILL, drawn_parts(2)),
    "lies still": Moving(STILL, STILL),
    "answers other lights": Moving(STILL, drawn_parts(2), Drive((0, 90 * MS), (REST, Lights(0, 3)))),
    "screen": Moving(STILL, STILL, None, drawn_parts(3), (0.2, 60.0)),
    "film on a screen": Moving(STILL, STILL, Drive((0, 90 * MS), (REST, Lights(0, 3))), drawn_parts(3), (0.1, 120.0)),
}


@pytest.mark.parametrize("kind", KINDS)
def test_frames_are_within_one_grey_level_of_the_plain_formulas(kind: str) -> None:
    span = (0, 300 * MS)
    frames, plain = list(film(KINDS[kind], DRIVE, COND, span, 4)), plainly(KINDS[kind], DRIVE, COND, span, 4)
    assert [each.time_ns for each in frames] == [each.time_ns for each in plain]
    assert len(frames) > 5
    for one, other in zip(frames, plain, strict=True):
        apart = np.abs(one.main.astype(int) - other.main.astype(int))
        assert apart.max() <= 1
        assert (apart > 0).mean() < 1e-3


@pytest.mark.parametrize(
    "where",
    [
        (1.0, 0.0, 0.0, 0.0, 1.0, 0.0),
        (1.0, 0.0, -2.75, 0.0, 1.0, 3.25),
        (1.019, 0.02, -4.0, -0.02, 1.019, 5.5),
        (0.981, -0.02, 9.0, 0.02, 0.981, -7.25),
        (1.0, 0.0, 200.0, 0.0, 1.0, 0.0),
    ],
)
def test_between_pixels_it_is_as_pillow_samples(where: Affine) -> None:
    height, width = SMALL
    light = np.random.default_rng(7).random((height, width, 3), np.float32)
    held = Held(3, height, width)
    for picture in (light[::-1], light):  # nothing of the one before is left
        held.planes[:] = np.moveaxis(picture, -1, 0)
        assert np.allclose(held.shifted(where), pillows(picture, where), rtol=0, atol=1e-6)


def whole(lens: Lens, surface: Surface, paper: Reals, gloss: Gloss, around: Around, lamps: Lamps) -> list[Reals]:
    """`lit` for the whole plane at once, and dark where there is nothing."""
    rays, there = lens.rays(), surface.there[..., None]
    parts = [from_around(surface, around)[..., None] * paper]
    for lamp in (lamps.left_at, lamps.right_at):
        lux, shine = from_lamp(rays, surface, lamp, lamps.candela, gloss)
        parts.append(lux[..., None] * paper + shine[..., None])
    return [np.where(there, part, 0.0) for part in parts]


@pytest.mark.parametrize("gloss", [Gloss(0.0, 0.3), Gloss(0.04, 0.1)])
def test_light_that_falls_a_few_pixels_at_a_time_is_that_of_the_whole(gloss: Gloss) -> None:
    lens, rng = Lens(160, 120), np.random.default_rng(5)
    within = rng.random((120, 160)) < 0.7
    sheet = bent(lens.rays(), np.array([0.0, 0.0, 400.0]), turned(9, -4, 20), 150.0, within)
    paper = rng.random((120, 160, 3))
    for part, plain in zip(
        lit(lens, sheet, paper, gloss), whole(lens, sheet, paper, gloss, Around(), Lamps()), strict=True
    ):
        assert np.allclose(part, plain, rtol=1e-9, atol=1e-9)


@pytest.mark.slow
def test_glasses_change_the_pixels_of_glasses_alone_and_leave_what_they_are_put_on() -> None:
    at = somebody(Conditions(distance_mm=430))
    parts = drawn_full(at.paper.shape)
    kept = [part.copy() for part in parts]
    worn = put_on(at, at.person, parts)
    assert all((part == before).all() for part, before in zip(parts, kept, strict=True))
    y, x = np.mgrid[0:480, 0:640]
    mm = at.head.measures.eyes_mm / at.person.eye_px
    near = np.zeros(x.shape, bool)
    for eye_x, eye_y in at.points[:2]:
        near |= ((x - eye_x) * mm / 25) ** 2 + ((y - eye_y) * mm / 18) ** 2 < 1.18**2
    for part, before in zip(worn, kept, strict=True):
        assert (part[~near] == before[~near]).all()
        assert (part[near] != before[near]).mean() > 0.99


def drawn_full(shape: tuple[int, ...]) -> Parts:
    rng = np.random.default_rng(1)
    return rng.random(shape), rng.random(shape), rng.random(shape)


@pytest.mark.slow
def test_a_person_is_stood_before_the_lens_once_for_all_points_of_a_curve(monkeypatch: pytest.MonkeyPatch) -> None:
    made = []

    def counted(*words: object) -> object:
        made.append(words)
        return stand(*words)  # type: ignore[arg-type]

    monkeypatch.setattr(setting, "stand", counted)
    setting._standing.cache_clear()
    picture = portrait("biden.jpg", 1.0)
    for lux in (20.0, 100.0, 300.0):
        at = setting.Setting.of(picture, Head(), Conditions(hallway_lx=lux, distance_mm=433))
        live(at, np.random.default_rng(3))
    assert len(made) == 2  # at the beginning, and turned a little at the end
    with pytest.raises(ValueError, match="read-only"):
        at.points[0, 0] = 0
