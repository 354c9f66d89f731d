"""A PC/SC system that a test makes up: readers, a card, and whatever goes wrong with them."""

from __future__ import annotations

import threading
from collections.abc import Callable
from dataclasses import dataclass, field

from device.lock.pcsc_calls import CardFault, ReaderFault

NAME = "Made Up Reader 00 00"
_PRESENT, _EMPTY = 0x20, 0x10


def echo(command: bytes) -> bytes:
    """What most cards here answer."""
    return command[:8] + b"\x90\x00"


@dataclass(eq=False)
class Imagined:
    """`pcsc_calls.System`. `process` answers for the card; `flicker` makes it come and go at every look."""

    names: list[str] = field(default_factory=lambda: [NAME])
    process: Callable[[bytes], bytes] = echo
    flicker: bool = False
    mute: bool = False
    raises: Exception | None = None
    connects: int = 0
    there: bool = False
    visits: int = 0
    _moved: threading.Condition = field(default_factory=threading.Condition)

    def move(self, *, there: bool) -> None:
        """Put the card, or take it away."""
        with self._moved:
            if there is not self.there:
                self.there, self.visits = there, self.visits + 1
            self._moved.notify_all()

    def unplug(self) -> None:
        """The reader is pulled out of its socket."""
        with self._moved:
            self.names, self.there = [], False
            self._moved.notify_all()

    def open(self) -> None:
        if self.raises:
            raise self.raises

    def readers(self) -> list[str]:
        return self.names

    def look(self, reader: str, known: int, for_ms: int) -> int:
        if self.flicker and for_ms:
            self.move(there=not self.there)
        with self._moved:
            self._moved.wait_for(lambda: self._state() != known or not self.names, for_ms / 1000)
            if not self.names:
                raise ReaderFault("the reader is gone")
            return self._state()

    def _state(self) -> int:
        return self.visits << 16 | (_PRESENT if self.there else _EMPTY)

    def connect(self, reader: str) -> None:
        self.connects += 1
        if self.mute:
            raise CardFault("the card cannot be had")

    def transmit(self, command: bytes) -> bytes:
        return self.process(command)

    def disconnect(self) -> None:
        pass

    def close(self) -> None:
        pass
