"""A function changed in place is changed for everybody who knows it; what is not within a function is refused."""

from __future__ import annotations

import importlib.util
from pathlib import Path
from types import ModuleType

import pytest

from tools.endurance.mutants import mutants
from tools.endurance.mutation_swap import Elsewhere, Functions

SOURCE = """import functools
from collections.abc import Iterator
from dataclasses import dataclass

LIMIT = 10
TABLE = [n + 11 for n in (1, 2)]

def plain(n):
    if n < 0:
        raise ValueError("below zero")
    return n + 20

def after(n, default=12):
    return n + 21

@functools.cache
def cached():
    return 22

def helper():
    return 23

def counting():
    for n in (24, 25):
        yield n

def comprehended():
    return [n + 26 for n in (0, 1)]

def outer():
    held = 27
    def inner():
        return held + 28
    return inner

class Plain:
    size = 13

    def method(self):
        return self.size + 29

    @property
    def shown(self):
        return 30

    @staticmethod
    def still():
        return 31

    @classmethod
    def of(cls):
        return 32

@dataclass(frozen=True, slots=True)
class Value:
    n: int = 14

    def doubled(self):
        return self.n * 2 + 33

    def __post_init__(self):
        if self.n == 34:
            raise ValueError
"""


@pytest.fixture
def loaded(tmp_path: Path) -> ModuleType:
    path = tmp_path / "victim.py"
    path.write_text(SOURCE, encoding="utf-8")
    spec = importlib.util.spec_from_file_location("victim", path)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def change(module: ModuleType, old: str, new: str) -> int:
    """Make SOURCE with `new` for `old` of `module`; how many functions were changed."""
    assert SOURCE.count(old) == 1
    swap = Functions().swap(Path(str(module.__file__)), SOURCE, SOURCE.replace(old, new))
    swap.make()
    return len(swap.codes)


@pytest.mark.slow
@pytest.mark.parametrize(
    ("old", "new", "shown", "before", "after"),
    [
        ("n + 20", "n + 99", "plain(1)", 21, 100),
        ("return 23", "return 99", "helper()", 23, 99),
        ("(24, 25)", "(24, 99)", "list(counting())", [24, 25], [24, 99]),
        ("n + 26", "n + 99", "comprehended()", [26, 27], [99, 100]),
        ("held + 28", "held + 99", "outer()()", 55, 126),
        ("held = 27", "held = 99", "outer()()", 55, 127),
        ("size + 29", "size + 99", "Plain().method()", 42, 112),
        ("return 30", "return 99", "Plain().shown", 30, 99),
        ("return 31", "return 99", "Plain.still()", 31, 99),
        ("return 32", "return 99", "Plain().of()", 32, 99),
        ("* 2 + 33", "* 2 + 99", "Value(1).doubled()", 35, 101),
        ("return 22", "return 99", "cached()", 22, 99),
    ],
)
def test_a_function_that_somebody_holds_already_does_what_the_change_says(
    loaded: ModuleType, old: str, new: str, shown: str, before: object, after: object
) -> None:
    held = dict(vars(loaded))  # as `from victim import plain` would have it
    assert eval(shown, held) == before  # noqa: S307 - the texts above
    assert change(loaded, old, new) == 1
    assert eval(shown, held) == after  # noqa: S307 - likewise


def test_a_guard_that_is_gone_lets_pass_and_what_stands_below_it_is_left_alone(loaded: ModuleType) -> None:
    with pytest.raises(ValueError, match="below zero"):
        loaded.plain(-1)
    assert (
        change(loaded, '    if n < 0:\n        raise ValueError("below zero")\n    return n + 20', "    return n + 20")
        == 1
    )
    assert loaded.plain(-1) == 19
    assert loaded.after(1) == 22


@pytest.mark.slow
def test_a_closure_that_is_alive_keeps_what_it_has_and_the_next_one_is_changed(loaded: ModuleType) -> None:
    alive = loaded.outer()
    change(loaded, "held + 28", "held + 99")
    assert (alive(), loaded.outer()()) == (55, 126)


@pytest.mark.slow
@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("LIMIT = 10", "LIMIT = 99"),
        ("n + 11", "n + 99"),
        ("default=12", "default=99"),
        ("size = 13", "size = 99"),
        ("n: int = 14", "n: int = 99"),
        ("LIMIT = 10", "LIMIT = True"),
        ("@functools.cache\n", ""),
    ],
)
def test_what_was_read_while_the_module_was_loaded_is_refused(loaded: ModuleType, old: str, new: str) -> None:
    with pytest.raises(Elsewhere):
        change(loaded, old, new)


@pytest.mark.slow
def test_a_function_that_is_not_loaded_is_refused(tmp_path: Path) -> None:
    with pytest.raises(Elsewhere, match="not loaded"):
        Functions().swap(tmp_path / "other.py", SOURCE, SOURCE.replace("n + 20", "n + 99"))


@pytest.mark.slow
def test_one_and_true_are_two_programs_and_comments_none(loaded: ModuleType) -> None:
    assert change(loaded, "return 23", "return 23  # the same") == 0
    swap = Functions().swap(Path(str(loaded.__file__)), SOURCE, SOURCE.replace("return 23", "return 23.0"))
    assert len(swap.codes) == 1


@pytest.mark.slow
def test_every_mutant_is_made_or_refused_and_none_is_lost(loaded: ModuleType) -> None:
    functions, refused, made = Functions(), 0, 0
    path = Path(str(loaded.__file__))
    for mutant in mutants(SOURCE):
        try:
            made += len(functions.swap(path, SOURCE, mutant.source).codes) == 1
        except Elsewhere:
            assert mutant.body is None
            refused += 1
        else:
            assert mutant.body is not None
    assert made > 20
    assert refused > 10
