"""Any board with a keypad of its own beside it, as one board.

Rules kept here:
- The loop watches one descriptor; the keypad's comes and goes behind it.
- There is one tamper alarm: it stands while the housing's contact or the keypad says so, and is told when it changes.
- The board comes first, at every look and at the end: nothing of the keypad's keeps the bolt from being secured.
"""

from __future__ import annotations

import select
from contextlib import suppress

from device.lock.board import Board
from device.lock.bolt import Bolt
from device.lock.keypad_evdev import EvdevKeypad
from device.lock.state import Event, Key, Signal, TamperMoved
from device.wire import Hint


class KeypadBoard:
    """`board` and `keypad`; closing it closes both."""

    def __init__(self, board: Board, keypad: EvdevKeypad) -> None:
        self._board = board
        self._keypad = keypad
        self._watched: int | None = None
        self._housing = self._told = False
        self._poll = select.epoll()
        self._poll.register(board.fileno(), select.EPOLLIN)

    @property
    def bolt(self) -> Bolt:
        """The strike."""
        return self._board.bolt

    def fileno(self) -> int:
        """Readable when either has something to say."""
        return self._poll.fileno()

    def events(self, now_s: float) -> list[Event]:
        """The board's events, then the keypad's keys, and what both say about tampering."""
        happened: list[Event] = []
        for event in self._board.events(now_s):
            if isinstance(event, TamperMoved):
                self._housing = event.on
            else:
                happened.append(event)
        typed = self._keypad.keys(now_s)
        self._watch()
        tampered = self._housing or not self._keypad.well
        if tampered != self._told:
            self._told = tampered
            happened.append(TamperMoved(on=tampered))
        return [*happened, *(Key(key) for key in typed)]

    def deadline(self) -> float | None:
        """The board's, or the keypad's."""
        ends = [self._board.deadline(), self._keypad.deadline()]
        return min((end for end in ends if end is not None), default=None)

    def lamp(self, *, on: bool) -> None:
        """The board's."""
        self._board.lamp(on=on)

    def show(self, signal: Signal, hint: Hint | None) -> None:
        """The board's."""
        self._board.show(signal, hint)

    def close(self) -> None:
        """Secured and dark, then the keypad given back."""
        try:
            self._board.close()
        finally:
            self._keypad.close()
            self._poll.close()

    def _watch(self) -> None:
        present = self._keypad.fd
        if present == self._watched:
            return
        if self._watched is not None:
            with suppress(OSError):  # one that was closed left by itself
                self._poll.unregister(self._watched)
        if present is not None:
            self._poll.register(present, select.EPOLLIN)
        self._watched = present
