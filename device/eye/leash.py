"""Ends the process when a call into the camera does not come back, or when only a new process helps.

Rules kept here:
- A call that is bounded by its own timeout comes back before the leash is taut: the leash is for what Python cannot
  interrupt (a driver that waits for ever in C).
- It needs neither the interpreter nor its lock: faulthandler's own C thread writes where the process hung (file names
  and line numbers, no values) and calls _exit. systemd starts eye anew; the door keeps PIN and card.
- A process in uninterruptible sleep (state D) outlives even this: the board's hardware watchdog is the answer there.
"""

from __future__ import annotations

import faulthandler
import os
from collections.abc import Iterator
from contextlib import contextmanager
from typing import NoReturn

from device.service import EXIT_FAULT, log

_STDERR = 2


class Leash:
    """The production leash; one holds at a time."""

    @contextmanager
    def hold(self, seconds: float) -> Iterator[None]:
        """Run the block; end the process if it is not left within `seconds`."""
        faulthandler.dump_traceback_later(seconds, exit=True, file=_STDERR)
        try:
            yield
        finally:
            faulthandler.cancel_dump_traceback_later()

    def give_up(self, why: str) -> NoReturn:
        """End the process at once, without running what a hung library registered for its exit."""
        log(f"eye: {why}; starting anew")
        os._exit(EXIT_FAULT)
