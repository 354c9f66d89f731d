"""One door in memory: the real loop of lock, a board, a strike, rooms that speak, and the oracle beside them.

Rules kept here:
- What the frame does (`device.peers`) is done here as well: the walls of `device.edges` first, then lock's own table;
  a room that breaks either loses its connection, and that is an alarm.
- A life without lock's table shows that the machine alone keeps the door shut. The walls stand in every life.
- Lock is killed when its bolt does not obey: that is what its watchdog is for.
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import product
from typing import Any

from device import edges, wire
from device.edges import Room
from device.errors import MessageRefused, NotPermitted
from device.lock.state import Rules
from device.policy.methods import Method
from device.wire import Message
from tools.endurance.broken import Broken
from tools.endurance.line import Line, LineBolt, MemoryBoard
from tools.endurance.locks import Lock
from tools.endurance.oracle import Oracle
from tools.endurance.quiet import NoManager

START_NS = 1_000_000_000_000
MAY_SAY = {
    edge.listener if edge.connector is Room.LOCK else edge.connector: edges.permitted(
        edge, edge.listener if edge.connector is Room.LOCK else edge.connector
    )
    for edge in edges.EDGES
    if Room.LOCK in (edge.listener, edge.connector)
}
"""What each room may say to lock at all."""
ROOMS = tuple(sorted(MAY_SAY))
NEEDED = (Room.EYE, Room.KEEPER, Room.VAULT)
"""Without these nobody is let in."""


@dataclass(frozen=True, slots=True)
class Life:
    """What does not change while a door lives."""

    face_alone_opens: bool
    fail_safe: bool
    active_high: bool
    keeps_level: bool  # of a line whose owner was killed
    table: bool
    lights: bool


@dataclass(slots=True)
class _Link:
    """As much of a connection as lock's loop uses."""

    peer: Room

    def send(self, _msg: Message) -> None:
        """An answer to whoever asked for the status."""


class Door:
    """A door with `lock` in it. Raises Broken as soon as a rule does not hold."""

    def __init__(self, lock: Lock, life: Life) -> None:
        self.lock, self.life = lock, life
        lock.clock.now_ns = START_NS
        lock.guarded(table=life.table)
        self.rules = _RULES[life.face_alone_opens, life.lights]
        self.oracle = Oracle(self.rules)
        self.line = Line(lock.clock, life.fail_safe, life.active_high)
        self.links: dict[Room, _Link] = {}
        self.heard: list[tuple[Room, Message]] = []
        self.is_open = False
        self.policy = NoManager()
        self.start()

    # ---- lock's frame: what `device.service.Service` gives it

    def watch(self, _number: int, spoke: Any) -> None:
        """The board's file."""
        self._spoke = spoke

    def send(self, room: Room, msg: Message) -> None:
        """Lock says something, if `room` is there to hear it."""
        self.oracle.sent(room, msg, lit=self.board.lit)

    def _seen(self) -> None:
        self.oracle.calls.seen()

    def _shone(self, left: int, right: int) -> None:
        self.oracle.shining.shone(left, right, self.lock.clock.now_ns)

    # ---- processes

    def start(self) -> None:
        """A new process of lock, a board just claimed, and every room connected."""
        self._begins()
        self.line.broken = False
        bolt = LineBolt(self.line, self.lock, self.oracle.released)
        self.board = MemoryBoard(bolt, self.lock.clock, self._seen, self.oracle.card_told, self._shone)
        self.work = self.lock.loop.LockWork(self, self.board, self.policy, self.rules)
        self.links.clear()
        self.oracle.restarted()
        self._settle()
        for room in NEEDED:
            self.connects(room)
        if self.is_open:
            self.touched(self.lock.state.DoorMoved(open=True))

    def killed(self) -> None:
        """Lock's process is gone at once; its line keeps its level or falls to rest."""
        if not self.life.keeps_level:
            self.line.high, self.line.until_ns = self.line.rest, None
        self.line.stuck = False
        self.oracle.free_only_by_decision(free=self.line.free)

    def stopped(self) -> None:
        """Lock ends in good order."""
        self.work.stop()
        if self.line.free and not self.line.stuck:
            raise Broken("lock ended and left the door free")
        self.killed()

    def connects(self, room: Room) -> None:
        """`room` is there (again)."""
        if room not in self.links:
            self._begins()
            self.links[room] = _Link(room)
            self.oracle.connected(room)
            self.work.connected(self.links[room])
            if self.life.table:
                self.oracle.helped()
            self._settle()
            if room is Room.KEEPER:  # it says so itself as soon as it is there; nobody types to a socket unit
                self.says(room, wire.Occupied(many=False, some=True))

    def goes(self, room: Room) -> None:
        """`room` is gone."""
        if room in self.links:
            self._begins()
            self._drop(room)
            self._settle()

    def _drop(self, room: Room) -> None:
        self.oracle.gone(room)
        self.work.disconnected(self.links.pop(room))

    # ---- events

    def touched(self, *events: Any) -> None:
        """Somebody pressed, typed, or moved something."""
        for event in events:
            self._begins()
            name = type(event).__name__
            if name == "FaceButton":
                self.oracle.cause = "press"
            elif name == "Key":
                self.oracle.key(event.key)
            elif name == "CardCame":
                self.oracle.cards.came(self.oracle.now_ns)
            elif name == "CardLeft":
                self.oracle.cards.left(self.oracle.now_ns)
            elif name == "CardReplied":
                self.oracle.cards.reply = event.apdu
            elif name == "DoorMoved":
                if event.open is not self.is_open:
                    self.oracle.door_moved(is_open=event.open, free=self.line.free)
                self.is_open = event.open
            self.board.happens.append(event)
            self._spoke()
            self._settle()

    def says(self, sender: Room, msg: Message) -> None:
        """`sender` says `msg` to lock."""
        link = self.links.get(sender)
        if link is None:
            return
        self.heard.append((sender, msg))
        self._begins()
        if type(msg) not in MAY_SAY[sender]:
            self._breach(sender)
            return
        unasked = self.oracle.heard(sender, msg)
        try:
            self.work.received(link, msg)
        except NotPermitted:
            self._breach(sender)
            return
        if unasked and self.life.table:
            raise Broken(f"{sender} answered what it was not asked, and was listened to")
        if self.life.table:
            self.oracle.helped()
            if not self.line.stuck:
                self.oracle.opened(free=self.line.free)
        self._settle()

    def datagram(self, sender: Room, data: bytes) -> None:
        """`sender` sends bytes to lock."""
        try:
            msg = wire.unpack(data)
        except MessageRefused:
            self._begins()
            self._breach(sender)
        else:
            self.says(sender, msg)

    def _breach(self, room: Room) -> None:
        self._drop(room)
        self.work.breached(room)
        self._settle()

    # ---- time

    def passes(self, ns: int) -> None:
        """Time passes, with the ticks that the machine asks for."""
        clock, machine = self.lock.clock, self.lock.machine
        end = clock.now_ns + ns
        while (due := machine.next_deadline_ns(self.work.state, self.rules)) is not None and due <= end:
            clock.now_ns = max(clock.now_ns, due)
            before = self.work.state
            self._tick()
            if self.work.state == before:
                break
        clock.now_ns = end
        self._tick()

    def stalls(self, ns: int) -> None:
        """Time passes and lock does not get to run."""
        self.lock.clock.now_ns += ns
        self.oracle.now_ns = self.lock.clock.now_ns
        self.oracle.free_only_by_decision(free=self.line.free)
        self._tick()

    def _tick(self) -> None:
        self._begins()
        self.work.tick()
        self._settle()

    def hours_change(self, methods: Method, barred: frozenset[int], day: int) -> None:
        """Another hour of the policy, or another day, begins; `barred`: the slots whose own hours are not now."""
        hours = self.policy.hours
        hours.methods, hours.slots, hours.today = methods, barred, day
        self._tick()

    def _begins(self) -> None:
        hours = self.policy.hours
        self.oracle.begins(self.lock.clock.now_ns, hours.methods, hours.slots, hours.today)

    def _settle(self) -> None:
        if self.line.stuck:
            self.oracle.bolt_refused()
        granted = self.work.state.granted_until_ns is not None
        self.oracle.holds(granted=granted, free=self.line.free, stuck=self.line.stuck, lit=self.board.lit)
        if not self.work.healthy():
            self.killed()
            self.start()


_RULES = {
    (alone, lights): Rules(face_alone_opens=alone, lights=lights, page=lights)
    for alone, lights in product((False, True), (False, True))
}
