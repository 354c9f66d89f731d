"""What the loop asks of joining and renewing, so that a door without a broker loads no X.509 for it.

Rules kept here:
- Both say of themselves what is in the log; to the loop nothing of them is a failure.

`joining` and `renewal` are behind them, put together by `secured`.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

from device.report.publisher import Event
from device.report.retained import Retained

LOOK_S = 5.0
"""How often a door that waits for its certificate looks whether somebody brought one."""
RENEW_ROW = -2
"""By this number the publisher tells what became of a question; rows of the outbox are above 0."""


class Claim(Protocol):
    """The connection by which a door joins."""

    def fileno(self) -> int:
        """Readable while `events` has something to return."""

    def start(self, request: bytes) -> None:
        """Begin to connect, and keep the request with the broker."""

    def events(self) -> list[Event]:
        """The news since the last call, oldest first."""

    def alive(self) -> bool:
        """Whether it still tries."""

    def stop(self, *, answered: bool) -> None:
        """End; with `answered` the broker forgets the request."""


class Joins(Protocol):
    """A door that waits for its certificate."""

    @property
    def claim(self) -> Claim | None:
        """The connection, if there is one."""

    def key_is(self, document_key: bytes) -> None:
        """Lock says what this door's documents are sealed to."""

    def look(self) -> bool:
        """Whether there is a certificate now."""

    def news(self) -> bool:
        """Take what the connection brought; whether there is a certificate now."""

    def alive(self) -> bool:
        """Whether it still tries, or need not."""

    def stop(self) -> None:
        """End, with the certificate or without."""


class Renews(Protocol):
    """A door that has a certificate, and asks for the next one in time."""

    @property
    def topic(self) -> str:
        """Where the question goes."""

    @property
    def question(self) -> Retained:
        """What the broker should hold."""

    def look(self) -> None:
        """Time has passed."""

    def take(self, content: bytes) -> None:
        """Something came where answers come."""


@dataclass(frozen=True, slots=True)
class Papers:
    """What leads to a door's certificate, while there is none, and to the next one."""

    joiner: Joins | None
    renewal: Renews
