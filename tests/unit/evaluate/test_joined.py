"""What a second sitting buys: counted with people made up of a direction, a day and a moment."""

from __future__ import annotations

import numpy as np
import pytest

from device.vault.budget import Budget, Thresholds
from device.vault.pooling import LIKENESS
from device.vault.record import FaceRecord
from tests.unit.vault.test_worth import measured
from tools.evaluate import joined
from tools.evaluate.gather import Floats
from tools.evaluate.sittings import ENROLLING, LEAST, LOOKING

THRESHOLDS = Thresholds(Budget(), measured(), LOOKING)
DAY, MOMENT = 0.9, 0.2  # how much of a look is the day's and the moment's, where the person's own part is 1


@pytest.fixture(scope="module")
def people() -> list[Floats]:
    return crowd(20)


def crowd(count: int, seed: int = 3) -> list[Floats]:
    """(LEAST sittings, 1 + ENROLLING + LOOKING frames, 128) of each."""
    rng = np.random.default_rng(seed)

    def directions(*shape: int) -> np.ndarray[tuple[int, ...], np.dtype[np.float64]]:
        drawn = rng.normal(size=(*shape, 128))
        unit: np.ndarray[tuple[int, ...], np.dtype[np.float64]] = drawn / np.linalg.norm(drawn, axis=-1, keepdims=True)
        return unit

    frames = 1 + ENROLLING + LOOKING
    looks = directions(count, 1, 1) + DAY * directions(count, LEAST, 1) + MOMENT * directions(count, LEAST, frames)
    return list((looks / np.linalg.norm(looks, axis=-1, keepdims=True)).astype(np.float32))


def test_the_right_person_s_sittings_reach_the_limit_and_nobody_else_s(people: list[Floats]) -> None:
    for before in (1, 2):
        right, others = joined.likenesses(people, before).reaching(LIKENESS)
        assert right > 0.8
        assert others == 0.0
    assert joined.likenesses(people, 1).reaching(-1.0) == (1.0, 1.0)


def test_who_comes_twice_is_refused_less_often_though_they_count_for_more(people: list[Floats]) -> None:
    found = joined.seen(people, THRESHOLDS, days=False)
    once, twice, thrice = (joined.refused(found, often, 4, THRESHOLDS) for often in (1, 2, 3))
    assert once > twice > thrice
    counts = np.mean([[kind.worth for kind in each.averaged] for each in found], axis=0)
    assert counts[0] < counts[1] <= counts[2]


def test_a_neighbour_s_second_sitting_costs_whoever_came_once_nothing_and_did_before(people: list[Floats]) -> None:
    found = joined.seen(people, THRESHOLDS, days=False)
    own, most = (joined.refused(found, 1, 4, THRESHOLDS, by_the_most=most) for most in (False, True))
    assert own < most


def test_a_sitting_that_vault_would_refuse_changes_nothing(people: list[Floats]) -> None:
    anna, bo = (joined.mean_of(people[which][0, 1:6]) for which in (0, 1))
    face = joined.several([anna, bo], THRESHOLDS)
    assert isinstance(face, FaceRecord)
    assert face == joined.kept(anna, THRESHOLDS)
    later = [joined.several([anna, joined.mean_of(people[0][day, 1:6])], THRESHOLDS) for day in range(1, LEAST)]
    assert 2 in {face.sittings for face in later}
