"""The byte form of a policy: the body of a signed document of kind 2.

Rules kept here:
- Exactly one form for each policy: `unpack` takes nothing that `pack` would not write.
- No text but the time zone's name: no schedule has a name, so none can be a person's.
- Whole or refused: counts come before what they count, and nothing may be left over.

Layout, little-endian: zone (40 bytes, ASCII, NUL to the end), number of schedules (u8); each schedule: methods (u8),
number of intervals (u16), number of other hours (u8); each interval: weekday (u8, Monday 0), start, end (u16, minutes);
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
    refuse_misfits,
)

ZONE_BYTES = 40
HEAD = struct.Struct(f"<{ZONE_BYTES}sB")
SCHEDULE = struct.Struct("<BHB")
WEEKLY = struct.Struct("<BHH")
OTHER = struct.Struct("<HHH")
SPAN = struct.Struct("<HH")


def pack(policy: DoorPolicy) -> bytes:
    """The bytes of `policy`. Raises DocumentRefused."""
    refuse_misfits(policy)
    if len(policy.zone) > ZONE_BYTES:
        msg = f"the name of a time zone has at most {ZONE_BYTES} letters"
        raise DocumentRefused(msg)
    parts = [HEAD.pack(policy.zone.encode("ascii"), len(policy.schedules))]
    for schedule in policy.schedules:
        weekly = [(number, hours) for number, day in enumerate(schedule.week) for hours in day]
        parts.append(SCHEDULE.pack(schedule.methods, len(weekly), len(schedule.exceptions)))
        parts += [WEEKLY.pack(number, hours.start, hours.end) for number, hours in weekly]
        for other in schedule.exceptions:
            days = (other.first.toordinal() - EPOCH, other.last.toordinal() - EPOCH)
            parts.append(OTHER.pack(*days, len(other.hours)))
            parts += [SPAN.pack(hours.start, hours.end) for hours in other.hours]
    return b"".join(parts)


def unpack(data: bytes) -> DoorPolicy:
    """The policy in `data`. Raises DocumentRefused; whether it is an equal door is the prover's question."""
    reader = _Reader(data)
    zone, count = reader.take(HEAD)
    schedules = tuple(_schedule(reader) for _ in range(count))
    try:
        policy = DoorPolicy(zone.rstrip(b"\0").decode("ascii"), schedules)
    except UnicodeDecodeError as cause:
        msg = "a policy names its time zone as Europe/Berlin is named"
        raise DocumentRefused(msg) from cause
    if pack(policy) != data:
        msg = "the policy is not in its one form"
        raise DocumentRefused(msg)
    return policy


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
    week: list[list[Interval]] = [[] for _ in range(WEEK_DAYS)]
    for _ in range(weekly):
        number, start, end = reader.take(WEEKLY)
        if number >= WEEK_DAYS:
            msg = "a week has seven days"
            raise DocumentRefused(msg)
        week[number].append(Interval(start, end))
    exceptions = tuple(_other(reader) for _ in range(others))
    return Schedule(Method(methods), tuple(tuple(day) for day in week), exceptions)


def _other(reader: _Reader) -> OtherHours:
    first, last, count = reader.take(OTHER)
    hours: Day = tuple(Interval(*reader.take(SPAN)) for _ in range(count))
    return OtherHours(date.fromordinal(EPOCH + first), date.fromordinal(EPOCH + last), hours)
