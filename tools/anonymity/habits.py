"""Simulated people with habits: who leaves when, comes home when, and opens with what.

Rules kept here:
- Every number is an assumption and stands here, nowhere else; docs/anonymity.md lists them.
- Everything is drawn from the generator that is handed in: the same seed is the same people and the same days.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum, unique

import numpy as np

HOUR_S = 3600.0
DAY_S = 24 * HOUR_S
LEAVING_S = (6.5 * HOUR_S, 9.5 * HOUR_S)
"""Each person's own mean lies evenly in here: the setting of the design's reference numbers."""
COMING_S = (16.5 * HOUR_S, 19.5 * HOUR_S)
SPREAD_S = 600.0
"""Standard deviation of one person around their own mean, both ways."""
LEAST_AWAY_S = 1800.0
GOES_OUT = {False: 0.9, True: 0.6}
"""Probability that somebody goes out at all, by whether it is a weekend."""
WEEKEND_LATER_S = 2 * HOUR_S
WEEKEND_SPREAD_S = HOUR_S
USES_FACE = 0.7
"""Share of those who did not opt out."""


@unique
class By(Enum):
    """With what somebody opens."""

    FACE = "face"
    PIN = "pin"
    CARD = "card"


@dataclass(frozen=True, slots=True)
class Person:
    """One neighbour: mean times of an ordinary weekday (seconds of the day), and the method."""

    leaves_s: float
    comes_s: float
    by: By


@dataclass(frozen=True, slots=True)
class Outing:
    """One person out of the house once: seconds since the first midnight of the trial."""

    person: int
    leaves_s: float
    comes_s: float


@dataclass(frozen=True, slots=True)
class Household:
    """Everybody behind one door. `refuser` gave no face: PIN or card only."""

    people: tuple[Person, ...]
    refuser: int


def household(draw: np.random.Generator, many: int) -> Household:
    """A household of `many` people, one of whom opted out of faces."""
    refuser = int(draw.integers(many))
    leaves, comes = draw.uniform(*LEAVING_S, many), draw.uniform(*COMING_S, many)
    face, card = draw.random(many) < USES_FACE, draw.random(many) < 0.5
    people = []
    for number in range(many):
        other = By.CARD if card[number] else By.PIN
        by = By.FACE if face[number] and number != refuser else other
        people.append(Person(float(leaves[number]), float(comes[number]), by))
    return Household(tuple(people), refuser)


def outing(draw: np.random.Generator, who: int, person: Person, day: int, *, weekend: bool = False) -> Outing:
    """`person` goes out once on `day` (counted from 0)."""
    later, spread = (WEEKEND_LATER_S, WEEKEND_SPREAD_S) if weekend else (0.0, SPREAD_S)
    leaves = float(np.clip(draw.normal(person.leaves_s + later, spread), 0, DAY_S - 3 * LEAST_AWAY_S))
    comes = float(np.clip(draw.normal(person.comes_s, spread), leaves + LEAST_AWAY_S, DAY_S - LEAST_AWAY_S))
    return Outing(who, day * DAY_S + leaves, day * DAY_S + comes)


def ordinary(draw: np.random.Generator, house: Household, days: int) -> list[Outing]:
    """What an ordinary stretch of `days` looks like, beginning with a Monday."""
    found = []
    for day in range(days):
        weekend = day % 7 >= 5
        goes = draw.random(len(house.people)) < GOES_OUT[weekend]
        found += [
            outing(draw, who, person, day, weekend=weekend) for who, person in enumerate(house.people) if goes[who]
        ]
    return found
