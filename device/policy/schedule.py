"""Hours of the week, days on which other hours hold, which methods open in them, and the timetables of slots.

Rules kept here:
- Hours are what a clock on the wall shows at the door: a date and a minute of that day. An hour that the clock shows
  twice, when summer time ends, counts twice; one that it leaves out, when summer time begins, does not come.
- Hours belong to their day and end with it: what goes on past midnight stands under both days, so that a day of other
  hours says by itself what holds on it.
- Other hours replace those of the weekday, from the first to the last of their days. No hours at all: a day on which
  this schedule opens nothing.
- A method opens as soon as one schedule that holds now names it.
- A timetable has hours and no methods: what it leaves of a minute is all that opens at the door, or nothing. It has a
  number, by which an offer names it, and names no slot.
- One policy has one form: intervals, days and timetables ascend, and hours neither overlap nor touch, so that equal
  bytes are equal rules.
"""

from __future__ import annotations

import re
from bisect import bisect_right
from dataclasses import dataclass
from datetime import date, datetime
from itertools import pairwise
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from device.errors import DocumentRefused
from device.policy.methods import ANY_FACE, EVERYTHING, Method

DAY_MINUTES = 1440
WEEK_DAYS = 7
MOST_SCHEDULES = 8
MOST_TIMETABLES = 32
LAST_TIMETABLE = 255  # one byte of an offer; 0 is none
MOST_EXCEPTIONS = 32  # of one schedule or timetable; bounds the time a proof takes on a small board
EPOCH = date(1970, 1, 1).toordinal()
LAST_DAY = EPOCH + 2**16 - 1  # the 6th of June 2149: a day is two bytes
_ZONE = re.compile(r"[A-Za-z][A-Za-z0-9_+-]*(/[A-Za-z0-9_+-]+)*")
# Names that the files of one computer give to whatever it likes.
_LOCAL_ZONES = frozenset({"localtime", "posixrules", "Factory"})


@dataclass(frozen=True, slots=True)
class Interval:
    """From the minute `start` of a day up to, not including, the minute `end`; at most 0 to 1440."""

    start: int
    end: int


Day = tuple[Interval, ...]


@dataclass(frozen=True, slots=True)
class OtherHours:
    """What holds instead on the days `first` to `last`, both included."""

    first: date
    last: date
    hours: Day = ()


class _Hours:
    """What a schedule and a timetable have in common: hours of the week (Monday first), and days of others."""

    __slots__ = ()
    week: tuple[Day, ...]
    exceptions: tuple[OtherHours, ...]

    def exception(self, day: date) -> OtherHours | None:
        """The other hours that hold on `day`, if any."""
        at = bisect_right(self.exceptions, day, key=lambda each: each.first) - 1
        return self.exceptions[at] if at >= 0 and day <= self.exceptions[at].last else None

    def on(self, day: date) -> Day:
        """The hours that hold on `day`."""
        other = self.exception(day)
        return self.week[day.weekday()] if other is None else other.hours


@dataclass(frozen=True, slots=True)
class Schedule(_Hours):
    """In these hours `methods` open."""

    methods: Method
    week: tuple[Day, ...]
    exceptions: tuple[OtherHours, ...] = ()


@dataclass(frozen=True, slots=True)
class Timetable(_Hours):
    """The hours of those slots whose offer names `number` (1 to 255), within those of the door."""

    number: int
    week: tuple[Day, ...]
    exceptions: tuple[OtherHours, ...] = ()

    def holds(self, day: date, minute: int) -> bool:
        """Whether the minute `minute` (0 to 1439) of `day` is in it."""
        return any(span.start <= minute < span.end for span in self.on(day))


@dataclass(frozen=True, slots=True)
class DoorPolicy:
    """The schedules of one door and the timetables of its slots, in the IANA time zone `zone`."""

    zone: str
    schedules: tuple[Schedule, ...]
    timetables: tuple[Timetable, ...] = ()

    @property
    def numbers(self) -> frozenset[int]:
        """The numbers of its timetables."""
        return frozenset(each.number for each in self.timetables)


def methods_on(policy: DoorPolicy, day: date, minute: int) -> Method:
    """What opens while the clock at the door shows the minute `minute` (0 to 1439) of `day`."""
    return methods_in(policy, tuple(schedule.on(day) for schedule in policy.schedules), minute)


def methods_in(policy: DoorPolicy, hours: tuple[Day, ...], minute: int) -> Method:
    """The same, where `hours` are those of each schedule on that day."""
    found = 0  # a plain number: a proof asks this ten thousand times, and flags are slower
    for schedule, day in zip(policy.schedules, hours, strict=True):
        for span in day:
            if span.start <= minute < span.end:
                found |= schedule.methods.value
                break
    return Method(found)


def timetables_on(policy: DoorPolicy, day: date, minute: int) -> frozenset[int]:
    """The numbers of the timetables that hold in the minute `minute` (0 to 1439) of `day`."""
    return frozenset(each.number for each in policy.timetables if each.holds(day, minute))


def shown_at(policy: DoorPolicy, now_unix: int) -> tuple[date, int]:
    """The date and the minute of it (0 to 1439) that a clock at the door shows at `now_unix` (seconds since 1970).

    Raises DocumentRefused if the zone is unknown here.
    """
    shown = datetime.fromtimestamp(now_unix, zone_of(policy))
    return shown.date(), shown.hour * 60 + shown.minute


def zone_of(policy: DoorPolicy) -> ZoneInfo:
    """The policy's time zone. Raises DocumentRefused if this computer does not know it."""
    try:
        return ZoneInfo(policy.zone)
    except (ZoneInfoNotFoundError, ValueError, OSError) as cause:
        msg = f"the time zone {policy.zone} is unknown here; it is named as Europe/Berlin is"
        raise DocumentRefused(msg) from cause


def refuse_misfits(policy: DoorPolicy) -> None:
    """Raise DocumentRefused, in a sentence, for what is no policy in its one form."""
    if not _ZONE.fullmatch(policy.zone) or policy.zone in _LOCAL_ZONES:
        msg = "a policy names its time zone as Europe/Berlin is named"
        raise DocumentRefused(msg)
    if not 1 <= len(policy.schedules) <= MOST_SCHEDULES:
        msg = f"a policy has 1 to {MOST_SCHEDULES} schedules, not {len(policy.schedules)}"
        raise DocumentRefused(msg)
    for schedule in policy.schedules:
        _refuse_methods(schedule)
        _refuse_hours(schedule, "a schedule")
    numbers = [each.number for each in policy.timetables]
    if len(numbers) > MOST_TIMETABLES:
        msg = f"a policy has at most {MOST_TIMETABLES} timetables, not {len(numbers)}"
        raise DocumentRefused(msg)
    if any(not 1 <= number <= LAST_TIMETABLE for number in numbers):
        msg = f"a timetable has a number from 1 to {LAST_TIMETABLE}"
        raise DocumentRefused(msg)
    if any(low >= high for low, high in pairwise(numbers)):
        msg = "a policy has each timetable once, by ascending number"
        raise DocumentRefused(msg)
    for timetable in policy.timetables:
        _refuse_hours(timetable, "a timetable")


def _refuse_methods(schedule: Schedule) -> None:
    if not schedule.methods or int(schedule.methods) & ~int(EVERYTHING) or schedule.methods & ANY_FACE == ANY_FACE:
        msg = "a schedule names one method or more, and a face either alone or with the PIN"
        raise DocumentRefused(msg)


def _refuse_hours(hours: _Hours, what: str) -> None:
    if len(hours.week) != WEEK_DAYS:
        msg = f"{what} has hours for seven days"
        raise DocumentRefused(msg)
    if len(hours.exceptions) > MOST_EXCEPTIONS:
        msg = f"{what} has other hours at most {MOST_EXCEPTIONS} times"
        raise DocumentRefused(msg)
    for day in (*hours.week, *(each.hours for each in hours.exceptions)):
        _refuse_day(day)
    spans = [(each.first.toordinal(), each.last.toordinal()) for each in hours.exceptions]
    if any(not EPOCH <= first <= last <= LAST_DAY for first, last in spans):
        msg = "other hours begin on their first day and end on their last, between 1970 and the 6th of June 2149"
        raise DocumentRefused(msg)
    if any(last >= later for (_, last), (later, _) in pairwise(spans)):
        msg = "other hours ascend, and no day has two of them"
        raise DocumentRefused(msg)


def _refuse_day(day: Day) -> None:
    if any(not 0 <= hours.start < hours.end <= DAY_MINUTES for hours in day):
        msg = "hours begin before they end, between 00:00 and 24:00 of one day; past midnight they are the next day's"
        raise DocumentRefused(msg)
    if any(early.end >= late.start for early, late in pairwise(day)):
        msg = "the hours of a day ascend, and neither overlap nor touch"
        raise DocumentRefused(msg)
