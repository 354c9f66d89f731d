"""The equal-door prover: no minute opens by face that does not open by PIN and by card.

Rules kept here:
- It proves this for every slot: methods are the door's, and a slot's timetable bars all of them or none. So what opens
  for a slot is what opens at the door or nothing, and no timetable can turn an equal door into another.
- Whoever gave no face has a PIN, or a card, or both. So both must open wherever a face does: if one of them were
  enough, those who only have the other would stand outside while the neighbour's face lets him in.
- What is proven holds for every date and minute a clock can show, whether or not the zone's clock ever shows it:
  governments move their clocks, and a proof must not depend on which edition of the time zones a computer has.
- A policy that lets nobody in at any time is refused as well: it is a mistake, and would lock out a house.
- Run before a policy is signed and before it is believed; both go through `device.document`.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date
from itertools import pairwise

from device.errors import DocumentRefused
from device.policy.methods import ANY_FACE, NOTHING, PIN_AND_CARD, Method
from device.policy.schedule import EPOCH, LAST_DAY, WEEK_DAYS, Day, DoorPolicy, methods_in


class DocumentUnequal(DocumentRefused):
    """A policy in which some minute opens by face but not by PIN and card."""


WEEKDAYS = ("Mondays", "Tuesdays", "Wednesdays", "Thursdays", "Fridays", "Saturdays", "Sundays")


@dataclass(frozen=True, slots=True)
class Moment:
    """A date and a minute of it, and what opens then."""

    day: date
    minute: int
    methods: Method


def moments(policy: DoorPolicy) -> Iterator[Moment]:
    """Moments of which every other date and minute is a copy.

    Between two dates on which other hours begin or end all Mondays are alike, and within a day nothing changes but
    where an interval begins or ends. Days whose hours are the same in every schedule are looked at once.
    """
    seen: set[tuple[Day, ...]] = set()
    for day in _days(policy):
        hours = tuple(schedule.on(day) for schedule in policy.schedules)
        if hours in seen:
            continue
        seen.add(hours)
        for minute in sorted({0} | {edge for each in hours for span in each for edge in (span.start, span.end)}):
            if minute < 1440:  # noqa: PLR2004 - where a day ends, the next begins
                yield Moment(day, minute, methods_in(policy, hours, minute))


def refuse_unequal(policy: DoorPolicy) -> None:
    """Raise DocumentUnequal, naming the first moment, if some minute opens by face but not by PIN and by card.

    Raises DocumentRefused for a policy that opens to nobody.
    """
    anything = NOTHING
    for moment in moments(policy):
        anything |= moment.methods
        missing = PIN_AND_CARD & ~moment.methods
        if moment.methods & ANY_FACE and missing:
            word = "PIN" if Method.PIN in missing else "card"
            msg = f"{_when(policy, moment)} the door would open by face but not by {word}"
            raise DocumentUnequal(msg)
    if not anything:
        msg = "this policy opens the door to nobody, at no time"
        raise DocumentRefused(msg)


def without_a_clock(policy: DoorPolicy) -> Method:
    """What opens while nobody knows the time.

    PIN and card, if they open at any time at all: a house is not locked out by a clock. A face only if it opens at
    every time, and alone only if it does so alone.
    """
    found = [moment.methods for moment in moments(policy)]
    ever, always = NOTHING, ANY_FACE
    for methods in found:
        ever |= methods
        # A minute in which the face is enough is one in which face and PIN are.
        always &= methods | (Method.FACE_WITH_PIN if Method.FACE in methods else NOTHING)
    return (ever & PIN_AND_CARD) | always


def _days(policy: DoorPolicy) -> Iterator[date]:
    """A week from every date on which something may change, or as much of it as there is."""
    changes = {EPOCH, LAST_DAY + 1}
    for schedule in policy.schedules:
        for other in schedule.exceptions:
            changes |= {other.first.toordinal(), other.last.toordinal() + 1}
    for first, following in pairwise(sorted(changes)):
        yield from (date.fromordinal(each) for each in range(first, min(first + WEEK_DAYS, following)))
    # A week of which nothing is special, even if other hours hold from the first date to the last.
    yield from (date.fromordinal(each) for each in range(LAST_DAY + 1, LAST_DAY + 1 + WEEK_DAYS))


def _when(policy: DoorPolicy, moment: Moment) -> str:
    special = any(schedule.exception(moment.day) for schedule in policy.schedules)
    day = moment.day.isoformat() if special else WEEKDAYS[moment.day.weekday()]
    return f"on {day} at {moment.minute // 60:02}:{moment.minute % 60:02}"
