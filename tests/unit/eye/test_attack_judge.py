"""The judge of a light challenge, in a small world of its own (`lit_world`): what passes, and each guard taken out."""

from collections import Counter
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from device import wire
from device.challenge import MS, REST, Lights, codes_after, kind_of
from device.eye.attack import conditions, judge, relief
from device.eye.attack.driven import LATE_MS, driven
from device.eye.attack.glance import Glance
from device.eye.attack.judge import Judgement, Why
from device.eye.attack.levels import EXPOSURE_MS, seen
from device.eye.attack.ranking import scored, share
from device.eye.attack.relief import Slope
from device.wire import Attack
from tests.unit.eye.lit_world import (
    BEGAN_NS,
    FITTED,
    FLAT,
    World,
    face,
    log_of,
    other_lights,
    other_timing,
)

SEEDS = range(10)


def judged(world: World, seed: int) -> Judgement:
    log, glances = world.challenge(seed)
    return judge.judge(log, glances, FITTED)


def verdicts(world: World) -> Counter[Attack]:
    return Counter(judged(world, seed).attack for seed in SEEDS)


@pytest.mark.exhaustive(3)
@pytest.mark.parametrize(
    "world",
    [
        World(),
        World(fps=15.5, noise=0.002),
        World(drift=0.1),
        World(gains=(1.0, 0.75)),
        World(before=Lights(3, 2)),
        World(before=Lights(1, 3)),
        World(lag_ms=50.0),
        World(flicker=0.003),
        World(flicker=0.003, mains_hz=60.0),
        World(late_ms=(3, 15, 18)),
    ],
    ids=["plain", "15 fps", "drift", "uneven lamps", "after both", "after right", "lag", "50 Hz", "60 Hz", "lock late"],
)
def test_a_solid_face_that_answers_is_bona_fide(world: World) -> None:
    found = verdicts(world)
    assert found[Attack.BONA_FIDE] >= 8, found
    assert not found[Attack.PRESENTATION]


@pytest.mark.exhaustive(3)
@pytest.mark.parametrize("name", FLAT)
def test_whatever_is_flat_or_bent_is_not_bona_fide(name: str) -> None:
    assert verdicts(World(shape=FLAT[name]))[Attack.BONA_FIDE] == 0
    assert verdicts(World(shape=FLAT[name], noise=0.0005))[Attack.BONA_FIDE] == 0


def test_without_what_is_taken_out_a_bent_print_would_pass(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(relief, "flat_or_bent", lambda places: np.ones((len(places), 1)))
    assert verdicts(World(shape=FLAT["bent"]))[Attack.BONA_FIDE] > 5
    assert verdicts(World(shape=FLAT["folded along the nose"]))[Attack.BONA_FIDE] > 5


def test_smooth_powers_alone_would_let_a_pleated_print_pass(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(relief, "KNOTS", np.array([9.0, 10.0]))
    assert verdicts(World(shape=FLAT["pleated"]))[Attack.BONA_FIDE] > 5


SHINY = World(shape=FLAT["bent"], shine=1.5, noise=0.001)


def in_green(glances: list[Glance]) -> list[Glance]:
    """A judge that takes green for what is not shine."""
    return [replace(one, warm=one.face, warm_slopes=one.slopes) for one in glances]


def test_glossy_paper_is_not_bona_fide_for_its_mirror_images() -> None:
    found = verdicts(SHINY)
    assert found[Attack.BONA_FIDE] == 0
    assert found == verdicts(replace(SHINY, shine=0.0))


def test_without_the_colour_of_skin_a_mirror_image_would_pass_for_relief() -> None:
    lit = [SHINY.challenge(seed) for seed in SEEDS]
    assert Counter(judge.judge(log, in_green(seen), FITTED).attack for log, seen in lit)[Attack.BONA_FIDE] > 0


PRINTED = World(shape=FLAT["flat"], printed=True, tone=8.0, noise=0.002)


def test_a_print_that_is_bright_where_faces_are_is_not_bona_fide_before_a_camera_of_another_curve() -> None:
    found = verdicts(PRINTED)
    assert found[Attack.BONA_FIDE] == 0
    assert found[Attack.PRESENTATION] >= 8
    for tone in (1.0, -0.5):
        assert verdicts(World(tone=tone))[Attack.BONA_FIDE] >= 8


def test_without_what_goes_with_brightness_such_a_print_would_pass(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(relief, "TONE", 0)
    assert verdicts(PRINTED)[Attack.BONA_FIDE] > 5


def test_what_has_no_colour_is_not_measured() -> None:
    log, glances = World().challenge(0)
    pale = [replace(one, warm=one.warm * 0.3) for one in glances]
    found = judge.judge(log, pale, FITTED)
    assert (found.attack, found.why) == (Attack.INCONCLUSIVE, Why.FEW_PATCHES)


SURE = Slope(1.5, 0.1, 0.2, 60)


@pytest.mark.parametrize(
    ("slope", "attack", "why"),
    [
        (SURE, Attack.BONA_FIDE, Why.SOLID),
        (replace(SURE, by_frames=0.5), Attack.INCONCLUSIVE, Why.SHAPE_UNCLEAR),
        (replace(SURE, by_patches=1.0), Attack.INCONCLUSIVE, Why.SHAPE_UNCLEAR),
        (replace(SURE, value=0.5), Attack.INCONCLUSIVE, Why.SHAPE_UNCLEAR),
        (replace(SURE, value=9.0), Attack.INCONCLUSIVE, Why.SHAPE_UNCLEAR),
        (replace(SURE, value=-1.5), Attack.PRESENTATION, Why.FLAT),
        (replace(SURE, value=0.0, by_patches=0.1), Attack.PRESENTATION, Why.FLAT),
        (replace(SURE, value=0.0, by_frames=0.3), Attack.INCONCLUSIVE, Why.SHAPE_UNCLEAR),
    ],
    ids=["sure", "noise", "another shape", "low", "too much", "hollow", "flat", "flat or noise"],
)
def test_each_bound_of_the_slope_decides_by_itself(slope: Slope, attack: Attack, why: Why) -> None:
    assert judge._by_slope(slope, 20) == (attack, why)


@pytest.mark.parametrize("answers", [lambda _: None, other_timing, other_lights], ids=["none", "timing", "lights"])
def test_a_solid_face_that_answers_another_code_or_none_is_not_bona_fide(answers: object) -> None:
    found = Counter(judged(replace(World(), answers=answers), seed).attack for seed in SEEDS)  # type: ignore[arg-type]  # one of three
    assert found[Attack.BONA_FIDE] == 0


def test_without_the_code_test_another_code_would_pass(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(judge, "CODE_RISK", 1.0)
    assert verdicts(World(answers=other_timing))[Attack.BONA_FIDE] > 0


def test_an_earlier_challenge_played_again_is_called_an_attack() -> None:
    earlier = codes_after(kind_of(REST))[345]
    found = Counter(judged(World(answers=lambda _: earlier), seed).why for seed in SEEDS)
    assert found[Why.SOLID] == 0
    assert found[Why.OTHER_CODE] >= 5, found


def test_a_code_that_is_guessed_passes_as_often_as_is_stated_and_no_more() -> None:
    """Frames that know nothing: every code is as likely to be the true one, and at most k of N may come out first."""
    times = np.arange(25, dtype=np.int64) * 40 * MS + BEGAN_NS
    for before in (REST, Lights(3, 3), Lights(2, 1)):
        codes = codes_after(kind_of(before))
        drive = driven(log_of(codes[0], before))
        assert drive is not None
        for seed in range(4):
            rng = np.random.default_rng(seed)
            series = np.cumsum(rng.normal(size=(2, len(times))), axis=1)
            best = scored(drive, times, *series)[0].max(axis=0)
            passing = sum(share(best, which) <= judge.CODE_RISK for which in range(len(codes)))
            assert passing <= judge.CODE_RISK * len(codes)


def test_codes_that_score_alike_count_against_the_true_one() -> None:
    assert share(np.array([1.0, 1.0, 1.0, 0.5]), 0) == 0.75
    assert share(np.zeros(100), 7) == 1.0


@pytest.mark.parametrize(
    ("gains", "why"), [((1.0, 0.0), Why.ONE_LAMP), ((0.0, 1.0), Why.ONE_LAMP), ((0.0, 0.0), Why.NO_ANSWER)]
)
def test_a_dead_or_stuck_lamp_is_inconclusive(gains: tuple[float, float], why: Why) -> None:
    found = [judged(World(gains=gains), seed) for seed in SEEDS]
    assert {one.attack for one in found} == {Attack.INCONCLUSIVE}
    assert Counter(one.why for one in found)[why] >= 9


def test_sun_that_drowns_the_lamps_is_inconclusive() -> None:
    assert set(verdicts(World(lamp=0.0002))) == {Attack.INCONCLUSIVE}


def without_frames(glances: list[Glance], begin_ms: float, end_ms: float) -> list[Glance]:
    return [one for one in glances if not begin_ms <= (one.time_ns - BEGAN_NS) / MS < end_ms]


def moved(glances: list[Glance], at_ms: float, by: tuple[float, float, float]) -> list[Glance]:
    return [
        replace(one, lens=one.lens + np.array(by)) if (one.time_ns - BEGAN_NS) / MS >= at_ms else one for one in glances
    ]


CONDITIONS = {
    "a gap": (lambda glances: without_frames(glances, 300, 450), Why.FRAMES),
    "the end missing": (lambda glances: without_frames(glances, 600, 9999), Why.FRAMES),
    "every third frame": (lambda glances: glances[::3], Why.FRAMES),
    "no frame": (lambda _: [], Why.FRAMES),
    "another place": (lambda glances: moved(glances, 400, (0.5, 0.0, 0.0)), Why.MOVED),
    "another distance": (lambda glances: moved(glances, 400, (0.0, 0.0, 3.0)), Why.MOVED),
}


@pytest.mark.parametrize("name", CONDITIONS)
def test_what_is_no_whole_challenge_of_one_face_is_inconclusive(name: str) -> None:
    spoil, why = CONDITIONS[name]
    log, glances = World().challenge(0)
    assert judge.judge(log, glances, FITTED).attack is Attack.BONA_FIDE
    found = judge.judge(log, spoil(glances), FITTED)  # type: ignore[no-untyped-call]  # a list of lambdas
    assert (found.attack, found.why) == (Attack.INCONCLUSIVE, why)


@pytest.mark.parametrize("name", ["a gap", "another place"])
def test_without_the_conditions_it_would_pass(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(judge, "unfit", lambda *_: None)
    log, glances = World().challenge(0)
    spoiled = CONDITIONS[name][0](glances)  # type: ignore[no-untyped-call]  # a list of lambdas
    assert judge.judge(log, spoiled, FITTED).attack is Attack.BONA_FIDE


def test_the_bounds_of_the_conditions_are_those_they_state() -> None:
    log, glances = World().challenge(0)
    drive = driven(log)
    assert drive is not None
    used = conditions.within(drive, glances)
    assert conditions.unfit(drive, used) is None
    step = (0.9 * conditions.MAX_JUMP, 0.0, 0.0)
    assert conditions.unfit(drive, moved(used, 400, step)) is None
    assert conditions.unfit(drive, moved(used, 400, (1.1 * conditions.MAX_JUMP, 0.0, 0.0))) is conditions.Unfit.MOVED


def test_frames_that_come_twice_or_out_of_order_change_nothing() -> None:
    log, glances = World().challenge(3)
    shuffled = [*reversed(glances), *glances]
    assert judge.judge(log, shuffled, FITTED) == judge.judge(log, glances, FITTED)


@settings(max_examples=60)
@given(
    name=st.sampled_from([name for name in wire.ChallengeLog.__dataclass_fields__ if name not in ("code", "nonce")]),
    value=st.one_of(st.integers(0, 255), st.integers(BEGAN_NS - 10**10, BEGAN_NS + 10**10)),
)
def test_a_log_that_no_code_fits_is_inconclusive(name: str, value: int) -> None:
    log, glances = World().challenge(5)
    other = replace(log, **{name: value})  # type: ignore[arg-type]  # every field is a number
    found = judge.judge(other, glances, FITTED)
    fits = driven(other)
    if fits is None:
        assert (found.attack, found.why) == (Attack.INCONCLUSIVE, Why.LOG)
    elif other != log and name.endswith(("left_1", "right_1", "left_2", "right_2", "left_3", "right_3")):
        assert found.attack is not Attack.BONA_FIDE or fits.which != getattr(driven(log), "which", None)


def test_a_change_that_came_later_than_stated_is_no_log() -> None:
    code = codes_after(kind_of(REST))[17]
    assert driven(log_of(code, REST, (0, LATE_MS, 0))) is not None
    assert driven(log_of(code, REST, (0, LATE_MS + 2, 0))) is None
    assert driven(log_of(code, REST, (-2, 0, 0))) is None


def test_what_lies_behind_and_answers_more_is_no_face(monkeypatch: pytest.MonkeyPatch) -> None:
    assert {judged(World(behind=4.0), seed).why for seed in range(4)} == {Why.BEHIND}
    monkeypatch.setattr(judge._Bench, "_less_than_behind", lambda *_: False)
    assert verdicts(World(behind=4.0))[Attack.BONA_FIDE] >= 8


def test_a_face_of_which_too_little_can_be_measured_is_inconclusive() -> None:
    log, glances = World().challenge(2)
    blind = [replace(one, face=np.where(np.arange(len(one.face)) % 4, np.nan, one.face)) for one in glances]
    found = judge.judge(log, blind, FITTED)
    assert (found.attack, found.why) == (Attack.INCONCLUSIVE, Why.FEW_PATCHES)


def test_swapped_lamps_never_pass() -> None:
    log, glances = World().challenge(1)
    swapped = replace(
        log,
        **{f"left_{at}": getattr(log, f"right_{at}") for at in range(4)},
        **{f"right_{at}": getattr(log, f"left_{at}") for at in range(4)},
    )
    assert judge.judge(log, glances, FITTED).attack is Attack.BONA_FIDE
    assert judge.judge(swapped, glances, FITTED).attack is not Attack.BONA_FIDE


def test_a_lamp_at_the_left_of_who_looks_lights_the_right_half_of_the_picture() -> None:
    places = np.array([[-0.5, 0.5], [0.5, 0.5]])
    turned = np.array([[-0.6, 0.0, 0.8], [0.6, 0.0, 0.8]])
    (left_half, right_half), both = relief.expected(places, turned, np.array([0.0, 0.0, 8.0]), 1.27)
    assert left_half < 0 < right_half
    assert left_half == pytest.approx(-right_half)
    assert both[0] == pytest.approx(both[1])


def test_a_face_turned_away_gets_less_of_both_lamps() -> None:
    places = np.array([[0.0, 0.0], [0.0, 0.7]])
    turned = np.array([[0.0, 0.0, 1.0], [0.0, 0.8, 0.6]])
    ahead, aside = relief.expected(places, turned, np.array([0.0, 0.0, 8.0]), 1.27)[1]
    assert aside < ahead


def test_a_frame_sees_the_share_of_its_exposure_that_lies_after_a_change() -> None:
    times = np.array([0, 100, 200], np.int64) * MS
    shares = seen(times, np.array([100.0 * MS + EXPOSURE_MS * MS / 4]), 0)
    assert shares[0].tolist() == [0.0, 0.75, 1.0]


def test_the_judge_does_not_depend_on_how_bright_everything_is() -> None:
    log, glances = World().challenge(4)
    dimmed = [replace(one, face=one.face * 0.3, warm=one.warm * 0.3, behind=one.behind * 0.3) for one in glances]
    assert judge.judge(log, dimmed, FITTED).why is judge.judge(log, glances, FITTED).why is Why.SOLID
    assert face(np.zeros(1), np.array([0.6]))[0] > face(np.zeros(1), np.array([-0.4]))[0]
