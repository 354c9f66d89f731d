"""Simulated people at the door's own lock: what report hears of them, and what it does not."""

import itertools
from dataclasses import replace

import numpy as np
import pytest

from device.wire import OccurrenceKind
from tools.anonymity.acts import LOCKED_OUT_AFTER_S, NOTHING, Act, Done, Odds, acts
from tools.anonymity.habits import DAY_S, By, household, ordinary
from tools.anonymity.lock import Known, lived, lived_in_one

OFTEN = Odds(holds_open=0.2, mistypes=0.3, locked_out=0.3, camera_fault=2.0)
WEEK = 7


def week(seed: int, odds: Odds, people: int = 25) -> tuple[Done, ...]:
    draw = np.random.default_rng(seed)
    house = household(draw, people)
    return acts(draw, house, ordinary(draw, house, WEEK), WEEK, odds)


def with_a_call(done: tuple[Done, ...]) -> tuple[Done, ...]:
    """The same, but who comes home first by PIN on the third day types another one."""
    first = next(each for each in done if each.act is Act.PIN and each.at_s > 2 * DAY_S)
    return tuple(replace(each, act=Act.CALLS_FOR_HELP) if each is first else each for each in done)


def told(*done: Done) -> list[OccurrenceKind]:
    return [each.what for each in lived(done) if isinstance(each.what, OccurrenceKind)]


@pytest.mark.parametrize("seed", range(3))
def test_acts_run_one_by_one_are_the_week_that_one_lock_lives(seed: int) -> None:
    done = with_a_call(week(seed, OFTEN))
    assert {each.act for each in done} == set(Act)
    one = lived_in_one(done, WEEK * DAY_S)
    assert [each.what for each in lived(done)] == [each.what for each in one]
    assert [each.at_s for each in lived(done)] == pytest.approx([each.at_s for each in one], abs=1e-3)


def test_a_week_in_which_all_goes_well_tells_report_nothing() -> None:
    happened = lived(week(1, NOTHING, people=20))
    assert sum(each.what is Known.GRANTED for each in happened) > 80
    assert not [each for each in happened if isinstance(each.what, OccurrenceKind)]


@pytest.mark.parametrize(
    ("act", "opened"),
    [(Act.FACE, Known.OPENED_BY_FACE), (Act.PIN, Known.OPENED_BY_PIN), (Act.CARD, Known.OPENED_BY_CARD)],
)
def test_each_method_really_opens(act: Act, opened: Known) -> None:
    what = [each.what for each in lived([Done(100.0, act)])]
    assert what.count(Known.GRANTED) == what.count(Known.SECURED) == what.count(opened) == 1
    assert what.index(Known.GRANTED) < what.index(Known.DOOR_OPEN) < what.index(Known.DOOR_CLOSED)


def test_what_goes_wrong_is_told_as_the_product_tells_it() -> None:
    assert told(Done(0.0, Act.HOLDS_OPEN)) == [OccurrenceKind.HELD_OPEN, OccurrenceKind.ALARM_CLEARED]
    assert told(Done(0.0, Act.MISTYPES)) == []
    assert told(Done(0.0, Act.CALLS_FOR_HELP)) == [OccurrenceKind.DURESS]
    assert told(Done(0.0, Act.LOCKED_OUT)) == [OccurrenceKind.LOCKOUT]
    broken = Done(0.0, Act.FACE_FAILS), Done(60.0, Act.FACE_FAILS), Done(120.0, Act.CAMERA_MENDED)
    assert told(*broken) == [OccurrenceKind.CAMERA_FAULT, OccurrenceKind.CAMERA_WELL]
    assert told(Done(0.0, Act.CAMERA_MENDED)) == [], "a fault that nobody met is never told"


def test_a_lockout_happens_when_the_tasks_say() -> None:
    (lockout,) = [each for each in lived([Done(0.0, Act.LOCKED_OUT)]) if each.what is OccurrenceKind.LOCKOUT]
    assert lockout.at_s == pytest.approx(LOCKED_OUT_AFTER_S, abs=0.1)


@pytest.mark.parametrize("many", [4, 5, 20, 100])
def test_one_in_each_household_gave_no_face_and_others_did(many: int) -> None:
    draw = np.random.default_rng(many)
    houses = [household(draw, many) for _ in range(20)]
    assert all(house.people[house.refuser].by is not By.FACE for house in houses)
    assert all(any(one.by is By.FACE for one in house.people) for house in houses if many >= 20)


def test_nobody_acts_while_somebody_else_does() -> None:
    done = [each for each in week(4, OFTEN, people=100) if each.act is not Act.CAMERA_MENDED]
    assert all(b.at_s - a.at_s >= 30.0 for a, b in itertools.pairwise(done))
