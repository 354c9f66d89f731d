"""Documents from the broker to lock: one at a time, in order, and let go of when lock has answered.

Rules kept here:
- One is with lock, at most `MOST` more wait; the oldest are kept. What came by the broker stays the broker's until it
  is settled (`Publisher.settle`), so nothing is lost by a restart of anybody.
- What lock could not do now (another document under way, keeper away) is tried again a few times and then let go of:
  one document must not stand in the way of all that follow. Every other answer is an end.
- Nobody outside hears the answer. What was applied shows as `docs` in the next report, at the time of that report.
"""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass

from device.report.arrivals import HELD
from device.wire import MAX_DOCUMENT, Ack, Result

MOST = HELD  # whatever was taken in has room: one that is let go of here is acknowledged, and lost
RETRY_S = 20.0
TRIES = 6
_LATER = frozenset({Result.BUSY, Result.FAULT})


@dataclass(slots=True)
class _Waiting:
    row: int
    content: bytes
    tries: int = 0


class Deliveries:
    """The documents that lock has not answered. Times are seconds of one monotonic clock."""

    def __init__(self) -> None:
        self._waiting: deque[_Waiting] = deque()
        self._asked = False  # the first one is with lock
        self._not_before_s = 0.0

    def __len__(self) -> int:
        return len(self._waiting)

    def arrived(self, row: int, content: bytes) -> bool:
        """Put a document at the end; False if it is none, or if there is no room: the caller settles it."""
        if not 0 < len(content) <= MAX_DOCUMENT or len(self._waiting) > MOST:
            return False
        self._waiting.append(_Waiting(row, content))
        return True

    def due(self, now_s: float) -> bytes | None:
        """The document to hand to lock now."""
        if self._asked or not self._waiting or now_s < self._not_before_s:
            return None
        return self._waiting[0].content

    def deadline(self) -> float | None:
        """When `due` has something; None while lock is to answer first, or nothing waits."""
        return None if self._asked or not self._waiting else self._not_before_s

    def postponed(self, now_s: float) -> None:
        """Lock did not take the first one."""
        self._not_before_s = now_s + RETRY_S

    def handed_over(self) -> None:
        """Lock has the first one."""
        self._asked = True
        self._waiting[0].tries += 1

    def answered(self, ack: Ack, now_s: float) -> int | None:
        """Lock's answer: the row to settle, or None if it is to be tried again. Raises LookupError unless asked."""
        if not self._asked:
            msg = "no document was passed on"
            raise LookupError(msg)
        self._asked = False
        first = self._waiting[0]
        if ack.result in _LATER and first.tries < TRIES:
            self._not_before_s = now_s + RETRY_S
            return None
        self._not_before_s = 0.0
        self._waiting.popleft()
        return first.row

    def lock_gone(self) -> None:
        """Nobody will answer; the same document goes to the next lock, which knows whether it had it."""
        self._asked = False
        self._not_before_s = 0.0
