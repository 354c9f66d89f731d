"""The rendered people and attacks, and what the lab counts of them."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
from click.testing import CliRunner

from device.challenge import MS, REST, Lights, codes_after, kind_of
from device.eye.attack.driven import driven as as_drawn
from device.wire import Attack
from tools.attack_lab.attempt import Attempt, Watched, watched
from tools.attack_lab.camera import Drive, Moving, film
from tools.attack_lab.cli import main
from tools.attack_lab.codes import drawn, driven
from tools.attack_lab.conditions import Conditions, changed
from tools.attack_lab.counts import Rate, Tally, table
from tools.attack_lab.curves import AXES
from tools.attack_lab.faults import without_relief
from tools.attack_lab.head import MEAN, Head, Reals, draw_measures, sampled
from tools.attack_lab.instruments import INSTRUMENTS, Maker, guessed, injected
from tools.attack_lab.surfaces import Lens, bent, plane, turned
from tools.portraits import portrait

STILL = Conditions(sway_px=0, turn_deg=0, flicker=0, distance_mm=430, jitter_ms=0, fps=18)
SMALL = 24, 32


def seen(maker: Maker, seed: int) -> Watched:
    return watched(maker, [portrait("biden.jpg", 1.0)], lambda _: STILL, (seed,))


def grey(value: float) -> Reals:
    return np.full((*SMALL, 3), value)


def test_the_mean_head_has_the_sizes_that_were_published() -> None:
    head = Head()
    eyes, tip, mouth = head.landmarks_mm[:2], head.landmarks_mm[2], head.landmarks_mm[3:]
    assert np.ptp(eyes[:, 0]) == MEAN.eyes_mm
    assert np.ptp(mouth[:, 0]) == MEAN.mouth_width_mm
    assert 25 < tip[2] - eyes[:, 2].mean() < 42
    under = sampled(head.heights, [0.0], [head.subnasal_mm + 3.0])[0]
    assert tip[2] - under == pytest.approx(MEAN.nose_out_mm, abs=6)


def test_two_heads_drawn_differ_and_one_seed_is_one_head() -> None:
    first, again, other = (draw_measures(np.random.default_rng(seed)) for seed in (1, 1, 2))
    assert first == again != other


def test_a_sheet_bent_over_a_huge_cylinder_is_flat() -> None:
    rays = Lens(32, 24).rays()
    point, turn = np.array([0.0, 0.0, 500.0]), turned(9.0, -4.0)
    flat = plane(rays, point, -turn[:, 2], np.ones((24, 32), bool))
    round_ = bent(rays, point, turn, 1e7, np.ones((24, 32), bool))
    assert np.allclose(flat.depth_mm, round_.depth_mm, atol=0.1)
    assert np.allclose(flat.normals, round_.normals, atol=1e-3)


@pytest.mark.parametrize("radius", [80.0, -80.0])
def test_a_bent_sheet_touches_its_point_and_faces_the_lens_there(radius: float) -> None:
    lens = Lens(33, 25)
    point = np.array([0.0, 0.0, 500.0])
    sheet = bent(lens.rays(), point, turned(0, 0), radius, np.ones((25, 33), bool))
    assert sheet.depth_mm[12, 16] == pytest.approx(500.0)
    assert sheet.normals[12, 16] == pytest.approx([0, 0, -1], abs=1e-9)
    assert (sheet.depth_mm[12, 19] > 500.0) == (radius > 0)


def test_an_exposure_that_spans_a_change_sees_a_part_of_both_lights() -> None:
    drive = Drive((0, 100 * MS), (Lights(1, 1), Lights(3, 1)))
    left, right = drive.levels(np.array([50.0, 95.0, 100.0]) * float(MS), 10.0)
    assert left.tolist() == pytest.approx([1.0, 2.0, 3.0])
    assert right.tolist() == [1.0, 1.0, 1.0]


def test_only_what_answers_the_lights_changes_with_them() -> None:
    cond = Conditions(sway_px=0, flicker=0, electrons_per_lux=1e6, exposure_ms=10, readout_ms=5, lag_ms=0)
    drive = Drive((0, 100 * MS), (REST, Lights(3, 3)))
    mute, lit = (Moving((grey(100), grey(part), grey(part)), (grey(100), grey(part), grey(part))) for part in (0, 20))
    for moving, changes in ((mute, False), (lit, True)):
        frames = list(film(moving, drive, cond, (0, 200 * MS), 1))
        means = [frame.main.mean() for frame in frames]
        assert (max(means) - min(means) > 5) == changes
        assert [frame.time_ns for frame in frames] == sorted(frame.time_ns for frame in frames)


def test_every_log_of_the_lab_is_one_that_a_lock_may_send() -> None:
    for seed in range(50):
        rng = np.random.default_rng(seed)
        code = drawn(rng)
        assert code in codes_after(kind_of(REST))
        found = as_drawn(driven(code, rng).log)
        assert found is not None
        assert found.codes[found.which] == code


def test_a_film_follows_from_its_seed_and_no_two_frames_are_equal() -> None:
    moving = Moving((grey(100), grey(20), grey(20)), (grey(100), grey(20), grey(20)))
    first, again, other = (
        [frame.main.tobytes() for frame in film(moving, Drive((0,), (REST,)), Conditions(), (0, 200 * MS), seed)]
        for seed in (1, 1, 2)
    )
    assert first == again != other
    assert len(set(first)) == len(first)


@pytest.mark.slow
def test_a_still_photograph_passes_only_before_a_judge_without_its_relief_test() -> None:
    attempts = [seen(INSTRUMENTS["print flat, matt"], seed) for seed in range(2)]
    assert all(each.judged().attack is not Attack.BONA_FIDE for each in attempts)
    with without_relief():
        assert any(each.judged().attack is Attack.BONA_FIDE for each in attempts)
    assert all(each.judged().attack is not Attack.BONA_FIDE for each in attempts)


@pytest.mark.slow
@pytest.mark.parametrize("maker", [injected, guessed])
def test_what_does_not_know_the_code_does_not_pass_even_without_the_relief_test(maker: Maker) -> None:
    with without_relief():
        assert seen(maker, 5).judged().attack is not Attack.BONA_FIDE


@pytest.mark.parametrize(("count", "low", "high"), [(0, 0.0, 0.0362), (100, 0.9638, 1.0), (3, 0.0062, 0.0852)])
def test_intervals_are_those_of_clopper_and_pearson(count: int, low: float, high: float) -> None:
    rate = Rate(count, 100)
    assert rate.low == pytest.approx(low, abs=1e-4)
    assert rate.high == pytest.approx(high, abs=1e-4)


def test_inconclusive_is_counted_apart_from_refused() -> None:
    each = [Attempt(verdict, verdict.name, 1, 1) for verdict in (Attack.BONA_FIDE, *[Attack.INCONCLUSIVE] * 2)]
    each.append(Attempt(Attack.PRESENTATION, "FLAT", 1, 1))
    tally = Tally.of("people", [(number, (attempt,)) for number, attempt in enumerate(each)])
    assert [tally.rate(verdict).count for verdict in (Attack.BONA_FIDE, Attack.PRESENTATION)] == [1, 1]
    assert tally.rate(Attack.INCONCLUSIVE).count == 2
    assert table([tally]).startswith("| rendered |")
    assert tally.plain()["inconclusive"]["count"] == 2


def test_every_axis_of_a_curve_is_a_condition() -> None:
    for axis, values in AXES.items():
        assert getattr(changed(STILL, ((axis, values[0]),)), axis) == values[0]


@pytest.mark.slow
def test_the_command_says_that_all_of_it_was_rendered() -> None:
    said = CliRunner().invoke(main, ["--n", "1", "--only", "screen", "--json"])
    assert said.exit_code == 0, said.output
    told = json.loads(said.stdout.splitlines()[-1])
    assert told["rendered"] is True
    assert told["kinds"][0]["name"] == "screen"
    assert told["kinds"][0]["passed"]["count"] == 0


def test_a_folder_without_pictures_is_refused_in_a_sentence(tmp_path: Path) -> None:
    said = CliRunner().invoke(main, ["--faces", str(tmp_path)])
    assert said.exit_code == 2
    assert "holds no pictures" in said.output
