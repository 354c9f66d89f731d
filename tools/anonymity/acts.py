"""From outings to acts at the door: who does what in front of it, second by second, and what goes wrong now and then.

Rules kept here:
- What goes wrong is drawn with stated odds (`Odds`), each an assumption; `NOTHING` goes wrong in the plain tasks.
- Two people never act within `APART_S` of each other: the later one waits, as at a real door.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from enum import Enum, auto, unique

import numpy as np

from tools.anonymity.habits import DAY_S, HOUR_S, By, Household, Outing

APART_S = 30.0
BETWEEN_FAULTS_DAYS = 60.0
FAULT_S = 4 * HOUR_S
LOCKED_OUT_AFTER_S = 17.1
"""From the first key of four wrong PINs to the last; a test compares it with what lock says."""


@unique
class Act(Enum):
    """What somebody does at the door."""

    GOES_OUT = auto()
    HOLDS_OPEN = auto()  # goes out and leaves the door standing open for two minutes
    FACE = auto()
    PIN = auto()
    CARD = auto()
    MISTYPES = auto()  # a wrong PIN, then the right one
    LOCKED_OUT = auto()  # four wrong PINs, and in the end the card
    FACE_FAILS = auto()  # presses, the camera gives nothing, and the PIN opens
    CALLS_FOR_HELP = auto()  # comes home and types the duress PIN
    CAMERA_MENDED = auto()  # nobody does it: eye tries again by itself


OPENS_BY = {By.FACE: Act.FACE, By.PIN: Act.PIN, By.CARD: Act.CARD}


@dataclass(frozen=True, slots=True)
class Done:
    """One act, beginning at `at_s` (seconds since the trial began)."""

    at_s: float
    act: Act


@dataclass(frozen=True, slots=True)
class Odds:
    """How often something goes wrong: per going out, per PIN typed, and camera faults per day."""

    holds_open: float = 0.0
    mistypes: float = 0.0
    locked_out: float = 0.0
    camera_fault: float = 0.0


NOTHING = Odds()
NOW_AND_THEN = Odds(holds_open=1 / 300, mistypes=1 / 20, locked_out=1 / 1000, camera_fault=1 / BETWEEN_FAULTS_DAYS)


def acts(
    draw: np.random.Generator, house: Household, outings: Iterable[Outing], days: int, odds: Odds
) -> tuple[Done, ...]:
    """Everything that is done at the door while `house` lives through `outings`."""
    broken = _faults(draw, days, odds)
    found: list[Done] = []
    for out in outings:
        leaving = Act.HOLDS_OPEN if odds.holds_open and draw.random() < odds.holds_open else Act.GOES_OUT
        coming = _coming(draw, house.people[out.person].by, odds)
        if coming is Act.FACE and any(start <= out.comes_s < end for start, end in broken):
            coming = Act.FACE_FAILS
        found += [Done(out.leaves_s, leaving), Done(out.comes_s, coming)]
    found.sort(key=lambda each: each.at_s)
    mended = [Done(end, Act.CAMERA_MENDED) for _, end in broken if end < days * DAY_S]
    return tuple(sorted((*_in_a_row(found), *mended), key=lambda each: each.at_s))


def _coming(draw: np.random.Generator, by: By, odds: Odds) -> Act:
    if by is not By.PIN:
        return OPENS_BY[by]
    chance = draw.random() if odds.mistypes or odds.locked_out else 1.0
    if chance < odds.locked_out:
        return Act.LOCKED_OUT
    return Act.MISTYPES if chance < odds.locked_out + odds.mistypes else Act.PIN


def _faults(draw: np.random.Generator, days: int, odds: Odds) -> list[tuple[float, float]]:
    if not odds.camera_fault:
        return []
    starts = draw.uniform(0, days * DAY_S, draw.poisson(days * odds.camera_fault))
    return [(float(start), float(start) + FAULT_S) for start in starts]


def _in_a_row(sorted_acts: Iterable[Done]) -> Iterable[Done]:
    free_s = 0.0
    for each in sorted_acts:
        at_s = max(each.at_s, free_s)
        free_s = at_s + (APART_S if each.act is not Act.HOLDS_OPEN else 150.0)
        yield Done(at_s, each.act)
