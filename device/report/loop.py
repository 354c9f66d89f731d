"""report's part of the loop: lock's words in, messages into the outbox, the outbox to the broker; documents to lock.

Rules kept here:
- An Ack belongs to a document that was passed on; a live state to the profile HOME, and a number of the day to the
  other. At any other moment they are not right, whoever sent them.
- A document from the broker is handed to lock as it came (`deliveries`); what became of it is told by the next report.
  The broker is told at that moment as well that the door is done with it: how long lock took, and whether it had to be
  asked again, would tell what goes on at the door to whoever sends one document after the other.
- What a broker keeps is taken back when the choice is, by a later start of report as well (`told_home`).
- A live state that never stands still keeps no report and no alarm waiting.
- A row is sent again after a lost connection only. What became of the one under way is heard before the next is sent:
  a row that went twice because the room was busy would tell the broker so.
- A test alarm goes into the outbox as an alarm does, whatever waits there: a real one behind it waits for one packet,
  as it would for a report.
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
from device.journal import log
from device.link import Link
from device.report.deliveries import Deliveries
from device.report.homeassistant import CONFIG_ROW, Announcement
from device.report.homeassistant import topic as config_topic
from device.report.outbox import Outbox
from device.report.ports import LOOK_S, RENEW_ROW, Joins, Papers
from device.report.publisher import Event, Publisher, What
from device.report.retained import Retained
from device.report.state import STATE_ROW, LiveState
from device.report.state import topic as state_topic
from device.report.teller import Message, Teller
from device.report.told_home import ToldHome
from device.wire import OccurrenceKind, Profile

DECLINED_RETRY_S = 60.0
"""A broker that refuses a message (a missing right, a full quota) is asked again, but not without pause."""


class Loop(Protocol):
    """What of `device.service.Service` is used here."""

    def watch(self, fileno: int, callback: Callable[[], None]) -> None:
        """Call back when `fileno` is readable."""

    def unwatch(self, fileno: int) -> None:
        """Stop that."""

    def send(self, peer: Room, msg: wire.Message) -> bool:
        """Send to `peer` if it is there; False if not."""


def _well() -> bool:
    return True


class Report:
    """The `Work` of report."""

    def __init__(
        self,
        service: Loop,
        teller: Teller,
        outbox: Outbox,
        publisher: Publisher,
        clock: Callable[[], float] = time.monotonic,
        storage: Callable[[], bool] = _well,
        certificate: Callable[[], bool] = _well,
        papers: Papers | None = None,
    ) -> None:
        self._service = service
        self._teller = teller
        self._outbox = outbox
        self._publisher = publisher
        self._clock = clock
        self._storage = storage
        self._certificate = certificate
        self._joiner = papers.joiner if papers else None
        self._renewal = papers.renewal if papers else None
        self._look_s = 0.0
        self._deliveries = Deliveries()
        self._told_home = ToldHome(outbox.folder)
        left = self._told_home.stands()
        self._announcement = Announcement(teller.identity, left=left)
        self._live = LiveState(left=left)
        self._done_with: list[int] = []  # documents that the broker is told of with the next report
        self._kept_went = False  # the last message was one that the broker keeps
        self._profile = Profile.BUILDING
        self._lock = False
        self._started = False
        self._online = False
        self._under_way = False  # a row was handed to the publisher, and nobody has heard what became of it
        self._told_lost = False
        self._retry_s: float | None = None

    # ---- lock

    def connected(self, link: Link) -> None:
        """Lock is there; it begins by telling what stands, and is handed what waits for it."""
        self._lock = True
        self._teller.lock_is(present=True)
        self._hand_over()

    def received(self, link: Link, msg: wire.Message) -> None:
        """Take in what lock says. Raises NotPermitted for what is not right at this moment."""
        match msg:
            case wire.Occurrence(kind):
                self._hear(kind)
            case wire.Ack():
                self._answered(msg)
            case wire.Reporting(profile, alarm_key):
                self._choose(profile, alarm_key)
            case wire.DoorKeys(version, document_key):
                self._teller.applied(version)
                if self._joiner is not None:
                    self._joiner.key_is(document_key)
            case wire.DailyCount(noisy) if self._profile is not Profile.HOME:
                self._teller.counted(noisy)
            case wire.DoorState() if self._profile is Profile.HOME:
                self._live.is_now(msg)
                self._send_next()
            case _:
                text = f"{link.peer} sent {type(msg).__name__} under the profile {self._profile.name}"
                raise NotPermitted(text)

    def disconnected(self, link: Link) -> None:
        """Lock is gone; the next report says so."""
        self._lock = False
        self._teller.lock_is(present=False)
        self._deliveries.lock_gone()

    def breached(self, room: Room) -> None:
        """Somebody sent what must never be sent."""
        self._hear(OccurrenceKind.BREACH)

    # ---- time

    def deadline(self) -> float | None:
        """At once for the start, else the next report, or the next try with a broker that declined."""
        if not self._started:
            return self._clock()
        ends = (
            self._teller.due_s,
            self._teller.tests.due_s,
            self._retry_s,
            self._deliveries.deadline() if self._lock else None,
            None if self._joiner is None else self._look_s,
        )
        return min(end for end in ends if end is not None)

    def tick(self) -> None:
        """Start after the sockets stand; then speak when it is time."""
        if not self._started:
            self._started = True
            self._service.watch(self._publisher.fileno(), self._news)
            self._begin()
        now = self._clock()
        if self._joiner is not None and now >= self._look_s:
            self._look_s = now + LOOK_S
            self._join(self._joiner, there=self._joiner.look())
        if now >= self._teller.due_s:
            if self._renewal is not None:
                self._renewal.look()
            self._teller.looked_after(storage=self._storage(), certificate=self._certificate())
        due = self._teller.report(now, self._outbox.dropped)
        if due is not None:
            self._tell(due)
            self._settle()
        test = self._teller.test(now, self._outbox.dropped)
        if test is not None:
            self._tell(test)
        self._hand_over()
        if self._retry_s is not None and now >= self._retry_s:
            self._retry_s = None
            self._send_next()

    def healthy(self) -> bool:
        """Whether messages would still leave if there were a broker."""
        return self._publisher.alive() and (self._joiner is None or self._joiner.alive())

    def stop(self) -> None:
        """Say goodbye; what is in the outbox stays there."""
        if self._started:
            self._service.unwatch(self._publisher.fileno())
            if self._joiner is not None:
                self._end_joining(self._joiner)
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
        # The news about the one under way brings us back here.
        if not self._online or self._under_way or self._retry_s is not None:
            return
        row = self._outbox.head()
        if row is None or not self._kept_went:
            for number, (kept, topic, _) in self._retained().items():
                payload = kept.due()
                if payload is not None:
                    if self._publisher.publish(number, topic, payload, retain=True):
                        kept.sent(payload)
                        self._kept_went = self._under_way = True
                    return
        if row is not None and self._publisher.publish(row.row, row.topic, row.payload):
            self._kept_went, self._under_way = False, True

    def _news(self) -> None:
        for event in self._publisher.events():
            self._take(event)
        self._send_next()

    def _take(self, event: Event) -> None:
        if event.what not in {What.DOCUMENT, What.CERTIFICATE}:
            self._under_way = False
        match event.what:
            case What.CONNECTED:
                self._online, self._told_lost, self._retry_s = True, False, None
                for kept, _, _ in self._retained().values():
                    kept.reconnected()
                log("report: connected to the broker")
            case What.DOCUMENT:
                self._document(event)
            case What.CERTIFICATE:
                if self._renewal is not None:
                    self._renewal.take(event.content)
                self._publisher.settle(event.row)
            case What.ACCEPTED | What.DECLINED:
                self._ended(event, accepted=event.what is What.ACCEPTED)
            case What.LOST:
                self._online = False
                if not self._told_lost:
                    log(f"report: no connection to the broker ({event.why}); messages wait in the outbox")
                self._told_lost = True

    def _ended(self, event: Event, *, accepted: bool) -> None:
        """What became of a row."""
        kept, _, name = self._retained().get(event.row, (None, "", ""))
        if kept is not None and accepted:
            kept.accepted()
            if self._announcement.gone and self._live.gone:
                self._told_home.clear()
        elif kept is not None:
            log(f"report: the broker declines {name} ({event.why})")
            kept.declined()
        elif accepted:
            self._outbox.remove(event.row)
        else:
            if self._retry_s is None:
                log(f"report: the broker declines messages ({event.why}); they wait in the outbox")
            self._retry_s = self._clock() + DECLINED_RETRY_S

    def _retained(self) -> dict[int, tuple[Retained, str, str]]:
        """What the broker is to hold, where, and what it is called, by its row; sent in this order.

        Home Assistant hears of the door before its state, and that it is gone before the state is taken back.
        """
        door = self._teller.identity.door
        kept: dict[int, tuple[Retained, str, str]] = {
            CONFIG_ROW: (self._announcement, config_topic(door), "the announcement to Home Assistant"),
            STATE_ROW: (self._live, state_topic(door), "the live state"),
        }
        if self._renewal is not None:
            kept[RENEW_ROW] = (self._renewal.question, self._renewal.topic, "the question for a certificate")
        return kept

    # ---- joining

    def _begin(self) -> None:
        """Connect; a door that waits for its certificate joins first."""
        joiner = self._joiner
        if joiner is None:
            self._publisher.start()
        elif joiner.claim is not None:
            self._service.watch(joiner.claim.fileno(), lambda: self._join(joiner, there=joiner.news()))

    def _join(self, joiner: Joins, *, there: bool) -> None:
        if not there or self._joiner is not joiner:
            return
        self._end_joining(joiner)
        self._publisher.start()

    def _end_joining(self, joiner: Joins) -> None:
        if joiner.claim is not None:
            self._service.unwatch(joiner.claim.fileno())
        joiner.stop()
        self._joiner = None

    # ---- what lock lets be told, and documents for it

    def _choose(self, profile: Profile, alarm_key: bytes) -> None:
        self._profile = profile
        self._teller.chosen(profile, alarm_key, self._clock())
        if profile is Profile.HOME:
            self._told_home.set()
            self._announcement.is_home()
        else:
            self._announcement.over()
            self._live.over()
        self._send_next()

    def _document(self, event: Event) -> None:
        if not self._deliveries.arrived(event.row, event.content):
            log("report: a document from the broker was refused: it is none, or too many wait")
            self._publisher.settle(event.row)
        self._hand_over()

    def _hand_over(self) -> None:
        content = self._deliveries.due(self._clock()) if self._lock else None
        if content is None:
            return
        if self._service.send(Room.LOCK, wire.Document(content)):
            self._deliveries.handed_over()
        else:
            self._deliveries.postponed(self._clock())

    def _answered(self, ack: wire.Ack) -> None:
        try:
            row = self._deliveries.answered(ack, self._clock())
        except LookupError as cause:
            text = f"lock sent Ack although {cause}"
            raise NotPermitted(text) from cause
        if row is not None:
            self._done_with.append(row)
        self._hand_over()

    def _settle(self) -> None:
        done_with, self._done_with = self._done_with, []
        for row in done_with:
            self._publisher.settle(row)
