"""The mutator: every mutant differs in one place, and a whole run tells caught from surviving."""

from __future__ import annotations

import ast
from pathlib import Path

import pytest

from tools.endurance import mutation_run
from tools.endurance.mutants import mutants
from tools.endurance.mutation_run import Suite, Verdict, read, report

SOURCE = '''"""Doc 1."""
def f(a: int, b: bool = True) -> bool:
    """Not 2."""
    if a < 3 and not b:
        return False
    return a is None or (a if b else 4) in (5,)
'''


def test_every_mutant_is_another_program_and_named_once() -> None:
    found = list(mutants(SOURCE))
    honest = ast.unparse(ast.parse(SOURCE)) + "\n"
    assert len({mutant.source for mutant in found}) == len({mutant.name for mutant in found}) == len(found)
    assert honest not in {mutant.source for mutant in found}
    assert all(mutant.source.startswith('"""Doc 1."""') and '"""Not 2."""' in mutant.source for mutant in found)


@pytest.mark.parametrize(
    ("what", "line"),
    [
        ("Lt -> LtE #0", "if a <= 3 and (not b):"),
        ("And swapped", "if a < 3 or not b:"),
        ("operand 0 dropped", "if not b:"),
        ("operand 1 dropped", "if a < 3:"),
        ("not removed", "if a < 3 and b:"),
        ("+1", "if a < 4 and (not b):"),
        ("condition negated", "if not (a < 3 and (not b)):"),
        ("guard dropped", "pass"),
        ("turned round", "return True"),
        ("Is -> IsNot #0", "return a is not None or (a if b else 4) in (5,)"),
        ("In -> NotIn #0", "return a is None or (a if b else 4) not in (5,)"),
    ],
)
def test_each_kind_of_mistake_is_made(what: str, line: str) -> None:
    assert any(mutant.name.endswith(what) and f"    {line}\n" in mutant.source for mutant in mutants(SOURCE))


def test_what_only_a_type_checker_reads_is_left_alone() -> None:
    assert (
        list(mutants("from typing import Annotated\nx: Annotated[int, 3]\ndef f(a: Annotated[int, 4]) -> None: ...\n"))
        == []
    )


@pytest.fixture
def suite(tmp_path: Path) -> Suite:
    (tmp_path / "code").mkdir()
    (tmp_path / "code" / "guard.py").write_text("def ok(n):\n    return n > 3\n", encoding="utf-8")
    return Suite("small", "code", ("tests",))


def test_a_run_writes_down_what_it_finds_and_is_taken_up_where_it_stood(
    suite: Suite, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def notices_the_operator_alone(_suite: Suite, copy: Path, **_: bool) -> str:
        return "caught" if "n >= 3" in (copy / "code" / "guard.py").read_text(encoding="utf-8") else "survives"

    monkeypatch.setattr(mutation_run, "_tests", notices_the_operator_alone)
    results, said = tmp_path / "results.jsonl", list[str]()
    first = next(mutation_run.run(suite, tmp_path, results, said.append))
    assert first == Verdict("code/guard.py", "2:11 Gt -> GtE #0", "caught")
    rest = list(mutation_run.run(suite, tmp_path, results, said.append))
    assert [each.fate for each in rest] == ["survives", "survives"]
    assert read(results) == [first, *rest]
    assert said == ["small: 3 mutants to run, 0 results known", "small: 2 mutants to run, 1 results known"]
    assert (tmp_path / "code" / "guard.py").read_text(encoding="utf-8") == "def ok(n):\n    return n > 3\n"
    assert list(report(reversed(read(results)), tmp_path)) == [
        "code/guard.py: 3 mutants, 1 caught, 2 survives",
        "survives: code/guard.py:2:15 +1    return n > 3",
        "survives: code/guard.py:2:15 -1    return n > 3",
    ]


def test_tests_that_fail_by_themselves_are_told_and_no_mutant_counts_as_caught(
    suite: Suite, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(mutation_run, "_tests", lambda _suite, _copy, **_: "caught")
    with pytest.raises(RuntimeError, match="fail without any mutant"):
        next(mutation_run.run(suite, tmp_path, tmp_path / "results.jsonl", lambda _: None))
    assert read(tmp_path / "results.jsonl") == []


def test_a_share_is_drawn_alike_in_every_run_and_is_no_more_than_it_says(
    suite: Suite, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(mutation_run, "_tests", lambda _suite, _copy, **_: "survives")
    drawn = [
        [each.name for each in mutation_run.run(suite, tmp_path, tmp_path / name, lambda _: None, share=0.34)]
        for name in ("once", "again")
    ]
    assert drawn[0] == drawn[1]
    assert len(drawn[0]) == 1
