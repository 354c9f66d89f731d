"""Whether what turned is solid, in a small world of its own (`turned_world`)."""

from collections.abc import Callable

import numpy as np
import pytest

from device.eye.attack import parallax as module
from device.eye.attack.parallax import Shot, parallax
from tests.unit.eye.lit_world import Reals
from tests.unit.eye.turned_world import PERSON, SHEETS, Thing, other

PATTERNS = (1, 2)


def seen(thing: Thing, degrees: float) -> tuple[float, float]:
    found = parallax(thing.shot(0), thing.shot(degrees, 1))
    assert found is not None
    return found.value, found.error


@pytest.mark.exhaustive(2)
@pytest.mark.parametrize("pattern", PATTERNS)
@pytest.mark.parametrize("degrees", [-14, 8])
def test_near_parts_of_a_solid_face_move_past_far_ones_by_the_sine_of_its_turn(pattern: int, degrees: float) -> None:
    value, error = seen(other(PERSON, pattern=pattern), degrees)
    assert 0.55 < value / np.sin(np.radians(degrees)) < 1.1  # less than all: patches straddle the sides of the nose
    assert abs(value) > 5 * error


@pytest.mark.exhaustive(4)
@pytest.mark.parametrize("pattern", PATTERNS)
@pytest.mark.parametrize("sheet", SHEETS)
@pytest.mark.parametrize("degrees", [-25, 12])
def test_what_is_flat_or_bent_shows_nothing_however_far_it_turns(sheet: str, pattern: int, degrees: float) -> None:
    value, error = seen(other(SHEETS[sheet], pattern=pattern), degrees)
    assert abs(value) < 0.02 + 2.6 * error
    assert abs(value) < 0.06


def test_without_what_paper_can_do_taken_out_a_bent_sheet_would_look_solid(monkeypatch: pytest.MonkeyPatch) -> None:
    assert abs(seen(SHEETS["bent narrowly"], 25)[0]) < 0.03
    monkeypatch.setattr(module, "DEGREE", 1)
    assert seen(SHEETS["bent narrowly"], 25)[0] > 0.1


def test_pixels_decide_and_not_what_the_mesh_believes() -> None:
    believes_more, believes_nothing = other(SHEETS["flat"], believed=1.5), other(PERSON, believed=0.0)
    assert abs(seen(believes_more, 20)[0]) < 0.03
    assert seen(believes_nothing, 12)[0] > 0.12


def test_a_still_face_shows_nothing_and_the_error_says_how_surely() -> None:
    values, errors = zip(*(seen(other(PERSON, pattern=pattern), 0) for pattern in PATTERNS), strict=True)
    assert max(map(abs, values)) < 4 * max(errors)
    assert max(errors) < 0.005


def test_light_that_changes_meanwhile_is_no_movement() -> None:
    before, after = PERSON.shot(0), PERSON.shot(12, 1)
    brighter = Shot(np.clip(after.grey * 1.2 + 15, 0, 255).astype(np.uint8), after.points)
    one, other_light = parallax(before, after), parallax(before, brighter)
    assert one is not None
    assert other_light is not None
    assert abs(one.value - other_light.value) < 0.02


def test_another_face_is_not_found_again() -> None:
    assert parallax(PERSON.shot(0), other(PERSON, pattern=9).shot(12)) is None


def test_of_nothing_nothing_is_found() -> None:
    shot = PERSON.shot(0)
    empty = Shot(np.zeros_like(shot.grey), shot.points)
    assert parallax(empty, shot) is None
    assert parallax(shot, empty) is None
    assert parallax(empty, empty) is None


def test_eyes_in_one_place_are_refused() -> None:
    shot = PERSON.shot(0)
    with pytest.raises(ValueError, match="eye distance"):
        parallax(Shot(shot.grey, np.zeros_like(shot.points)), shot)


def test_forget_overwrites_the_picture() -> None:
    shot = PERSON.made(0, 0)
    shot.forget()
    assert not shot.grey.any()


@pytest.mark.parametrize(
    "spoilt",
    [
        pytest.param(lambda points: points * (1, 1, 0), id="no depth"),
        pytest.param(lambda points: points[:, [0, 0, 2]], id="on a line"),
        pytest.param(lambda points: points * (1, 0.01, 1), id="seen from its edge"),
    ],
)
@pytest.mark.parametrize("which", [0, 1], ids=["before", "after"])
def test_of_a_mesh_that_is_no_face_there_is_no_parallax_and_no_error(
    spoilt: Callable[[Reals], Reals], which: int
) -> None:
    shots = [PERSON.shot(0), PERSON.shot(12, 1)]
    shots[which] = Shot(shots[which].grey, spoilt(shots[which].points))
    found = parallax(*shots)
    if which == 1 and spoilt(np.ones((1, 3)))[0, 2] == 0:
        assert found is not None, "the depth is that of the first mesh"
    else:
        assert found is None
