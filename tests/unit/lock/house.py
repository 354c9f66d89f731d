"""Lock's work in its real frame, with a board in memory, a clock moved by hand, and the test at every far end."""

from __future__ import annotations

import os
import socket
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path

from nacl.signing import SigningKey

from device import document, wire
from device.document import SlotOffers
from device.edges import EDGES, Room
from device.errors import BoltFault
from device.link import Link
from device.lock.identity import DocumentKey
from device.lock.loop import LockWork
from device.lock.policy import Policy, VersionFile
from device.lock.state import DoorMoved, Event, Key, Rules, Signal
from device.paths import Paths
from device.policy.methods import EVERYTHING, Method
from device.service import Service
from device.wire import Hint

DOOR = bytes.fromhex("00112233445566aa")
MANAGER = SigningKey(bytes(range(32)))
DOCUMENT_KEY = DocumentKey.of(bytes(range(32, 64)))
START_S = 5000
# What eye, vault and keeper say by themselves as soon as they took lock's connection.
FIRST_WORDS = {
    Room.EYE: wire.CameraState(wire.CameraCondition.IDLE),
    Room.VAULT: wire.FaceReady(recognise=False, enrol=False, claim_first=False),
    Room.KEEPER: wire.Occupied(many=False, some=True),
}


@dataclass
class Clock:
    """CLOCK_MONOTONIC, standing still."""

    now_ns: int = START_S * 1_000_000_000

    def monotonic(self) -> float:
        return self.now_ns / 1e9

    def monotonic_ns(self) -> int:
        return self.now_ns


@dataclass
class MemoryBolt:
    """A strike whose line may be broken for either direction."""

    released_ms: int | None = None
    deaf_to_release: bool = False
    deaf_to_secure: bool = False
    releases: int = 0

    def release(self, for_ms: int) -> None:
        if self.deaf_to_release:
            msg = "the bolt's line cannot be driven"
            raise BoltFault(msg)
        self.released_ms = for_ms
        self.releases += 1

    def secure(self) -> None:
        if self.deaf_to_secure:
            msg = "the bolt's line cannot be driven"
            raise BoltFault(msg)
        self.released_ms = None

    def close(self) -> None:
        self.secure()


@dataclass
class MemoryBoard:
    """All hardware of one door as plain values."""

    bolt: MemoryBolt = field(default_factory=MemoryBolt)
    lit: bool = False
    lamp_broken: bool = False
    gone: bool = False
    closed: bool = False
    due_s: float | None = None
    signals: list[Signal] = field(default_factory=list)
    hints: list[Hint] = field(default_factory=list)
    told_card: list[bytes | None] = field(default_factory=list)
    shone: list[tuple[int, int]] = field(default_factory=list)
    on_lamp: Callable[[bool], None] = lambda _on: None
    _happened: list[Event] = field(default_factory=list)
    _pipe: tuple[int, int] = field(default_factory=os.pipe)

    def happens(self, *events: Event) -> None:
        self._happened += events
        os.write(self._pipe[1], b"\0")

    def fileno(self) -> int:
        return self._pipe[0]

    def events(self, now_s: float) -> list[Event]:
        if self.gone:
            msg = "the board is gone"
            raise BoltFault(msg)
        if self._happened:
            os.read(self._pipe[0], 100)
        events, self._happened = self._happened, []
        return events

    def deadline(self) -> float | None:
        return self.due_s

    def lamp(self, *, on: bool) -> None:
        if self.lamp_broken:
            msg = "the lamp's line cannot be driven"
            raise BoltFault(msg)
        self.on_lamp(on)
        self.lit = on

    def lights(self, left: int, right: int) -> None:
        self.shone.append((left, right))

    def show(self, signal: Signal, hint: Hint | None) -> None:
        self.signals.append(signal)
        if hint:
            self.hints.append(hint)

    def card(self, command: bytes | None) -> None:
        self.told_card.append(command)

    def close(self) -> None:
        self.closed = True
        self.lit = False
        self.lights(0, 0)
        self.bolt.close()

    def forget(self) -> None:
        for fd in self._pipe:
            os.close(fd)


@dataclass
class End:
    """The far end of one of lock's connections."""

    sock: socket.socket
    link: Link

    def say(self, *msgs: wire.Message) -> None:
        for msg in msgs:
            self.sock.send(wire.pack(msg))

    def heard(self) -> list[wire.Message]:
        found: list[wire.Message] = []
        with suppress(BlockingIOError, ConnectionError):
            while data := self.sock.recv(wire.MAX_DATAGRAM):
                found.append(wire.unpack(data))
        return found

    def cut_off(self) -> bool:
        try:
            return self.sock.recv(1, socket.MSG_PEEK) == b""
        except BlockingIOError:
            return False
        except ConnectionError:  # closed over what it had not read
            return True


@dataclass
class House:
    """The door; `turn` lets the loop run until nothing is left to hear."""

    folder: Path
    clock: Clock
    rules: Rules = field(default_factory=lambda: Rules(face_alone_opens=True))
    unsigned: Method = EVERYTHING  # as under doorsim: a face alone needs no signed policy
    board: MemoryBoard = field(default_factory=MemoryBoard)
    service: Service = field(init=False)
    work: LockWork = field(init=False)
    versions: VersionFile = field(init=False)
    _ends: list[End] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.service = Service(Room.LOCK, Paths(self.folder))
        self.versions = VersionFile(self.folder / "lock" / "policy-version")
        policy = Policy(DOOR, bytes(MANAGER.verify_key), DOCUMENT_KEY, self.versions, self.unsigned)
        self.work = LockWork(self.service, self.board, policy, self.rules)
        self.service.take_up(self.work)
        self.board.happens(DoorMoved(open=False))

    def join(self, room: Room, *, served: bool = True) -> End:
        """`room` is up: lock's connection to it stands. `served=False`: so far only its socket unit took it."""
        edge = next(edge for edge in EDGES if edge.connector is Room.LOCK and edge.listener is room)
        ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        ours.setblocking(False)
        theirs.setblocking(False)
        end = End(theirs, Link(room, edge, ours, Room.LOCK))
        self._ends.append(end)
        self.service.peers.adopt(end.link)
        if served and room in FIRST_WORDS:
            end.say(FIRST_WORDS[room])
        return end

    def turn(self) -> None:
        for _ in range(4):
            self.service.turn(timeout_s=0)

    def passes(self, seconds: float) -> None:
        self.clock.now_ns += round(seconds * 1e9)
        self.turn()

    def keys(self, row: str) -> None:
        self.board.happens(*(Key(key) for key in row))
        self.turn()

    def accepted(self, question: wire.Message, slot: int = 12) -> wire.Verdict:
        nonce: bytes = question.nonce  # type: ignore[attr-defined]  # every question to keeper has one
        return wire.Verdict(nonce, self.clock.now_ns, wire.Outcome.ACCEPTED, slot)

    def close(self) -> None:
        for end in self._ends:
            end.sock.close()
        for link in self.service.peers.open:
            link.sock.close()
        self.service._selector.close()
        self.board.forget()


def offer(slot: int = 12, serial: int = 1, timetable: int = wire.NO_TIMETABLE) -> wire.SlotOffer:
    return wire.SlotOffer(slot, serial, 2_000_000_000, wire.NO_END, timetable, bytes(16), bytes(range(32)))


def signed(version: int = 7, *offers: wire.SlotOffer, key: SigningKey = MANAGER, door: bytes = DOOR) -> bytes:
    body = SlotOffers(offers or (offer(),))
    return document.sign(body, door_id=door, version=version, issued_unix=1_900_000_000, key=key)


def sealed(version: int = 7, *offers: wire.SlotOffer) -> bytes:
    """What travels to the door: the signed document, sealed to its key."""
    return document.seal(signed(version, *offers), door_id=DOOR, document_key=DOCUMENT_KEY.public)
