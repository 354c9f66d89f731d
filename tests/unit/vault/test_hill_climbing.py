"""A client that hears nothing but accepted or refused comes no nearer to a template than one that guesses."""

from __future__ import annotations

import numpy as np
import pytest

from device.vault.budget import FAILURES_ALLOWED
from device.vault.record import Vector
from tests.unit.vault.tails import fixed
from tools.evaluate import hillclimb
from tools.evaluate.hillclimb import LeakyTarget, Target, climb, near, reached, refine, target_of

THRESHOLDS = fixed(0.75)
PROBES = 10_000
CLIENTS = 8


class Recorded(Target):
    """A vault that keeps what it was asked, for the test alone."""

    heard: list[bytes]

    def ask(self, probe: Vector) -> float:
        self.heard.append(probe.tobytes())
        return super().ask(probe)


class RecordedLeak(Recorded, LeakyTarget):
    """The same, and it leaks the score."""


def asked_of(seed: int, kind: type[Recorded], probes: int = 500) -> list[bytes]:
    """The probes of one and the same client at the door number `seed`."""
    target = target_of(THRESHOLDS, seed, kind)
    assert isinstance(target, Recorded)
    target.heard = []
    climb(target, probes, np.random.default_rng(7))
    return target.heard


def guessed(seed: int) -> float:
    """The best of as many random directions, without asking anybody."""
    target, generator = target_of(THRESHOLDS, seed), np.random.default_rng([seed, 2])
    directions = generator.normal(size=(PROBES, 128))
    return float((directions @ target.template / np.linalg.norm(directions, axis=1)).max())


@pytest.mark.slow
def test_ten_thousand_adaptive_probes_come_no_nearer_than_guesses_and_with_a_score_they_open() -> None:
    """Mann and Whitney's test, one-sided: at 8 against 8, being always ahead has p = 5e-4."""
    guesses = np.array([guessed(seed) for seed in range(CLIENTS)])
    climbed = reached(THRESHOLDS, climb, PROBES, CLIENTS)
    assert hillclimb.by_chance(climbed, guesses) > 0.01
    assert climbed.max() < 0.5
    leaked = reached(THRESHOLDS, climb, PROBES, CLIENTS, LeakyTarget)
    assert hillclimb.by_chance(leaked, guesses) < 0.001
    assert leaked.min() >= 0.75 - 1e-6


def test_a_client_asks_the_same_whoever_is_enrolled_so_it_has_learnt_nothing() -> None:
    """While every answer is the same, the probes cannot depend on the template. With a leaked score they do."""
    assert asked_of(1, Recorded) == asked_of(2, Recorded)
    assert asked_of(1, RecordedLeak) != asked_of(2, RecordedLeak)


def test_a_client_that_does_not_wait_is_compared_a_handful_of_times() -> None:
    """Even a perfect probe is refused then, and the answer does not say that it was not compared."""
    target = target_of(THRESHOLDS, 1)
    generator = np.random.default_rng(3)
    assert target.ask(target.template) == 1
    for _ in range(FAILURES_ALLOWED):
        target.now_ns -= hillclimb.PACE_NS
        assert target.ask(hillclimb.unit(generator)) == 0
    target.now_ns -= hillclimb.PACE_NS
    assert target.ask(target.template) == 0


def test_whoever_has_an_accepted_probe_finds_the_template_by_answers_alone() -> None:
    """What is not protected, and stays said in docs/attacks.md: the boundary of what is accepted shows the middle."""
    target = target_of(THRESHOLDS, 1)
    generator = np.random.default_rng(4)
    start = near(target.template, 0.8, generator)
    found = refine(target, start, 8, generator)
    assert float(target.template @ found) > 0.999
    assert target.asked == 2 * 127 * 8


def test_the_test_of_being_ahead_knows_ahead_from_level() -> None:
    generator = np.random.default_rng(5)
    level = [hillclimb.by_chance(*generator.normal(size=(2, 20))) for _ in range(500)]
    assert np.mean(np.array(level) < 0.05) == pytest.approx(0.05, abs=0.03)
    assert hillclimb.by_chance(np.arange(20.0) + 100, np.arange(20.0)) < 1e-6
    assert hillclimb.by_chance(np.arange(20.0), np.arange(20.0) + 100) > 0.999
