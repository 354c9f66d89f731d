"""A policy as a manager writes and reads it: TOML in, TOML out.

Rules kept here:
- Unknown keys, days, methods and times are refused with one sentence that names them; nothing is guessed.
- What is shown is what could be written: the text of `shown` is a file that `read` takes for the same policy.
- Hours that overlap or touch are one stretch of hours; that they do is no mistake.
"""

from __future__ import annotations

import re
import tomllib
from datetime import date, datetime
from pathlib import Path
from typing import Any

from device import reading
from device.policy.methods import NOTHING, WORDS, Method, words
from device.policy.schedule import (
    DAY_MINUTES,
    WEEK_DAYS,
    Day,
    DoorPolicy,
    Interval,
    OtherHours,
    Schedule,
    Timetable,
)
from provisioning.errors import FleetRefused

DAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
EVERY_DAY = "every-day"
LARGEST_FILE = 65_536
_SPAN = re.compile(r"([0-2][0-9]):([0-5][0-9])-([0-2][0-9]):([0-5][0-9])")


def read(path: Path) -> DoorPolicy:
    """The policy in the file `path`. Raises FleetRefused."""
    content = reading.within(path, LARGEST_FILE, FleetRefused, f"{path} is too long for a policy")
    try:
        return parse(content.decode())
    except UnicodeDecodeError as cause:
        msg = f"{path} is no text"
        raise FleetRefused(msg) from cause


def parse(text: str) -> DoorPolicy:
    """The policy in `text`. Raises FleetRefused; whether it is an equal door is the prover's question."""
    try:
        table = tomllib.loads(text)
    except (ValueError, RecursionError) as cause:
        msg = f"the policy is no TOML: {str(cause).splitlines()[0]}"
        raise FleetRefused(msg) from cause
    return of(table)


def of(table: dict[str, Any]) -> DoorPolicy:
    """The policy in a table of these keys, as TOML has it, wherever it comes from. Raises FleetRefused."""
    _known(table, {"zone", "schedule", "timetable"}, "a policy")
    zone, schedules, timetables = table.get("zone"), table.get("schedule"), table.get("timetable", [])
    if not isinstance(zone, str) or not isinstance(schedules, list):
        msg = 'a policy has a zone such as "Europe/Berlin" and one [[schedule]] or more'
        raise FleetRefused(msg)
    if not isinstance(timetables, list):
        msg = "timetables stand under [[timetable]]"
        raise FleetRefused(msg)
    numbered = sorted((_timetable(each) for each in timetables), key=lambda each: each.number)
    return DoorPolicy(zone, tuple(_schedule(each) for each in schedules), tuple(numbered))


def shown(policy: DoorPolicy) -> str:
    """`policy` as TOML."""
    lines = [f'zone = "{policy.zone}"']
    for schedule in policy.schedules:
        lines += [
            "",
            "[[schedule]]",
            f"opens = {_listed(words(schedule.methods))}",
            *_hours_shown(schedule, "schedule"),
        ]
    for timetable in policy.timetables:
        lines += ["", "[[timetable]]", f"number = {timetable.number}", *_hours_shown(timetable, "timetable")]
    return "\n".join(lines) + "\n"


def facts(policy: DoorPolicy) -> dict[str, object]:
    """`policy` for --json, in the words of the file."""
    schedules = [{"opens": list(words(each.methods)), **_hours_facts(each)} for each in policy.schedules]
    timetables = [{"number": each.number, **_hours_facts(each)} for each in policy.timetables]
    return {"zone": policy.zone, "schedules": schedules, "timetables": timetables}


def _hours_shown(hours: Schedule | Timetable, name: str) -> list[str]:
    if len(set(hours.week)) == 1:
        lines = [f"hours.{EVERY_DAY} = {_listed(spans(hours.week[0]))}"]
    else:
        lines = [f"hours.{day} = {_listed(spans(each))}" for day, each in zip(DAYS, hours.week, strict=True)]
    for other in hours.exceptions:
        lines += [f"[[{name}.other]]", f"from = {other.first}", f"to = {other.last}"]
        lines.append(f"hours = {_listed(spans(other.hours))}")
    return lines


def _hours_facts(hours: Schedule | Timetable) -> dict[str, object]:
    return {
        "hours": {name: list(spans(day)) for name, day in zip(DAYS, hours.week, strict=True)},
        "other": [
            {"from": str(each.first), "to": str(each.last), "hours": list(spans(each.hours))}
            for each in hours.exceptions
        ],
    }


def _timetable(table: Any) -> Timetable:
    _known(table, {"number", "hours", "other"}, "a timetable")
    number = table.get("number")
    if type(number) is not int:
        msg = "a timetable has a number, such as number = 1, by which places are offered it"
        raise FleetRefused(msg)
    return Timetable(number, *_week(table, "timetable"))


def _schedule(table: Any) -> Schedule:
    _known(table, {"opens", "hours", "other"}, "a schedule")
    methods = NOTHING
    for word in _strings(table.get("opens"), "opens"):
        if word not in WORDS:
            msg = f"a schedule opens by {', '.join(WORDS)}, not by {word!r}"
            raise FleetRefused(msg)
        methods |= WORDS[word]
    return Schedule(Method(methods), *_week(table, "schedule"))


def _week(table: dict[str, Any], what: str) -> tuple[tuple[Day, ...], tuple[OtherHours, ...]]:
    hours = table.get("hours")
    if not isinstance(hours, dict):
        msg = f'a {what} has hours, such as hours.{EVERY_DAY} = ["00:00-24:00"]'
        raise FleetRefused(msg)
    week: list[list[Interval]] = [[] for _ in range(WEEK_DAYS)]
    for name, written in hours.items():
        for number in _days(name):
            week[number] += _hours(written)
    others = table.get("other", [])
    if not isinstance(others, list):
        msg = f"other hours stand under [[{what}.other]]"
        raise FleetRefused(msg)
    exceptions = sorted((_other(each) for each in others), key=lambda each: each.first)
    return tuple(_merged(day) for day in week), tuple(exceptions)


def _other(table: Any) -> OtherHours:
    _known(table, {"from", "to", "hours"}, "other hours")
    first = table.get("from")
    last = table.get("to", first)
    if not _is_day(first) or not _is_day(last):
        msg = "other hours have a day such as from = 2026-12-24, and may have a last one, to = 2026-12-26"
        raise FleetRefused(msg)
    return OtherHours(first, last, _merged(_hours(table.get("hours"))))


def _is_day(value: object) -> bool:
    return isinstance(value, date) and not isinstance(value, datetime)


def _days(name: str) -> range:
    if name == EVERY_DAY:
        return range(WEEK_DAYS)
    first, last = name.split("-", 1) if "-" in name else (name, name)
    if first in DAYS and last in DAYS and DAYS.index(first) <= DAYS.index(last):
        return range(DAYS.index(first), DAYS.index(last) + 1)
    msg = f"{name!r} is no day: {EVERY_DAY}, {', '.join(DAYS)}, or two of them in this order such as mon-fri"
    raise FleetRefused(msg)


def _hours(value: object) -> list[Interval]:
    found = []
    for text in _strings(value, "hours"):
        match = _SPAN.fullmatch(text)
        start, end = (int(match[1]) * 60 + int(match[2]), int(match[3]) * 60 + int(match[4])) if match else (0, 0)
        if not start < end <= DAY_MINUTES:
            msg = (
                f'hours are written as "07:00-20:00" and end on their day, at 24:00 at the latest; {text!r} is not: '
                "what goes on past midnight stands under both days"
            )
            raise FleetRefused(msg)
        found.append(Interval(start, end))
    return found


def _merged(found: list[Interval]) -> Day:
    merged: list[Interval] = []
    for span in sorted(found, key=lambda each: each.start):
        if merged and span.start <= merged[-1].end:
            merged[-1] = Interval(merged[-1].start, max(span.end, merged[-1].end))
        else:
            merged.append(span)
    return tuple(merged)


def _strings(value: object, name: str) -> list[str]:
    if not isinstance(value, list) or not all(isinstance(each, str) for each in value):
        msg = f"{name} is a list of texts"
        raise FleetRefused(msg)
    return value


def _known(table: Any, keys: set[str], what: str) -> None:
    if not isinstance(table, dict):
        msg = f"{what} is a table"
        raise FleetRefused(msg)
    unknown = sorted(set(table) - keys)
    if unknown:
        msg = f"{what} knows {', '.join(sorted(keys))}, not {unknown[0]!r}"
        raise FleetRefused(msg)


def spans(day: Day) -> tuple[str, ...]:
    """The hours of a day as they are written."""
    return tuple(f"{_clock(hours.start)}-{_clock(hours.end)}" for hours in day)


def _clock(minute: int) -> str:
    return f"{minute // 60:02}:{minute % 60:02}"


def _listed(texts: tuple[str, ...]) -> str:
    return "[" + ", ".join(f'"{text}"' for text in texts) + "]"
