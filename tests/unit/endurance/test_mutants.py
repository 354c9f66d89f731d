"""The mutator: every mutant differs in one place, and says where it can be noticed."""

from __future__ import annotations

import ast

import pytest

from tools.endurance.mutants import mutants

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


def test_a_mutant_says_which_lines_run_if_it_does_and_what_function_is_around_it() -> None:
    source = (
        "LIMIT = 3\n"
        "def outer(a: int = 5) -> int:\n"
        "    def inner() -> int:\n"
        "        return (a +\n"
        "                6)\n"
        "    if a > 7 and (\n"
        "            a < 8):\n"
        "        return 9\n"
        "    return inner()\n"
    )
    found = {mutant.name: (mutant.reached_by, mutant.body) for mutant in mutants(source)}
    assert found["1:8 +1"] == ((1, 1), None)
    assert found["2:19 +1"] == ((2, 2), None)
    assert found["5:16 +1"] == ((4, 5), (3, 9))
    assert found["7:16 +1"] == ((6, 7), (3, 9))
    assert found["6:4 condition negated"] == ((6, 7), (3, 9))
    assert found["8:15 +1"] == ((8, 8), (3, 9))
