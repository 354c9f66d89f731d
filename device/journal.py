"""What a process tells those who watch over it: lines for the journal, its state for systemd.

Rules kept here:
- Log lines carry no slot, digit, score, key or picture. Of an error nobody foresaw the journal gets type and place,
  never the text: that may hold what a log must never hold.
- Where nobody listens a word is lost: neither a restarted journal nor a missing notify socket ends a process.
- Twice as often as the watchdog bites somebody has to feed it, and all processes of a door at the same moments: a
  processor that is awake for one of them serves six, and then sleeps as long as it can.

Sources: sd_notify(3), sd_watchdog_enabled(3).
"""

from __future__ import annotations

import math
import os
import socket
import sys
import traceback
from contextlib import suppress
from dataclasses import dataclass, field

from device.errors import Fault, Refusal


def log(text: str) -> None:
    """One line for the journal."""
    with suppress(OSError, ValueError):
        sys.stderr.write(text + "\n")
        sys.stderr.flush()


def in_words(error: BaseException) -> str:
    """What a log may say: the sentence of our own errors; of any other only its type and place, "module:line"."""
    if isinstance(error, Refusal | Fault):
        return str(error)
    place = "an unknown place"
    for frame, line in traceback.walk_tb(error.__traceback__):
        module = frame.f_globals.get("__name__", "?")
        if module.startswith(f"{__package__}.") or not place.startswith(f"{__package__}."):
            place = f"{module}:{line}"  # the innermost place of ours; without one, the innermost of all
    return f"{type(error).__name__} at {place}, which nobody foresaw"


def _feeding_s() -> float | None:
    watchdog_us = os.environ.get("WATCHDOG_USEC")
    return int(watchdog_us) / 2e6 if watchdog_us else None


@dataclass(slots=True)
class Notifier:
    """The way to systemd, or to nobody where NOTIFY_SOCKET names none."""

    _feeding_s: float | None = field(default_factory=_feeding_s)
    _sock: socket.socket | None = None

    def tell(self, state: str) -> None:
        """Say `state`, such as "READY=1"."""
        for _ in range(2):  # the second time, to whoever listens there since the last word
            try:
                if self._sock is None:
                    self._sock = _listened_to()
                if self._sock is not None:
                    self._sock.send(state.encode())
            except OSError:
                self.close()
            else:
                return

    def feed_watchdog(self) -> None:
        """Say that the work goes on, where somebody waits for that."""
        if self._feeding_s is not None:
            self.tell("WATCHDOG=1")

    def feeding_s(self, now_s: float) -> float:
        """When to feed it next (CLOCK_MONOTONIC seconds): the same in every process; infinite where nobody waits."""
        every_s = self._feeding_s
        return math.inf if every_s is None else (now_s // every_s + 1.0) * every_s

    def close(self) -> None:
        """Give the socket back; another word would open it anew."""
        if self._sock:
            self._sock.close()
            self._sock = None


def _listened_to() -> socket.socket | None:
    """A socket to whoever started this process; None if nobody wants to hear. Raises OSError if nobody is there."""
    address = os.environ.get("NOTIFY_SOCKET")
    if not address:
        return None
    sock = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM | socket.SOCK_CLOEXEC)
    try:
        sock.connect("\0" + address[1:] if address.startswith("@") else address)
    except OSError:
        sock.close()
        raise
    return sock
