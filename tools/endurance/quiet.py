"""What stands beside lock's loop in a life in memory, and stays quiet: the policy, and all that hangs on it.

Rules kept here:
- Each is as much of the part it replaces as lock's loop uses. None of them opens or refuses anything by itself: hours
  alone change, when a life says so.
- What they leave out has tests of its own: documents, what is told, the end of a door.
"""

from __future__ import annotations

from dataclasses import dataclass, field

from device.edges import Room
from device.lock.hours import Now
from device.lock.identity import DocumentKey
from device.policy.methods import EVERYTHING, Method
from device.wire import Ending, Message, Result

FIRST_DAY = 20_779


@dataclass(slots=True)
class Hours:
    """In place of `device.lock.hours`: what the policy allows right now."""

    methods: Method = EVERYTHING
    slots: frozenset[int] = frozenset()
    today: int = FIRST_DAY

    def at(self, _now_ns: int) -> Now:
        """The ways in, the slots whose own hours are not now, and the date at the door."""
        return Now(self.methods, self.slots, self.today)

    def deadline_ns(self, _now_ns: int, *, closely: bool) -> int | None:
        """Nobody knows when it changes."""

    def tick(self, _now_ns: int) -> None:
        """Time has passed."""


@dataclass(slots=True)
class Silence:
    """In place of `device.lock.reporting`: nobody signed that anything is told."""

    many: bool = False

    def begin(self) -> None:
        """Report came."""

    def opened(self) -> None:
        """Nobody counts."""

    def occupied(self, *, many: bool) -> None:
        """Nobody asks how many live here."""

    def deadline_ns(self) -> None:
        """Nothing is due."""

    def news(self, *, granted: bool, is_open: bool) -> tuple[()]:
        """None."""
        return ()


_KEY = DocumentKey.of(bytes(32))


@dataclass(slots=True)
class GoesOn:
    """In place of `device.lock.retiring`: nobody ends this door. Its end has tests of its own."""

    over: bool = False
    due: bool = False
    ending: Ending = Ending.NONE
    left_s: int = 0

    def deadline_ns(self) -> None:
        """Nothing is counted."""

    def tick(self, _now_ns: int, *, believed: bool) -> None:
        """Nothing is counted."""


@dataclass(slots=True)
class NoManager:
    """In place of `device.lock.policy`: every document is refused. Documents have their own tests."""

    hours: Hours = field(default_factory=Hours)
    reporting: Silence = field(default_factory=Silence)
    retiring: GoesOn = field(default_factory=GoesOn)
    key: DocumentKey = _KEY
    applying: None = None
    version: int = 0

    def received(self, _content: bytes, _asker: Room) -> tuple[Result, tuple[()]]:
        """No."""
        return Result.UNSIGNED, ()

    def kept(self, _kept: Message) -> None:
        """Nothing was to be kept."""

    def abandon(self) -> None:
        """Nothing is under way."""

    def asker_gone(self, _room: Room) -> None:
        """Nobody waits."""
