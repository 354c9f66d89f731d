"""The port through which messages leave, and how its news reach the one loop.

Rules kept here:
- A publisher never calls into the room. Whatever happens in it, perhaps in a thread of its own, becomes an `Event` in
  its mailbox, and the loop fetches it when the mailbox's descriptor is readable.
- At most one row is under way. The outbox, not the publisher, sends it again after a lost connection.
- At most eight documents wait (`arrivals.MOST`), each until it is settled; the broker keeps the others so long.

`mqtt` is the real one, `memory` the simulated one of equal rank (tests/contract/mqtt runs on both), `Nowhere` the one
of a door without a broker.
"""

from __future__ import annotations

import socket
from collections import deque
from dataclasses import dataclass
from enum import Enum, auto, unique
from typing import Protocol


@unique
class What(Enum):
    """What can happen between the door and the broker."""

    CONNECTED = auto()  # the broker has accepted the door and knows it to be online
    ACCEPTED = auto()  # the broker has taken over the row
    DECLINED = auto()  # the broker has refused the row; it may be tried again later
    LOST = auto()  # no connection (any more); a row under way has to be sent again
    DOCUMENT = auto()  # somebody has sent a document to this door; nobody has looked into it
    CERTIFICATE = auto()  # somebody has sent this door a certificate; nobody has looked into it


@dataclass(frozen=True, slots=True)
class Event:
    """One piece of news; `why` is for the log.

    `row` is the row concerned, or 0. For what was sent to the door, its `content`, it is the number to settle it by.
    """

    what: What
    row: int = 0
    why: str = ""
    content: bytes = b""


class Publisher(Protocol):
    """Carries rows to a broker."""

    def fileno(self) -> int:
        """Readable while `events` has something to return."""

    def start(self) -> None:
        """Begin to connect, and keep connecting, without waiting."""

    def publish(self, row: int, topic: str, payload: bytes, *, retain: bool = False) -> bool:
        """Send one row without waiting; False if there is no connection or a row is under way.

        With `retain` the broker keeps it for whoever subscribes later, until the next one replaces it.
        """

    def events(self) -> list[Event]:
        """The news since the last call, oldest first."""

    def settle(self, row: int) -> None:
        """Lock has answered for document `row`, whatever it said: the broker may forget it, and send another."""

    def alive(self) -> bool:
        """Whether it still tries; a broker that is away does not make it less alive."""

    def stop(self) -> None:
        """Say goodbye so that the broker marks the door offline. Takes at most about two seconds."""


class Mailbox:
    """Events from any thread, fetched by one loop. The descriptor is readable while there are some."""

    def __init__(self) -> None:
        self._events: deque[Event] = deque()
        self._reader, self._writer = socket.socketpair()
        self._reader.setblocking(False)
        self._writer.setblocking(False)

    def fileno(self) -> int:
        """What to watch for reading."""
        return self._reader.fileno()

    def put(self, event: Event) -> None:
        """Leave an event (any thread)."""
        self._events.append(event)
        try:
            self._writer.send(b"\0")
        except OSError:
            return  # full: the reader is woken already; closed: nobody reads any more

    def take(self) -> list[Event]:
        """All events, oldest first."""
        try:
            while self._reader.recv(4096):
                pass
        except OSError:
            pass
        taken: list[Event] = []
        while self._events:
            taken.append(self._events.popleft())
        return taken

    def close(self) -> None:
        """No more events."""
        self._reader.close()
        self._writer.close()


class Nowhere:
    """The publisher of a door without a broker: nothing leaves."""

    def __init__(self) -> None:
        self._mailbox = Mailbox()

    def fileno(self) -> int:
        """Never readable."""
        return self._mailbox.fileno()

    def start(self) -> None:
        """Nothing to connect to."""

    def publish(self, row: int, topic: str, payload: bytes, *, retain: bool = False) -> bool:
        """Nothing is sent."""
        return False

    def events(self) -> list[Event]:
        """Nothing happens."""
        return []

    def settle(self, row: int) -> None:
        """No document ever came."""

    def alive(self) -> bool:
        """Nothing can fail."""
        return True

    def stop(self) -> None:
        """Nobody to say goodbye to."""
        self._mailbox.close()
