"""The attackers catch every seeded leak, find nothing in the default profile, and are counted fairly.

A small share of `python -m tools.anonymity`; the bound itself is tested in tests/integration/anonymity.
"""

import json
from dataclasses import replace

import pytest
from click.testing import CliRunner

from tools.anonymity import cli, show
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
from tools.anonymity.measure import LIMIT, Line, Result, Size, measure
from tools.anonymity.plan import COVER, LEAKS, PROMISE, REMAINDER, SECTIONS, Section
from tools.anonymity.show import Measured
from tools.anonymity.tasks import Setting, Task
from tools.anonymity.voices import Building, ExactTimes, Home, QuarterCounts, Unkeyed

WHO = Setting(Task.WHO, 5)
WHEN = Setting(Task.WHEN, 5, must=Act.LOCKED_OUT)
LOCKED_OUT, CAMERA_MET = (Setting(Task.WHO, 5, must=act) for act in (Act.LOCKED_OUT, Act.FACE_FAILS))
FEW = Size(40, 120)


def line(voice: type[Building], setting: Setting, *, wire: bool = False) -> Line:
    return Line(f"{voice.__name__}: {setting.task.value}", voice, setting, wire)


@pytest.mark.parametrize(
    ("leak", "setting"),
    [
        (ExactTimes, WHO),
        (QuarterCounts, WHO),
        (Home, WHO),
        (SizeByMethod, WHO),
        (SequenceCountsOpenings, WHO),
        (SpeaksEarly, WHO),
        (LockoutAtOnce, WHEN),
        (FlagsInTheOpen, LOCKED_OUT),
        (FlagsInTheOpen, CAMERA_MET),
        (SealedOnce, LOCKED_OUT),
        (SealedOnce, CAMERA_MET),
    ],
)
def test_a_seeded_leak_is_caught_by_every_attacker_who_asks(leak: type[Building], setting: Setting) -> None:
    results = measure(line(leak, setting), FEW, 1)
    assert results
    assert all(result.caught for result in results), results


@pytest.mark.parametrize(
    ("leak", "setting"),
    [
        (LongerTests, Setting(Task.HELP, 5)),
        (GriddedTests, Setting(Task.HELP, 5)),
        (NoTestsForNobody, Setting(Task.HOLIDAY, 5)),
        (Unkeyed, Setting(Task.HELP, 5)),
    ],
)
def test_tests_that_can_be_told_from_alarms_or_are_left_out_are_caught(leak: type[Building], setting: Setting) -> None:
    *_, taught = measure(line(leak, setting), Size(60, 60), 1)
    assert taught.attacker == "trained"
    assert taught.right == pytest.approx(60, abs=3), "nearly always right"


def test_a_call_for_help_is_told_less_often_than_without_tests() -> None:
    for result in measure(line(Building, Setting(Task.HELP, 5)), Size(60, 60), 1):
        assert result.right <= 48, "60 without tests"


@pytest.mark.parametrize("setting", [WHO, WHEN, LOCKED_OUT, CAMERA_MET, Setting(Task.HOW_MANY, 5)])
def test_the_default_profile_shows_no_advantage(setting: Setting) -> None:
    for result in measure(line(Building, setting), FEW, 1):
        assert result.at_least <= 0
        assert not result.caught


def test_encryption_does_not_hide_the_live_state() -> None:
    assert all(result.caught for result in measure(line(Home, WHO, wire=True), FEW, 1))


def test_the_same_seed_is_the_same_result_and_another_seed_another() -> None:
    asked = line(QuarterCounts, WHO)
    first, again, other = ([result.right for result in measure(asked, Size(20, 100), seed)] for seed in (1, 1, 2))
    assert first == again != other


def test_bounds_are_the_exact_ones() -> None:
    # Clopper-Pearson, one-sided 95 %: no success in 59 trials is 4.95 %, the rule of three's neighbour.
    none = Result(line(Building, WHO), "x", 0, 59)
    assert none.at_most + none.luck == pytest.approx(1 - 0.05 ** (1 / 59))
    every = replace(none, right=59)
    assert every.at_least + every.luck == pytest.approx(0.05 ** (1 / 59))


def test_the_promise_can_be_shown_with_the_trials_asked_and_not_with_few() -> None:
    half = Setting(Task.HOLIDAY, 5)
    assert Result(line(Building, half), "x", 2500, 5000).holds
    assert not Result(line(Building, half), "x", 150, 300).holds


def test_every_line_has_a_name_of_its_own() -> None:
    names = [each.name for section in SECTIONS for each in section.lines]
    assert len(set(names)) == len(names)
    assert {PROMISE, REMAINDER, COVER, LEAKS} < set(SECTIONS)


def test_the_promise_covers_an_empty_house_with_everything_that_goes_wrong_and_what_waits_for_the_report() -> None:
    asked = {each.setting for each in PROMISE.lines if each.voice is Building}
    assert {Setting(Task.HOLIDAY, many, NOW_AND_THEN) for many in (4, 5, 20)} <= asked
    assert {LOCKED_OUT, CAMERA_MET, WHEN} <= asked


def judged(section: Section, *results: Result) -> show.Verdict:
    return show.judge([Measured(section, results)], quick=False)


def test_a_broken_promise_and_a_missed_leak_are_told() -> None:
    asked = line(ExactTimes, WHO)
    lucky, known = Result(asked, "x", 1000, 5000), Result(asked, "x", 1000 + round(5000 * (LIMIT + 0.02)), 5000)
    assert judged(PROMISE, lucky).well
    assert not judged(PROMISE, lucky, known).well
    assert judged(LEAKS, lucky, known).well, "one attacker is enough"
    assert judged(LEAKS, lucky).missed == (asked.name,)


def test_a_leak_that_shows_no_more_than_the_unbroken_door_is_not_caught() -> None:
    known = Result(line(ExactTimes, WHO), "x", 4000, 5000)
    unbroken = replace(known, line=line(Building, WHO))
    other = Section("x", ())
    assert show.judge([Measured(LEAKS, (known,)), Measured(other, (unbroken,))], quick=False).missed


def test_the_command_prints_a_table_or_one_object_and_its_exit_code_tells(monkeypatch: pytest.MonkeyPatch) -> None:
    one = Result(line(Building, WHO), "trained", 200, 1000)

    def run(*_: object, **__: object) -> list[Measured]:
        return [Measured(PROMISE, (one,))]

    monkeypatch.setattr(cli, "run", run)
    told = CliRunner().invoke(cli.main, ["--json"])
    assert told.exit_code == 0
    assert json.loads(told.output)["lines"][0]["right"] == 200
    one = replace(one, right=400)
    table = CliRunner().invoke(cli.main, [])
    assert table.exit_code == 1
    assert "DOES NOT HOLD" in table.output


def test_one_line_can_be_measured_alone_and_gives_what_it_gives_among_all() -> None:
    (one,) = cli.run((PROMISE, LEAKS), seed=1, jobs=1, quick=True, only="exact times: who went out")
    assert one.section is LEAKS
    assert {result.line.name for result in one.results} == {"exact times: who went out, 5 people"}
    assert show.judge([one], quick=True).well


def test_lines_that_are_not_there_are_refused_and_nothing_is_said_to_be_caught() -> None:
    said = CliRunner().invoke(cli.main, ["--only", "no such line"])
    assert said.exit_code == 2
    assert "nothing was measured" in said.output
    assert "no seeded leak was asked for" in show.markdown([], show.judge([], quick=True))
