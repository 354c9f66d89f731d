"""What is measured, line by line, and with how many trials.

Rules kept here:
- `PLAIN` is the promise: nothing goes wrong at the door, and the bound must hold for every line.
- `TROUBLE` is the door's honest remainder: what goes wrong leaves a trace, and its size is stated, not hidden.
- `HELD` is a choice that ADR 22 weighs: the same trouble, with the alarm of a door held open told later, or not at all.
- `COUNTED` and `REFERENCES` are choices and what was refused: their numbers are there to be read before a choice.
- `LEAKS` must be caught, each by at least one attacker, or the promise says nothing.
"""

from __future__ import annotations

from dataclasses import dataclass

from tools.anonymity.acts import NOW_AND_THEN, Act, Odds
from tools.anonymity.leaks import LockoutAtOnce, SequenceCountsOpenings, SizeByMethod, SpeaksEarly
from tools.anonymity.measure import Line, Size
from tools.anonymity.tasks import Setting, Task
from tools.anonymity.voices import Building, Counted, ExactTimes, Home, QuarterCounts
from tools.anonymity.waiting import HeldIfItStands, HeldWaits

PEOPLE = (4, 5, 20, 100)
A_FAULT_A_DAY = Odds(camera_fault=1.0)


@dataclass(frozen=True, slots=True)
class Section:
    """Lines that belong together."""

    title: str
    lines: tuple[Line, ...]


def _line(name: str, voice: type[Building], setting: Setting, *, wire: bool = False) -> Line:
    return Line(f"{name}: {setting.task.value}, {setting.people} people", voice, setting, wire)


PLAIN = Section(
    "Profile building, nothing goes wrong at the door",
    tuple(
        _line("building", Building, Setting(task, people))
        for task in (Task.WHO, Task.HOW_MANY, Task.HOLIDAY, Task.ONE_AWAY, Task.REFUSER)
        for people in (PEOPLE if task in (Task.WHO, Task.HOW_MANY) else (5, 20))
    ),
)
COUNTED = Section(
    "Profile building with the number of the day (epsilon 0.5, 20 places or more)",
    tuple(
        _line("number of the day", Counted, Setting(task, people))
        for task in (Task.REFUSER, Task.ONE_AWAY, Task.HOLIDAY)
        for people in (20, 100)
    ),
)
REFERENCES = Section(
    "Profile home, by a signed choice; and what the product refuses to tell",
    (
        _line("counts per quarter of an hour", QuarterCounts, Setting(Task.WHO_LEFT, 5)),
        _line("counts per quarter of an hour", QuarterCounts, Setting(Task.WHO, 5)),
        _line("exact times", ExactTimes, Setting(Task.WHO_LEFT, 5)),
        _line("home", Home, Setting(Task.WHO_LEFT, 4)),
        _line("home", Home, Setting(Task.WHO, 4)),
        _line("home, encrypted", Home, Setting(Task.WHO_LEFT, 4), wire=True),
        _line("home", Home, Setting(Task.WHO_LEFT, 20)),
        _line("home", Home, Setting(Task.HOLIDAY, 4)),
    ),
)
TROUBLE = Section(
    "Profile building, when something goes wrong at the door",
    (
        *(
            _line("now and then", Building, Setting(task, 5, NOW_AND_THEN))
            for task in (Task.WHO, Task.HOW_MANY, Task.HOLIDAY, Task.REFUSER)
        ),
        *(_line("given a door held open", Building, Setting(Task.WHO, n, must=Act.HOLDS_OPEN)) for n in (5, 20)),
        *(_line("given a lockout", Building, Setting(Task.WHO, n, must=Act.LOCKED_OUT)) for n in (5, 20)),
        _line("given a lockout", Building, Setting(Task.WHEN, 5, must=Act.LOCKED_OUT)),
        *(_line("given a camera found broken", Building, Setting(Task.WHO, n, must=Act.FACE_FAILS)) for n in (5, 20)),
        *(_line("given a camera fault a day", Building, Setting(Task.REFUSER, n, A_FAULT_A_DAY)) for n in (5, 20)),
    ),
)
HELD = Section(
    "Profile building, when something goes wrong, if the alarm of a door held open waited for the report (ADR 22)",
    tuple(
        _line(name, voice, Setting(Task.HOLIDAY, 5, NOW_AND_THEN))
        for name, voice in (
            ("held: told at once", Building),
            ("held: told with the report", HeldWaits),
            ("held: told with the report if it stands", HeldIfItStands),
        )
    ),
)
LEAKS = Section(
    "Seeded leaks: each must be caught",
    (
        _line("exact times", ExactTimes, Setting(Task.WHO, 5)),
        _line("size by method", SizeByMethod, Setting(Task.WHO, 5)),
        _line("size by method", SizeByMethod, Setting(Task.REFUSER, 5)),
        _line("sequence counts openings", SequenceCountsOpenings, Setting(Task.WHO, 5)),
        _line("a report early after an opening", SpeaksEarly, Setting(Task.WHO, 5)),
        _line("a lockout told at once", LockoutAtOnce, Setting(Task.WHEN, 5, must=Act.LOCKED_OUT)),
    ),
)


def size(section: Section, line: Line, *, quick: bool) -> Size:
    """How many trials: enough that the bound can be met where there is one, fewer where a number is only stated."""
    week = line.setting.task in (Task.HOLIDAY, Task.ONE_AWAY, Task.REFUSER)
    if quick:
        return Size(150, 300) if week else Size(300, 800)
    if section is HELD:
        return Size(1000, 5000)
    if section is PLAIN:
        return Size(1000, 5000) if week else Size(1000, 3000 if line.setting.people == 100 else 6000)
    return Size(500, 1000) if week else Size(1000, 2500)
