"""Which tests a mutant meets, in which order, and whether the running program can be changed for it.

Rules kept here:
- Within a function: the tests that reach the changed statement. Elsewhere (a constant, a default, a class): those that
  reach the file, the files of tests that reach most of it first, and then all units, for who uses a constant leaves no
  trace in its file. Tests with processes and time of their own that never come near the file are left out.
- A function that ran while tests were collected has left what it made: its mutants are loaded anew.
- Quick tests come first, those of one piece of code before those with processes and time of their own.
- A statement that no test reaches meets the tests that start processes of ours; else it is "unreached".
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass

from tools.endurance.mutants import Mutant
from tools.endurance.mutation_reach import Reach

_UNIT = "/unit/"
_CLOSEST = 3  # so few files are collected within a second


@dataclass(frozen=True, slots=True)
class Plan:
    """`stages` of tests in order; `anew`: each in a process that loads the mutant; `reached`: whether by any test."""

    stages: list[list[str]]
    anew: bool
    reached: bool


def plan(reach: Reach, path: str, mutant: Mutant) -> Plan:
    """For `mutant` of the file `path`."""
    body = mutant.body
    if body is None or any(body[0] <= line <= body[1] for line in reach.loading.get(path, ())):
        return all_of(reach, path)
    first, last = mutant.reached_by
    found = {test for line, tests in reach.lines.get(path, {}).items() if first <= line <= last for test in tests}
    return Plan([_ordered(reach, found | set(reach.everywhere))], anew=False, reached=bool(found))


def all_of(reach: Reach, path: str) -> Plan:
    """For a mutant of the file `path` that must be loaded anew."""
    reached: Counter[str] = Counter()
    near = set(reach.everywhere)
    for tests in reach.lines.get(path, {}).values():
        near.update(tests)
        reached.update({_file(test) for test in tests if _UNIT in test})
    closest = {file for file, _ in sorted(reached.items(), key=lambda each: (-each[1], each[0]))[:_CLOSEST]}
    first = {test for test in near if _file(test) in closest}
    far = {test for test in reach.seconds if _UNIT in test} - near
    stages = [_ordered(reach, tests) for tests in (first, near - first, far)]
    return Plan([stage for stage in stages if stage], anew=True, reached=True)


def _ordered(reach: Reach, tests: Iterable[str]) -> list[str]:
    """Alone for the units; the others by whole files, since the tests of one share what was started for them."""
    whole: dict[str, float] = {}
    tests = sorted(tests)
    for test in tests:
        whole[_file(test)] = whole.get(_file(test), 0.0) + reach.seconds[test]

    def order(test: str) -> tuple[bool, float, str, float]:
        unit = _UNIT in test
        return not unit, 0.0 if unit else whole[_file(test)], "" if unit else _file(test), reach.seconds[test]

    return sorted(tests, key=order)


def _file(test: str) -> str:
    return test.partition("::")[0]
