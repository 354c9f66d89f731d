"""A keeper without processes, threads or waiting: the real core and the real files, driven by hand."""

from __future__ import annotations

import dataclasses
import itertools
import socket
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path

from device import codes, wire
from device.edges import Room, edges_into
from device.errors import Fault
from device.keeper.any_cards import NoCards
from device.keeper.attempt import Clock, Guard
from device.keeper.ends import GRACE_S
from device.keeper.line import Result, Work
from device.keeper.loop import Keeper
from device.keeper.pin import Cost, stretcher
from device.keeper.start import cards_at, guard_at
from device.link import Link
from device.wire import Outcome, Proof, Purpose, Secret

CHEAP = Cost(passes=1, memory_bytes=8192)  # the least libsodium takes
ROOT_KEY = bytes(range(32))
DOOR = bytes.fromhex("00112233445566aa")
INVITATION = "907152638447"
PIN = "482913"
DURESS = "739105"
GUESTS = codes.secret("31415926535897")
NOON = 1_800_000_000
DAY = NOON // 86400


class PowerCut(BaseException):
    """Everything stops here."""


@dataclass
class HandWorker:
    """`line.Executor` whose work runs when the test says so."""

    todo: tuple[Work, Callable[[Result], None]] | None = None

    def start(self, work: Work, done: Callable[[Result], None]) -> None:
        assert self.todo is None, "two checks at once"
        self.todo = (work, done)

    def stop(self) -> bool:
        self.todo = None
        return True

    def run(self) -> None:
        """Do what is under way, and everything that begins after it."""
        while self.todo:
            self.one()

    def one(self) -> None:
        """Do the one thing that is under way."""
        assert self.todo
        (work, done), self.todo = self.todo, None
        result: Result
        try:
            result = work()
        except Fault as fault:
            result = fault
        done(result)


@dataclass
class House:
    """The other rooms: who is there, and what each of them was sent."""

    there: dict[Room, Link] = field(default_factory=dict)
    sent: list[tuple[Room, wire.Message]] = field(default_factory=list)
    beside: list[wire.Message] = field(default_factory=list)  # what lock hears besides answers

    def send(self, peer: Room, msg: wire.Message) -> bool:
        edge = next(edge for edge in edges_into(Room.KEEPER) if edge.connector is peer)
        assert type(msg) in edge.to_connector, f"{type(msg).__name__} must not go to {peer}"
        wire.pack(msg)
        if peer not in self.there:
            return False
        if isinstance(msg, wire.Occupied | wire.LockedOut):
            self.beside.append(msg)
            return True
        self.sent.append((peer, msg))
        return True

    def link(self, peer: Room) -> Link | None:
        return self.there.get(peer)

    def to(self, peer: Room) -> list[wire.Message]:
        """What `peer` was sent since the last time somebody asked."""
        mine = [msg for room, msg in self.sent if room is peer]
        self.sent = [pair for pair in self.sent if pair[0] is not peer]
        return mine


@dataclass
class Door:
    """One keeper in the folder `state`, with clocks that stand still until they are moved."""

    state: Path
    root_key: bytes = ROOT_KEY
    grace_s: float = GRACE_S
    made: Callable[[Clock], Guard] | None = None  # another way to find what is on the disk
    stretch: Callable[[str, bytes], bytes] = field(default_factory=lambda: stretcher(CHEAP))
    now_ns: int = 1_000_000_000_000
    reader: bool = False  # whether this door has a card reader
    unix_s: float = NOON
    day: int = DAY
    stretched: int = 0
    house: House = field(default_factory=House)
    worker: HandWorker = field(default_factory=HandWorker)
    numbers: itertools.count[int] = field(default_factory=lambda: itertools.count(1))

    def __post_init__(self) -> None:
        self._start()

    def boot(self) -> None:
        """Start keeper anew from what is on the disk; nothing else survives."""
        self.guard.file.close()
        self._start()

    def _start(self) -> None:
        clock = Clock(lambda: self.now_ns, lambda: self.unix_s)
        usual = partial(guard_at, self.state, DOOR, self.root_key, cost=CHEAP, grace_s=self.grace_s)
        found = (self.made or usual)(clock)
        self.run_on(dataclasses.replace(found, stretch=self._count))

    def run_on(self, guard: Guard) -> None:
        """A new process, with every room there, that holds `guard`."""
        self.guard = guard
        self.house, self.worker = House(), HandWorker()
        cards = cards_at(self.state, DOOR, self.root_key) if self.reader else NoCards
        self.keeper = Keeper(self.house, self.guard, self.worker, cards=cards)
        for room in (Room.LOCK, Room.VAULT, Room.DESK):
            self.come(room)

    def _count(self, digits: str, salt: bytes) -> bytes:
        self.stretched += 1
        return self.stretch(digits, salt)

    def tenancy(self, slot: int = 12) -> bytes:
        """The name of the offer under which `slot` has its PIN."""
        held = self.guard.book.held(slot)
        assert held
        return held.offer_id

    def taken(self, slot: int = 12) -> bool:
        """Whether a PIN works for `slot` now, as keeper sees it."""
        return self.keeper._tenancies.of(slot).name != wire.NO_TENANCY

    def vault_asks(self, *slots: int) -> list[wire.Message]:
        """Vault asks about `slots`, one after the other; what it gets."""
        for slot in slots:
            self.say(wire.HasCredential(slot), Room.VAULT)
        return self.house.to(Room.VAULT)

    def come(self, room: Room) -> None:
        edge = next(edge for edge in edges_into(Room.KEEPER) if edge.connector is room)
        self.house.there[room] = Link(room, edge, _NO_SOCKET, Room.KEEPER)
        self.keeper.connected(self.house.there[room])

    def go(self, room: Room) -> None:
        self.keeper.disconnected(self.house.there.pop(room))

    def say(self, msg: wire.Message, room: Room = Room.LOCK) -> None:
        """Hand keeper a message without running the worker."""
        self.keeper.received(self.house.there[room], msg)

    def ask(self, msg: wire.Message) -> wire.Message:
        """A question of lock and its one answer."""
        self.say(msg)
        self.worker.run()
        answers = self.house.to(Room.LOCK)
        assert len(answers) == 1
        return answers[0]

    def wait(self, seconds: float) -> None:
        """Time passes in one step, and keeper sleeps through it."""
        self.now_ns += round(seconds * 1e9)
        self.unix_s += seconds

    def live(self, seconds: float) -> int:
        """Time passes and keeper looks whenever it wants to; how often it did."""
        end_ns, looks = self.now_ns + round(seconds * 1e9), 0
        while (due_s := self.keeper.deadline()) is not None and due_s * 1e9 <= end_ns:
            self.wait(max(0.0, due_s - self.now_ns / 1e9) + 1e-6)
            self.keeper.tick()
            looks += 1
            assert looks < 10 * seconds + 100, "keeper turns in circles"
        self.wait(max(0.0, (end_ns - self.now_ns) / 1e9))
        return looks

    def nonce(self) -> bytes:
        return next(self.numbers).to_bytes(wire.NONCE_BYTES, "little")

    # ---- what people do

    def offer(
        self,
        slot: int = 12,
        serial: int = 1,
        digits: str = INVITATION,
        expires: int = NOON + 86400,
        ends: int = wire.NO_END,
    ) -> wire.SlotOffer:
        salt = bytes([serial]) * 16
        return wire.SlotOffer(slot, serial, expires, ends, wire.NO_TIMETABLE, salt, self.stretch(digits, salt))

    def invite(
        self,
        slot: int = 12,
        serial: int = 1,
        digits: str = INVITATION,
        expires: int = NOON + 86400,
        ends: int = wire.NO_END,
    ) -> wire.Result:
        kept = self.ask(self.offer(slot, serial, digits, expires, ends))
        assert isinstance(kept, wire.OfferKept)
        return kept.result

    def set_pin(self, shown: str, new: str, slot: int = 12, proof: Proof = Proof.INVITATION) -> bool:
        return self.set_secret(Secret.PIN, shown, new, slot, proof) is Outcome.ACCEPTED

    def set_secret(self, secret: Secret, shown: str, new: str, slot: int = 12, proof: Proof = Proof.PIN) -> Outcome:
        answer = self.ask(wire.SetPin(self.nonce(), proof, secret, slot, shown, new))
        assert isinstance(answer, wire.Answer)
        return answer.outcome

    def move_in(self, slot: int = 12, pin: str = PIN, ends: int = wire.NO_END) -> None:
        assert self.invite(slot, ends=ends) is wire.Result.DONE
        assert self.set_pin(INVITATION, pin, slot)
        self.house.to(Room.VAULT)

    def type_in(self, digits: str, slot: int = 12) -> bool:
        return self.check(digits, slot) is Outcome.ACCEPTED

    def check(self, digits: str, slot: int = 12) -> Outcome:
        verdict = self.ask(wire.CheckPin(self.nonce(), slot, digits, self.day))
        assert isinstance(verdict, wire.Verdict)
        assert verdict.slot == (0 if verdict.outcome in (Outcome.REFUSED, Outcome.USED) else slot)
        return verdict.outcome

    def prove(self, digits: str, purpose: Purpose = Purpose.ERASE, slot: int = 12) -> bool:
        return self.proof(digits, purpose, slot) is Outcome.ACCEPTED

    def proof(self, digits: str, purpose: Purpose = Purpose.ERASE, slot: int = 12) -> Outcome:
        answer = self.ask(wire.ProvePin(self.nonce(), purpose, slot, digits))
        assert isinstance(answer, wire.Answer)
        return answer.outcome

    def guests_key(self, slot: int = 12) -> bytes:
        """What the resident's own computer makes of `GUESTS`, at this door's price."""
        return self.stretch(GUESTS, codes.salt(slot))


_NO_SOCKET = socket.socket()
_NO_SOCKET.close()
