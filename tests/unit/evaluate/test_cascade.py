"""A second network asked only where the first is unsure: strangers are counted over the whole rule."""

from __future__ import annotations

import numpy as np
import pytest

from tools.evaluate.figures import threshold_at
from tools.evaluate.tries import cascade
from tools.evaluate.tries.cascade import ALONE, Scores, Setting

FMR = 1e-3


def strangers(seed: int, count: int = 200_000) -> Scores:
    """Two networks that err apart from each other."""
    generator = np.random.default_rng(seed)
    first, second = generator.normal(0, 0.1, (2, count)).astype(np.float32)
    return Scores(first, second, count)


@pytest.mark.parametrize("setting", cascade.SETTINGS, ids=str)
def test_the_whole_rule_accepts_no_more_strangers_than_it_may(setting: Setting) -> None:
    scores = strangers(1)
    accepted = cascade.fitted([scores], FMR, setting).accepts(scores).sum()
    assert accepted <= FMR * scores.of
    assert accepted >= 0.97 * FMR * scores.of or setting.band == min(cascade.BANDS), "nothing is given away either"


def test_a_band_without_a_higher_threshold_above_it_would_accept_more() -> None:
    scores = strangers(1)
    rule = cascade.fitted([scores], FMR, Setting(0.3, 0.1, 0.5))
    alone = threshold_at(scores.first, FMR)
    assert rule.sure > alone
    loose = cascade.Rule(rule.unsure, alone, rule.both, rule.weight)
    assert loose.accepts(scores).sum() > 1.2 * FMR * scores.of


def test_nobody_below_the_band_is_let_in_and_the_second_network_is_not_asked_outside_of_it() -> None:
    rule = cascade.Rule(unsure=0.3, sure=0.5, both=0.4, weight=0.5)
    scores = Scores(np.array([0.2, 0.35, 0.35, 0.6]), np.array([1.0, 0.5, 0.3, -1.0]), 4)
    assert rule.asks(scores).tolist() == [False, True, True, False]
    assert rule.accepts(scores).tolist() == [False, True, False, True]


def test_without_a_band_it_is_the_first_network_alone() -> None:
    scores = strangers(2)
    rule = cascade.fitted([scores], FMR, ALONE)
    assert rule.sure == rule.unsure == threshold_at(scores.first, FMR)
    assert np.array_equal(rule.accepts(scores), scores.first > rule.sure)


def test_leaving_low_strangers_out_of_the_list_changes_no_rule() -> None:
    scores, setting = strangers(3), Setting(0.15, 0.1, 0.25)
    assert cascade.fitted([scores], FMR, setting) == cascade.fitted([scores.above(0.15)], FMR, setting)


def test_of_several_groups_the_worst_one_sets_every_threshold() -> None:
    calm, eager = strangers(4), strangers(5)
    eager = Scores(eager.first * 1.3, eager.second, eager.of)
    both, worst = (cascade.fitted(sets, FMR, Setting(0.3, 0.06, 0.5)) for sets in ([calm, eager], [eager]))
    assert both == worst
    assert both.accepts(calm).sum() < both.accepts(eager).sum() <= FMR * eager.of


def test_a_second_network_that_knows_better_where_the_first_is_unsure_gains() -> None:
    generator = np.random.default_rng(6)
    names = np.repeat([f"person {n}" for n in range(40)], 8)
    own = [np.repeat(generator.normal(size=(40, 128)), 8, axis=0) for _ in range(2)]
    seen = [each + spread * generator.normal(size=each.shape) for each, spread in zip(own, (1.5, 0.7), strict=True)]
    first, second = (np.asarray(v / np.linalg.norm(v, axis=1, keepdims=True), np.float32) for v in seen)
    drawn = cascade.people_scores(first, second, names, 2)
    alone, _, nobody = cascade.measured(drawn, [], 1e-3, None, ALONE)
    found, paid, _ = cascade.measured(drawn, [], 1e-3, None, Setting(0.3, 0.2, 0.5))
    assert found.value < alone.value
    assert nobody == 0
    assert 0 < paid < 1
