"""What is measured, line by line, and with how many trials.

Rules kept here:
- `PLAIN` is the promise: nothing goes wrong at the door, and the bound must hold for every line.
- `TROUBLE` is the door's honest remainder: what goes wrong leaves a trace, and its size is stated, not hidden.
- `COVER` is why there are test alarms, and why so many: the same trouble without them and with fewer or more, and each
  kind of trouble alone.
- `COUNTED` and `REFERENCES` are choices and what was refused: their numbers are there to be read before a choice.
- `LEAKS` must be caught, each by at least one attacker, or the promise says nothing.
"""

from __future__ import annotations

from dataclasses import dataclass

from tools.anonymity.acts import NOW_AND_THEN, Act, Odds
from tools.anonymity.leaks import (
    GriddedTests,
    LockoutAtOnce,
    LongerTests,
    NoTestsForNobody,
    SequenceCountsOpenings,
    SizeByMethod,
    SpeaksEarly,
)
from tools.anonymity.measure import Line, Size
from tools.anonymity.tasks import Setting, Task
from tools.anonymity.voices import OTHER_RATES, Building, Counted, ExactTimes, Home, QuarterCounts, Unkeyed

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
        _line("now and then", Building, Setting(Task.HOLIDAY, 20, NOW_AND_THEN)),
        *(_line("given a call for help", Building, Setting(Task.HELP, n)) for n in (5, 20)),
        *(_line("given a door held open", Building, Setting(Task.WHO, n, must=Act.HOLDS_OPEN)) for n in (5, 20)),
        *(_line("given a lockout", Building, Setting(Task.WHO, n, must=Act.LOCKED_OUT)) for n in (5, 20)),
        _line("given a lockout", Building, Setting(Task.WHEN, 5, must=Act.LOCKED_OUT)),
        *(_line("given a camera found broken", Building, Setting(Task.WHO, n, must=Act.FACE_FAILS)) for n in (5, 20)),
        *(_line("given a camera fault a day", Building, Setting(Task.REFUSER, n, A_FAULT_A_DAY)) for n in (5, 20)),
    ),
)
COVER = Section(
    "Profile building, when something goes wrong: what the test alarms hide (ADR 22)",
    (
        *(_line("no alarm key, no tests", Unkeyed, Setting(Task.HOLIDAY, n, NOW_AND_THEN)) for n in (5, 20)),
        *(_line("no alarm key, no tests", Unkeyed, Setting(Task.WHO, n, must=Act.HOLDS_OPEN)) for n in (5, 20)),
        *(_line("no alarm key, no tests", Unkeyed, Setting(Task.HELP, n)) for n in (5, 20)),
        *(
            _line(f"{voice.tests_a_day:g} a day", voice, Setting(Task.HOLIDAY, 5, NOW_AND_THEN))
            for voice in OTHER_RATES
        ),
        *(_line(f"{voice.tests_a_day:g} a day", voice, Setting(Task.HELP, 5)) for voice in OTHER_RATES),
        *(
            _line(f"only {name}", Building, Setting(Task.HOLIDAY, 5, odds))
            for name, odds in (
                ("doors held open", Odds(holds_open=NOW_AND_THEN.holds_open)),
                ("camera faults", Odds(camera_fault=NOW_AND_THEN.camera_fault)),
                ("wrong PINs", Odds(mistypes=NOW_AND_THEN.mistypes, locked_out=NOW_AND_THEN.locked_out)),
            )
        ),
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
        _line("tests of another size", LongerTests, Setting(Task.HELP, 5)),
        _line("tests on the grid", GriddedTests, Setting(Task.HELP, 5)),
        _line("no tests in an empty house", NoTestsForNobody, Setting(Task.HOLIDAY, 5)),
    ),
)


def size(section: Section, line: Line, *, quick: bool) -> Size:
    """How many trials: enough that the bound can be met where there is one, fewer where a number is only stated."""
    week = line.setting.task in (Task.HOLIDAY, Task.ONE_AWAY, Task.REFUSER, Task.HELP)
    if quick:
        return Size(150, 300) if week else Size(300, 800)
    if section in (TROUBLE, COVER) and line.setting.task in (Task.HOLIDAY, Task.HELP):
        return Size(1000, 5000)
    if section is PLAIN:
        return Size(1000, 5000) if week else Size(1000, 3000 if line.setting.people == 100 else 6000)
    return Size(500, 1000) if week else Size(1000, 2500)
