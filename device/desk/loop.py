"""What the desk does with each message: it carries, it spends tickets, and it never leaves anybody without an answer.

Rules kept here:
- One document at a time, and one act (`under_way`); whoever asks meanwhile is told so at once and loses no ticket.
- Every question ends: with an answer, or with FAULT when the room asked is away or does not answer in time.
- The end of the door is for lock to grant, which has a proof of its own; its receipt is for vault to give, and nothing
  but such a receipt is handed on.
- Faces are tried out for one command line at a time (`trying.carrying`), and not while somebody enrols.
- Whoever sits at the residents' page may do what a command line may with a ticket of theirs, through the same one act
  at a time. What may be asked there stands in `page.counter`; who sits there, `page.reception` knows.
- An answer nobody asked for breaks the table of messages and closes that connection.

doorctl asks -> desk spends a ticket -> vault acts (lock, for status and documents) -> desk tells the one who asked.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass, field

from device import wire
from device.desk import timeouts
from device.desk.errands import Asker, Questions, Rooms, ends_a_door
from device.desk.page.clerk import Clerk
from device.desk.page.counter import Served
from device.desk.page.reception import Reception
from device.desk.trying.carrying import Trying
from device.desk.under_way import ActUnderWay
from device.edges import Room
from device.errors import NotPermitted
from device.link import Link
from device.wire import Purpose, Result

MOST_QUESTIONS = 32  # of one kind at a time, of all command lines together


@dataclass(slots=True)
class Desk:
    """The work of Room.DESK. `served`: the residents' page, None where there is none; `always`: it stays up."""

    rooms: Rooms
    now_s: Callable[[], float] = time.monotonic
    served: Served | None = None
    always: bool = False
    page: Reception | None = field(init=False, default=None)
    _status: Questions = field(init=False)
    _documents: Questions = field(init=False)
    _records: Questions = field(init=False)
    _ends: Questions = field(init=False)
    _receipts: Questions = field(init=False)
    _trying: Trying = field(init=False)
    _act: ActUnderWay = field(init=False)
    _alarm_owed: bool = False

    def __post_init__(self) -> None:
        self._status = Questions(self.rooms, Room.LOCK, timeouts.STATUS_S, MOST_QUESTIONS)
        self._documents = Questions(self.rooms, Room.LOCK, timeouts.DOCUMENT_S, 1)
        self._records = Questions(self.rooms, Room.VAULT, timeouts.RECORD_S, MOST_QUESTIONS)
        self._ends = Questions(self.rooms, Room.LOCK, timeouts.STATUS_S, MOST_QUESTIONS)
        self._receipts = Questions(self.rooms, Room.VAULT, timeouts.RECORD_S, MOST_QUESTIONS)
        self._trying = Trying(self.rooms)
        self._act = ActUnderWay(self.rooms, self._trying, self.now_s)
        if self.served:
            self.page = Reception(self, self.rooms, self.served, self.now_s, self.always)
            self.page.counter = Clerk(self.page)

    def connected(self, link: Link) -> None:
        """Nothing to say first, people ask; but lock hears of a breach that it could not be told of."""
        if link.peer is Room.VAULT:
            self._act.vault_came(link)
            if self.page:
                self.page.vault_came()
        elif link.peer is Room.LOCK and self._alarm_owed:
            self._alarm_owed = not self.rooms.send(Room.LOCK, wire.Breach())

    def received(self, link: Link, msg: wire.Message) -> None:
        """Carry one message on. Raises NotPermitted for an answer nobody asked for and for an act without its form."""
        if link.peer is Room.DOORCTL:
            self._asked_by(link, msg)
        elif isinstance(msg, wire.TryStands | wire.Tried):
            self._trying.told(msg)
        elif isinstance(msg, wire.Held | wire.SittingOver | wire.PageArmed):
            self._about_the_page(msg)
        else:
            self._told(msg)

    def _asked_by(self, link: Link, msg: wire.Message) -> None:
        match msg:
            case wire.AskStatus():
                self._status.ask(link, msg, self.now_s())
            case wire.Document():
                self._documents.ask(link, msg, self.now_s())
            case wire.QueryRecord(record):
                self._records.ask(link, wire.AskRecord(record), self.now_s())
            case wire.RetireDoor():
                self._ends.ask(link, msg, self.now_s())
            case wire.AskRetirement():
                self._receipts.ask(link, msg, self.now_s())
            case wire.Act():
                self._act.begin(link, msg)
            case wire.AskRekey():
                self._act.begin_rekey(link)
            case wire.TryFaces(on):
                self._trying.asked(link, self.now_s(), on=on, free=not self._act.enrols)
            case _:
                raise _not_understood(msg)

    def _told(self, msg: wire.Message) -> None:
        match msg:
            case wire.DoorStatus():
                self._status.answer(msg)
            case wire.Ack():
                self._documents.answer(msg)
            case wire.RecordAnswer():
                self._records.answer(msg)
            case wire.Ended():
                self._ends.answer(msg)
            case wire.AttestationCopy():
                self._ended(msg)
            case wire.GrantTicket():
                self._keep(msg)
            case wire.Attestation(grant, content):
                self._act.hand_on(grant, content)
            case wire.Done(grant, result):
                self._end_act(grant, result)
            case wire.EnrolHint():
                self._act.guide(msg)
            case _:
                raise _not_understood(msg)

    def _about_the_page(self, msg: wire.Held | wire.SittingOver | wire.PageArmed) -> None:
        if self.page is None:
            if isinstance(msg, wire.Held):
                raise _not_understood(msg)
        elif isinstance(msg, wire.PageArmed):
            self.page.arm()
        else:
            self.page.told(msg)

    def disconnected(self, link: Link) -> None:
        """A command line that left is owed nothing; a room that left owes nothing any more."""
        match link.peer:
            case Room.DOORCTL:
                self.asker_left(link)
                self._trying.asker_left(link)
            case Room.LOCK:
                self._status.room_left()
                self._documents.room_left()
                self._ends.room_left()
            case Room.VAULT:
                self._records.room_left()
                self._receipts.room_left()
                self._trying.vault_left()
                if self.page:
                    self.page.vault_left()
                self._act.vault_left()

    def breached(self, room: Room) -> None:
        """Lock raises the alarm; if it cannot be told now, it is told when it comes back."""
        self._alarm_owed = not self.rooms.send(Room.LOCK, wire.Breach())

    def deadline(self) -> float | None:
        """When the next person has waited long enough."""
        ends = [asked.deadline() for asked in self._asked()]
        ends += (self._act.ends_s, self._trying.deadline())
        ends.append(self.page.deadline() if self.page else None)
        return min((end_s for end_s in ends if end_s is not None), default=None)

    def tick(self) -> None:
        """Tell everybody who has waited too long, and free the desk for the next act."""
        now_s = self.now_s()
        for asked in self._asked():
            asked.tick(now_s)
        self._trying.tick(now_s)
        if self.page:
            self.page.tick()
        late = self._act.tick()
        if late is not None and self.page:
            self.page.end(late)

    def healthy(self) -> bool:
        """The desk has no device that could hang."""
        return True

    def stop(self) -> None:
        """Nothing to put away but the page: tickets and sittings die with the process."""
        if self.page:
            self.page.stop()

    # ---- what somebody at the page asks for (`page.reception.Errands`)

    def act_for(self, asker: Asker, grant: bytes, asked: wire.Act) -> None:
        """Begin an act in the name of a sitting."""
        self._act.begin_for(asker, grant, asked)

    def withdraw(self, grant: bytes) -> None:
        """The sitting with this grant is over, and an enrolment in its name with it."""
        self._act.withdraw(grant)

    def asker_left(self, asker: Asker) -> None:
        """Nobody waits at `asker` any more."""
        for asked in self._asked():
            asked.asker_left(asker)
        self._act.asker_left(asker)

    def ask_status(self, asker: Asker) -> None:
        """How is the door?"""
        self._status.ask(asker, wire.AskStatus(), self.now_s())

    # ---- what the rooms say

    def _keep(self, ticket: wire.GrantTicket) -> None:
        if ticket.purpose is not Purpose.PAGE:
            self._act.keep(ticket)
        elif self.page:
            self.page.ticket(ticket)

    def _end_act(self, grant: bytes, result: Result) -> None:
        if self._act.end(grant, result) and self.page and result is Result.NO_GRANT:
            self.page.over(grant)

    def _ended(self, msg: wire.AttestationCopy) -> None:
        if not ends_a_door(msg.content):
            text = "vault sent what is not the receipt for the end of this door"
            raise NotPermitted(text)
        self._receipts.answer(msg)

    # ---- common

    def _asked(self) -> tuple[Questions, ...]:
        return (self._status, self._documents, self._records, self._ends, self._receipts)


def _not_understood(msg: wire.Message) -> NotPermitted:
    return NotPermitted(f"the desk does not understand {type(msg).__name__}")
