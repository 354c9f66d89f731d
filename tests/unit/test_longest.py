"""Several workers begin with the files that take long, and run every test whatever the table says."""

from __future__ import annotations

import random
from pathlib import Path

import pytest

from tests.support import longest

ROOT = Path(__file__).parents[2]
SECONDS = {"tests/integration/a/test_long.py": 90, "tests/unit/test_heavy.py": 7}
IN_ORDER = [
    "tests/integration/a/test_long.py",
    "tests/unit/test_heavy.py",
    "tests/browser/test_new.py",
    "tests/contract/b/test_part.py",
    "tests/unit/test_small.py",
]


def test_the_longest_come_first_and_units_last() -> None:
    mixed = random.Random(7).sample(IN_ORDER, len(IN_ORDER))
    assert mixed != IN_ORDER
    assert sorted(mixed, key=lambda path: longest.place(path, SECONDS)) == IN_ORDER


def test_the_kept_table_is_of_this_tree_and_begins_with_the_longest() -> None:
    kept = longest.table(longest.TABLE.read_text(encoding="ascii"))
    there = [path for path in kept if (ROOT / path).is_file()]
    assert len(there) > 20
    assert len(there) > 0.75 * len(kept), (
        "most files have other names now: make the table anew (tests/support/longest.py)"
    )
    assert list(kept.values()) == sorted(kept.values(), reverse=True)


@pytest.mark.parametrize("text", ["12\n", "soon tests/unit/test_a.py\n", "1 a\n2 a\n"])
def test_what_is_no_table_is_refused(text: str) -> None:
    with pytest.raises(ValueError):  # noqa: PT011  int has its own words
        longest.table(text)


def test_a_report_becomes_a_table_that_reads_back() -> None:
    report = """<testsuites><testsuite>
        <testcase classname="tests.integration.a.test_long" name="test_a[x.y]" time="60.2"/>
        <testcase classname="tests.integration.a.test_long" name="test_b" time="29.5"/>
        <testcase classname="tests.unit.test_heavy.TestAll" name="runTest" time="7.0"/>
        <testcase classname="tests.unit.test_small" name="test_c" time="0.1"/>
    </testsuite></testsuites>"""
    assert longest.table(longest.of_reports(report)) == SECONDS


def test_two_reports_become_one_table() -> None:
    whole, part = (
        f'<testsuites><testsuite><testcase classname="{name}" name="test_a" time="{took}"/></testsuite></testsuites>'
        for name, took in (("tests.integration.a.test_long", 90), ("tests.unit.test_heavy", 7))
    )
    assert longest.table(longest.of_reports(part, whole)) == SECONDS


def test_a_long_file_that_the_table_does_not_know_is_named() -> None:
    spent = {
        "tests/integration/a/test_long.py": 95.0,
        "tests/browser/test_new.py": 20.0,
        "tests/unit/test_small.py": 19.9,
    }
    said = longest.missing(SECONDS, spent)
    assert "tests/browser/test_new.py" in said
    assert "test_long" not in said
    assert "test_small" not in said
    assert longest.missing(SECONDS | {"tests/browser/test_new.py": 20}, spent) == ""
