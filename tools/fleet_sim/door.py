"""One simulated door: report as it is, without the rooms beside it.

Rules kept here:
- Teller, outbox, publisher and the loop between them are the door's own; the outbox is a file. What lock would say is
  said by whoever holds the door.
- What is handed out is noted where the envelope becomes bytes, before the outbox has it: what an outbox loses is lost.
- Time is real, and only the cadence is shorter; waits, handshakes and pings take as long as at a door.
"""

from __future__ import annotations

import random
import socket
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from math import inf
from pathlib import Path

from device import wire
from device.edges import Room, edges_into
from device.link import Link
from device.report import envelope
from device.report.broker import Broker
from device.report.envelope import Envelope
from device.report.guarded import MakeContext
from device.report.loop import Report
from device.report.outbox import Outbox
from device.report.teller import Identity, Teller
from device.wire import OccurrenceKind
from tools.fleet_sim.account import Name, Notes
from tools.fleet_sim.client import LoopPublisher
from tools.fleet_sim.poll import READ, Poll

ROWS = 2880  # as in door.toml: thirty days of reports
SOFTWARE = "0.1.0"


def lock_link() -> Link:
    """What stands for lock's connection in the doors of one process; nothing is ever sent on it."""
    (edge,) = [each for each in edges_into(Room.REPORT) if each.connector is Room.LOCK]
    return Link(Room.LOCK, edge, socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET), Room.REPORT)


@dataclass(frozen=True, slots=True)
class Around:
    """What the doors of one process have in common; their outboxes lie in `folder`."""

    where: Sequence[Broker]
    folder: Path
    poll: Poll
    lock: Link
    notes: Notes
    cadence_s: float
    chance: Callable[[], float]


class FleetDoor:
    """The door `door`, which wakes at `starts_s` (CLOCK_MONOTONIC), over TLS with `make_context`."""

    def __init__(self, door: str, starts_s: float, make_context: MakeContext | None, around: Around) -> None:
        notes, poll = around.notes, around.poll

        def encode(said: Envelope) -> bytes:
            notes.handed.append((Name(said.door, said.run, said.sequence), time.monotonic()))
            return envelope.encode(said)

        run = f"{random.getrandbits(32):08x}"
        teller = Teller(Identity(door, run, SOFTWARE), around.cadence_s, starts_s, encode=encode)
        self.quiet = False
        self._starts_s = starts_s
        self._started = False
        self._outbox = Outbox(around.folder / f"{door}.sqlite", ROWS)
        self._publisher = LoopPublisher(door, around.where, poll, notes, make_context, around.chance)
        self._report = Report(self, teller, self._outbox, self._publisher)
        self._lock = around.lock
        self._poll = poll
        self._number = number = poll.join(self)
        self._publisher.woken = lambda: poll.plan(number)

    # ---- what report's loop asks of the service around it

    def watch(self, fileno: int, callback: Callable[[], None]) -> None:
        """Call back when `fileno` is readable, and see what became of the connection."""

        def call(_mask: int) -> None:
            callback()
            self._after()

        self._poll.add(fileno, READ, call)

    def unwatch(self, fileno: int) -> None:
        """Stop that."""
        self._poll.drop(fileno)

    def send(self, peer: Room, msg: wire.Message) -> bool:
        """There is no lock to send to."""
        return False

    # ---- the rest of the house

    @property
    def online(self) -> bool:
        """Whether the broker knows it."""
        return self._publisher.online

    @property
    def waiting(self) -> int:
        """Messages in its outbox."""
        return len(self._outbox)

    @property
    def dropped(self) -> int:
        """Messages that its outbox had no room for."""
        return self._outbox.dropped

    def occur(self, kind: OccurrenceKind) -> None:
        """Lock says that something happened."""
        if self._started and not self.quiet:
            self._report.received(self._lock, wire.Occurrence(kind))
            self._after()

    def due_s(self) -> float:
        """When it wants its turn."""
        if not self._started:
            return self._starts_s
        speaks_s = None if self.quiet else self._report.deadline()
        ends = (speaks_s, self._publisher.due_s())
        return min((end for end in ends if end is not None), default=inf)

    def turn(self, now_s: float) -> None:
        """Start; speak when it is time; connect, ping or give up when it is time for that."""
        if not self._started:
            self._started = True
            self._report.connected(self._lock)
            self._report.received(self._lock, wire.Occurrence(OccurrenceKind.STARTED))
            self._report.tick()
        speaks_s = self._report.deadline()
        if not self.quiet and speaks_s is not None and speaks_s <= now_s:
            self._report.tick()
        connects_s = self._publisher.due_s()
        if connects_s is not None and connects_s <= now_s:
            self._publisher.turn(now_s)
        self._publisher.tidy(now_s)

    def _after(self) -> None:
        self._publisher.tidy(time.monotonic())
        self._poll.plan(self._number)
