"""report's part of the loop: lock's words in, messages into the outbox, the outbox to the broker.

Rules kept here:
- It hears occurrences and nothing else. An Ack belongs to a document that came by the broker; none does yet, so one is
  at no moment right.
- Whatever fails here (disk, broker, ledger) costs a report, never the door.
- A peer that breaks the table is an alarm of its own: there is no one else report could tell.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Protocol

from device import wire
from device.edges import Room
from device.errors import NotPermitted
from device.report.outbox import Outbox
from device.report.publisher import Event, Publisher, What
from device.report.teller import Message, Teller
from device.service import Link, log
from device.wire import OccurrenceKind

DECLINED_RETRY_S = 60.0
"""A broker that refuses a message (a missing right, a full quota) is asked again, but not without pause."""


class Loop(Protocol):
    """What of `device.service.Service` is used here."""

    def watch(self, fileno: int, callback: Callable[[], None]) -> None:
        """Call back when `fileno` is readable."""

    def unwatch(self, fileno: int) -> None:
        """Stop that."""


class Report:
    """The `Work` of report."""

    def __init__(
        self,
        service: Loop,
        teller: Teller,
        outbox: Outbox,
        publisher: Publisher,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._service = service
        self._teller = teller
        self._outbox = outbox
        self._publisher = publisher
        self._clock = clock
        self._started = False
        self._online = False
        self._told_lost = False
        self._retry_s: float | None = None

    # ---- lock

    def connected(self, link: Link) -> None:
        """Lock is there; it begins by telling what stands."""
        self._teller.lock_is(present=True)

    def received(self, link: Link, msg: wire.Message) -> None:
        """Take in an occurrence. Raises NotPermitted for an Ack, as no document was passed on."""
        if not isinstance(msg, wire.Occurrence):
            text = f"{link.peer} sent {type(msg).__name__} although no document was passed on"
            raise NotPermitted(text)
        self._hear(msg.kind)

    def disconnected(self, link: Link) -> None:
        """Lock is gone; the next report says so."""
        self._teller.lock_is(present=False)

    def breached(self, room: Room) -> None:
        """Somebody sent what must never be sent."""
        self._hear(OccurrenceKind.BREACH)

    # ---- time

    def deadline(self) -> float | None:
        """At once for the start, else the next report, or the next try with a broker that declined."""
        if not self._started:
            return self._clock()
        return self._teller.due_s if self._retry_s is None else min(self._teller.due_s, self._retry_s)

    def tick(self) -> None:
        """Start after the sockets stand; then speak when it is time."""
        if not self._started:
            self._started = True
            self._service.watch(self._publisher.fileno(), self._news)
            self._publisher.start()
        now = self._clock()
        due = self._teller.report(now, self._outbox.dropped)
        if due is not None:
            self._tell(due)
        if self._retry_s is not None and now >= self._retry_s:
            self._retry_s = None
            self._send_next()

    def healthy(self) -> bool:
        """Whether messages would still leave if there were a broker."""
        return self._publisher.alive()

    def stop(self) -> None:
        """Say goodbye; what is in the outbox stays there."""
        if self._started:
            self._service.unwatch(self._publisher.fileno())
            self._started = False
        self._publisher.stop()
        self._outbox.close()

    # ---- the broker

    def _hear(self, kind: OccurrenceKind) -> None:
        alarm = self._teller.hear(kind, self._clock(), self._outbox.dropped)
        if alarm is not None:
            self._tell(alarm)

    def _tell(self, message: Message) -> None:
        self._outbox.add(message.topic, message.payload)
        self._send_next()

    def _send_next(self) -> None:
        # The publisher refuses a second row under way; the news about the first one brings us back here.
        if not self._online or self._retry_s is not None:
            return
        row = self._outbox.head()
        if row is not None:
            self._publisher.publish(row.row, row.topic, row.payload)

    def _news(self) -> None:
        for event in self._publisher.events():
            self._take(event)
        self._send_next()

    def _take(self, event: Event) -> None:
        match event.what:
            case What.CONNECTED:
                self._online, self._told_lost, self._retry_s = True, False, None
                log("report: connected to the broker")
            case What.ACCEPTED:
                self._outbox.remove(event.row)
            case What.DECLINED:
                if self._retry_s is None:
                    log(f"report: the broker declines messages ({event.why}); they wait in the outbox")
                self._retry_s = self._clock() + DECLINED_RETRY_S
            case What.LOST:
                self._online = False
                if not self._told_lost:
                    log(f"report: no connection to the broker ({event.why}); messages wait in the outbox")
                self._told_lost = True
