"""A broker in memory and a publisher to it: the simulated twin of `mqtt`, under the same contract suite.

Rules kept here:
- Everything happens when the test says so (`turn`): no thread, no clock, no network.
- It keeps what a subscriber at a real broker would see, retained messages included.
"""

from __future__ import annotations

from dataclasses import dataclass, field

from device.report.envelope import OFFLINE, ONLINE, availability_topic
from device.report.publisher import Event, Mailbox, What


@dataclass(slots=True)
class MemoryBroker:
    """Takes messages while it is `up`; declines rows while it is not `willing`."""

    up: bool = True
    willing: bool = True
    received: list[tuple[str, bytes]] = field(default_factory=list)
    retained: dict[str, bytes] = field(default_factory=dict)

    def payloads(self, topic: str) -> list[bytes]:
        """What arrived on `topic`, in order."""
        return [payload for at, payload in self.received if at == topic]


class MemoryPublisher:
    """Connects to a MemoryBroker as the door `door`."""

    def __init__(self, door: str, broker: MemoryBroker) -> None:
        self._topic = availability_topic(door)
        self._broker = broker
        self._mailbox = Mailbox()
        self._under_way: tuple[int, str, bytes] | None = None
        self._connected = False
        self._trying = False

    def fileno(self) -> int:
        """Readable while `events` has something to return."""
        return self._mailbox.fileno()

    def start(self) -> None:
        """Begin to connect."""
        self._trying = True

    def publish(self, row: int, topic: str, payload: bytes) -> bool:
        """Put one row under way; False without a connection or with another row under way."""
        if not self._connected or self._under_way:
            return False
        self._under_way = (row, topic, payload)
        return True

    def turn(self) -> None:
        """Let the network do its part: connect, lose, deliver and acknowledge."""
        if self._connected and not self._broker.up:
            self._connected, self._under_way = False, None
            self._broker.retained[self._topic] = OFFLINE
            self._mailbox.put(Event(What.LOST, why="the broker went down"))
        elif not self._connected and self._trying and self._broker.up:
            self._connected = True
            self._announce(ONLINE)
            self._mailbox.put(Event(What.CONNECTED))
        elif self._under_way:
            row, topic, payload = self._under_way
            self._under_way = None
            if self._broker.willing:
                self._broker.received.append((topic, payload))
            self._mailbox.put(Event(What.ACCEPTED if self._broker.willing else What.DECLINED, row))

    def events(self) -> list[Event]:
        """The news since the last call, oldest first."""
        return self._mailbox.take()

    def alive(self) -> bool:
        """It has no thread that could die."""
        return True

    def stop(self) -> None:
        """Say goodbye."""
        if self._connected:
            self._announce(OFFLINE)
        self._connected = self._trying = False
        self._mailbox.close()

    def _announce(self, word: bytes) -> None:
        self._broker.received.append((self._topic, word))
        self._broker.retained[self._topic] = word
