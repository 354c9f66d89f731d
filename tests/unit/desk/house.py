"""A desk in its real frame (`device.service`), with the other rooms' ends of its sockets in the test's hands."""

from __future__ import annotations

import contextlib
import itertools
import shutil
import socket
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

from device import wire
from device.desk.loop import Desk
from device.desk.page.counter import Served
from device.edges import EDGES, Edge, Room
from device.link import Link
from device.paths import Paths
from device.service import Service
from device.wire import Purpose

Robot = Callable[[wire.Message], list[wire.Message]]
DOORCTL_EDGE = next(edge for edge in EDGES if edge.connector is Room.DOORCTL)
_numbers = itertools.count(1)


def nonce() -> bytes:
    return next(_numbers).to_bytes(16, "little")


def edge_between(one: Room, other: Room) -> Edge:
    return next(edge for edge in EDGES if {edge.listener, edge.connector} == {one, other})


@dataclass(slots=True)
class End:
    """The far end of one of the desk's connections: the test speaks as that room."""

    sock: socket.socket
    edge: Edge

    def say(self, msg: wire.Message) -> None:
        self.sock.send(wire.pack(msg))

    def heard(self) -> list[wire.Message]:
        """Everything that has arrived and was not read yet."""
        found: list[wire.Message] = []
        with contextlib.suppress(BlockingIOError, ConnectionError):
            while data := self.sock.recv(wire.MAX_DATAGRAM):
                found.append(wire.unpack(data))
        return found

    def cut_off(self) -> bool:
        """Whether the desk closed this connection."""
        try:
            return self.sock.recv(wire.MAX_DATAGRAM, socket.MSG_PEEK) == b""
        except BlockingIOError:
            return False
        except ConnectionError:
            return True


@dataclass(slots=True)
class House:
    """The desk and whoever is connected to it. Time stands still unless `pass_time` is called."""

    paths: Paths
    now_s: float = 1000.0
    real_time: bool = False
    served: Served | None = None  # the residents' page
    always: bool = False
    service: Service = field(init=False)
    desk: Desk = field(init=False)
    _ends: list[End] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.service = Service(Room.DESK, self.paths)
        now_s = time.monotonic if self.real_time else lambda: self.now_s
        self.desk = Desk(self.service, now_s, self.served, self.always)
        self.service.take_up(self.desk)
        if self.desk.page:
            self.service.watch(self.desk.page.crossing.fileno(), self.desk.page.crossing.collect)

    def join(self, room: Room) -> End:
        """Connect `room` (another command line, for DOORCTL) to the desk."""
        near, far = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        near.setblocking(False)
        far.setblocking(False)
        edge = edge_between(room, Room.DESK)
        self.service.peers.adopt(Link(room, edge, near, Room.DESK))
        self._ends.append(End(far, edge))
        return self._ends[-1]

    def turn(self) -> None:
        """Let the desk work off everything that was said to it."""
        for _ in range(4):
            self.service.turn(0)

    def pass_time(self, seconds: float) -> None:
        self.now_s += seconds
        due = self.desk.deadline()
        if due is not None and self.now_s >= due:
            self.desk.tick()
        self.turn()

    def ticket(self, purpose: Purpose, ends_in_s: float = 60.0) -> wire.GrantTicket:
        return wire.GrantTicket(nonce(), purpose, int((self.now_s + ends_in_s) * 1e9))

    def close(self) -> None:
        self.desk.stop()
        for link in list(self.service.peers.open):
            self.service.peers.drop(link)
        self.service._selector.close()
        for end in self._ends:
            end.sock.close()


@contextlib.contextmanager
def short_root() -> Iterator[Path]:
    """A door's root whose socket paths stay below the 108 bytes of sockaddr_un."""
    root = Path(tempfile.mkdtemp(prefix="dw"))
    try:
        yield root
    finally:
        shutil.rmtree(root)


@contextlib.contextmanager
def listening(root: Path) -> Iterator[socket.socket]:
    """The desk's socket for doorctl below `root`."""
    path = Paths(root).socket(Room.DESK, Room.DOORCTL)
    path.parent.mkdir(parents=True, exist_ok=True)
    path.unlink(missing_ok=True)
    with socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET) as listener:
        listener.bind(str(path))
        listener.listen()
        listener.setblocking(False)
        yield listener


@contextlib.contextmanager
def open_desk(root: Path, robots: dict[Room, Robot]) -> Iterator[dict[Room, End]]:
    """A desk that serves doorctl below `root` from a thread; the rooms in `robots` are connected and answer."""
    with listening(root) as listener:
        house = House(Paths(root), real_time=True)
        ends = {room: house.join(room) for room in robots}
        house.service.watch(listener.fileno(), lambda: house.service.peers.accept(listener, DOORCTL_EDGE))
        stop = threading.Event()

        def serve() -> None:
            while not stop.is_set():
                house.service.turn(0.002)
                for room, robot in robots.items():
                    for msg in ends[room].heard():
                        for reply in robot(msg):
                            ends[room].say(reply)

        thread = threading.Thread(target=serve)
        thread.start()
        try:
            yield ends
        finally:
            stop.set()
            thread.join()
            house.close()
