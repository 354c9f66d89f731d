"""Which tests a mutant meets: those that can notice it, all of them, quick ones first."""

from __future__ import annotations

from pathlib import Path

from tools.endurance.mutants import Mutant
from tools.endurance.mutation_plan import plan
from tools.endurance.mutation_reach import Reach
from tools.endurance.mutation_run import Verdict, read, report

QUICK, SLOW, OTHER = "tests/unit/a/test_x.py::quick", "tests/unit/a/test_x.py::slow", "tests/unit/a/test_y.py::other"
READER, STARTS = "tests/contract/a/test_z.py::reader", "tests/contract/a/test_z.py::starts"
REACH = Reach(
    {SLOW: 2.0, QUICK: 0.1, OTHER: 0.5, READER: 0.01, STARTS: 0.02},
    {"code.py": {1: [], 11: [SLOW, QUICK, READER], 12: [SLOW], 20: [QUICK]}},
    {"code.py": [1, 10, 19, 20]},
    [STARTS],
)


def mutant(first: int, last: int, body: tuple[int, int] | None) -> Mutant:
    return Mutant("x", first, "", (first, last), body)


def test_within_a_function_those_that_reach_it_and_those_that_start_processes_quick_units_first() -> None:
    planned = plan(REACH, "code.py", mutant(11, 12, (11, 14)))
    assert planned.stages == [[QUICK, SLOW, READER, STARTS]]
    assert (planned.anew, planned.reached) == (False, True)


def test_a_line_that_no_test_reaches_is_known_for_it() -> None:
    planned = plan(REACH, "code.py", mutant(13, 13, (11, 14)))
    assert (planned.stages, planned.reached) == ([[STARTS]], False)


def test_a_constant_meets_every_unit_those_near_it_first_and_is_loaded_anew() -> None:
    planned = plan(REACH, "code.py", mutant(1, 1, None))
    assert planned.stages == [[QUICK, SLOW], [READER, STARTS], [OTHER]]
    assert (planned.anew, planned.reached) == (True, True)


def test_a_function_that_ran_while_tests_were_collected_is_loaded_anew() -> None:
    assert plan(REACH, "code.py", mutant(20, 20, (20, 22))).anew


def test_what_was_found_can_be_kept(tmp_path: Path) -> None:
    REACH.save(tmp_path / "reach.json")
    assert Reach.load(tmp_path / "reach.json") == REACH


def test_a_report_lists_what_was_not_caught_and_a_cut_line_counts_for_nothing(tmp_path: Path) -> None:
    (tmp_path / "code.py").write_text("def ok(n):\n    return n > 3\n", encoding="utf-8")
    results = tmp_path / "results.jsonl"
    results.write_text(
        '["code.py", "2:15 +1", "survives", ""]\n["code.py", "2:11 Gt -> GtE #0", "caught", "t"]\n'
        '["code.py", "1:0 x", "unreached", ""]\n["code.py", "2:15 -1", "sur',
        encoding="utf-8",
    )
    assert read(results)[1] == Verdict("code.py", "2:11 Gt -> GtE #0", "caught", "t")
    assert list(report(reversed(read(results)), tmp_path)) == [
        "code.py: 3 mutants, 1 caught, 1 survives, 1 unreached",
        "unreached: code.py:1:0 x    def ok(n):",
        "survives: code.py:2:15 +1    return n > 3",
    ]
    assert read(tmp_path / "none") == []
