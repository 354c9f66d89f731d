"""Averaging, on people made up of a direction and noise."""

from __future__ import annotations

import numpy as np
import pytest

from tools.evaluate import averaging
from tools.evaluate.gather import Floats, Gallery
from tools.evaluate.intervals import upper_bound
from tools.evaluate.tail import histogram, judging_factor


def crowd(seed: int, people: int = 40, pictures: int = 10, noise: float = 0.9) -> list[Floats]:
    """Each person a direction of their own near a common one; each picture that direction and `noise`."""
    generator = np.random.default_rng(seed)
    common = generator.normal(size=128)
    made = []
    for _ in range(people):
        own = 0.4 * common + generator.normal(size=128)
        several = own + noise * generator.normal(size=(pictures, 128))
        made.append((several / np.linalg.norm(several, axis=1, keepdims=True)).astype(np.float32))
    return made


def test_averages_of_strangers_are_closer_than_their_single_pictures_and_the_bound_is_above() -> None:
    people = crowd(1)
    single = averaging.strangers(people, 1, 1, 3, seed=1)
    several = averaging.strangers(people, 5, 3, 3, seed=1)
    for shift in averaging.shifts(single, several, 50, seed=1):
        assert 0 < shift.measured < shift.upper


def test_the_same_pictures_have_no_shift() -> None:
    single = averaging.strangers(crowd(2), 1, 1, 3, seed=1)
    assert all(shift.measured == shift.upper == 0 for shift in averaging.shifts(single, single, 20, seed=1))


def test_the_threshold_at_a_rate_is_the_one_counting_gives() -> None:
    people = crowd(3)
    found = averaging.strangers(people, 1, 1, 1, seed=7)
    made = averaging.draw(people, 1, 1, np.random.default_rng(7))
    scores = made.scores()
    own = np.zeros(scores.shape, bool)
    own[np.arange(len(made.owner)), made.owner] = True
    impostor = np.sort(scores[~own])[::-1]
    ones = np.ones((len(people), 1))
    assert found.total(ones)[0] == impostor.size
    assert found.thresholds(ones, 0.01)[0] == pytest.approx(impostor[int(0.01 * impostor.size)])


def test_nobody_meets_themselves_among_strangers() -> None:
    found = averaging.strangers(crowd(4), 3, 2, 2, seed=1)
    assert (found.template != found.probe).all()


def test_enrolment_and_probe_pictures_are_different_pictures() -> None:
    people = [np.eye(8, 128, dtype=np.float32)]
    made = averaging.draw(people, 5, 3, np.random.default_rng(1))
    assert made.scores()[0, 0] == pytest.approx(0.0)


def test_people_with_too_few_pictures_are_left_out() -> None:
    folders = np.array(["a"] * 8 + ["b"] * 7)
    gallery = Gallery(np.eye(15, 128, dtype=np.float32), folders, folders, 0, 0)
    assert [len(pictures) for pictures in averaging.with_pictures(gallery, 8)] == [8]


def test_a_judge_who_calls_look_alikes_one_person_makes_the_tail_heavier() -> None:
    assert judging_factor(30, 0) == pytest.approx(1 / (1 - upper_bound(0, 30)))
    assert judging_factor(30, 4) > judging_factor(30, 1) > 1


def test_the_histogram_holds_every_score_once() -> None:
    scores = np.array([-1.0, -0.9995, 0.0, 0.0004, 0.9999, 1.0])
    counts = histogram(scores)
    assert counts.sum() == 6
    assert (counts[0], counts[1000], counts[1999]) == (2, 2, 2)
