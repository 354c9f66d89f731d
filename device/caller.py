"""One connection of somebody who called a page: the resident's at the door, or the manager's console.

Rules kept here:
- It tells once when it is closed, so that whoever counts lines knows which are free.
- Nobody stays longer than what was said when it was taken, however slowly they speak; a browser calls again.
- This class is a socket and nothing more to whoever serves on it.
"""

from __future__ import annotations

import asyncio
import socket
from collections.abc import Callable
from contextlib import suppress


class Caller(socket.socket):
    """`guest`, which is not used otherwise any more, for `longest_s` at most. `over` is called when it is closed."""

    over: Callable[[], None] | None = None

    def __init__(self, guest: socket.socket, longest_s: float) -> None:
        super().__init__(guest.family, guest.type, guest.proto, fileno=guest.detach())
        with suppress(RuntimeError):  # without a loop nobody waits
            asyncio.get_running_loop().call_later(longest_s, self.hang_up)

    def close(self) -> None:
        """Close it, and say so once."""
        over, self.over = self.over, None
        super().close()
        if over:
            over()

    def hang_up(self) -> None:
        """End the line; whoever serves on it notices, and closes it."""
        with suppress(OSError):  # it went by itself
            self.shutdown(socket.SHUT_RDWR)
