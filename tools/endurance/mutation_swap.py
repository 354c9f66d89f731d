"""A changed function put into a running program: the function stays the object everybody knows, its code is another.

Rules kept here:
- Only where the two sources differ within functions and nowhere else: a constant, a default or a class body has been
  read by others long ago, and to change it now would change nothing. That is refused; such a mutant is loaded anew.
- What differs is read off the compiled code, not guessed from the source.
- A function that cannot be found, or that closes over other names, is refused alike.
"""

from __future__ import annotations

import functools
import gc
import inspect
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from types import CodeType, FunctionType

Key = tuple[str, str, int]  # file, qualified name, first line


class Elsewhere(Exception):
    """The change is not within functions alone."""


@dataclass(frozen=True, slots=True)
class Swap:
    """The functions that get another code. None at all: both sources are the same program."""

    codes: tuple[tuple[FunctionType, CodeType], ...]
    caches: tuple[functools._lru_cache_wrapper[object], ...]

    def make(self) -> None:
        """Do it, in this process, for good. What a function of that file remembers of earlier calls is forgotten."""
        for function, code in self.codes:
            function.__code__ = code
        for cache in self.caches:
            cache.cache_clear()


class Functions:
    """The functions of this process as they are now, by where they stand."""

    def __init__(self) -> None:
        self._found: dict[Key, list[FunctionType]] = {}
        self._caches: dict[str, list[functools._lru_cache_wrapper[object]]] = {}
        for each in gc.get_objects():
            if isinstance(each, FunctionType):
                self._found.setdefault(_key(each.__code__), []).append(each)
            elif isinstance(each, functools._lru_cache_wrapper):  # noqa: SLF001 - it has no other name
                inner = inspect.unwrap(each)
                if isinstance(inner, FunctionType):
                    self._caches.setdefault(inner.__code__.co_filename, []).append(each)

    def swap(self, path: Path, honest: str, changed: str) -> Swap:
        """What makes the program of `honest`, loaded from `path`, that of `changed`. Raises Elsewhere."""
        old, new = (compile(source, str(path), "exec", dont_inherit=True) for source in (honest, changed))
        codes: list[tuple[FunctionType, CodeType]] = []
        for before, after in _differing(old, new):
            functions = self._found.get(_key(before))
            if not functions:
                raise Elsewhere(f"{before.co_qualname} is not loaded")
            codes += [(function, after) for function in functions]
        return Swap(tuple(codes), tuple(self._caches.get(str(path), ())))


def _key(code: CodeType) -> Key:
    return code.co_filename, code.co_qualname, code.co_firstlineno


def _differing(old: CodeType, new: CodeType) -> Iterator[tuple[CodeType, CodeType]]:
    """The outermost functions that differ. Raises Elsewhere if anything around them does."""
    if not _same(old, new, within=False):
        raise Elsewhere(f"{old.co_qualname} itself is changed")
    for before, after in zip(_codes(old), _codes(new), strict=True):
        if not before.co_flags & inspect.CO_OPTIMIZED:
            yield from _differing(before, after)
        elif not _same(before, after, within=True):
            if before.co_name.startswith("<") or before.co_freevars != after.co_freevars:
                raise Elsewhere(f"{before.co_qualname} cannot be changed in place")
            yield before, after


def _codes(code: CodeType) -> list[CodeType]:
    return [const for const in code.co_consts if isinstance(const, CodeType)]


def _same(old: CodeType, new: CodeType, *, within: bool) -> bool:
    """Whether both do the same; with `within`, also the functions and classes inside. Line numbers do nothing."""
    return _plain(old) == _plain(new) and (
        not within or all(_same(*pair, within=True) for pair in zip(_codes(old), _codes(new), strict=True))
    )


def _plain(code: CodeType) -> tuple[object, ...]:
    return (
        code.co_code,
        tuple(_const(const) for const in code.co_consts),
        code.co_names,
        (code.co_varnames, code.co_freevars, code.co_cellvars),
        (code.co_argcount, code.co_posonlyargcount, code.co_kwonlyargcount, code.co_flags),
        code.co_exceptiontable,
        code.co_qualname,
    )


def _const(const: object) -> object:
    """Told apart where == would not: 1, 1.0 and True."""
    if isinstance(const, CodeType):
        return "code"
    if isinstance(const, tuple):
        return (tuple, *(_const(each) for each in const))
    return type(const), const
