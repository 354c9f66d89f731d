"""The byte form of a policy: the body of a signed document of kind 2.

Rules kept here:
- Exactly one form for each policy: `unpack` takes nothing that `pack` would not write.
- No text but the time zone's name: no schedule and no timetable has a name, so none can be a person's.
- Whole or refused: counts come before what they count, and nothing may be left over.

Layout, little-endian: zone (40 bytes, ASCII, NUL to the end), number of schedules (u8), number of timetables (u8); each
schedule: methods (u8), number of intervals (u16), number of other hours (u8); then each timetable: its number (u8) and
the rest like a schedule; each interval: weekday (u8, Monday 0), start, end (u16, minutes);
each other hours: first, last (u16, days since 1970-01-01), number of intervals (u16), and of each start, end.
"""

from __future__ import annotations

import struct
from dataclasses import dataclass
from datetime import date
from typing import Any

from device.errors import DocumentRefused
from device.policy.methods import Method
from device.policy.schedule import (
    EPOCH,
    WEEK_DAYS,
    Day,
    DoorPolicy,
    Interval,
    OtherHours,
    Schedule,
    Timetable,
    refuse_misfits,
)

ZONE_BYTES = 40
HEAD = struct.Struct(f"<{ZONE_BYTES}sBB")
SCHEDULE = struct.Struct("<BHB")
TIMETABLE = struct.Struct("<BHB")
WEEKLY = struct.Struct("<BHH")
OTHER = struct.Struct("<HHH")
SPAN = struct.Struct("<HH")


def pack(policy: DoorPolicy) -> bytes:
    """The bytes of `policy`. Raises DocumentRefused."""
    refuse_misfits(policy)
    if len(policy.zone) > ZONE_BYTES:
        msg = f"the name of a time zone has at most {ZONE_BYTES} letters"
        raise DocumentRefused(msg)
    parts = [HEAD.pack(policy.zone.encode("ascii"), len(policy.schedules), len(policy.timetables))]
    for schedule in policy.schedules:
        parts += _hours(SCHEDULE, schedule.methods, schedule)
    for timetable in policy.timetables:
        parts += _hours(TIMETABLE, timetable.number, timetable)
    return b"".join(parts)


def unpack(data: bytes) -> DoorPolicy:
    """The policy in `data`. Raises DocumentRefused; whether it is an equal door is the prover's question."""
    reader = _Reader(data)
    zone, schedule_count, timetable_count = reader.take(HEAD)
    schedules = tuple(_schedule(reader) for _ in range(schedule_count))
    timetables = tuple(_timetable(reader) for _ in range(timetable_count))
    try:
        policy = DoorPolicy(zone.rstrip(b"\0").decode("ascii"), schedules, timetables)
    except UnicodeDecodeError as cause:
        msg = "a policy names its time zone as Europe/Berlin is named"
        raise DocumentRefused(msg) from cause
    if pack(policy) != data:
        msg = "the policy is not in its one form"
        raise DocumentRefused(msg)
    return policy


def _hours(form: struct.Struct, first: int, hours: Schedule | Timetable) -> list[bytes]:
    weekly = [(number, span) for number, day in enumerate(hours.week) for span in day]
    parts = [form.pack(first, len(weekly), len(hours.exceptions))]
    parts += [WEEKLY.pack(number, span.start, span.end) for number, span in weekly]
    for other in hours.exceptions:
        days = (other.first.toordinal() - EPOCH, other.last.toordinal() - EPOCH)
        parts.append(OTHER.pack(*days, len(other.hours)))
        parts += [SPAN.pack(span.start, span.end) for span in other.hours]
    return parts


@dataclass(slots=True)
class _Reader:
    """Takes structures off the front; what is missing is refused."""

    data: bytes
    at: int = 0

    def take(self, form: struct.Struct) -> tuple[Any, ...]:
        if self.at + form.size > len(self.data):
            msg = "the policy ends in the middle"
            raise DocumentRefused(msg)
        values = form.unpack_from(self.data, self.at)
        self.at += form.size
        return values


def _schedule(reader: _Reader) -> Schedule:
    methods, weekly, others = reader.take(SCHEDULE)
    return Schedule(Method(methods), _week(reader, weekly), _others(reader, others))


def _timetable(reader: _Reader) -> Timetable:
    number, weekly, others = reader.take(TIMETABLE)
    return Timetable(number, _week(reader, weekly), _others(reader, others))


def _week(reader: _Reader, count: int) -> tuple[Day, ...]:
    week: list[list[Interval]] = [[] for _ in range(WEEK_DAYS)]
    for _ in range(count):
        number, start, end = reader.take(WEEKLY)
        if number >= WEEK_DAYS:
            msg = "a week has seven days"
            raise DocumentRefused(msg)
        week[number].append(Interval(start, end))
    return tuple(tuple(day) for day in week)


def _others(reader: _Reader, count: int) -> tuple[OtherHours, ...]:
    return tuple(_other(reader) for _ in range(count))


def _other(reader: _Reader) -> OtherHours:
    first, last, count = reader.take(OTHER)
    hours: Day = tuple(Interval(*reader.take(SPAN)) for _ in range(count))
    return OtherHours(date.fromordinal(EPOCH + first), date.fromordinal(EPOCH + last), hours)
