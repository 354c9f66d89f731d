"""What a process tells those who watch over it: lines for the journal, its state for systemd.

Rules kept here:
- Log lines carry no slot, digit, score, key or picture. Of an error nobody foresaw the journal gets type and place,
  never the text: that may hold what a log must never hold.
- Where nobody listens a word is lost: neither a restarted journal nor a missing notify socket ends a process.

Source: sd_notify(3).
"""

from __future__ import annotations

import os
import socket
import sys
import traceback
from contextlib import suppress
from dataclasses import dataclass

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


@dataclass(slots=True)
class Notifier:
    """The way to systemd, or to nobody where NOTIFY_SOCKET names none."""

    _sock: socket.socket | None = None

    def tell(self, state: str) -> None:
        """Say `state`, such as "READY=1"."""
        address = os.environ.get("NOTIFY_SOCKET")
        if not address:
            return
        if self._sock is None:
            self._sock = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM | socket.SOCK_CLOEXEC)
        target = "\0" + address[1:] if address.startswith("@") else address
        with suppress(OSError):
            self._sock.sendto(state.encode(), target)

    def feed_watchdog(self) -> None:
        """Say that the work goes on, where somebody waits for that."""
        if "WATCHDOG_USEC" in os.environ:
            self.tell("WATCHDOG=1")

    def close(self) -> None:
        """Give the socket back; another word would open it anew."""
        if self._sock:
            self._sock.close()
            self._sock = None
