"""What an attacker wants to know, as trials with a right answer and a known rate of luck.

Rules kept here:
- Every trial is a household of its own, drawn anew: trials are independent, so an exact bound for a count applies.
- The answers come equally often, so that luck is one in as many as there are answers.
- The attacker has the best case: only the person in question leaves on a day of "who", and all habits are known.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from enum import Enum, unique

import numpy as np

from device.report import schedule
from tools.anonymity.acts import LOCKED_OUT_AFTER_S, NOTHING, OPENS_BY, Act, Done, Odds, acts
from tools.anonymity.door import CADENCE_S, DOOR
from tools.anonymity.habits import By, Household, Outing, household, ordinary, outing

WEEK = 7
THIRDS = 3
SHARES = 5  # none, a quarter, half, three quarters, all of the people go out


@unique
class Task(Enum):
    """What the attacker wants to know."""

    WHO_LEFT = "who left"
    WHO = "who went out"
    HOLIDAY = "home or holiday"
    ONE_AWAY = "one person away for a week"
    REFUSER = "opted out or not"
    HELP = "called for help or not"
    HOW_MANY = "how many are out"
    WHEN = "which third of a quarter of an hour"


_ANSWERS = {Task.HOW_MANY: SHARES, Task.WHEN: THIRDS}


@dataclass(frozen=True, slots=True)
class Trial:
    """One household's stretch of time, and the right answer (a number below `answers`)."""

    house: Household
    done: tuple[Done, ...]
    days: int
    answers: int
    answer: int


@dataclass(frozen=True, slots=True)
class Setting:
    """How trials are made: of how many people, with what odds; `must`: an act that certainly happens in each."""

    task: Task
    people: int
    odds: Odds = NOTHING
    must: Act | None = None

    @property
    def answers(self) -> int:
        """How many answers there are."""
        if self.task in (Task.WHO_LEFT, Task.WHO):
            return self.people
        return _ANSWERS.get(self.task, 2)


def trial(draw: np.random.Generator, setting: Setting, answer: int) -> Trial:
    """One trial of which `answer` is the right answer."""
    return _MAKERS[setting.task](draw, setting, answer)


def _who(draw: np.random.Generator, setting: Setting, answer: int) -> Trial:
    house = household(draw, setting.people)
    return _day(draw, setting, house, [outing(draw, answer, house.people[answer], 0)], answer)


def _who_left(draw: np.random.Generator, setting: Setting, answer: int) -> Trial:
    """Only the way out is looked at, as in the design's reference numbers."""
    whole = _who(draw, setting, answer)
    left = tuple(each for each in whole.done if each.act in (Act.GOES_OUT, Act.HOLDS_OPEN))
    return replace(whole, done=left)


def _when(draw: np.random.Generator, setting: Setting, answer: int) -> Trial:
    """Somebody comes home and is locked out in this third of a quarter of the grid on which the door reports."""
    house = household(draw, setting.people)
    out = outing(draw, 0, house.people[0], 0)
    grid_s = schedule.next_due_s(out.comes_s, CADENCE_S, schedule.phase_s(DOOR, CADENCE_S)) - CADENCE_S
    third_s = CADENCE_S / THIRDS
    at_s = grid_s + answer * third_s + draw.uniform(1.0, third_s - 1.0) - LOCKED_OUT_AFTER_S
    return _day(draw, setting, house, [replace(out, comes_s=at_s)], answer)


def _how_many(draw: np.random.Generator, setting: Setting, answer: int) -> Trial:
    house = household(draw, setting.people)
    out = round(setting.people * answer / (SHARES - 1))
    who = draw.permutation(setting.people)[:out]
    return _day(draw, setting, house, [outing(draw, int(each), house.people[each], 0) for each in who], answer)


def _holiday(draw: np.random.Generator, setting: Setting, answer: int) -> Trial:
    """A week in which nobody is there (1), or an ordinary one (0)."""
    house = household(draw, setting.people)
    outings = [] if answer else ordinary(draw, house, WEEK)
    return Trial(house, acts(draw, house, outings, WEEK, setting.odds), WEEK, setting.answers, answer)


def _one_away(draw: np.random.Generator, setting: Setting, answer: int) -> Trial:
    """A week in which one certain person is away (1) or not (0), and all the others live as they do."""
    house = household(draw, setting.people)
    outings = [each for each in ordinary(draw, house, WEEK) if not (answer and each.person == house.refuser)]
    return Trial(house, acts(draw, house, outings, WEEK, setting.odds), WEEK, setting.answers, answer)


def _refuser(draw: np.random.Generator, setting: Setting, answer: int) -> Trial:
    """A week in which the one in question opens by PIN or card (1), or by face (0); the others live as they do."""
    house = household(draw, setting.people)
    one = house.people[house.refuser]
    people = list(house.people)
    people[house.refuser] = one if answer else replace(one, by=By.FACE)
    house = replace(house, people=tuple(people))
    done = acts(draw, house, ordinary(draw, house, WEEK), WEEK, setting.odds)
    return Trial(house, done, WEEK, setting.answers, answer)


def _help(draw: np.random.Generator, setting: Setting, answer: int) -> Trial:
    """A week in which somebody who comes home types the duress PIN once (1), or nobody does (0)."""
    house = household(draw, setting.people)
    done = acts(draw, house, ordinary(draw, house, WEEK), WEEK, setting.odds)
    coming = [number for number, each in enumerate(done) if each.act in OPENS_BY.values()]
    if answer:
        number = int(draw.choice(coming))
        done = (*done[:number], replace(done[number], act=Act.CALLS_FOR_HELP), *done[number + 1 :])
    return Trial(house, done, WEEK, setting.answers, answer)


def _day(draw: np.random.Generator, setting: Setting, house: Household, outings: list[Outing], answer: int) -> Trial:
    done = acts(draw, house, outings, 1, setting.odds)
    if setting.must is not None:
        done = tuple(_instead(each, setting.must) for each in done)
    return Trial(house, done, 1, setting.answers, answer)


def _instead(each: Done, must: Act) -> Done:
    leaving = each.act in (Act.GOES_OUT, Act.HOLDS_OPEN)
    return Done(each.at_s, must) if leaving == (must is Act.HOLDS_OPEN) else each


_MAKERS: dict[Task, Callable[[np.random.Generator, Setting, int], Trial]] = {
    Task.WHO_LEFT: _who_left,
    Task.WHO: _who,
    Task.HOLIDAY: _holiday,
    Task.ONE_AWAY: _one_away,
    Task.REFUSER: _refuser,
    Task.HELP: _help,
    Task.HOW_MANY: _how_many,
    Task.WHEN: _when,
}
