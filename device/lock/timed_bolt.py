"""A bolt whose release is ended by a timer of its own: what the drivers of real lines have in common.

Rules kept here:
- The timer runs before the line moves: there is no release without its end.
- The timer has a thread of its own, so that it ends a release even when the loop is stuck; a lock keeps the two apart.
- An old timer never cuts a later release short.
- Whatever a driver raises is a BoltFault: `lgpio.error`, for one, is a bare Exception.
"""

from __future__ import annotations

import threading
from abc import ABC, abstractmethod
from collections.abc import Callable
from contextlib import suppress
from typing import Protocol

from device.errors import BoltFault
from device.lock.bolt import Wiring, coil_energised


class Timer(Protocol):
    """What `threading.Timer` offers."""

    def start(self) -> None:
        """Begin."""

    def cancel(self) -> None:
        """Never mind."""


MakeTimer = Callable[[float, Callable[[], None]], Timer]


def thread_timer(seconds: float, call: Callable[[], None]) -> Timer:
    """A timer in a thread that keeps no process alive."""
    timer = threading.Timer(seconds, call)
    timer.daemon = True
    return timer


class TimedBolt(ABC):
    """The strike on one line. A subclass claims it with the secured level in one step."""

    def __init__(self, wiring: Wiring, make_timer: MakeTimer) -> None:
        self._wiring = wiring
        self._make_timer = make_timer
        self._guard = threading.RLock()
        self._timer: Timer | None = None

    @abstractmethod
    def _energise(self, on: bool) -> None:  # noqa: FBT001 - a level
        """Let current flow through the coil, or not. Raises if the line was given back."""

    @abstractmethod
    def _owned(self) -> bool:
        """Whether the line is still ours."""

    @abstractmethod
    def _give_back(self) -> None:
        """Let go of the line (it may float then: wire the relay to read that as locked)."""

    def release(self, for_ms: int) -> None:
        """Let go for `for_ms`; an own timer secures even if the loop is stuck."""
        with self._guard:
            self._stop_timer()
            timer = self._make_timer(for_ms / 1000, lambda: self._expired(timer))
            self._timer = timer
            timer.start()
            self._drive(released=True)

    def secure(self) -> None:
        """Lock now."""
        with self._guard:
            self._stop_timer()
            self._drive(released=False)

    def close(self) -> None:
        """Lock and give the line back."""
        with self._guard:
            self._stop_timer()
            if self._owned():
                try:
                    self._drive(released=False)
                finally:
                    self._give_back()

    def _expired(self, timer: Timer) -> None:
        with self._guard:
            if self._timer is timer and self._owned():
                self._timer = None
                with suppress(BoltFault):  # the loop secures at the same time and raises the alarm
                    self._drive(released=False)

    def _stop_timer(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None

    def _drive(self, *, released: bool) -> None:
        try:
            self._energise(coil_energised(self._wiring, released=released))
        except Exception as cause:
            msg = f"the bolt's line cannot be driven: {cause}"
            raise BoltFault(msg) from cause
