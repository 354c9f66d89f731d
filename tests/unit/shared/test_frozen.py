"""`device.frozen` beside the library's dataclass: nobody can tell them apart, but by what a start of a room costs."""

from __future__ import annotations

import builtins
import copy
import dataclasses
import pickle
import subprocess
import sys
from collections.abc import Callable
from dataclasses import FrozenInstanceError, InitVar, field, fields, replace
from pathlib import Path
from typing import Any, ClassVar

import pytest
from hypothesis import given
from hypothesis import strategies as st

from device import frozen, wire

CHECKOUT = Path(__file__).parents[3]


class Library:
    """Classes of the library's."""

    @dataclasses.dataclass(frozen=True, slots=True)
    class Base:
        code: ClassVar[int] = 7

    @dataclasses.dataclass(frozen=True, slots=True)
    class Act(Base):
        slot: int
        digits: str = field(repr=False)
        names: list[int] = field(default_factory=list)
        noted: int = field(default=3, compare=False)

    @dataclasses.dataclass(frozen=True, slots=True)
    class Child(Act):
        more: bytes = b""

        def __post_init__(self) -> None:
            if self.slot < 0:
                raise ValueError(self.slot)

    @dataclasses.dataclass(frozen=True, slots=True)
    class One:
        only: int

        def __repr__(self) -> str:
            return "one of a kind"


class Ours:
    """The same classes."""

    @frozen.dataclass(frozen=True, slots=True)
    class Base:
        code: ClassVar[int] = 7

    @frozen.dataclass(frozen=True, slots=True)
    class Act(Base):
        slot: int
        digits: str = field(repr=False)
        names: list[int] = field(default_factory=list)
        noted: int = field(default=3, compare=False)

    @frozen.dataclass(frozen=True, slots=True)
    class Child(Act):
        more: bytes = b""

        def __post_init__(self) -> None:
            if self.slot < 0:
                raise ValueError(self.slot)

    @frozen.dataclass(frozen=True, slots=True)
    class One:
        only: int

        def __repr__(self) -> str:
            return "one of a kind"


NAMES = ("Base", "Act", "Child", "One")
small = st.integers(-1, 2)
positional = st.lists(small, max_size=6)
by_name = st.dictionaries(st.sampled_from(["slot", "digits", "names", "noted", "more", "only", "other"]), small)


def made(of: type, name: str, given: list[int], named: dict[str, int]) -> Any:
    """One object, or the kind of error."""
    try:
        return getattr(of, name)(*given, **named)
    except (TypeError, ValueError) as error:
        return type(error)


def pickled(what: Any) -> Any:
    """It, written and read again."""
    return pickle.loads(pickle.dumps(what))  # noqa: S301  our own bytes


def plain(what: Any) -> str:
    """Its repr, without the name of the class that the classes of this file stand in."""
    return repr(what).replace("Library.", "").replace("Ours.", "")


@pytest.mark.parametrize("name", NAMES)
def test_both_have_the_same_fields(name: str) -> None:
    one, other = getattr(Library, name), getattr(Ours, name)
    assert [each.name for each in fields(one)] == [each.name for each in fields(other)]
    assert (one.__match_args__, one.__slots__) == (other.__match_args__, other.__slots__)
    assert dataclasses.is_dataclass(other)


@given(name=st.sampled_from(NAMES), given=positional, named=by_name)
def test_both_take_the_same_values_and_show_the_same(name: str, given: list[int], named: dict[str, int]) -> None:
    one, other = made(Library, name, given, named), made(Ours, name, given, named)
    if isinstance(one, type):
        assert other is one
        return
    assert plain(other) == plain(one)
    assert [getattr(other, each.name) for each in fields(other)] == [getattr(one, each.name) for each in fields(one)]
    for again in (copy.copy(other), copy.deepcopy(other), pickled(other), replace(other)):
        assert again == other
        assert plain(again) == plain(other)
        assert type(again) is type(other)


@given(one=st.lists(small, min_size=4, max_size=4), other=st.lists(small, min_size=4, max_size=4))
def test_both_compare_alike_and_equal_ones_have_one_hash(one: list[int], other: list[int]) -> None:
    a, b = made(Ours, "Act", one[:2], {"noted": one[3]}), made(Ours, "Act", other[:2], {"noted": other[3]})
    c, d = made(Library, "Act", one[:2], {"noted": one[3]}), made(Library, "Act", other[:2], {"noted": other[3]})
    assert (a == b) == (c == d)
    assert (a == b) == (one[:2] == other[:2])
    e, f = Ours.One(one[0]), Ours.One(other[0])
    assert (hash(e) == hash(f)) == (e == f) == (one[0] == other[0])


def test_another_class_with_the_same_values_is_another_thing() -> None:
    assert Ours.Act(1, "2") != Ours.Child(1, "2")
    assert Ours.Act(1, "2") != object()


@pytest.mark.parametrize("name", ["slot", "code", "other"])
def test_nothing_of_it_changes_afterwards(name: str) -> None:
    act = Ours.Act(1, "482913")
    with pytest.raises(FrozenInstanceError):
        setattr(act, name, 2)
    with pytest.raises(FrozenInstanceError):
        delattr(act, name)
    assert (act.slot, act.code) == (1, 7)
    assert not hasattr(act, "__dict__")


def test_what_is_not_to_be_shown_is_not_shown() -> None:
    assert "482913" not in repr(Ours.Act(1, "482913"))


def test_each_object_has_a_list_of_its_own() -> None:
    assert Ours.Act(1, "2").names is not Ours.Act(1, "2").names


def test_what_a_class_looks_at_at_last_is_looked_at() -> None:
    with pytest.raises(ValueError, match="-1"):
        Ours.Child(-1, "2")
    with pytest.raises(ValueError, match="-1"):
        replace(Ours.Child(1, "2"), slot=-1)


class Hashed:
    taken: int = field(hash=False)


class Named:
    taken: int = field(kw_only=True)


class NotTaken:
    taken: int = field(default=1, init=False)


class Passed:
    taken: InitVar[int]


@pytest.mark.parametrize("odd", [Hashed, Named, NotTaken, Passed])
def test_what_is_not_needed_is_refused_and_not_done_otherwise(odd: type) -> None:
    with pytest.raises(TypeError, match="left to the library's dataclass"):
        frozen.dataclass(frozen=True, slots=True)(type(odd.__name__, (), dict(odd.__dict__)))


@pytest.mark.parametrize(("is_frozen", "has_slots"), [(False, True), (True, False)])
def test_no_other_kind_of_class_is_made(is_frozen: bool, has_slots: bool) -> None:
    with pytest.raises(TypeError, match="frozen classes with slots alone"):
        frozen.dataclass(frozen=is_frozen, slots=has_slots)


def test_both_kinds_are_not_mixed() -> None:
    with pytest.raises(TypeError, match="cannot inherit"):
        dataclasses.dataclass(frozen=True, slots=True)(type("Mixed", (Ours.Act,), {}))
    with pytest.raises(TypeError, match="cannot inherit"):
        frozen.dataclass(frozen=True, slots=True)(type("Mixed", (Library.Act,), {}))


def compiling(make: Callable[..., Any], monkeypatch: pytest.MonkeyPatch) -> int:
    """How often a class is made by running new source text."""
    ran: list[object] = []
    real = exec

    def noted(*given: Any) -> None:
        ran.append(given)
        real(*given)

    class Plain:
        __annotations__ = {"slot": "int", "digits": "str"}

    with monkeypatch.context() as patch:
        patch.setattr(builtins, "exec", noted)
        make(frozen=True, slots=True)(Plain)
    return len(ran)


def test_nothing_is_compiled_for_it_and_the_library_compiles(monkeypatch: pytest.MonkeyPatch) -> None:
    assert compiling(frozen.dataclass, monkeypatch) == 0
    assert compiling(dataclasses.dataclass, monkeypatch) > 0


def test_every_message_is_made_so() -> None:
    slow = {kind.__name__ for kind in wire.base.message_types().values() if kind.__setattr__ is not SET}
    assert slow == set()


SET = Ours.Base.__setattr__


def test_reading_the_settings_loads_no_library_that_few_doors_need() -> None:
    """Each room and each command reads them as it starts. The versions of installed packages are read by email's."""
    code = "import sys, device.config; print(*sys.modules)"
    said = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, cwd=CHECKOUT)
    assert {"email", "zipfile", "csv", "importlib.metadata", "asyncio", "ssl"} & set(said.stdout.split()) == set()
