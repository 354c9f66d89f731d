"""Ends the process when a call into the camera does not come back, or when only a new process helps.

Rules kept here:
- A call that is bounded by its own timeout comes back before the leash is taut: the leash is for what Python cannot
  interrupt (a driver that waits for ever in C).
- It needs neither the interpreter nor its lock: the kernel's timer raises SIGALRM, faulthandler's C handler writes
  where the process hung (file names and line numbers, no values), and the signal's own action ends the process.
  systemd starts eye anew; the door keeps PIN and card.
- A frame is read on the leash, so the leash must cost nothing: one system call to set it and one to take it off. A
  thread for each frame (faulthandler's dump_traceback_later) cost 0.3 ms of the 7 ms that a frame took (measured).
- A process in uninterruptible sleep (state D) outlives even this, and SIGKILL: docs/units.md says what becomes of it.
"""

from __future__ import annotations

import faulthandler
import os
import signal
from collections.abc import Callable
from contextlib import AbstractContextManager
from dataclasses import dataclass
from types import TracebackType
from typing import NoReturn

from device.journal import log
from device.service import EXIT_FAULT

_STDERR = 2


@dataclass(frozen=True, slots=True)
class _Timer:
    """The kernel's timer, for one block. Written out, so that no generator is begun and ended for each call."""

    seconds: float

    def __enter__(self) -> None:
        signal.setitimer(signal.ITIMER_REAL, self.seconds)

    def __exit__(self, *_: object) -> None:
        signal.setitimer(signal.ITIMER_REAL, 0)


@dataclass(frozen=True, slots=True)
class Told:
    """A block on the leash `held`, before and after which `tell` is called, whatever becomes of it."""

    held: AbstractContextManager[None]
    tell: Callable[[], None]

    def __enter__(self) -> None:
        self.tell()
        self.held.__enter__()

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, where: TracebackType | None
    ) -> None:
        try:
            self.held.__exit__(kind, error, where)
        finally:
            self.tell()


class Leash:
    """The production leash; one holds at a time, and one lives in a process."""

    def __init__(self) -> None:
        self._listening = False

    def hold(self, seconds: float) -> AbstractContextManager[None]:
        """Run the block; end the process if it is not left within `seconds`."""
        if not self._listening:
            # First of all the default action, which ends the process: it is what the handler hands over to.
            signal.signal(signal.SIGALRM, signal.SIG_DFL)
            faulthandler.register(signal.SIGALRM, file=_STDERR, chain=True)
            self._listening = True
        return _Timer(seconds)

    def give_up(self, why: str) -> NoReturn:
        """End the process at once, without running what a hung library registered for its exit."""
        log(f"eye: {why}; starting anew")
        os._exit(EXIT_FAULT)
