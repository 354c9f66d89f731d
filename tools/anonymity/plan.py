"""What is measured, line by line, and with how many trials.

Rules kept here:
- `PROMISE`: the bound must hold for every line. Nothing goes wrong at the door, or what goes wrong now and then does;
  or something did that waits for the report, sealed, and the attacker knows on which day.
- `REMAINDER` is what a door still tells by going at once: each line is about a day or a week of which the attacker
  knows that there was such an alarm, or may have been; or about a house too large for these tests.
- `COVER` is why there are test alarms, and why so many: the same without them, and with fewer.
- `COUNTED` and `REFERENCES` are choices and what was refused: their numbers are there to be read before a choice.
- `LEAKS` must be caught, each by at least one attacker, or the promise says nothing.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

from tools.anonymity.acts import NOW_AND_THEN, Act
from tools.anonymity.leaks import (
    FlagsInTheOpen,
    GriddedTests,
    LockoutAtOnce,
    LongerTests,
    NoTestsForNobody,
    SealedOnce,
    SequenceCountsOpenings,
    SizeByMethod,
    SpeaksEarly,
)
from tools.anonymity.measure import Line, Size
from tools.anonymity.tasks import Setting, Task
from tools.anonymity.voices import OTHER_RATES, Building, Counted, ExactTimes, Home, QuarterCounts, Unkeyed

PEOPLE = (4, 5, 20, 100)
A_FAULT_A_DAY = replace(NOW_AND_THEN, camera_fault=1.0)


@dataclass(frozen=True, slots=True)
class Section:
    """Lines that belong together."""

    title: str
    lines: tuple[Line, ...]


def _line(name: str, voice: type[Building], setting: Setting, *, wire: bool = False) -> Line:
    return Line(f"{name}: {setting.task.value}, {setting.people} people", voice, setting, wire)


PROMISE = Section(
    "Profile building: the promise",
    (
        *(
            _line("nothing goes wrong", Building, Setting(task, people))
            for task in (Task.WHO, Task.HOW_MANY, Task.HOLIDAY, Task.ONE_AWAY, Task.REFUSER)
            for people in (PEOPLE if task in (Task.WHO, Task.HOW_MANY) else (5, 20))
        ),
        *(_line("now and then", Building, Setting(Task.HOLIDAY, n, NOW_AND_THEN)) for n in (4, 5, 20)),
        *(_line("now and then", Building, Setting(task, 5, NOW_AND_THEN)) for task in (Task.WHO, Task.HOW_MANY)),
        _line("a camera fault a day", Building, Setting(Task.REFUSER, 5, A_FAULT_A_DAY)),
        *(_line("given a lockout", Building, Setting(Task.WHO, n, must=Act.LOCKED_OUT)) for n in (5, 20)),
        _line("given a lockout", Building, Setting(Task.WHEN, 5, must=Act.LOCKED_OUT)),
        *(_line("given a camera found broken", Building, Setting(Task.WHO, n, must=Act.FACE_FAILS)) for n in (5, 20)),
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
REMAINDER = Section(
    "Profile building: what an alarm tells all the same",
    (
        *(_line("given a door held open", Building, Setting(Task.WHO, n, must=Act.HOLDS_OPEN)) for n in (5, 20)),
        *(_line("given a call for help", Building, Setting(Task.HELP, n)) for n in (5, 20)),
        _line("now and then", Building, Setting(Task.HOLIDAY, 100, NOW_AND_THEN)),
    ),
)
COVER = Section(
    "Profile building: what the test alarms hide (ADR 22)",
    (
        *(_line("no alarm key, no tests", Unkeyed, Setting(Task.HOLIDAY, n, NOW_AND_THEN)) for n in (5, 20)),
        *(_line("no alarm key, no tests", Unkeyed, Setting(Task.WHO, n, must=Act.HOLDS_OPEN)) for n in (5, 20)),
        *(_line("no alarm key, no tests", Unkeyed, Setting(Task.HELP, n)) for n in (5, 20)),
        *(_line(f"{voice.tests_a_day:g} a day", voice, Setting(Task.HELP, 5)) for voice in OTHER_RATES),
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
        _line("a lockout in the open", FlagsInTheOpen, Setting(Task.WHO, 5, must=Act.LOCKED_OUT)),
        _line("a broken camera in the open", FlagsInTheOpen, Setting(Task.WHO, 5, must=Act.FACE_FAILS)),
        _line("a broken camera in the open", FlagsInTheOpen, Setting(Task.HOLIDAY, 5, A_FAULT_A_DAY)),
        _line("a lockout sealed once", SealedOnce, Setting(Task.WHO, 5, must=Act.LOCKED_OUT)),
        _line("a broken camera sealed once", SealedOnce, Setting(Task.WHO, 5, must=Act.FACE_FAILS)),
        _line("tests of another size", LongerTests, Setting(Task.HELP, 5)),
        _line("tests on the grid", GriddedTests, Setting(Task.HELP, 5)),
        _line("no tests in an empty house", NoTestsForNobody, Setting(Task.HOLIDAY, 5)),
    ),
)

SECTIONS = (PROMISE, REMAINDER, COVER, COUNTED, REFERENCES, LEAKS)


def size(section: Section, line: Line, *, quick: bool) -> Size:
    """How many trials: enough that the bound can be met where there is one, fewer where a number is only stated."""
    week = line.setting.task in (Task.HOLIDAY, Task.ONE_AWAY, Task.REFUSER, Task.HELP)
    if quick:
        return Size(150, 300) if week else Size(300, 800)
    if section is PROMISE and line.setting.task is Task.HOLIDAY and line.setting.odds == NOW_AND_THEN:
        return Size(1000, 15_000)  # something shows even among the tests: only many tell that it is less than the limit
    if section is PROMISE:
        return Size(1000, 5000) if week else Size(1000, 3000 if line.setting.people == 100 else 6000)
    return Size(500, 1000) if week else Size(1000, 2500)
