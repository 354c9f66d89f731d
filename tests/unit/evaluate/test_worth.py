"""What frames of one sitting are worth, on people made up of a direction, a day and a moment."""

from __future__ import annotations

from functools import cache
from itertools import pairwise

import numpy as np
import pytest

from device.vault.tail import Averaging, Tail
from tools.evaluate import averaging
from tools.evaluate.gather import Floats

PEOPLE, DAYS, FRAMES = 150, 14, 3
RATE = 1e-2
DAY, MOMENT = 0.9, 0.3  # of two days a cosine of 0.6 as on lfw-dev; of one sitting 0.92
SLACK = 1.15  # of the rate: other people than those it was measured on


def unit(vectors: Floats) -> Floats:
    made: Floats = (vectors / np.linalg.norm(vectors, axis=-1, keepdims=True)).astype(np.float32)
    return made


@cache
def crowd(seed: int) -> Floats:
    """(people, days, frames, 128): nine frames of each day."""
    generator = np.random.default_rng(seed)
    own = 0.4 * generator.normal(size=128) + generator.normal(size=(PEOPLE, 1, 1, 128))
    day = own + DAY * generator.normal(size=(PEOPLE, DAYS, 1, 128))
    return unit(day + MOMENT * generator.normal(size=(PEOPLE, DAYS, 9, 128)))


@cache
def measured() -> tuple[float, Tail]:
    """The threshold of single pictures for RATE, and what averaging different ones does, both on one crowd."""
    people = [each[:, 0] for each in crowd(1)]
    ones = np.ones((PEOPLE, 1))
    single = float(averaging.strangers(people, 1, 1, 4, seed=1).thresholds(ones, RATE)[0])
    modes = []
    for enrolled in (2, 3, 5, 9):
        height = float(averaging.strangers(people, enrolled, FRAMES, 4, seed=1).thresholds(ones, RATE)[0])
        length = averaging.mean_length(people, enrolled, 4, seed=1)
        modes.append(Averaging(enrolled, FRAMES, height - single, (), length))
    return single, Tail(b"", 0.0, 0.1, (), tuple(modes))


def rate_of(pictures: Floats, worth: int | None = None) -> tuple[float, int]:
    """How often strangers of another crowd match templates of `pictures` (people, n, 128), and what those count for.

    worth: what they are taken for instead.
    """
    single, tail = measured()
    mean = pictures.mean(axis=1)
    counted = [tail.worth(pictures.shape[1], float(length)) for length in np.linalg.norm(mean, axis=1)]
    most = max(counted) if worth is None else worth
    shift = tail.shift(most, FRAMES)
    assert shift is not None
    probes = unit(crowd(2)[:, -FRAMES:, 0].mean(axis=1))
    scores = probes @ unit(mean).T
    return float((scores[~np.eye(PEOPLE, dtype=bool)] >= single + shift).mean()), most


@pytest.mark.parametrize("frames", [3, 5, 9])
def test_strangers_match_a_sitting_no_more_often_than_the_budget_allows_though_it_counts_for_two(frames: int) -> None:
    rate, worth = rate_of(crowd(2)[:, 0, :frames])
    assert worth == 2
    assert rate <= SLACK * RATE


@pytest.mark.parametrize("pictures", [5, 9])
def test_nor_do_they_match_pictures_of_different_days_which_all_count(pictures: int) -> None:
    rate, worth = rate_of(crowd(2)[:, :pictures, 0])
    assert worth == pictures
    assert rate <= SLACK * RATE


def test_counting_different_pictures_for_two_lets_strangers_in() -> None:
    """The seeded fault: whatever was enrolled counts as a sitting."""
    rate, _ = rate_of(crowd(2)[:, :9, 0], worth=2)
    assert rate > SLACK * RATE


def test_the_mean_of_more_different_pictures_is_shorter_and_of_one_picture_it_has_length_one() -> None:
    people = [each[:, 0] for each in crowd(1)]
    found = [averaging.mean_length(people, enrolled, 2, seed=1) for enrolled in (1, 2, 3, 5, 9)]
    assert found[0] == pytest.approx(1.0, abs=1e-6)
    assert all(more < fewer for fewer, more in pairwise(found))
