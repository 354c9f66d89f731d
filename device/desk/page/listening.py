"""The socket that browsers call, with a porter before it.

Rules kept here:
- While the page is shut a caller is let in and shown out in one step: no TLS, no HTTP, not one byte read.
- At most `MOST` callers at once, and `MOST_EACH` from one address, so that one who holds the line does not keep the
  others away. Where all lines are taken, an address with more of them gives way to one with less (`shares`), and the
  oldest line, after `SURE_S`, to an address that has none. Nobody stays longer than `LONGEST_S` on one line, however
  slowly they speak; a browser calls again.
- This class is a socket and nothing more to whoever serves on it.

Called from the thread of the page alone, but for `shut`, which is one flag.
"""

from __future__ import annotations

import socket
import time
from collections.abc import Callable
from typing import Any

from device.caller import Caller
from device.desk.page.shares import address_of, place_for

MOST = 48
MOST_EACH = 16  # a browser has six lines to a door, and a household one address
LONGEST_S = 60.0
SURE_S = 10.0  # a page with all that belongs to it comes within two; what a line does then, another one does as well


class Porter(socket.socket):
    """The listening socket. `shut()` says whether the page is closed at this moment."""

    def __init__(self, listener: socket.socket, shut: Callable[[], bool]) -> None:
        super().__init__(listener.family, listener.type, listener.proto, fileno=socket.dup(listener.fileno()))
        self._shut = shut
        self._inside: list[tuple[str, float, Caller]] = []  # who called first stands first; CLOCK_MONOTONIC seconds

    def accept(self) -> tuple[socket.socket, Any]:
        """As of a socket. Raises ConnectionAbortedError for a caller who was shown out."""
        guest, address = super().accept()
        host = address_of(str(address[0]))
        if self._shut() or not self._room_for(host):
            guest.close()
            raise ConnectionAbortedError
        caller = Caller(guest, LONGEST_S)
        self._inside.append((host, time.monotonic(), caller))
        caller.over = lambda: self._left(caller)
        return caller, address

    def _room_for(self, host: str) -> bool:
        if sum(each == host for each, *_ in self._inside) >= MOST_EACH:
            return False
        if len(self._inside) < MOST:
            return True
        now_s = time.monotonic()
        number = place_for(host, ((each, now_s - since_s) for each, since_s, _ in self._inside), SURE_S)
        if number is None:
            return False
        first = self._inside[number][2]
        self._left(first)  # now, and not when its end was noticed: somebody else may call before
        first.hang_up()
        return True

    def _left(self, caller: Caller) -> None:
        self._inside = [each for each in self._inside if each[2] is not caller]
