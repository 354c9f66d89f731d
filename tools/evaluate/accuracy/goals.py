"""What the project set out to reach in recognition, each beside what was measured.

Rules kept here:
- A goal is met if what was measured is at most the goal; where the upper end of the interval is more, that is said.
- Three pictures enrolled and one looked with, but for the door as it decides, which has its own row.
- A group's threshold is read off strangers of one sex and group, adults, one picture against one; pairs known to show
  one person are none.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

import numpy as np

from tools.evaluate import groups
from tools.evaluate.accuracy import rates
from tools.evaluate.accuracy.rates import Rate, of_drawn
from tools.evaluate.accuracy.trials import Compared, Design
from tools.evaluate.tries import measures

if TYPE_CHECKING:
    from tools.evaluate.accuracy.gathered import Gathered
    from tools.evaluate.accuracy.measured import Measured

DRAWS: Final = 10
_ONE: Final = Design(3, 1)
_LEAST: Final = 50  # pictures of a group, or people of the door's row: a rate of one in a hundred wants as many


@dataclass(frozen=True, slots=True)
class Goal:
    """A goal (FNMR, a share) and what was measured; None: these people do not tell. note: where it was measured."""

    name: str
    goal: float
    measured: Rate | None
    note: str

    @property
    def told(self) -> str:
        """Met, missed or not to be told."""
        if self.measured is None:
            return "cannot be told from these people"
        if self.measured.value > self.goal:
            return "missed"
        return "met" if self.measured.high <= self.goal else "met as measured; the interval reaches beyond it"


def goals(
    made: Measured, clean: Gathered, shown: Gathered, judged: dict[str, groups.Judged], compared: dict[Design, Compared]
) -> tuple[Goal, ...]:
    """Every goal. shown: the group set as the door looks at it."""
    found = [_pooled(made, number, goal) for number, goal in ((1e-4, 0.0040), (1e-5, 0.0120))]
    marks = _marks(shown, judged)
    one = compared.get(_ONE)
    if marks is None or one is None:
        return tuple(found)
    resamples = rates.weights(one.people)
    for name, goal, mark in (
        ("where the worst adult group has FMR 1e-2", 0.0060, marks.worst),
        ("where the median adult group has FMR 1e-3", 0.0120, marks.median),
    ):
        found.append(Goal(name, goal, rates.fnmr(one, mark, resamples), f"{_ONE}, at {mark:.3f}"))
    door = _door(clean, marks.door)
    return (*found, door) if door else tuple(found)


def _pooled(made: Measured, fmr: float, goal: float) -> Goal:
    at = next(
        (point for each in made.verified if each.design == _ONE for point in each.points if point.fmr == fmr), None
    )
    where = "" if at is None or at.threshold is None else f", at {at.threshold:.3f}"
    return Goal(f"where mixed strangers have FMR {fmr:.0e}", goal, at.fnmr if at else None, f"{_ONE}{where}")


def _marks(shown: Gathered, judged: dict[str, groups.Judged]) -> measures.GroupMarks | None:
    """The thresholds of the adult groups; None where the set has no group of which a threshold can be read."""
    person = measures.persons(shown.people, shown.files, judged)
    ages = np.array([int(first) if (first := str(file).partition("_")[0]).isdigit() else -1 for file in shown.files])
    adult = np.isin(ages, groups.ADULT) & ~np.char.startswith(shown.people, groups.NOT_USED[0])
    adult &= ~np.char.startswith(shown.people, groups.NOT_USED[1])
    used = adult & shown.good
    cells, sizes = np.unique(shown.people[used], return_counts=True)
    if not len(cells) or sizes.min() < _LEAST:
        return None
    vectors = shown.vectors[used]
    return measures.group_marks(measures.Way(vectors, vectors), shown.people[used], person[used])


def _door(clean: Gathered, mark: float) -> Goal | None:
    """The door as it decides: five pictures enrolled, three frames, at `mark` and what averaging adds to strangers."""
    vectors, names = clean.vectors[clean.good], clean.people[clean.good]
    people = int((np.unique(names, return_counts=True)[1] >= measures.LEAST_FOR_DOOR).sum())
    if people < _LEAST:
        return None
    found = measures.door(measures.Way(vectors, vectors), names, mark, DRAWS)
    errors, trials = found.rate.errors.sum() / DRAWS, int(found.rate.comparisons.sum() / DRAWS)
    measured = of_drawn(found.rate.value, list(found.rate.resampled()), trials, people, float(errors))
    note = (
        f"5 + 3 of {people} people, at {found.threshold:.3f}: the worst group's {mark:.3f} at 1e-3, and "
        f"{found.shift_upper:.3f} for averaging"
    )
    return Goal("the door as it decides", 0.0100, measured, note)
