"""A whole run over a small tree: what is noticed, what is not, what hangs, and what nobody runs."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from tools.endurance.mutation_run import ROOT, Verdict, read, run
from tools.endurance.mutation_suite import Suite

CODE = """LIMIT = 3

def ok(n):
    return n > LIMIT

def countdown():
    n = 2
    while n != 0:
        n = n - 1
    return n

def nobody():
    return 9
"""
TESTS = """from code_under_test.guard import countdown, ok

def test_limit():
    assert ok(4) and not ok(3)

def test_countdown():
    assert countdown() == 0
"""
BLIND = """from code_under_test.guard import countdown, ok

def test_nothing():
    ok(4), ok(3), countdown()
"""
PROGRAM = """import signal, sys
from pathlib import Path
from tools.endurance.mutation_run import run
from tools.endurance.mutation_suite import Suite

folder = Path({folder!r})
signal.signal(signal.SIGTERM, lambda *_: sys.exit(3))
suite = Suite("small", "code_under_test", ("tests/unit",))
for verdict in run(suite, [folder], folder / "results", folder / "reach", print):
    print(verdict.name, flush=True)
"""
SUITE = Suite("small", "code_under_test", ("tests/unit",))


def tree(folder: Path, tests: str) -> Path:
    for name, text in (("code_under_test/guard.py", CODE), ("tests/unit/test_guard.py", tests)):
        (folder / name).parent.mkdir(parents=True)
        (folder / name).write_text(text, encoding="utf-8")
    (folder / "pyproject.toml").write_text(
        '[tool.pytest.ini_options]\naddopts = ["--import-mode=importlib"]\n', encoding="utf-8"
    )
    return folder


def all_of(folder: Path, said: list[str]) -> list[Verdict]:
    return list(run(SUITE, [folder], folder / "results.jsonl", folder / "reach.json", said.append))


def test_each_mutant_meets_its_fate_and_a_run_is_taken_up_where_it_stood(tmp_path: Path) -> None:
    said: list[str] = []
    folder = tree(tmp_path, TESTS)
    verdicts = all_of(folder, said)
    fates = {verdict.name: verdict.fate for verdict in verdicts}
    assert fates["1:8 +1"] == fates["1:8 -1"] == "caught"  # a constant: loaded anew
    assert fates["4:11 Gt -> GtE #0"] == "caught"
    assert fates["9:16 -1"] == "hangs"  # n - 0, for ever
    assert fates["7:8 +1"] == "survives"
    assert fates["13:11 +1"] == fates["13:11 -1"] == "unreached"
    assert {verdict.by for verdict in verdicts if verdict.name == "9:16 -1"} == {
        "tests/unit/test_guard.py::test_countdown"
    }
    assert read(folder / "results.jsonl") == verdicts
    lines = (folder / "results.jsonl").read_text(encoding="utf-8").splitlines(keepends=True)
    (folder / "results.jsonl").write_text("".join(lines[:-2]), encoding="utf-8")
    (folder / "code_under_test" / "guard.py").write_text(CODE, encoding="utf-8")
    assert all_of(folder, said) == verdicts[-2:]
    assert said[-1].endswith("2 mutants to run, 10 results known")


def test_tests_that_cannot_fail_catch_nothing_but_what_hangs(tmp_path: Path) -> None:
    assert {verdict.fate for verdict in all_of(tree(tmp_path, BLIND), [])} == {"survives", "hangs", "unreached"}


def test_tests_that_fail_by_themselves_are_told_and_no_mutant_counts_as_caught(tmp_path: Path) -> None:
    with pytest.raises(RuntimeError, match=r"fail without any mutant: tests/unit/test_guard\.py::test_limit"):
        all_of(tree(tmp_path, TESTS.replace("not ok(3)", "ok(3)")), [])
    assert read(tmp_path / "results.jsonl") == []


def test_a_run_that_is_told_to_end_leaves_no_process(tmp_path: Path) -> None:
    folder = tree(tmp_path, TESTS)
    program = PROGRAM.format(folder=str(folder))
    with subprocess.Popen(
        [sys.executable, "-c", program],
        stdout=subprocess.PIPE,
        text=True,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        cwd=ROOT,
    ) as process:
        assert process.stdout is not None
        while not process.stdout.readline().startswith("1:8"):
            pass
        process.send_signal(signal.SIGTERM)
        assert process.wait(90) == 3
    assert [each for each in Path("/proc").glob("[0-9]*/cwd") if _stands_in(each, folder)] == []


def _stands_in(link: Path, folder: Path) -> bool:
    try:
        return link.readlink() == folder
    except OSError:
        return False
