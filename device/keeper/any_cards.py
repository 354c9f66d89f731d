"""The cards of a door as keeper's loop sees them, and a door that has none.

Rules kept here:
- A door without a card reader loads nothing that cards need: not the code, not the library.
- Without cards every exchange is refused, and none is added.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Protocol

from device import wire
from device.keeper.attempt import Guard
from device.keeper.line import Line
from device.keeper.tenancies import Tenancies
from device.wire import NOBODY, Outcome

Say = Callable[[wire.Message], object]
"""Send to lock."""


class Cards(Protocol):
    """All cards of a door; `card_talk.CardTalk` explains the methods."""

    def shown(self, nonce: bytes) -> None: ...
    def answered(self, nonce: bytes, apdu: bytes) -> None: ...
    def gone(self, nonce: bytes) -> None: ...
    def void(self) -> None: ...
    def expect(self, slot: int) -> bool: ...
    def drop(self, slot: int) -> bool: ...
    def close(self) -> None: ...


MakeCards = Callable[[Guard, Tenancies, Line, Say], Cards]


class NoCards:
    """A door without a card reader; `say` sends to lock."""

    def __init__(self, guard: Guard, _tenancies: Tenancies, _line: Line, say: Say) -> None:
        self._guard = guard
        self._say = say

    def shown(self, nonce: bytes) -> None:
        """Refused."""
        self._say(wire.Verdict(nonce, self._guard.clock.monotonic_ns(), Outcome.REFUSED, NOBODY))

    def answered(self, nonce: bytes, apdu: bytes) -> None:
        """Nothing was asked."""

    def gone(self, nonce: bytes) -> None:
        """It has been refused already."""

    def void(self) -> None:
        """There is no exchange."""

    def expect(self, slot: int) -> bool:
        """No card can be added."""
        return False

    def drop(self, slot: int) -> bool:
        """There is none to cancel."""
        return False

    def close(self) -> None:
        """Nothing is open."""
