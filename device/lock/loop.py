"""lock's process: hands every event to the pure machine and carries out what it says.

Rules kept here:
- The order of effects is kept; a line that cannot be driven becomes an event (BoltFailed), never an exception that
  leaves the strike released. What else the event asked for is then done only as far as it closes: camera, lamp, bolt.
- A bolt that cannot even be secured stops the watchdog: systemd ends this process, and the line is claimed anew.
- A message is shown to the permit table first; what it does not hold is fatal to the connection and an alarm.
- eye and vault count as there from their first word on, not from the connection: a socket unit takes connections for a
  process that is dead, and a window without an eye would light the lamp for nobody.
- Leaving the loop, for whatever reason, secures the bolt and puts the lamp out, and the white lights.
- Told to end, by an upgrade or a shutdown, lock lets whoever was let in by then go through first: `unlock_ms` at most.
- Documents are verified here (`policy`); offers are handed to keeper, a policy is put into force. They open nothing.
- report hears how the door stands, and how often it was opened, as far as a signed document says so (`reporting`).
- The end of the door is decided here and nowhere else: when what a document announced has run, or at once for whoever
  looks after the door and has a resident beside them, or a door without any. Nothing opens from then on; the process
  ends, and the next one destroys what lock kept and sees to it that everybody else does (`farewell`).
- The end that was announced lets whoever was just let in go through first: it waits for the strike to be secured.
- What the policy allows is asked anew with every event (`narrowing`).
"""

from __future__ import annotations

import os
import time

from device import wire
from device.challenge import Lights
from device.edges import Room
from device.errors import BoltFault, NotPermitted, StoreFault
from device.journal import log
from device.link import Link
from device.lock import lights, machine
from device.lock.board import Board
from device.lock.farewell import Farewell
from device.lock.narrowing import Narrowing
from device.lock.permits import permitted
from device.lock.policy import Policy
from device.lock.standing import standing
from device.lock.state import (
    Alarm,
    BoltFailed,
    BoltObeys,
    Breached,
    Came,
    CardSend,
    Effect,
    Event,
    Lamp,
    PeerDown,
    PeerUp,
    Release,
    Rules,
    Secure,
    Send,
    Show,
    Signal,
    Tell,
    Tick,
)
from device.service import Service

SPEAK_FIRST = (Room.EYE, Room.VAULT, Room.KEEPER)  # each says how it stands as soon as it has taken the connection
END_AGAIN_NS = 60_000_000_000  # a full disk that does not take the decision is not asked with every key
APPLY_NS = 5_000_000_000  # keeper writes and syncs each offer; a document that takes longer is not applied
_ASIDE: frozenset[type] = frozenset(
    {wire.AskStatus, wire.Document, wire.OfferKept, wire.RetireDoor, wire.Retired, wire.Occupied}
)


class LockWork:
    """The Work of lock: `board` and `policy` are its only I/O besides the links."""

    def __init__(self, service: Service, board: Board, policy: Policy, rules: Rules) -> None:
        self._service = service
        self._board = board
        self._policy = policy
        self._narrowing = Narrowing(rules)
        self._apply_until_ns = 0
        self._obeys = True
        self._some: bool | None = None  # whether any place is taken, as keeper says; None while it is away
        self._farewell = Farewell()
        self._end_from_ns = 0  # when the end that is due is tried next
        self._serves_until_ns: int | None = None  # once it was told to end
        self.state = lights.at_start(time.monotonic_ns())
        service.watch(board.fileno(), self._board_spoke)

    # ---- Work

    def connected(self, link: Link) -> None:
        """A peer is there, or its socket unit."""
        if link.peer not in SPEAK_FIRST:
            if link.peer is Room.REPORT:
                self._policy.reporting.begin()
            self.handle(PeerUp(link.peer))
            self._farewell.came()
            if link.peer is Room.REPORT:
                self._tell_keys()

    def disconnected(self, link: Link) -> None:
        """A peer is gone."""
        self.handle(PeerDown(link.peer))
        self._policy.asker_gone(link.peer)
        if link.peer is Room.KEEPER:
            self._some = None
            self._reply(self._policy.abandon())

    def received(self, link: Link, msg: wire.Message) -> None:
        """One message. Raises NotPermitted for what the permit table does not hold in this state."""
        if not permitted(self.state, link.peer, msg):
            text = f"{link.peer} sent {type(msg).__name__} at the wrong moment"
            raise NotPermitted(text)
        if link.peer not in self.state.up:
            self.handle(PeerUp(link.peer))
            self._farewell.came()
        if type(msg) in _ASIDE:
            self._aside(link, msg)
        else:
            self.handle(Came(link.peer, msg))

    def _aside(self, link: Link, msg: wire.Message) -> None:
        """What is no event of the machine."""
        match msg:
            case wire.AskStatus():
                link.send(standing(self.state, self._policy))
            case wire.Document(content):
                self._document(link, content)
            case wire.OfferKept():
                self._reply(self._policy.kept(msg))
                if not self._policy.applying:
                    self._tell_keys()
            case wire.RetireDoor(door):
                link.send(wire.Ended(self._asked_to_end(door)))
            case wire.Retired():
                self._farewell.heard(link.peer, msg)
            case wire.Occupied(many, some):
                self._some = some
                self._policy.reporting.occupied(many=many)
                self._tell_report()

    def breached(self, room: Room) -> None:
        """Somebody broke the table."""
        log(f"alarm: {room} broke the table of messages")
        self.handle(Breached())

    def deadline(self) -> float | None:
        """The machine's next deadline, or the board's."""
        due_ns = machine.next_deadline_ns(self.state, self._narrowing.rules)
        ends = [None if due_ns is None else due_ns / 1e9, self._board.deadline()]
        if self._policy.applying:
            ends.append(self._apply_until_ns / 1e9)
        looking = self.state.window is not None or self.state.inquiry is not None
        change_ns = self._policy.hours.deadline_ns(time.monotonic_ns(), closely=looking)
        ends.append(None if change_ns is None else change_ns / 1e9)
        over = self._policy.retiring.over
        end_ns = self._farewell.deadline_ns() if over else self._policy.retiring.deadline_ns()
        day_ns = self._policy.reporting.deadline_ns()
        ends += [None if other_ns is None else other_ns / 1e9 for other_ns in (day_ns, end_ns)]
        return min((end for end in ends if end is not None), default=None)

    def tick(self) -> None:
        """Time has passed."""
        self._board_spoke()
        self.handle(Tick())
        now_ns = time.monotonic_ns()
        self._policy.hours.tick(now_ns)
        if self._policy.reporting.deadline_ns() is not None:
            self._policy.reporting.tick(now_ns, self._policy.hours.now_unix(now_ns))
            self._tell_report()
        if self._policy.applying and time.monotonic_ns() >= self._apply_until_ns:
            self._reply(self._policy.abandon())
        self._towards_the_end(now_ns)

    def healthy(self) -> bool:
        """The loop turns and the bolt obeys; that is all of lock's work."""
        return self._obeys

    def serves(self) -> bool:
        """Told to end: whether somebody who had been let in by then may still be on the way through the door.

        By the first answer it is decided when the last one is no: nobody who comes later makes it longer.
        """
        until_ns = self.state.granted_until_ns
        if until_ns is None:
            return False
        if self._serves_until_ns is None:
            self._serves_until_ns = until_ns
        return time.monotonic_ns() < self._serves_until_ns

    def stop(self) -> None:
        """Secured, dark, lines given back."""
        self._board.close()

    # ---- the machine

    def handle(self, event: Event) -> None:
        """One event through the machine, and its effects into the world."""
        now_ns = time.monotonic_ns()
        self.state, effects = machine.step(self.state, event, now_ns, os.urandom(16), self._rules_at(now_ns))
        failed = False
        for effect in effects:
            wanted = _after_fault(effect) if failed else effect
            if wanted is None:
                continue
            try:
                self._carry_out(wanted)
            except BoltFault as fault:
                log(f"bolt: {fault}")
                if not failed and not isinstance(event, BoltFailed):
                    self.handle(BoltFailed())
                failed = True
        self._tell_report()

    def _rules_at(self, now_ns: int) -> Rules:
        return self._narrowing.at(self._policy.hours.at(now_ns), self._policy.retiring)

    def _carry_out(self, effect: Effect) -> None:
        match effect:
            case Release(for_ns):
                self._board.bolt.release(for_ns // 1_000_000)
                self._policy.reporting.opened()
                if self.state.alarms and Alarm.BOLT_FAULT in self.state.alarms:
                    self.handle(BoltObeys())
            case Secure():
                self._obeys = False
                self._board.bolt.secure()
                self._obeys = True
            case Lamp(on):
                self._board.lamp(on=on)
            case Lights(left, right):
                self._board.lights(left, right)
            case Send(room, msg):
                self._service.send(room, msg)
            case Tell(kind):
                self._service.send(Room.REPORT, wire.Occurrence(kind))
            case Show(signal, hint):
                self._board.show(signal, hint)
            case CardSend(apdu):
                self._board.card(apdu)

    def _board_spoke(self) -> None:
        for event in self._board.events(time.monotonic()):
            self.handle(event)

    # ---- documents and status

    def _document(self, link: Link, content: bytes) -> None:
        result, offers = self._policy.received(content, link.peer)
        if not offers:
            link.send(wire.Ack(self._policy.version, result))
            if result is wire.Result.DONE:
                self._tell_keys()
            self._tell_report()  # after a fault as well: what was taken back is over
            return
        if Room.KEEPER not in self.state.up:
            self._reply(self._policy.abandon())
            return
        self._apply_until_ns = time.monotonic_ns() + APPLY_NS
        for offer in offers:
            self._service.send(Room.KEEPER, offer)

    def _reply(self, answer: tuple[Room, wire.Ack] | None) -> None:
        if answer:
            self._service.send(*answer)

    # ---- the end of the door

    def _asked_to_end(self, door: bytes) -> wire.Result:
        if self._policy.retiring.over:
            return wire.Result.RETIRED
        if door != self._policy.door:
            return wire.Result.WRONG_DOOR
        until_ns = self.state.proven_until_ns
        proven = until_ns is not None and time.monotonic_ns() < until_ns
        if not proven and self._some is not False:
            return wire.Result.NO_GRANT
        return wire.Result.DONE if self._end() else wire.Result.FAULT

    def _towards_the_end(self, now_ns: int) -> None:
        retiring = self._policy.retiring
        if retiring.over:
            if self._farewell.due(now_ns) and self._policy.clear():
                self._farewell.gone.add(Room.LOCK)
            for room, question in self._farewell.questions(now_ns):
                self._service.send(room, question)
            return
        if retiring.deadline_ns() is not None:
            retiring.tick(now_ns, believed=self._policy.hours.now_unix(now_ns) is not None)
        if retiring.due and self.state.granted_until_ns is None and now_ns >= self._end_from_ns:
            self._end_from_ns = now_ns + END_AGAIN_NS
            self._end()

    def _end(self) -> bool:
        try:
            self._policy.end()
        except StoreFault as fault:
            log(str(fault))
        if self._policy.retiring.over:
            log("this door has ended: no PIN, card or face opens it any more")
            self._service.fail()
        return self._policy.retiring.over

    # ---- report

    def _tell_report(self) -> None:
        granted, is_open = self.state.granted_until_ns is not None, self.state.door_open
        for msg in self._policy.reporting.news(granted=granted, is_open=is_open):
            self._service.send(Room.REPORT, msg)

    def _tell_keys(self) -> None:
        self._service.send(Room.REPORT, wire.DoorKeys(self._policy.version, self._policy.key.public))


def _after_fault(effect: Effect) -> Effect | None:
    """What is still done of an event once a line failed: whatever closes. Nobody is told that the door is open."""
    match effect:
        case Secure() | Tell() | Lamp(on=False) | CardSend(apdu=None) | Send(msg=wire.Close()):
            return effect
        case Lights():
            return effect  # it opens nothing, and what eye is told of the lights has to be what they did
        case Show():
            return Show(Signal.REFUSED)
        case _:
            return None
