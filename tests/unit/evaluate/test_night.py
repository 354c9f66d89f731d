"""Dark pictures before one camera: what stays where it is is the same for everybody, and is told from what is not."""

from __future__ import annotations

from pathlib import Path

import click
import numpy as np
import pytest
from click.testing import CliRunner

from device.eye.pixels import Picture
from device.eye.runtime import Floats
from tools.evaluate.groups import Judged, pair_of
from tools.evaluate.tries import dim, night
from tools.evaluate.tries.night import AS_IS, Camera, Lit, Met

GREY = np.full((night.HEIGHT, night.WIDTH, 3), 100, np.uint8)
NOBODY = Judged(frozenset(), frozenset())


def correlation(one: Picture, other: Picture) -> float:
    return float(np.corrcoef(one.ravel().astype(float), other.ravel().astype(float))[0, 1])


def test_what_stays_is_in_every_picture_of_a_camera_and_noise_in_time_is_not() -> None:
    camera = Camera.made(3.0)
    first, other = (camera.seen(GREY, 0.5, 1.0, name) for name in ("a.jpg", "b.jpg"))
    assert correlation(first, other) > 0.8
    plain = Camera.made(0.0)
    first, other = (plain.seen(GREY, 0.5, 1.0, name) for name in ("a.jpg", "b.jpg"))
    assert abs(correlation(first, other)) < 0.01


def test_the_control_has_the_same_heights_at_a_place_of_its_own_for_every_picture() -> None:
    camera, apart = Camera.made(3.0), Camera.made(3.0, apart=True)
    first, other = (apart.seen(GREY, 0.5, 0.0, name) for name in ("a.jpg", "b.jpg"))
    assert abs(correlation(first, other)) < 0.05
    assert first.std() == pytest.approx(camera.seen(GREY, 0.5, 0.0, "a.jpg").std(), rel=0.01)


def test_a_pattern_has_the_height_it_is_said_to_have() -> None:
    shown = Camera.made(3.0).seen(GREY, 0.5, 0.0, "a.jpg").astype(float)
    lines = 2 * (3.0 * night.LINES) ** 2
    assert shown.std() == pytest.approx(np.sqrt(3.0**2 + lines + (50 * night.GAIN) ** 2), rel=0.05)
    assert shown.mean(axis=(1, 2)).std() == pytest.approx(3.0 * night.LINES, rel=0.15)


def test_a_perfect_camera_in_full_light_gives_the_picture_itself() -> None:
    picture = np.random.default_rng(1).integers(0, 256, GREY.shape, np.uint8)
    assert np.array_equal(Camera.made(0.0).seen(picture, 1.0, 0.0, "a.jpg"), picture)


def direction(number: int) -> Floats:
    return np.asarray(np.eye(128, dtype=np.float32)[number])


def shared(number: int, much: float) -> Floats:
    """A direction of one's own, and so much of one that everybody has."""
    return np.asarray(np.sqrt(1 - much) * direction(number) + np.sqrt(much) * direction(127), np.float32)


def people(much: float) -> list[Met]:
    return [Met(Path("men", f"{n}.jpg"), direction(n), {AS_IS: shared(n, much)}) for n in range(night.LEAST + 10)]


def test_what_strangers_share_shows_where_both_are_enrolled_in_the_dark() -> None:
    found = night.figures(people(0.4), AS_IS, NOBODY)
    assert found is not None
    assert max(found.light) == pytest.approx(0.0, abs=1e-6)
    assert min(found.dark) == pytest.approx(0.4, abs=1e-5)
    assert found.own == pytest.approx((np.sqrt(0.6), np.sqrt(0.6)))


def test_nobody_is_a_stranger_to_another_picture_of_themselves() -> None:
    met = people(0.0)
    met[1] = Met(met[1].path, met[0].bright, met[0].dark)
    judged = Judged(frozenset({pair_of("0.jpg", "1.jpg")}), frozenset())
    taken, known = (night.figures(met, AS_IS, each) for each in (NOBODY, judged))
    assert taken is not None
    assert known is not None
    assert max(taken.dark) > 0.9
    assert max(known.dark) < 0.1


def test_a_group_of_whom_nearly_nobody_is_usable_says_nothing() -> None:
    met = [Met(each.path, each.bright, {}) for each in people(0.0)]
    assert night.figures(met, AS_IS, NOBODY) is None
    assert len(night.table({0.1: met}, [AS_IS], {}, each=True)) == 2


def test_the_table_counts_the_groups_whose_worst_twentieth_loses() -> None:
    way = Lit("smooth gamma", 16).name
    met = [
        Met(Path(group, f"{n}.jpg"), direction(n), {AS_IS: shared(n, 0.2), way: shared(n, much)}, frozenset({way}))
        for group, much in (("men", 0.5), ("women", 0.1))
        for n in range(night.LEAST)
    ]
    *_, lit = night.table({0.1: met}, [AS_IS, way], {}, each=False)
    assert "| 1 of 2 |" in lit
    assert f"| {2 * night.LEAST} of {2 * night.LEAST} |" in lit


def test_a_way_without_a_limit_is_refused_in_a_sentence(tmp_path: Path) -> None:
    for wrong in ("gamma", "brighter:16", "gamma:"):
        told = CliRunner().invoke(night.main, ["--groups", str(tmp_path), "--light", wrong])
        assert told.exit_code == 2
        assert "say a way" in told.output
    told = CliRunner().invoke(dim.main, ["--groups", str(tmp_path), "--faces", str(tmp_path), "--way", "brighter"])
    assert told.exit_code == 2
    assert "the words are" in told.output
    with pytest.raises(click.BadParameter):
        night._parsed(click.Context(night.main), night.main.params[0], ("gamma:x",))
