"""Exact binomial bounds, against values that can be had another way."""

from __future__ import annotations

from math import comb

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tools.evaluate.intervals import at_most, incomplete_beta, upper_bound


@given(st.integers(1, 60).flatmap(lambda n: st.tuples(st.integers(0, n), st.just(n))), st.floats(0.01, 0.99))
def test_the_distribution_is_the_sum_of_its_terms(case: tuple[int, int], rate: float) -> None:
    count, trials = case
    exact = sum(comb(trials, k) * rate**k * (1 - rate) ** (trials - k) for k in range(count + 1))
    assert at_most(count, trials, rate) == pytest.approx(exact, rel=1e-9, abs=1e-12)


def test_nothing_seen_in_n_trials_is_the_rule_of_three() -> None:
    for trials in (10, 1000, 244_650):
        assert upper_bound(0, trials) == pytest.approx(1 - 0.05 ** (1 / trials), rel=1e-6)


def test_bounds_of_published_tables() -> None:
    # One-sided 95 %: 1 of 10 and 5 of 10 (Clopper and Pearson's chart; beta quantiles 0.3942 and 0.7776).
    assert upper_bound(1, 10) == pytest.approx(0.3942, abs=5e-5)
    assert upper_bound(5, 10) == pytest.approx(0.7776, abs=5e-5)


@given(st.integers(1, 300_000).flatmap(lambda n: st.tuples(st.integers(0, n), st.just(n))))
def test_the_bound_lies_above_the_rate_and_leaves_five_percent(case: tuple[int, int]) -> None:
    count, trials = case
    bound = upper_bound(count, trials)
    assert count / trials <= bound <= 1
    if count < trials:
        assert at_most(count, trials, bound) == pytest.approx(0.05, rel=1e-3)


def test_the_ends_of_the_incomplete_beta_function() -> None:
    assert incomplete_beta(2, 3, 0.0) == 0.0
    assert incomplete_beta(2, 3, 1.0) == 1.0
    assert incomplete_beta(1, 1, 0.3) == pytest.approx(0.3)


@pytest.mark.parametrize(("count", "trials"), [(-1, 5), (6, 5), (0, 0)])
def test_what_is_no_count_is_refused(count: int, trials: int) -> None:
    with pytest.raises(ValueError, match="no count"):
        upper_bound(count, trials)
