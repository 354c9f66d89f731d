"""A broker in memory and a publisher to it: the simulated twin of `mqtt`, under the same contract suite.

Rules kept here:
- Everything happens when the test says so (`turn`): no thread, no clock, no network.
- It keeps what a subscriber at a real broker would see, retained messages included, and documents for a door that is
  away; it sends what was not acknowledged again on the next connection.
"""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass, field

from device.errors import MessageRefused
from device.journal import log
from device.report import arrivals
from device.report.arrivals import Arrivals
from device.report.envelope import OFFLINE, ONLINE, availability_topic
from device.report.publisher import Event, Mailbox, What


@dataclass(slots=True)
class MemoryBroker:
    """Takes messages while it is `up`; declines rows while it is not `willing`.

    `sent`: what managers published on a topic and no door has acknowledged, each with its retain flag.
    """

    up: bool = True
    willing: bool = True
    received: list[tuple[str, bytes]] = field(default_factory=list)
    retained: dict[str, bytes] = field(default_factory=dict)
    sessions: set[str] = field(default_factory=set)
    sent: dict[str, deque[tuple[bytes, bool]]] = field(default_factory=dict)

    def payloads(self, topic: str) -> list[bytes]:
        """What arrived on `topic`, in order."""
        return [payload for at, payload in self.received if at == topic]

    def send(self, topic: str, payload: bytes, *, retain: bool = False) -> None:
        """A manager publishes; only a door with a session will get it, as with any broker."""
        if retain:
            self.retained[topic] = payload
        if topic in self.sessions:
            self.sent.setdefault(topic, deque()).append((payload, retain))


class MemoryPublisher:
    """Connects to a MemoryBroker as the door `door`."""

    def __init__(self, door: str, broker: MemoryBroker) -> None:
        self._topic = availability_topic(door)
        self._wanted = (arrivals.topic(door), arrivals.certificate_topic(door))
        self._broker = broker
        self._mailbox = Mailbox()
        self._arrivals = Arrivals(door)
        self._packets: dict[int, tuple[str, bytes, bool]] = {}  # sent on this connection and not acknowledged
        self._packet = 0
        self._under_way: tuple[int, str, bytes, bool] | None = None
        self._connected = False
        self._trying = False

    def fileno(self) -> int:
        """Readable while `events` has something to return."""
        return self._mailbox.fileno()

    def start(self) -> None:
        """Begin to connect."""
        self._trying = True

    def publish(self, row: int, topic: str, payload: bytes, *, retain: bool = False) -> bool:
        """Put one row under way; False without a connection or with another row under way."""
        if not self._connected or self._under_way:
            return False
        self._under_way = (row, topic, payload, retain)
        return True

    def turn(self) -> None:
        """Let the network do its part: connect, lose, deliver and acknowledge."""
        if self._connected and not self._broker.up:
            self._connected, self._under_way = False, None
            self._broker.retained[self._topic] = OFFLINE
            self._mailbox.put(Event(What.LOST, why="the broker went down"))
        elif not self._connected and self._trying and self._broker.up:
            self._connected, self._packets = True, {}
            self._arrivals.disconnected()
            self._broker.sessions.update(self._wanted)
            self._announce(ONLINE)
            self._mailbox.put(Event(What.CONNECTED))
        elif self._under_way:
            row, topic, payload, retain = self._under_way
            self._under_way = None
            if self._broker.willing:
                self._broker.received.append((topic, payload))
                if retain:
                    self._broker.retained[topic] = payload
            self._mailbox.put(Event(What.ACCEPTED if self._broker.willing else What.DECLINED, row))
        elif self._connected:
            for topic in self._wanted:
                self._deliver(topic)

    def events(self) -> list[Event]:
        """The news since the last call, oldest first."""
        return self._mailbox.take()

    def settle(self, row: int) -> None:
        """Tell the broker that document `row` has been dealt with."""
        for packet in self._arrivals.settle(row):
            self._acknowledge(packet)

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

    def _deliver(self, topic: str) -> None:
        """Send what was not sent on this connection, up to what the door takes ahead."""
        waiting = self._broker.sent.get(topic, deque())
        ahead = sum(at == topic for at, _, _ in self._packets.values())
        for content, retained in list(waiting)[ahead : arrivals.MOST]:
            self._packet += 1
            self._packets[self._packet] = (topic, content, retained)
            try:
                event = self._arrivals.take(topic, content, self._packet, retained=retained)
            except MessageRefused as refused:
                log(f"report: a message from the broker was refused: {refused}")
                self._acknowledge(self._packet)
                continue
            if event is not None:
                self._mailbox.put(event)

    def _acknowledge(self, packet: int) -> None:
        acknowledged = self._packets.pop(packet, None)
        if self._connected and acknowledged is not None:
            topic, content, retained = acknowledged
            self._broker.sent[topic].remove((content, retained))
