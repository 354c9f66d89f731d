"""What a session does to commands and answers, and the absence of one.

Rules kept here:
- `request` and `receive` check before they hand anything on; whoever calls them has changed nothing yet.
- Without a session everything is plain, and there is no key number.
"""

from __future__ import annotations

from typing import Protocol

from tools.simulator.cards.memory import Key, Mode
from tools.simulator.cards.status import Refused, Status


class Session(Protocol):
    """Secure messaging. `command`: the instruction byte; `header`: what is never enciphered; `rest`: what follows."""

    @property
    def key_no(self) -> int | None:
        """The key number of the authentication; None without one."""

    @property
    def usual(self) -> Mode:
        """How commands travel that are neither a file's data nor secret."""

    def request(self, command: int, header: bytes, rest: bytes, mode: Mode) -> None:
        """Check a command without data. Raises Refused."""

    def size(self, length: int, mode: Mode) -> int:
        """How many bytes `length` bytes of data are in a command, with all that protects them."""

    def receive(self, command: int, header: bytes, rest: bytes, mode: Mode, length: int) -> bytes:
        """Check a command with data, and return its `length` bytes of data. Raises Refused."""

    def new_key(self, command: int, header: bytes, rest: bytes, old: bytes | None) -> Key:
        """The key in a ChangeKey; `old` is the key it replaces, None if that is the session's own. Raises Refused."""

    def answer(self, data: bytes, mode: Mode, *, to_the_end: bool = False) -> bytes:
        """A good answer as it travels. `to_the_end`: the reader asked for all the rest, and knows no length."""


class Unprotected:
    """No session."""

    key_no: int | None = None
    usual = Mode.PLAIN

    def request(self, command: int, header: bytes, rest: bytes, mode: Mode) -> None:
        if rest:
            raise Refused(Status.LENGTH)

    def size(self, length: int, mode: Mode) -> int:
        return length

    def receive(self, command: int, header: bytes, rest: bytes, mode: Mode, length: int) -> bytes:
        if len(rest) != length:
            raise Refused(Status.LENGTH)
        return rest

    def new_key(self, command: int, header: bytes, rest: bytes, old: bytes | None) -> Key:
        raise Refused(Status.AUTHENTICATION)

    def answer(self, data: bytes, mode: Mode, *, to_the_end: bool = False) -> bytes:
        return data
