"""One loop around many doors: descriptors that are ready, and moments that have come.

Rules kept here:
- One thread, one epoll. Nothing that is called from here waits.
- A descriptor is dropped before it is closed. One that was closed and given out anew in the same round may be called
  for nothing, so nobody who is called relies on being ready.
"""

from __future__ import annotations

import heapq
import select
import time
from collections.abc import Callable
from math import inf
from typing import Protocol

READ, WRITE = select.EPOLLIN, select.EPOLLOUT
_AT_ONCE = 512


class Timed(Protocol):
    """Something that wants to be called when time has passed."""

    def due_s(self) -> float:
        """When (CLOCK_MONOTONIC seconds)."""

    def turn(self, now_s: float) -> None:
        """The moment has come."""


class Poll:
    """Descriptors with a callback each, and timed things by their number."""

    def __init__(self) -> None:
        self._epoll = select.epoll()
        self._calls: dict[int, Callable[[int], None]] = {}
        self._timed: list[Timed] = []
        self._planned: list[float] = []  # of each timed thing: its one entry in the heap that counts
        self._heap: list[tuple[float, int]] = []

    def add(self, fileno: int, mask: int, call: Callable[[int], None]) -> None:
        """Call with what is ready of `mask`."""
        self._calls[fileno] = call
        self._epoll.register(fileno, mask)

    def change(self, fileno: int, mask: int) -> None:
        """Look for something else."""
        self._epoll.modify(fileno, mask)

    def drop(self, fileno: int) -> None:
        """Look no more; nothing happens if nobody did."""
        if self._calls.pop(fileno, None) is not None:
            self._epoll.unregister(fileno)

    # ---- time

    def join(self, timed: Timed) -> int:
        """Take in a timed thing; its number."""
        self._timed.append(timed)
        self._planned.append(inf)
        self.plan(len(self._timed) - 1)
        return len(self._timed) - 1

    def plan(self, number: int) -> None:
        """Something happened to a timed thing: it may want its turn earlier."""
        due_s = self._timed[number].due_s()
        if due_s < self._planned[number]:
            self._planned[number] = due_s
            heapq.heappush(self._heap, (due_s, number))

    def run(self, until: Callable[[], bool]) -> None:
        """Go on until somebody says that it is enough; asked after every turn."""
        while not until():
            now_s = time.monotonic()
            while self._heap and self._heap[0][0] <= now_s:
                planned_s, number = heapq.heappop(self._heap)
                if planned_s != self._planned[number]:
                    continue  # an earlier entry took its place
                self._planned[number] = inf
                if self._timed[number].due_s() <= now_s:
                    self._timed[number].turn(now_s)
                self.plan(number)
            if until():
                return
            left_s = self._heap[0][0] - time.monotonic() if self._heap else 1.0
            for fileno, mask in self._epoll.poll(min(max(left_s, 0.0), 1.0), _AT_ONCE):
                call = self._calls.get(fileno)
                if call is not None:
                    call(mask)

    def close(self) -> None:
        """Give the descriptor back."""
        self._epoll.close()
