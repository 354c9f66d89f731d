"""Rates of scores whose answers are known beforehand: normals in closed form, counts, people drawn again."""

from __future__ import annotations

from math import sqrt
from statistics import NormalDist

import numpy as np
import pytest

from tools.evaluate.accuracy import rates
from tools.evaluate.accuracy.rates import clopper_pearson, det, difference, eer, fmr, fnmr, of_people, points, weights
from tools.evaluate.accuracy.trials import Compared, Design, Impostors, compare, histogram_of

NORMAL = NormalDist()


def two_normals(genuine: float, spread: float, people: int = 400, each: int = 40, apart: float = 0.0) -> Compared:
    """Genuine N(genuine, spread), impostor N(0, 0.1), one template and `each` probes a person. apart: per person."""
    generator = np.random.default_rng(2)
    owner = np.repeat(np.arange(people), each)
    own = generator.normal(genuine, spread, people * each) + np.repeat(generator.normal(0, apart, people), each)
    template = np.tile(np.arange(people), people)
    probe = np.repeat(np.arange(people), people)
    other = template != probe
    scores = generator.normal(0, 0.1, other.sum()).astype(np.float32)
    order = np.argsort(-scores)
    impostors = Impostors(
        scores[order],
        template[other][order],
        probe[other][order],
        np.ones(people),
        np.ones(people),
        1,
        np.zeros((0, 2), int),
        histogram_of(scores),
    )
    return Compared(Design(1, 1), own.astype(np.float32), owner, impostors, people, people)


@pytest.mark.slow
def test_two_normals_have_the_rates_of_their_formula() -> None:
    made = two_normals(0.5, 0.1)
    # Equal spreads: the errors are equal half-way, where both are Q(0.25 / 0.1).
    assert eer(made) == pytest.approx(1 - NORMAL.cdf(2.5), rel=0.2)
    for wanted in (1e-2, 1e-3):
        (found,) = points(made, (wanted,), weights(400))
        threshold = 0.1 * NORMAL.inv_cdf(1 - wanted)
        assert found.threshold == pytest.approx(threshold, abs=0.01)
        assert found.fnmr is not None
        true = NORMAL.cdf((threshold - 0.5) / 0.1)
        assert found.fnmr.low <= true <= found.fnmr.high
        assert found.fnmr.value == pytest.approx(true, rel=0.25)
    assert fnmr(made, 0.4, weights(400)).value == pytest.approx(NORMAL.cdf(-1), rel=0.05)
    matched = fmr(made, 0.2, weights(400))
    assert matched.value == pytest.approx(1 - NORMAL.cdf(2), rel=0.05)
    assert matched.low <= 1 - NORMAL.cdf(2) <= matched.high


def test_the_curve_goes_from_all_to_none() -> None:
    false, missed = det(two_normals(0.5, 0.1, people=50))
    assert (false[0], missed[0], false[-1], missed[-1]) == (1.0, 0.0, 0.0, 1.0)
    assert (np.diff(false) <= 0).all()
    assert (np.diff(missed) >= 0).all()


def test_people_who_differ_widen_the_interval_as_much_as_theory_says() -> None:
    alike, unlike = two_normals(0.4, 0.1), two_normals(0.4, 0.06, apart=0.08)
    narrow, wide = (fnmr(each, 0.35, weights(400, 1000)) for each in (alike, unlike))
    # The variance of a person's mean of 40 trials, over 400 people; counting trials alone would miss it.
    means = (unlike.genuine < 0.35).reshape(400, 40).mean(axis=1)
    assert wide.high - wide.low == pytest.approx(2 * 1.96 * means.std() / sqrt(400), rel=0.15)
    assert wide.high - wide.low > 2 * (narrow.high - narrow.low)


def test_an_interval_covers_the_truth_about_as_often_as_it_says() -> None:
    generator = np.random.default_rng(9)
    drawn, covered = weights(60, 200), 0
    owner = np.repeat(np.arange(60), 5)
    for _ in range(200):
        share = np.repeat(generator.beta(2, 6, 60), 5)  # mean 1 / 4, and people differ
        found = of_people(generator.random(300) < share, owner, drawn)
        covered += found.low <= 0.25 <= found.high
    assert 0.88 <= covered / 200 <= 0.99


def test_without_an_error_the_bound_is_the_rule_of_three_over_people() -> None:
    found = of_people(np.zeros(500, bool), np.repeat(np.arange(100), 5), weights(100))
    assert (found.value, found.low) == (0.0, 0.0)
    assert found.high == pytest.approx(3 / 100, rel=0.02)
    assert found.people == 100


def test_clopper_pearson_is_the_tabled_one() -> None:
    assert clopper_pearson(0, 10)[1] == pytest.approx(0.2589, abs=1e-4)
    assert clopper_pearson(2, 20) == pytest.approx((0.0123, 0.3170), abs=1e-4)
    assert clopper_pearson(20, 20) == pytest.approx((0.8316, 1.0), abs=1e-4)


def test_a_rate_that_the_comparisons_cannot_show_is_not_shown() -> None:
    made = two_normals(0.5, 0.1, people=30)  # 870 comparisons: 0.87 at 1e-3
    few, none = points(made, (1e-2, 1e-3), weights(30))
    assert none.fnmr is None
    assert few.fnmr is not None
    assert few.fewer_than_30_false_matches
    assert difference(made, made, 1e-3, weights(30)) is None


def test_a_threshold_below_what_was_kept_is_refused_and_not_guessed() -> None:
    made = two_normals(0.5, 0.1, people=50)
    found = made.impostors
    part = Impostors(
        found.scores[:100],
        found.template[:100],
        found.probe[:100],
        found.templates,
        found.probes,
        1,
        found.apart,
        found.histogram,
    )
    cut = Compared(made.design, made.genuine, made.owner, part, 50, 50)
    with pytest.raises(ValueError, match="do not reach down"):
        fmr(cut, float(found.scores[200]), weights(50))
    with pytest.raises(ValueError, match="do not reach down"):
        rates.threshold_at(part, 0.5)


@pytest.mark.slow
def test_one_network_is_no_worse_than_itself_and_better_than_a_blurred_one() -> None:
    sharp, dull = two_normals(0.5, 0.1), two_normals(0.42, 0.1)
    same, worse = difference(sharp, sharp, 1e-3, weights(400)), difference(dull, sharp, 1e-3, weights(400))
    assert same is not None
    assert worse is not None
    assert (same.value, same.low, same.high) == (0, 0, 0)
    assert worse.low > 0


def people(count: int, pictures: int, noise: float) -> list[np.ndarray[tuple[int, ...], np.dtype[np.float32]]]:
    generator = np.random.default_rng(4)
    made = generator.standard_normal((count, 1, 128)) + noise * generator.standard_normal((count, pictures, 128))
    return list((made / np.linalg.norm(made, axis=2, keepdims=True)).astype(np.float32))


def test_nobody_is_compared_with_their_own_template_as_a_stranger() -> None:
    made = compare(people(30, 6, 0.01), Design(3, 1), draws=2)
    assert made is not None
    assert made.genuine.min() > 0.99
    assert made.impostors.scores.max() < 0.6
    assert (made.residents, made.probes, made.comparisons) == (30, 90, 90 * 29)
    assert made.impostors.weighted_total(np.ones(30)) == made.impostors.total


def test_two_folders_of_one_person_are_no_strangers() -> None:
    crowd = people(30, 6, 0.01)
    twice = [*crowd, crowd[0]]
    loud = compare(twice, Design(3, 1), draws=2)
    quiet = compare(twice, Design(3, 1), np.array([*range(30), 0]), draws=2)
    assert loud is not None
    assert quiet is not None
    assert loud.impostors.scores.max() > 0.99
    assert quiet.impostors.scores.max() < 0.6
    assert quiet.impostors.weighted_total(np.ones(31)) == quiet.impostors.total == loud.impostors.total - 2 * 2 * 3


def test_people_with_too_few_pictures_are_strangers_only() -> None:
    crowd = [*people(10, 4, 0.1), *people(25, 1, 0.1)]
    made = compare(crowd, Design(3, 1), draws=1)
    assert made is not None
    assert (made.people, made.residents, made.probes) == (35, 10, 10)
    assert made.comparisons == 10 * 9 + 25 * 10
    assert compare(crowd, Design(5, 3)) is None
