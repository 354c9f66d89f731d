"""The judge of the motion challenge, in a small world (`turned_world`): what passes, and guards taken out."""

from collections.abc import Callable
from dataclasses import replace

import numpy as np
import pytest

from device.challenge import MS
from device.eye.attack import motion
from device.eye.attack.motion import ENOUGH, Middle, Moment, Why, turning
from device.eye.attack.parallax import Parallax, Shot
from device.motion import SEQUENCES, Asked, Facing, Prompted
from tests.unit.eye.turned_world import BEGAN_NS, PERSON, SHEETS, other

LEFT, MIDDLE, RIGHT = Facing
ASKED: Asked = (LEFT, RIGHT, MIDDLE)


def solid(_before: Shot, after: Shot) -> Parallax:
    """As if every turn were that of a head: the guard taken out."""
    return Parallax(0.2 * float(np.sign(Middle(PERSON.shot(0).points).sideways(after.points))), 0.01, 100)


@pytest.mark.exhaustive(3)
@pytest.mark.parametrize("asked", SEQUENCES, ids=lambda asked: "-".join(each.name for each in asked))
def test_a_solid_face_that_turns_as_asked_passes(asked: Asked) -> None:
    found = turning(*PERSON.turned(asked))
    assert found.passed
    assert found.why is Why.TURNED


def test_a_stiff_neck_is_enough() -> None:
    assert turning(*PERSON.turned(ASKED, degrees=9)).passed


def test_to_stand_still_or_to_turn_hardly_at_all_does_not_pass() -> None:
    assert turning(*PERSON.turned(ASKED, degrees=0)).why is Why.ELSEWHERE
    assert turning(*PERSON.turned(ASKED, degrees=3)).why is Why.ELSEWHERE


@pytest.mark.parametrize("did", [each for each in SEQUENCES if each != ASKED], ids=str)
def test_every_other_order_fails(did: Asked) -> None:
    found = turning(*PERSON.turned(ASKED, did=did))
    assert not found.passed
    assert found.why in (Why.ELSEWHERE, Why.EARLY)


@pytest.mark.slow
def test_a_film_that_guessed_the_order_passes_and_that_is_why_motion_opens_nothing() -> None:
    prompted, filmed = PERSON.turned(ASKED)
    assert turning(prompted, filmed).passed
    assert sum(turning(replace(prompted, asked=each), filmed).passed for each in SEQUENCES) == 1


@pytest.mark.exhaustive(3)
@pytest.mark.parametrize("sheet", SHEETS)
@pytest.mark.parametrize("degrees", [12, 20])
def test_a_sheet_that_is_turned_as_asked_does_not_pass(sheet: str, degrees: float) -> None:
    found = turning(*SHEETS[sheet].turned(ASKED, degrees))
    assert not found.passed
    assert found.aside is not None
    assert found.aside > ENOUGH  # the mesh believes it


@pytest.mark.parametrize("sheet", SHEETS)
def test_without_the_look_at_the_pixels_a_turned_sheet_would_pass(sheet: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(motion, "parallax", solid)
    assert turning(*SHEETS[sheet].turned(ASKED, 12)).passed


def test_a_sheet_turned_so_far_that_it_is_narrow_does_not_pass_whatever_its_pixels_do(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(motion, "parallax", solid)
    prompted, moments = SHEETS["flat"].turned(ASKED, 12)
    narrow = [Moment(each.time_ns, _narrowed(each.shot)) for each in moments]
    assert turning(prompted, narrow).why is Why.NARROW
    monkeypatch.setattr(motion, "LEAST_WIDE", 0.0)
    assert turning(prompted, narrow).passed


def _narrowed(shot: Shot) -> Shot:
    """Its points, as a sheet's that was turned by 40 degrees, where they are turned at all."""
    aside = abs(Middle(PERSON.shot(0).points).sideways(shot.points)) > ENOUGH
    return Shot(shot.grey, shot.points * [1.0, 1.0 / np.cos(np.radians(40)), 1.0]) if aside else shot


def test_who_turns_before_it_is_asked_does_not_pass(monkeypatch: pytest.MonkeyPatch) -> None:
    prompted, moments = PERSON.turned(ASKED)
    second_ns = prompted.began_ns[1]
    sooner = [
        Moment(each.time_ns, PERSON.shot(-12)) if second_ns - 100 * MS < each.time_ns < second_ns + 500 * MS else each
        for each in moments
    ]
    assert turning(prompted, sooner).why is Why.EARLY
    judged = motion._is  # three frames are those from a prompt's beginning
    monkeypatch.setattr(motion, "_is", lambda facing, seen: len(seen) <= 3 or judged(facing, seen))
    assert turning(prompted, sooner).passed


def test_who_moves_before_the_first_prompt_has_no_middle(monkeypatch: pytest.MonkeyPatch) -> None:
    prompted, moments = PERSON.turned(ASKED)
    moments[3] = Moment(moments[3].time_ns, PERSON.shot(12))
    assert turning(prompted, moments).why is Why.RESTLESS
    monkeypatch.setattr(motion, "MIDDLE", 1.0)
    assert turning(prompted, moments).passed


@pytest.mark.exhaustive(2)
@pytest.mark.parametrize("away", [(-450, -150), (250, 500), (700, 1000), (2000, 2300), (4150, 4400)])
def test_a_face_that_is_away_meanwhile_does_not_pass(away: tuple[int, int], monkeypatch: pytest.MonkeyPatch) -> None:
    prompted, moments = PERSON.turned(ASKED)
    from_ns, until_ns = (BEGAN_NS + each * MS for each in away)
    kept = [each for each in moments if not from_ns <= each.time_ns <= until_ns]
    assert turning(prompted, kept).why is Why.FRAMES
    monkeypatch.setattr(motion, "MAX_GAP_MS", 10_000)
    monkeypatch.setattr(motion, "LEAST", 1)
    assert turning(prompted, kept).passed


def test_of_no_frames_nothing_is_said() -> None:
    prompted, _ = PERSON.turned(ASKED)
    assert turning(prompted, []).why is Why.FRAMES


def test_frames_that_are_not_of_this_challenge_do_not_count() -> None:
    prompted, moments = PERSON.turned(ASKED)
    earlier = [Moment(each.time_ns - 10_000 * MS, PERSON.shot(12)) for each in moments]
    assert turning(prompted, [*earlier, *moments]).passed
    assert turning(prompted, earlier).why is Why.FRAMES


def test_another_face_that_takes_over_for_the_turns_does_not_pass() -> None:
    prompted, moments = PERSON.turned(ASKED)
    _, others = other(PERSON, pattern=7).turned(ASKED)
    mixed = [*moments[:11], *others[11:]]
    assert turning(prompted, mixed).why is Why.LOST


def test_prompts_late_by_some_milliseconds_are_judged_as_they_were() -> None:
    prompted, moments = PERSON.turned(ASKED)
    one, two, three = prompted.began_ns
    late = Prompted(ASKED, (one, two + 18 * MS, three + 7 * MS), prompted.ended_ns)
    assert turning(late, moments).passed


def test_a_shake_of_the_head_up_and_down_is_no_turn_aside() -> None:
    points = PERSON.shot(0).points
    nodded = points + [0, 6, 0] + points * [0, 0.04, 0]
    assert abs(Middle(points).sideways(nodded)) < ENOUGH / 4


def no_depth(shot: Shot) -> Shot:
    return Shot(shot.grey, shot.points * (1, 1, 0))


def on_a_line(shot: Shot) -> Shot:
    return Shot(shot.grey, np.column_stack([shot.points[:, 0], shot.points[:, 0], shot.points[:, 2]]))


@pytest.mark.exhaustive(1)
@pytest.mark.parametrize(
    ("spoilt", "which"),
    [(no_depth, "all"), (no_depth, "before"), (on_a_line, "all"), (on_a_line, "before"), (on_a_line, "turned")],
    ids=lambda each: each if isinstance(each, str) else each.__name__,
)
def test_meshes_that_are_no_face_turn_nowhere_and_raise_nothing(spoilt: Callable[[Shot], Shot], which: str) -> None:
    prompted, moments = PERSON.turned(ASKED)
    changed = [
        replace(moment, shot=spoilt(moment.shot))
        if which == "all" or (moment.time_ns <= prompted.began_ns[0]) == (which == "before")
        else moment
        for moment in moments
    ]
    assert turning(prompted, moments).passed
    assert not turning(prompted, changed).passed
