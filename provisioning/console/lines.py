"""The console's listening socket, with a share of its lines for each address that calls.

Rules kept here:
- No address holds more than `MOST_EACH` lines of `MOST`: whoever opens lines and says nothing keeps nobody else away.
- Nobody stays longer than `LONGEST_S` on one line; a browser calls again, for its events as well.
- This class is a socket and nothing more to whoever serves on it.

An address is what the kernel says of a line. Many addresses together can take all of them.
"""

from __future__ import annotations

import socket
from collections import Counter
from typing import Any

from device.caller import Caller

MOST = 256
MOST_EACH = 64  # an office behind one address: six lines a browser
LONGEST_S = 600.0


class Lines(socket.socket):
    """`listener`, which is not used otherwise any more."""

    def __init__(self, listener: socket.socket) -> None:
        super().__init__(listener.family, listener.type, listener.proto, fileno=listener.detach())
        self._held: Counter[str] = Counter()

    def accept(self) -> tuple[socket.socket, Any]:
        """As of a socket. Raises ConnectionAbortedError for a caller who has lines enough."""
        guest, address = super().accept()
        host = str(address[0])
        if self._held[host] >= MOST_EACH:
            guest.close()
            raise ConnectionAbortedError
        caller = Caller(guest, LONGEST_S)
        self._held[host] += 1
        caller.over = lambda: self._left(host)
        return caller, address

    def _left(self, host: str) -> None:
        self._held[host] -= 1
        if not self._held[host]:
            del self._held[host]
