"""Documents on their way from the broker to lock: taken in once, and let go of only when lock has answered.

Certificates come the same way, to report itself.

Rules kept here:
- What a broker keeps for whoever comes is not for this door: a retained message is refused, and so are empty and
  oversized ones. Nothing is looked into: whether a document is the manager's, is lock's to say.
- The broker is told to send `MOST` ahead (MQTT 5.0, 3.1.2.11.3). Mosquitto 2.0.11 was seen to send more after a
  reconnection, so `HELD` are taken in; what is sent beyond that is not listened to, and fills no memory. It stays the
  broker's, and comes again with the next connection.
- A document stays the broker's until it is settled. What a lost connection or a power cut left behind comes again; the
  same bytes are then the same document, and lock hears of it once.

Called from two threads: messages come in paho's, and are settled in the loop's.
"""

from __future__ import annotations

import threading
from dataclasses import dataclass

from device.errors import MessageRefused
from device.report.publisher import Event, What
from device.wire import MAX_DOCUMENT

MOST = 8
HELD = 4 * MOST  # 128 KiB


def topic(door: str) -> str:
    """Where documents for the door come."""
    return f"doorward/{door}/document"


def certificate_topic(door: str) -> str:
    """Where the answer to a renewal comes."""
    return f"doorward/{door}/certificate"


@dataclass(slots=True)
class _Waiting:
    """A document that lock has not answered; `packets` are its numbers on this connection, one a copy."""

    content: bytes
    packets: list[int]


class Arrivals:
    """The documents for the door `door` that were taken in and are not settled yet."""

    def __init__(self, door: str) -> None:
        self._topics = {topic(door): What.DOCUMENT, certificate_topic(door): What.CERTIFICATE}
        self._waiting: dict[int, _Waiting] = {}
        self._last = 0
        self._guard = threading.Lock()

    def take(self, at: str, content: bytes, packet: int, *, retained: bool) -> Event | None:
        """The news of a document that came on the topic `at`; None if it waits already, or if too many do.

        `packet` is the broker's number for it. Raises MessageRefused for what is no document for this door.
        """
        what = self._topics.get(at)
        if what is None:
            msg = "it came on a topic that the door did not ask for"
            raise MessageRefused(msg)
        if retained:
            msg = "a retained message is no document: it would come again for ever"
            raise MessageRefused(msg)
        if not 0 < len(content) <= MAX_DOCUMENT:
            msg = f"a document holds 1 to {MAX_DOCUMENT} bytes"
            raise MessageRefused(msg)
        with self._guard:
            for waiting in self._waiting.values():
                if waiting.content == content:
                    if len(waiting.packets) < MOST:
                        waiting.packets.append(packet)
                    return None
            if len(self._waiting) >= HELD:
                return None
            self._last += 1
            self._waiting[self._last] = _Waiting(content, [packet])
            return Event(what, self._last, content=content)

    def settle(self, row: int) -> list[int]:
        """Let go of document `row`; the packets to acknowledge, none if their connection is gone."""
        with self._guard:
            settled = self._waiting.pop(row, None)
            return settled.packets if settled else []

    def disconnected(self) -> None:
        """Packet numbers end with their connection; the broker sends again what was not acknowledged."""
        with self._guard:
            for waiting in self._waiting.values():
                waiting.packets.clear()
