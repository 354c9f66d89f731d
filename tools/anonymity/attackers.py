"""Two attackers: one who knows the habits and reckons, one who is trained on captures with the answers beside them.

Rules kept here:
- Both see the whole of a capture (`observed`) and know every habit of the household exactly, and how many of a door's
  alarms are tests: more than a real one.
- Where a capture says nothing they guess, with a coin of the run's own.
- The trained one for "who" judges candidates one by one, so that it works for any number of people and for households
  it never saw; for everything else it learns the answer from the capture as a whole.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from math import erf, log, sqrt
from typing import Any

import numpy as np
import numpy.typing as npt

from tools.anonymity.acts import Act
from tools.anonymity.habits import DAY_S, HOUR_S, SPREAD_S, Household, Person
from tools.anonymity.observed import COLUMNS, Array, Hint, Observed
from tools.anonymity.suspicion import finite, somebody_called, somebody_was_there
from tools.anonymity.tasks import Setting, Task, Trial

Answers = npt.NDArray[np.int64]

_BY_CHANCE = 0.02  # of hints, those that are nobody's
_NEAR_S = (450.0, 900.0, 1800.0)
_FAR_S = 6 * HOUR_S
_OTHERS = 4
TREES = 60
CANDIDATES = frozenset({Task.WHO, Task.WHO_LEFT})


@dataclass(frozen=True, slots=True)
class Case:
    """A trial as the attacker has it; `answer` is for training, and for counting afterwards.

    `whole`: the capture as one row, for every task but "who", which needs the capture itself, `observed`. `tests`: the
    share of tests among the alarms, as far as can be expected. `lived_in`, `called`: log-odds (`suspicion`).
    """

    house: Household
    hints: tuple[Hint, ...]
    observed: Observed | None
    whole: Array | None
    answer: int
    tests: float = 0.0
    lived_in: float = 0.0
    called: float = 0.0


def case(trial: Trial, setting: Setting, tests_a_day: float, observed: Observed) -> Case:
    """What is left of a trial when the acts are taken out."""
    hints = observed.hints
    if setting.task in CANDIDATES:
        real = 1.0 if setting.must is Act.HOLDS_OPEN else setting.odds.holds_open
        tests = tests_a_day / (tests_a_day + real) if tests_a_day else 0.0
        return Case(trial.house, hints, observed, None, trial.answer, tests)
    lived_in = somebody_was_there(trial.house, trial.days, hints, tests_a_day)
    called = somebody_called(trial.house, trial.days, hints, tests_a_day)
    whole = np.concatenate([_whole(observed, trial.days), [finite(lived_in), finite(called)]])
    return Case(trial.house, hints, None, whole, trial.answer, lived_in=lived_in, called=called)


# ---- the one who reckons


def nearest_habit(task: Task, cases: Sequence[Case], draw: np.random.Generator) -> Answers | None:
    """The likeliest answers by known habits; None for a task that habits say nothing about."""
    if task in CANDIDATES:
        return np.array([_highest(likelihoods(each), draw) for each in cases])
    if task is Task.HOLIDAY:
        return np.array([each.lived_in <= 0 for each in cases], dtype=np.int64)
    if task is Task.HELP:
        return np.array([each.called > 0 for each in cases], dtype=np.int64)
    return None


def likelihoods(each: Case) -> Array:
    """Log-likelihood of the hints for each person of the household, shape (people,)."""
    return np.array([sum(_fits(hint, one, each.tests) for hint in each.hints) for one in each.house.people])


def _fits(hint: Hint, one: Person, tests: float) -> float:
    chance = max(_BY_CHANCE, tests) if hint.alarm else _BY_CHANCE
    inside = sum(_normal(hint.to_s, mean) - _normal(hint.from_s, mean) for mean in (one.leaves_s, one.comes_s)) / 2
    return log((1 - chance) * inside + chance * (hint.to_s - hint.from_s) / DAY_S)


def _normal(at_s: float, mean_s: float) -> float:
    return (1 + erf((at_s - mean_s) / (SPREAD_S * sqrt(2)))) / 2


def _highest(scores: Array, draw: np.random.Generator) -> int:
    """The place of the highest score; among equals, a guess."""
    best = np.flatnonzero(scores >= scores.max() - 1e-9)
    return int(best[0] if len(best) == 1 else draw.choice(best))


# ---- the one who is trained


def trained(task: Task, learn: Sequence[Case], cases: Sequence[Case], draw: np.random.Generator, seed: int) -> Answers:
    """A random forest (Breiman 2001), taught on `learn`, asked about `cases`."""
    # Here: it takes seconds to load, and most of what asks this module only reckons.
    from sklearn.ensemble import RandomForestClassifier  # type: ignore[import-untyped]  # it carries no annotations

    forest: Any = RandomForestClassifier(TREES, min_samples_leaf=4, random_state=seed)
    if task not in CANDIDATES:
        forest.fit(np.array([each.whole for each in learn]), np.array([each.answer for each in learn]))
        odds = forest.predict_proba(np.array([each.whole for each in cases]))
        return np.array([forest.classes_[_highest(row, draw)] for row in odds], dtype=np.int64)
    rows, right = [], []
    for each in learn:
        people = len(each.house.people)
        shown = _candidates(each)
        for one in {each.answer, *(int(n) for n in draw.permutation(people)[:_OTHERS])}:
            rows.append(shown[one])
            right.append(one == each.answer)
    forest.fit(np.array(rows), np.array(right))
    answers: list[int] = []
    for start in range(0, len(cases), 500):
        part = cases[start : start + 500]
        odds = forest.predict_proba(np.concatenate([_candidates(each) for each in part]))[:, 1]
        ends = np.cumsum([len(each.house.people) for each in part])[:-1]
        answers += [_highest(scores, draw) for scores in np.split(odds, ends)]
    return np.array(answers, dtype=np.int64)


def _whole(seen: Observed, many_days: int) -> Array:
    """The capture as one row: sums, spreads and extremes of each column, hints by hour and by day, alarms apart."""
    rows = seen.rows
    columns = [rows.mean(0), rows.std(0), rows.min(0), rows.max(0), rows.sum(0), [len(rows)]]
    for alarms in (False, True):
        middles = np.array([(hint.from_s + hint.to_s) / 2 for hint in seen.hints if hint.alarm is alarms])
        hours = np.histogram(middles % DAY_S, bins=24, range=(0, DAY_S))[0]
        days = np.histogram(middles, bins=many_days, range=(0, many_days * DAY_S))[0]
        columns += [hours, days, [len(middles)]]
    return np.concatenate(columns)


def _candidates(each: Case) -> Array:
    """One row a person: what the capture shows around the moments at which they leave and come."""
    seen, habits = each.observed, [(one.leaves_s, one.comes_s) for one in each.house.people]
    if seen is None:
        return np.empty((0, 0))
    fits, near = likelihoods(each), _near(seen, np.array(habits))
    # A candidate is judged beside the others: how far behind the likeliest, and what everybody sees alike.
    behind = (fits - fits.max()).reshape(-1, 1)
    alike = np.tile([len(seen.rows), len(seen.hints), *seen.rows.max(0), *seen.rows.std(0)], (len(habits), 1))
    return np.hstack([behind, near, alike])


def _near(seen: Observed, habits: Array) -> Array:
    """Distances (s) of the nearest hint and sums of the columns within _NEAR_S, for both habits of each person."""
    middles = np.array([(hint.from_s + hint.to_s) / 2 for hint in seen.hints])
    sums = np.vstack([np.zeros(len(COLUMNS)), np.cumsum(seen.rows, axis=0)])
    found: list[Array] = []
    for means in habits.T:
        away = np.abs(middles[None, :] - means[:, None]).min(1) if len(middles) else np.full(len(means), _FAR_S)
        found.append(np.minimum(away, _FAR_S)[:, None])
        for near_s in _NEAR_S:
            low = np.searchsorted(seen.at_s, means - near_s)
            found.append(sums[np.searchsorted(seen.at_s, means + near_s)] - sums[low])
    return np.hstack(found)
