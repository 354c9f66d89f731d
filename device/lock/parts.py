"""What may stand beside a board: a keypad, a card reader, an OSDP reader; and a board with all of them as one board.

Rules kept here:
- A part never raises for what its device does: one that is gone, babbles or was exchanged is not `well`, and lock goes
  on without it. One that raises nevertheless has a fault nobody foresaw: it is given back and not asked again, and the
  rest of the door, the bolt before all, works on.
- There is one tamper alarm: it stands while the housing's contact or any part says so, and is told when it changes.
- A part's descriptor may come and go; the loop watches one that stays.
- The board comes first, at every look and at the end: nothing beside it keeps the bolt from being secured.
- There is one exchange with a card at a time. What keeper says reaches the reader that has this card and no other, and
  only that reader is heard; a card that is shown to another one meanwhile is let go, and can be shown again.
"""

from __future__ import annotations

import select
from collections.abc import Callable
from contextlib import suppress
from functools import partial
from typing import Protocol

from device.journal import log
from device.lock.board import Board
from device.lock.bolt import Bolt
from device.lock.state import CardCame, CardLeft, CardReplied, Event, Signal, TamperMoved
from device.wire import Hint

_AT_ONCE_S = float("-inf")


class Part(Protocol):
    """One device beside the board."""

    @property
    def well(self) -> bool:
        """Whether it is there, is the one that was there before, and behaves."""

    def fileno(self) -> int | None:
        """Readable when `events` has something to say; None while the device is not there."""

    def events(self, now_s: float) -> list[Event]:
        """What happened since the last call; never TamperMoved, which follows from `well`."""

    def deadline(self) -> float | None:
        """When `events` wants to be called even if nothing is readable (CLOCK_MONOTONIC seconds)."""

    def show(self, signal: Signal, hint: Hint | None) -> None:
        """Give a tone and a light, if it has any."""

    def card(self, command: bytes | None) -> None:
        """A command APDU for the card in front of it, None to let the card go. Without a card nothing happens."""

    def close(self) -> None:
        """Give the device back."""


class PartsBoard:
    """`board` and everything beside it; closing it closes all."""

    def __init__(self, board: Board, parts: tuple[Part, ...]) -> None:
        self._board = board
        self._parts = parts
        self._sound = list(parts)
        self._watched: dict[Part, int] = {}
        self._talking: Board | Part | None = None
        self._housing = self._told = self._look_due = False
        self._poll = select.epoll()
        self._poll.register(board.fileno(), select.EPOLLIN)
        self._watch()

    @property
    def bolt(self) -> Bolt:
        """The strike."""
        return self._board.bolt

    def fileno(self) -> int:
        """Readable when any of them has something to say."""
        return self._poll.fileno()

    def events(self, now_s: float) -> list[Event]:
        """The board's events, then the parts', and what all of them say about tampering."""
        happened: list[Event] = []
        for event in self._board.events(now_s):
            if isinstance(event, TamperMoved):
                self._housing = event.on
            else:
                happened += self._heard(self._board, event)
        beside: list[Event] = []
        for part in tuple(self._sound):
            beside += self._events_of(part, now_s)
        if self._talking is not self._board and self._talking not in (None, *self._sound):
            self._talking = None
            beside.append(CardLeft())
        self._watch()
        self._look_due = False
        tampered = self._housing or len(self._sound) < len(self._parts) or not all(part.well for part in self._sound)
        if tampered != self._told:
            self._told = tampered
            happened.append(TamperMoved(on=tampered))
        return happened + beside

    def deadline(self) -> float | None:
        """The earliest of them; at once when one of them has failed."""
        if self._look_due:
            return _AT_ONCE_S
        ends = [self._board.deadline(), *(part.deadline() for part in self._sound)]
        return min((end for end in ends if end is not None), default=None)

    def lamp(self, *, on: bool) -> None:
        """The board's."""
        self._board.lamp(on=on)

    def lights(self, left: int, right: int) -> None:
        """The board's."""
        self._board.lights(left, right)

    def show(self, signal: Signal, hint: Hint | None) -> None:
        """Everywhere somebody may look."""
        self._board.show(signal, hint)
        for part in tuple(self._sound):
            self._guarded(part, partial(part.show, signal, hint))

    def card(self, command: bytes | None) -> None:
        """To whichever has the card."""
        talking = self._talking
        if command is None:
            self._talking = None
        if talking is self._board:
            self._board.card(command)
        for part in tuple(self._sound):
            if part is talking:
                self._guarded(part, partial(part.card, command))

    def close(self) -> None:
        """Secured and dark, then everything beside it given back."""
        try:
            self._board.close()
        finally:
            for part in self._parts:
                with suppress(Exception):  # one that cannot be given back must not keep the others
                    part.close()
            self._poll.close()

    def _events_of(self, part: Part, now_s: float) -> list[Event]:
        news: list[Event] = []
        self._guarded(part, lambda: news.extend(part.events(now_s)))
        return [said for event in news for said in self._heard(part, event)]

    def _heard(self, source: Board | Part, event: Event) -> list[Event]:
        """`event`, unless it is of a card nobody talks to."""
        match event:
            case CardCame() if self._talking is None:
                self._talking = source
            case CardCame() if self._talking is not source:
                source.card(None)
                return []
            case CardReplied() | CardLeft() if self._talking is not source:
                return []
            case CardLeft():
                self._talking = None
            case _:
                pass
        return [event]

    def _guarded(self, part: Part, act: Callable[[], object]) -> None:
        try:
            act()
        except Exception as cause:  # noqa: BLE001 - whatever it is: a part must not end the process that holds the bolt
            log(f"{type(part).__name__} failed and is not asked again: {type(cause).__name__}")
            self._sound.remove(part)
            self._look_due = True
            with suppress(Exception):
                part.close()

    def _watch(self) -> None:
        for part in self._parts:
            watched = self._watched.pop(part, None)
            present = part.fileno() if part in self._sound else None
            if watched is not None and watched != present:
                with suppress(OSError):  # one that was closed left by itself
                    self._poll.unregister(watched)
            if present is not None:
                with suppress(FileExistsError):  # asked each time: a closed and reopened device may get its old number
                    self._poll.register(present, select.EPOLLIN)
                self._watched[part] = present
