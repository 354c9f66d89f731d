"""What the desk does with each message: it carries, it spends tickets, and it never leaves anybody without an answer.

Rules kept here:
- A personal act needs a ticket; the first act of that purpose uses it up. Without one nothing is sent to vault.
- One act and one document at a time; whoever asks meanwhile is told so at once and loses no ticket. A rekey is an act
  that needs no ticket: it changes nothing for anybody, and only the command line of the door can ask for it.
- Every question ends: with an answer, or with FAULT when the room asked is away or does not answer in time.
- A command line that goes away in the middle leaves the desk free again. If it was enrolling, the enrolment ends with
  it: the desk hangs up on vault, which keeps nothing unfinished. Otherwise the next face at the door could be taken for
  the face of whoever left.
- What the door signs about an act goes to whoever asked for that act, once, and is not kept here. It is looked at
  first: anything but the signed paper that belongs to such an act goes nowhere.
- The end of the door is for lock to grant, which has a proof of its own; its receipt is for vault to give, and nothing
  but such a receipt is handed on.
- Faces are tried out for one command line at a time (`trying.carrying`), and not while somebody enrols.
- Whoever sits at the residents' page may do what a command line may with a ticket of theirs, through the same one act
  at a time. What may be asked there stands in `page.counter`; who sits there, `page.reception` knows.
- An answer nobody asked for breaks the table of messages and closes that connection.

doorctl asks -> desk spends a ticket -> vault acts (lock, for status and documents) -> desk tells the one who asked.
"""

from __future__ import annotations

import secrets
import time
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, field

from device import wire
from device.desk import timeouts
from device.desk.errands import BUSY, ActErrand, Asker, Questions, Rooms, ends_a_door, order
from device.desk.page.clerk import Clerk
from device.desk.page.counter import Served
from device.desk.page.reception import Reception
from device.desk.tickets import Tickets
from device.desk.trying.carrying import Trying
from device.edges import Room
from device.errors import NotPermitted
from device.link import Link
from device.wire import Purpose, Result

__all__ = ["BUSY", "NO_CONSENT", "Desk"]

MOST_QUESTIONS = 32  # of one kind at a time, of all command lines together
NO_CONSENT = bytes(32)
_WITH_CONSENT = frozenset({Purpose.ENROL, Purpose.RENEW})


@dataclass(slots=True)
class Desk:
    """The work of Room.DESK. `served`: the residents' page, None where there is none; `always`: it stays up."""

    rooms: Rooms
    now_s: Callable[[], float] = time.monotonic
    served: Served | None = None
    always: bool = False
    page: Reception | None = field(init=False, default=None)
    _tickets: Tickets = field(default_factory=Tickets)
    _status: Questions = field(init=False)
    _documents: Questions = field(init=False)
    _records: Questions = field(init=False)
    _ends: Questions = field(init=False)
    _receipts: Questions = field(init=False)
    _trying: Trying = field(init=False)
    _act: ActErrand | None = None
    _vault: Link | None = None
    _alarm_owed: bool = False
    # Grants whose act took too long: vault may still answer them, to nobody.
    _overdue: deque[bytes] = field(default_factory=lambda: deque(maxlen=16))

    def __post_init__(self) -> None:
        self._status = Questions(self.rooms, Room.LOCK, timeouts.STATUS_S, MOST_QUESTIONS)
        self._documents = Questions(self.rooms, Room.LOCK, timeouts.DOCUMENT_S, 1)
        self._records = Questions(self.rooms, Room.VAULT, timeouts.RECORD_S, MOST_QUESTIONS)
        self._ends = Questions(self.rooms, Room.LOCK, timeouts.STATUS_S, MOST_QUESTIONS)
        self._receipts = Questions(self.rooms, Room.VAULT, timeouts.RECORD_S, MOST_QUESTIONS)
        self._trying = Trying(self.rooms)
        if self.served:
            self.page = Reception(self, self.rooms, self.served, self.now_s, self.always)
            self.page.counter = Clerk(self.page)

    def connected(self, link: Link) -> None:
        """Nothing to say first, people ask; but lock hears of a breach that it could not be told of."""
        if link.peer is Room.VAULT:
            self._vault = link
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
                self._begin_personal(link, msg)
            case wire.AskRekey():
                self._begin_rekey(link)
            case wire.TryFaces(on):
                self._trying.asked(link, self.now_s(), on=on, free=not self._enrols)
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
                self._hand_on(grant, content)
            case wire.Done(grant, result):
                self._end_act(grant, result)
            case wire.EnrolHint():
                self._guide(msg)
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
                self._vault = None
                self._overdue.clear()
                self._records.room_left()
                self._receipts.room_left()
                self._trying.vault_left()
                if self.page:
                    self.page.vault_left()
                self._finish_act(Result.FAULT)

    def breached(self, room: Room) -> None:
        """Lock raises the alarm; if it cannot be told now, it is told when it comes back."""
        self._alarm_owed = not self.rooms.send(Room.LOCK, wire.Breach())

    def deadline(self) -> float | None:
        """When the next person has waited long enough."""
        ends = [asked.deadline() for asked in self._asked()]
        ends += (self._act.ends_s if self._act else None, self._trying.deadline())
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
        if self._act and now_s >= self._act.ends_s:
            late = self._act
            self._overdue.append(late.grant)
            self._withdraw(late)
            self._finish_act(Result.FAULT)
            if self.page:
                self.page.end(late.grant)

    def healthy(self) -> bool:
        """The desk has no device that could hang."""
        return True

    def stop(self) -> None:
        """Nothing to put away but the page: tickets and sittings die with the process."""
        if self.page:
            self.page.stop()

    # ---- acts

    def _keep(self, ticket: wire.GrantTicket) -> None:
        if ticket.purpose is Purpose.PAGE:
            if self.page:
                self.page.ticket(ticket)
        elif not (self._act and self._act.purpose is ticket.purpose is Purpose.ENROL):
            self._tickets.add(ticket, self._now_ns())
        # else it is the PIN that confirms the enrolment under way: vault takes it, and no act can name it

    # What somebody at the page asks for (`page.reception.Errands`).

    def act_for(self, asker: Asker, grant: bytes, asked: wire.Act) -> None:
        """Begin an act in the name of a sitting; its form was looked at by `page.clerk`."""
        if self._act or (asked.purpose is Purpose.ENROL and self._trying.under_way):
            asker.send(wire.Ended(BUSY))
            return
        act = ActErrand(asker, self.now_s() + timeouts.act_s(asked.purpose), asked.purpose, grant)
        self._begin(act, order(act, asked.consent, under_14=asked.under_14, covered=asked.covered))

    def withdraw(self, grant: bytes) -> None:
        """The sitting with this grant is over: an enrolment in its name ends with it, and whoever waits is told."""
        if self._act and self._act.grant == grant:
            self._withdraw(self._act)

    def asker_left(self, asker: Asker) -> None:
        """Nobody waits at `asker` any more."""
        for asked in self._asked():
            asked.asker_left(asker)
        if self._act and self._act.asker is asker:
            self._act.asker = None
            self._withdraw(self._act)

    def ask_status(self, asker: Asker) -> None:
        """How is the door?"""
        self._status.ask(asker, wire.AskStatus(), self.now_s())

    def _begin_personal(self, asker: Link, asked: wire.Act) -> None:
        purpose = asked.purpose
        if purpose is Purpose.PAGE:
            text = "a sitting at the page is opened at the keypad, and is no act"
            raise NotPermitted(text)
        if (purpose in _WITH_CONSENT) is (asked.consent == NO_CONSENT):
            text = "a consent belongs to an enrolment or its renewal, and to nothing else"
            raise NotPermitted(text)
        if (asked.under_14 or asked.covered) and purpose is not Purpose.ENROL:
            text = "what is declared of a face belongs to its enrolment, and to nothing else"
            raise NotPermitted(text)
        if self._act or (purpose is Purpose.ENROL and self._trying.under_way):
            asker.send(wire.Ended(BUSY))
            return
        grant = self._tickets.take(purpose, self._now_ns())
        if grant is None:
            asker.send(wire.Ended(Result.NO_GRANT))
            return
        act = ActErrand(asker, self.now_s() + timeouts.act_s(purpose), purpose, grant)
        self._begin(act, order(act, asked.consent, under_14=asked.under_14, covered=asked.covered))

    def _begin_rekey(self, asker: Link) -> None:
        if self._act:
            asker.send(wire.Ended(BUSY))
            return
        act = ActErrand(asker, self.now_s() + timeouts.REKEY_S, None, secrets.token_bytes(wire.NONCE_BYTES))
        self._begin(act, order(act, NO_CONSENT, under_14=False))

    def _begin(self, act: ActErrand, to_vault: wire.Message) -> None:
        self._act = act
        if not self.rooms.send(Room.VAULT, to_vault):
            self._finish_act(Result.FAULT)

    def _guide(self, guidance: wire.EnrolHint) -> None:
        # Outside an enrolment a hint is for whoever presses the button, and lock shows it; here it has no reader.
        if self._act and self._enrols:
            self._act.tell(guidance)

    @property
    def _enrols(self) -> bool:
        return self._act is not None and self._act.purpose is Purpose.ENROL

    def _hand_on(self, grant: bytes, content: bytes) -> None:
        if self._act and self._act.grant == grant and self._act.attested_by(content):
            self._act.tell(wire.AttestationCopy(content))
        elif grant not in self._overdue:
            text = "vault sent what is not the paper that belongs to the act under way"
            raise NotPermitted(text)

    def _ended(self, msg: wire.AttestationCopy) -> None:
        if not ends_a_door(msg.content):
            text = "vault sent what is not the receipt for the end of this door"
            raise NotPermitted(text)
        self._receipts.answer(msg)

    def _end_act(self, grant: bytes, result: Result) -> None:
        if self._act and self._act.grant == grant:
            self._finish_act(result)
            if self.page and result is Result.NO_GRANT:
                self.page.over(grant)
        elif grant in self._overdue:
            self._overdue.remove(grant)
        else:
            text = "vault ended an act that nobody began"
            raise NotPermitted(text)

    def _withdraw(self, act: ActErrand) -> None:
        if act.purpose is Purpose.ENROL and self._vault:
            # The loop sees the end of this connection, tells `disconnected`, and connects anew.
            self._vault.hang_up()

    def _finish_act(self, result: Result) -> None:
        act, self._act = self._act, None
        if act:
            act.tell(wire.Ended(result))

    # ---- common

    def _asked(self) -> tuple[Questions, ...]:
        return (self._status, self._documents, self._records, self._ends, self._receipts)

    def _now_ns(self) -> int:
        return int(self.now_s() * 1e9)


def _not_understood(msg: wire.Message) -> NotPermitted:
    return NotPermitted(f"the desk does not understand {type(msg).__name__}")
