"""The fitted tail, on scores whose true tail is known."""

from __future__ import annotations

import numpy as np
import pytest

from tools.evaluate.extremes import Pairs, Reals, bounds, fitted_rates

THRESHOLDS = np.round(np.arange(0.5, 0.96, 0.05), 3)


def strangers(seed: int, people: int = 300, scale: float = 0.03) -> Pairs:
    """Pairs of `people` with one picture each, whose scores above 0.3 fall off exponentially with `scale`."""
    generator = np.random.default_rng(seed)
    first, second = np.triu_indices(people, 1)
    scores = 0.3 + generator.exponential(scale, len(first)) - 3 * scale
    kept = scores > 0.3
    return Pairs(scores[kept], first[kept], second[kept], np.arange(people), len(first))


def truth(threshold: Reals, scale: float = 0.03) -> Reals:
    rates: Reals = np.exp(-(threshold - 0.3 + 3 * scale) / scale)
    return rates


def test_the_bound_covers_the_truth_far_beyond_the_data_and_not_by_much() -> None:
    for seed in range(8):
        found = bounds(strangers(seed), THRESHOLDS, 100, seed=1)
        assert (found.fitted >= truth(THRESHOLDS)).mean() >= 0.9
        # Six powers of ten below the data the bound is still a rate and not a surrender.
        assert found.fitted[-1] < 1e-5


def test_the_fit_alone_finds_the_slope_it_was_given() -> None:
    pairs = strangers(3)
    ones = np.ones((len(pairs.scores), 1))
    found = fitted_rates(pairs.scores, ones, np.array([float(pairs.total)]), 0.35, THRESHOLDS)[:, 0]
    slope = np.polyfit(THRESHOLDS, np.log(found), 1)[0]
    assert slope == pytest.approx(-1 / 0.03, rel=0.1)


def test_below_the_level_the_fit_says_nothing() -> None:
    pairs = strangers(1)
    ones = np.ones((len(pairs.scores), 1))
    assert fitted_rates(pairs.scores, ones, np.array([1e5]), 0.6, np.array([0.5]))[0, 0] == 0.0


def test_one_person_in_many_high_pairs_widens_the_bound() -> None:
    """The seeded fault is to draw pairs again: then it does not matter whose they are."""
    people, high = 300, 40
    scores = np.full(high, 0.7)
    lone = Pairs(scores, np.zeros(high, int), np.arange(1, high + 1), np.arange(people), 44_850)
    apart = Pairs(scores, np.arange(high), np.arange(high) + 100, np.arange(people), 44_850)
    at = np.array([0.6])
    assert bounds(lone, at, 400, seed=2).resampled[0] > 1.3 * bounds(apart, at, 400, seed=2).resampled[0]


def test_pictures_of_one_person_are_drawn_together() -> None:
    people = np.repeat(np.arange(50), 2)
    first, second = np.triu_indices(100, 1)
    different = people[first] != people[second]
    first, second = people[first[different]], people[second[different]]
    pairs = Pairs(np.full(len(first), 0.5), first, second, people, len(first))
    found = bounds(pairs, np.array([0.4]), 50, seed=1)
    assert found.resampled[0] == pytest.approx(1.0)


def test_the_same_seed_gives_the_same_bounds() -> None:
    one, other = (bounds(strangers(5), THRESHOLDS, 50, seed=4) for _ in range(2))
    assert (one.fitted == other.fitted).all()
    assert (one.resampled == other.resampled).all()
