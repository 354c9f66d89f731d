"""What the desk does with each message: it carries, it spends tickets, and it never leaves anybody without an answer.

Rules kept here:
- A personal act needs a ticket; the first act of that purpose uses it up. Without one nothing is sent to vault.
- One act and one document at a time; whoever asks meanwhile is told so at once and loses no ticket.
- Every question ends: with an answer, or with FAULT when the room asked is away or does not answer in time.
- A command line that goes away in the middle leaves the desk free again. If it was enrolling, the enrolment ends with
  it: the desk hangs up on vault, which keeps nothing unfinished. Otherwise the next face at the door could be taken for
  the face of whoever left.
- An answer nobody asked for breaks the table of messages and closes that connection.

doorctl asks -> desk spends a ticket -> vault acts (lock, for status and documents) -> desk tells the one who asked.
"""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Protocol

from device import wire
from device.desk import timeouts
from device.desk.tickets import Tickets
from device.edges import Room
from device.errors import NotPermitted
from device.service import Link
from device.wire import Purpose, Result

MOST_STATUS_QUESTIONS = 32
BUSY = Result.BUSY  # what somebody hears who asks while another person is being served
NO_CONSENT = bytes(32)


class Rooms(Protocol):
    """The part of `device.service.Service` that the desk uses."""

    def send(self, peer: Room, msg: wire.Message) -> bool:
        """Send to `peer` if it is there; False if not."""


@dataclass(slots=True)
class _Errand:
    """A question under way. `asker` is None once nobody waits for its answer any more."""

    asker: Link | None
    ends_s: float


@dataclass(slots=True)
class _ActErrand(_Errand):
    purpose: Purpose
    grant: bytes


@dataclass(slots=True)
class Desk:
    """The work of Room.DESK."""

    rooms: Rooms
    now_s: Callable[[], float] = time.monotonic
    _tickets: Tickets = field(default_factory=Tickets)
    _status: deque[_Errand] = field(default_factory=deque)
    _document: _Errand | None = None
    _act: _ActErrand | None = None
    _vault: Link | None = None
    _alarm_owed: bool = False
    # Grants whose act took too long: vault may still answer them, to nobody.
    _overdue: deque[bytes] = field(default_factory=lambda: deque(maxlen=16))

    def connected(self, link: Link) -> None:
        """Nothing to say first, people ask; but lock hears of a breach that it could not be told of."""
        if link.peer is Room.VAULT:
            self._vault = link
        elif link.peer is Room.LOCK and self._alarm_owed:
            self._alarm_owed = not self.rooms.send(Room.LOCK, wire.Breach())

    def received(self, link: Link, msg: wire.Message) -> None:
        """Carry one message on. Raises NotPermitted for an answer nobody asked for and for an act without its form."""
        match msg:
            case wire.AskStatus():
                self._ask_status(link)
            case wire.Document():
                self._carry_document(link, msg)
            case wire.Act(purpose, consent):
                self._begin_act(link, purpose, consent)
            case wire.GrantTicket():
                if not (self._act and self._act.purpose is msg.purpose is Purpose.ENROL):
                    self._tickets.add(msg, self._now_ns())
                # else it is the PIN that confirms the enrolment under way: vault takes it, and no act can name it
            case wire.DoorStatus():
                self._end_status(msg)
            case wire.Ack():
                self._end_document(msg)
            case wire.Done(grant, result):
                self._end_act(grant, result)
            case wire.EnrolHint():
                self._guide(msg)
            case _:
                text = f"the desk does not understand {type(msg).__name__}"
                raise NotPermitted(text)

    def disconnected(self, link: Link) -> None:
        """A command line that left is owed nothing; a room that left owes nothing any more."""
        match link.peer:
            case Room.DOORCTL:
                for errand in self._errands():
                    if errand.asker is link:
                        errand.asker = None
                if self._act and self._act.asker is None:
                    self._withdraw(self._act)
            case Room.LOCK:
                waiting = [*self._status, *([self._document] if self._document else [])]
                self._status.clear()
                self._document = None
                for errand in waiting:
                    _tell(errand, wire.Ended(Result.FAULT))
            case Room.VAULT:
                self._vault = None
                self._overdue.clear()
                self._finish_act(Result.FAULT)

    def breached(self, room: Room) -> None:
        """Lock raises the alarm; if it cannot be told now, it is told when it comes back."""
        self._alarm_owed = not self.rooms.send(Room.LOCK, wire.Breach())

    def deadline(self) -> float | None:
        """When the next person has waited long enough."""
        return min((errand.ends_s for errand in self._errands() if errand.asker or errand is self._act), default=None)

    def tick(self) -> None:
        """Tell everybody who has waited too long, and free the desk for the next act."""
        now_s = self.now_s()
        for errand in self._errands():
            if errand is not self._act and now_s >= errand.ends_s:
                # The errand stays until lock answers or goes, so that its late answer is not taken for another's.
                _tell(errand, wire.Ended(Result.FAULT))
                errand.asker = None
        if self._act and now_s >= self._act.ends_s:
            self._overdue.append(self._act.grant)
            self._withdraw(self._act)
            self._finish_act(Result.FAULT)

    def healthy(self) -> bool:
        """The desk has no device that could hang."""
        return True

    def stop(self) -> None:
        """Nothing to put away: tickets die with the process."""

    # ---- status

    def _ask_status(self, asker: Link) -> None:
        if len(self._status) >= MOST_STATUS_QUESTIONS:
            asker.send(wire.Ended(BUSY))
        elif self.rooms.send(Room.LOCK, wire.AskStatus()):
            self._status.append(_Errand(asker, self.now_s() + timeouts.STATUS_S))
        else:
            asker.send(wire.Ended(Result.FAULT))

    def _end_status(self, status: wire.DoorStatus) -> None:
        if not self._status:
            text = "lock told a status that nobody asked for"
            raise NotPermitted(text)
        _tell(self._status.popleft(), status)

    # ---- documents

    def _carry_document(self, asker: Link, document: wire.Document) -> None:
        if self._document:
            asker.send(wire.Ended(BUSY))
        elif self.rooms.send(Room.LOCK, document):
            self._document = _Errand(asker, self.now_s() + timeouts.DOCUMENT_S)
        else:
            asker.send(wire.Ended(Result.FAULT))

    def _end_document(self, ack: wire.Ack) -> None:
        if not self._document:
            text = "lock acknowledged a document that nobody brought"
            raise NotPermitted(text)
        errand, self._document = self._document, None
        _tell(errand, ack)

    # ---- personal acts

    def _begin_act(self, asker: Link, purpose: Purpose, consent: bytes) -> None:
        if (purpose is Purpose.ENROL) is (consent == NO_CONSENT):
            text = "a consent belongs to an enrolment, and to nothing else"
            raise NotPermitted(text)
        if self._act:
            asker.send(wire.Ended(BUSY))
            return
        grant = self._tickets.take(purpose, self._now_ns())
        if grant is None:
            asker.send(wire.Ended(Result.NO_GRANT))
            return
        self._act = _ActErrand(asker, self.now_s() + timeouts.act_s(purpose), purpose, grant)
        if not self.rooms.send(Room.VAULT, _order(purpose, grant, consent)):
            self._finish_act(Result.FAULT)

    def _guide(self, guidance: wire.EnrolHint) -> None:
        # Outside an enrolment a hint is for whoever presses the button, and lock shows it; here it has no reader.
        if self._act and self._act.purpose is Purpose.ENROL:
            _tell(self._act, guidance)

    def _end_act(self, grant: bytes, result: Result) -> None:
        if self._act and self._act.grant == grant:
            self._finish_act(result)
        elif grant in self._overdue:
            self._overdue.remove(grant)
        else:
            text = "vault ended an act that nobody began"
            raise NotPermitted(text)

    def _withdraw(self, act: _ActErrand) -> None:
        if act.purpose is Purpose.ENROL and self._vault:
            # The loop sees the end of this connection, tells `disconnected`, and connects anew.
            self._vault.hang_up()

    def _finish_act(self, result: Result) -> None:
        act, self._act = self._act, None
        if act:
            _tell(act, wire.Ended(result))

    # ---- common

    def _errands(self) -> list[_Errand]:
        return [*self._status, *(errand for errand in (self._document, self._act) if errand)]

    def _now_ns(self) -> int:
        return int(self.now_s() * 1e9)


def _tell(errand: _Errand, msg: wire.Message) -> None:
    if errand.asker:
        errand.asker.send(msg)


def _order(purpose: Purpose, grant: bytes, consent: bytes) -> wire.Message:
    match purpose:
        case Purpose.ENROL:
            return wire.Enrol(grant, consent)
        case Purpose.ERASE:
            return wire.Erase(grant)
        case Purpose.PAUSE:
            return wire.Pause(grant)
        case Purpose.RESUME:
            return wire.Resume(grant)
