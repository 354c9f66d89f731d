"""Policies for tests, at random and by hand, and a second opinion on them that shares no code with the prover."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from functools import cache
from zoneinfo import ZoneInfo

from hypothesis import strategies as st

from device.policy.methods import Method
from device.policy.schedule import Day, DoorPolicy, Interval, OtherHours, Schedule, Timetable

ALL_DAY: Day = (Interval(0, 1440),)
NEVER: Day = ()
ALWAYS = (ALL_DAY,) * 7
PIN, CARD, FACE, WITH_PIN = Method.PIN, Method.CARD, Method.FACE, Method.FACE_WITH_PIN
# Summer time, none, southern summer time, half an hour of it, a quarter of an hour off.
ZONES = ("Europe/Berlin", "Asia/Shanghai", "America/Sao_Paulo", "Australia/Lord_Howe", "Asia/Kathmandu", "UTC")
# Mondays: a week like any other; those in which Europe's summer time begins and ends; two with Lord Howe's; a leap day.
WEEKS = tuple(
    date.fromisoformat(day)
    for day in ("2025-11-17", "2026-03-23", "2026-10-19", "2026-03-30", "2026-09-28", "2028-02-28")
)
PLAIN = WEEKS[0]
SPECIAL = tuple(week + timedelta(each) for week in WEEKS[1:] for each in range(7))


def policy(*schedules: Schedule, zone: str = "Europe/Berlin", timetables: tuple[Timetable, ...] = ()) -> DoorPolicy:
    return DoorPolicy(zone, schedules, timetables)


def daily(methods: Method, start: int, end: int, *exceptions: OtherHours) -> Schedule:
    return Schedule(methods, ((Interval(start, end),),) * 7, exceptions)


def always(methods: Method, *exceptions: OtherHours) -> Schedule:
    return Schedule(methods, ALWAYS, exceptions)


FACE_BY_DAY = policy(always(PIN | CARD), daily(FACE, 7 * 60, 20 * 60))

_edges = st.sampled_from([0, 1, 119, 120, 121, 150, 180, 181, 600, 1439, 1440])


@st.composite
def days(draw: st.DrawFn) -> Day:
    edges = sorted(draw(st.sets(_edges, max_size=4)))
    return tuple(Interval(start, end) for start, end in zip(edges[::2], edges[1::2], strict=False))


@st.composite
def exceptions(draw: st.DrawFn) -> tuple[OtherHours, ...]:
    edges = sorted(draw(st.sets(st.sampled_from(SPECIAL), max_size=4)))
    pairs = zip(edges[::2], edges[1::2], strict=False)
    return tuple(OtherHours(first, last, draw(days())) for first, last in pairs)


_pin_card = st.sampled_from([Method(0), PIN, CARD, PIN | CARD])
_face = st.sampled_from([Method(0), FACE, WITH_PIN])
methods = st.builds(lambda one, other: one | other, _pin_card, _face).filter(bool)
weeks = st.one_of(
    st.just(ALWAYS), days().map(lambda day: (day,) * 7), st.lists(days(), min_size=7, max_size=7).map(tuple)
)
schedules = st.lists(st.builds(Schedule, methods, weeks, exceptions()), min_size=1, max_size=3).map(tuple)
timetables = st.lists(
    st.builds(Timetable, st.sampled_from([1, 2, 7, 255]), weeks, exceptions()),
    max_size=3,
    unique_by=lambda timetable: timetable.number,
).map(lambda found: tuple(sorted(found, key=lambda timetable: timetable.number)))
policies = st.builds(DoorPolicy, st.sampled_from(ZONES), schedules, timetables)


# ---- the second opinion: every minute one by one, as bits of a number


def minutes(policy: DoorPolicy, day: date, wanted: Method) -> int:
    """The minutes of `day` in which one of `wanted` opens, bit by bit."""
    found = 0
    for schedule in policy.schedules:
        if schedule.methods & wanted:
            found |= minutes_of(schedule, day)
    return found


def minutes_of(hours: Schedule | Timetable, day: date) -> int:
    """The minutes of `day` that are in these hours, bit by bit."""
    spans = hours.week[(day - PLAIN).days % 7]
    for other in hours.exceptions:
        if other.first <= day <= other.last:
            spans = other.hours
    found = 0
    for span in spans:
        found |= ((1 << span.end) - 1) & ~((1 << span.start) - 1)
    return found


def minutes_for(policy: DoorPolicy, timetable: int, day: date, wanted: Method) -> int:
    """The minutes of `day` in which one of `wanted` opens for a slot whose offer names `timetable` (0: none)."""
    own = (1 << 1440) - 1
    if timetable:
        own = next((minutes_of(each, day) for each in policy.timetables if each.number == timetable), 0)
    return minutes(policy, day, wanted) & own


def unequal_minutes(policy: DoorPolicy, day: date) -> int:
    face = minutes(policy, day, FACE | WITH_PIN)
    return face & ~(minutes(policy, day, PIN) & minutes(policy, day, CARD))


def all_days() -> tuple[date, ...]:
    """Every day of WEEKS and of the weeks after them: random exceptions begin and end in the former, never in PLAIN."""
    return tuple(week + timedelta(each) for week in WEEKS for each in range(14))


@cache
def shown_in(zone: str, week: date) -> tuple[tuple[date, int], ...]:
    """What the zone's clock shows, minute by minute of time as it passes, from before a week until after it."""
    start = datetime(week.year, week.month, week.day, tzinfo=UTC) - timedelta(days=1)
    moments = (start + timedelta(minutes=each) for each in range(9 * 1440))
    local = (each.astimezone(ZoneInfo(zone)) for each in moments)
    return tuple((each.date(), each.hour * 60 + each.minute) for each in local)


def unequal_time(policy: DoorPolicy, week: date) -> tuple[date, int] | None:
    """The first minute of time around `week` in which the door would open by face but not by PIN and card."""
    masks = {day: unequal_minutes(policy, day) for day in {day for day, _ in shown_in(policy.zone, week)}}
    return next(((day, minute) for day, minute in shown_in(policy.zone, week) if masks[day] >> minute & 1), None)
