"""A door's hours: which methods open when, and the timetables of places.

Rules kept here:
- The form has what the file of `doorward policy set` has, and becomes the same table before anything is checked: there
  is one reader of hours, and one prover.
- A schedule or timetable of which nothing is filled in is not there; one row more than there are is always empty.
- Who may only look sees the same page without the button.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import date
from functools import cache
from typing import Any
from zoneinfo import available_timezones

from starlette.responses import Response

from device.policy.methods import WORDS, words
from device.policy.schedule import MOST_SCHEDULES, MOST_TIMETABLES, DoorPolicy, OtherHours, Schedule, Timetable
from provisioning import timetable
from provisioning.console import acting
from provisioning.console.asked import Asked
from provisioning.console.doors import name_of
from provisioning.errors import FleetRefused

_OTHER = re.compile(r"(\d{4}-\d\d-\d\d)(?:\s+(?:to|bis|至)\s+(\d{4}-\d\d-\d\d))?\s*:\s*(.*)")
_CLOSED = frozenset({"", "-", "closed", "关闭"})


@dataclass(frozen=True, slots=True)
class Filled:
    """A schedule or a timetable as the form shows it: `days` from Monday on, `other` has one line for some days."""

    opens: tuple[str, ...] = ()
    number: str = ""
    days: tuple[str, ...] = ("",) * 7
    other: str = ""


@dataclass(frozen=True, slots=True)
class Form:
    """The whole form."""

    zone: str
    schedules: tuple[Filled, ...]
    timetables: tuple[Filled, ...]


USUAL = Form("", (Filled(("pin", "card", "face+pin"), days=("00:00-24:00",) * 7),), ())
"""What the form proposes for a door without hours: whoever signs it as it is changes nothing but that a face alone
opens nothing."""


def show(asked: Asked, status: int = 200, sentence: str = "") -> Response:
    """The page of a door's hours; with what was typed, if it was refused."""
    fleet = asked.console.fleet
    door = fleet.store.door(name_of(asked))
    policy = fleet.policy(door.name)
    filled = _typed(asked) if sentence and asked.form else (USUAL if policy is None else _shown(policy))
    return asked.page(
        "hours.html",
        status,
        door=door,
        has=policy is not None,
        filled=filled,
        schedules=_with_one_more(filled.schedules, MOST_SCHEDULES),
        timetables=_with_one_more(filled.timetables, MOST_TIMETABLES),
        methods=tuple(WORDS),
        days=timetable.DAYS,
        zones=_zones(),
        once=asked.console.once.new(),
        broker=asked.console.ear is not None,
        sentence=sentence,
    )


def page(asked: Asked) -> Response:
    """The same, to look at."""
    return show(asked)


@acting.kept(show)
def change(asked: Asked) -> Response:
    """Make the hours of the form those of the door."""
    name = name_of(asked)
    policy = timetable.of(table(_typed(asked)))
    with acting.signing(asked) as passphrase:
        made = asked.fleet.set_policy(name, policy, now_unix=asked.now_unix, passphrase=passphrase)
    sent = acting.carried(asked, made.door, made.version, made.document)
    return asked.page("hours_made.html", door=made.door, text=timetable.shown(policy), made=sent)


def table(form: Form) -> dict[str, Any]:
    """What the form says, as a table of `timetable.of`. Raises FleetRefused."""
    made: dict[str, Any] = {"zone": form.zone}
    made["schedule"] = [{"opens": list(each.opens), **_week(each)} for each in form.schedules]
    made["timetable"] = [{"number": _number(each.number), **_week(each)} for each in form.timetables]
    return made


def _typed(asked: Asked) -> Form:
    schedules = [
        Filled(tuple(word for word in WORDS if asked.field(f"s{at}-{word}")), "", *_hours(asked, f"s{at}"))
        for at in range(MOST_SCHEDULES)
    ]
    timetables = [Filled((), asked.field(f"t{at}-number"), *_hours(asked, f"t{at}")) for at in range(MOST_TIMETABLES)]
    used = [tuple(each for each in found if each != Filled()) for found in (schedules, timetables)]
    return Form(asked.field("zone"), *used)


def _hours(asked: Asked, at: str) -> tuple[tuple[str, ...], str]:
    return tuple(asked.field(f"{at}-{day}") for day in timetable.DAYS), asked.field(f"{at}-other")


def _week(filled: Filled) -> dict[str, Any]:
    hours = {day: _spans(text) for day, text in zip(timetable.DAYS, filled.days, strict=True)}
    return {"hours": hours, "other": [_other(line) for line in filled.other.splitlines() if line.strip()]}


def _spans(text: str) -> list[str]:
    """The hours of a day as somebody wrote them: `8:00 – 12:00, 14:00-18:00`."""
    clean = re.sub(r"\s*[-–—]\s*", "-", text.replace("：", ":").replace("，", ",").strip())
    if clean in _CLOSED:
        return []
    spans = [part.strip() for part in re.split(r"[,;、]", clean) if part.strip()]
    return [re.sub(r"\b(\d):", r"0\1:", span) for span in spans]


def _other(line: str) -> dict[str, Any]:
    found = _OTHER.fullmatch(line.strip().replace("：", ":"))
    if found is None:
        msg = f'other days are written as "2026-12-24 to 2026-12-26: 08:00-12:00", and {line.strip()[:60]!r} is not'
        raise FleetRefused(msg)
    first, last, text = found.groups()
    return {"from": _day(first), "to": _day(last or first), "hours": _spans(text)}


def _day(text: str) -> date:
    try:
        return date.fromisoformat(text)
    except ValueError as cause:
        msg = f"{text} is no day"
        raise FleetRefused(msg) from cause


def _number(text: str) -> int | None:
    return int(text) if text.isascii() and text.isdigit() and len(text) <= 3 else None  # noqa: PLR2004  # 1 to 255


def _shown(policy: DoorPolicy) -> Form:
    schedules = tuple(Filled(words(each.methods), "", *_written(each)) for each in policy.schedules)
    timetables = tuple(Filled((), str(each.number), *_written(each)) for each in policy.timetables)
    return Form(policy.zone, schedules, timetables)


def _written(hours: Schedule | Timetable) -> tuple[tuple[str, ...], str]:
    days = tuple(", ".join(timetable.spans(day)) for day in hours.week)
    return days, "\n".join(_line(each) for each in hours.exceptions)


def _line(other: OtherHours) -> str:
    days = str(other.first) if other.first == other.last else f"{other.first} to {other.last}"
    return f"{days}: {', '.join(timetable.spans(other.hours)) or '-'}"


def _with_one_more(found: tuple[Filled, ...], most: int) -> tuple[Filled, ...]:
    return (*found, Filled())[:most]


@cache
def _zones() -> tuple[str, ...]:
    """The time zones that this computer knows, as cities."""
    return tuple(sorted(name for name in available_timezones() if "/" in name and not name.startswith("Etc/")))
