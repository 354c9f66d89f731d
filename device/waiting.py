"""What a room's loop waits for: descriptors, and what is called when one of them is readable.

Rules kept here:
- One epoll and one table, nothing in between: whoever stands at the door waits for three or four of these wake-ups one
  after the other, and the library's selectors make an object of each and look it up twice.
- What was given back is not called, and nothing is watched twice.

Source: epoll(7).
"""

from __future__ import annotations

import select
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field

Callback = Callable[[], None]


@dataclass(slots=True)
class Waiting:
    """Descriptors by number, each with its callback."""

    _epoll: select.epoll = field(default_factory=select.epoll)
    _callbacks: dict[int, Callback] = field(default_factory=dict)

    @property
    def watched(self) -> frozenset[int]:
        """The descriptors that are watched."""
        return frozenset(self._callbacks)

    def register(self, fileno: int, callback: Callback) -> None:
        """Have `callback` called whenever `fileno` is readable, or over. Raises OSError."""
        self._epoll.register(fileno, select.EPOLLIN)
        self._callbacks[fileno] = callback

    def unregister(self, fileno: int) -> None:
        """Watch `fileno` no more. Raises KeyError if nobody did."""
        del self._callbacks[fileno]
        with suppress(OSError):  # one that was closed has left by itself
            self._epoll.unregister(fileno)

    def select(self, timeout_s: float | None) -> list[Callback]:
        """What is to be called now; nothing after `timeout_s`, None: wait for as long as it takes."""
        polled = self._epoll.poll(timeout_s, max(1, len(self._callbacks)))
        return [self._callbacks[fileno] for fileno, _ in polled if fileno in self._callbacks]

    def close(self) -> None:
        """Give it back; what was watched stays open."""
        self._callbacks.clear()
        self._epoll.close()
