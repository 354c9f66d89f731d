"""A private copy of `device.lock`, whole or with a guard taken out, that reads a clock moved by hand.

Rules kept here:
- The lock everybody else imports is never touched: the copy is loaded beside it and shares no module with it.
- A fault is a change of source text that must fit exactly once. One that does not fit any more is an error, not a fault
  that nobody finds.
"""

from __future__ import annotations

import importlib
import sys
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from importlib.abc import MetaPathFinder
from importlib.machinery import ModuleSpec, PathFinder, SourceFileLoader
from types import ModuleType
from typing import Any

_PACKAGE = "device.lock"


@dataclass(frozen=True, slots=True)
class Edit:
    """In `device.lock.<module>`: `old`, which stands there once, becomes `new`."""

    module: str
    old: str
    new: str


@dataclass(slots=True)
class Clock:
    """CLOCK_MONOTONIC and the kernel's random numbers, for a loop that must do the same thing twice."""

    now_ns: int = 0
    drawn: int = 0

    def monotonic(self) -> float:
        """Seconds."""
        return self.now_ns / 1e9

    def monotonic_ns(self) -> int:
        """Nanoseconds."""
        return self.now_ns

    def urandom(self, size: int) -> bytes:
        """Bytes that were not given before."""
        self.drawn += 1
        return self.drawn.to_bytes(size, "big")


class Lock:
    """The copy: its modules by name, and the `clock` it reads. Raises ValueError if an edit does not fit."""

    def __init__(self, edits: Sequence[Edit] = ()) -> None:
        self.clock = Clock()
        with _instead(edits):
            self.loop: Any = importlib.import_module(f"{_PACKAGE}.loop")
            self.machine: Any = importlib.import_module(f"{_PACKAGE}.machine")
            self.state: Any = importlib.import_module(f"{_PACKAGE}.state")
            self.bolt: Any = importlib.import_module(f"{_PACKAGE}.bolt")
        for name, stand_in in (("time", self.clock), ("os", self.clock), ("log", _silent)):
            setattr(self.loop, name, stand_in)
        self._table = self.loop.permitted

    def guarded(self, *, table: bool) -> None:
        """With the permit table in front of the machine, or as if it had fallen."""
        self.loop.permitted = self._table if table else _anything


def _silent(_text: str) -> None:
    """A million lives have nothing to say."""


def _anything(*_: object) -> bool:
    return True


class _Edited(SourceFileLoader):
    def __init__(self, name: str, path: str, edits: Iterable[Edit]) -> None:
        super().__init__(name, path)
        self._edits = tuple(edits)

    def get_code(self, fullname: str) -> Any:
        # Not through the compiled file beside the source: that one is honest.
        text = self.get_data(self.path).decode("utf-8")
        for edit in self._edits:
            if text.count(edit.old) != 1:
                msg = f"{edit.module}.py holds {text.count(edit.old)} times, not once: {edit.old}"
                raise ValueError(msg)
            text = text.replace(edit.old, edit.new)
        return compile(text, self.path, "exec")


class _Finder(MetaPathFinder):
    def __init__(self, edits: Sequence[Edit]) -> None:
        self._edits = edits

    def find_spec(
        self, fullname: str, path: Sequence[str] | None, target: ModuleType | None = None
    ) -> ModuleSpec | None:
        mine = [edit for edit in self._edits if fullname == f"{_PACKAGE}.{edit.module}"]
        found = PathFinder.find_spec(fullname, path) if mine else None
        if found is None or found.origin is None:
            return None
        found.loader = _Edited(fullname, found.origin, mine)
        return found


@contextmanager
def _instead(edits: Sequence[Edit]) -> Iterator[None]:
    """Within, `device.lock` is loaded anew; afterwards everything is as it was."""
    device = importlib.import_module("device")
    public = importlib.import_module(_PACKAGE)
    kept = {name: sys.modules.pop(name) for name in tuple(sys.modules) if _belongs(name)}
    finder = _Finder(edits)
    sys.meta_path.insert(0, finder)
    try:
        yield
    finally:
        sys.meta_path.remove(finder)
        for name in tuple(sys.modules):
            if _belongs(name):
                del sys.modules[name]
        sys.modules.update(kept)
        device.lock = public  # type: ignore[attr-defined] # a package's submodule is its attribute


def _belongs(name: str) -> bool:
    return name == _PACKAGE or name.startswith(f"{_PACKAGE}.")
