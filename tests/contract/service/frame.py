"""A room in its real frame: real sockets in a temporary folder, the test at the far ends, all in one process."""

from __future__ import annotations

import contextlib
import selectors
import socket
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

from device import wire
from device.edges import EDGES, Edge, Room
from device.link import Link
from device.paths import Paths
from device.service import Service


def edge_between(one: Room, other: Room) -> Edge:
    return next(edge for edge in EDGES if {edge.listener, edge.connector} == {one, other})


@dataclass
class Recorder:
    """A `Work` that keeps what happened to it and does what the test tells it."""

    seen: list[tuple[str, object]] = field(default_factory=list)
    on_message: Callable[[Link, wire.Message], None] = lambda _link, _msg: None
    on_tick: Callable[[], None] = lambda: None
    on_stop: Callable[[], None] = lambda: None
    due_s: float | None = None
    well: bool = True
    stopped: int = 0
    links: list[Link] = field(default_factory=list)

    def connected(self, link: Link) -> None:
        self.seen.append(("connected", link.peer))
        self.links.append(link)

    def received(self, link: Link, msg: wire.Message) -> None:
        self.seen.append(("received", msg))
        self.on_message(link, msg)

    def disconnected(self, link: Link) -> None:
        self.seen.append(("disconnected", link.peer))
        self.links.remove(link)

    def breached(self, room: Room) -> None:
        self.seen.append(("breached", room))

    def deadline(self) -> float | None:
        return self.due_s

    def tick(self) -> None:
        self.on_tick()

    def healthy(self) -> bool:
        return self.well

    def stop(self) -> None:
        self.stopped += 1
        self.on_stop()

    def received_messages(self) -> list[object]:
        return [what for event, what in self.seen if event == "received"]

    def count(self, event: str) -> int:
        return sum(1 for name, _ in self.seen if name == event)


@dataclass
class Frame:
    """One room that listens for real at every edge into it; `turn` runs its loop once, without waiting."""

    room: Room
    paths: Paths
    work: Recorder = field(default_factory=Recorder)
    service: Service = field(init=False)
    _socks: list[socket.socket] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.service = Service(self.room, self.paths)
        self.service.take_up(self.work)
        for edge in EDGES:
            if edge.listener is self.room:
                self._listen(edge)

    def _listen(self, edge: Edge) -> None:
        listener = bound(self.paths, edge)
        listener.setblocking(False)
        self._socks.append(listener)
        self.service.watch(listener.fileno(), lambda: self.service.peers.accept(listener, edge))

    def call(self, room: Room) -> socket.socket:
        """`room` connects to this one; the test holds its end."""
        sock = socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        sock.connect(str(self.paths.socket(self.room, room)))
        sock.setblocking(False)
        self._socks.append(sock)
        self.turn()
        return sock

    def turn(self, times: int = 1) -> None:
        for _ in range(times):
            self.service.turn(timeout_s=0)

    def close(self) -> None:
        for sock in self._socks:
            sock.close()
        close(self.service)


def bound(paths: Paths, edge: Edge) -> socket.socket:
    """A listening socket where systemd would put it."""
    path = paths.socket(edge.listener, edge.connector)
    path.parent.mkdir(parents=True, exist_ok=True)
    path.unlink(missing_ok=True)
    listener = socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET)
    listener.bind(str(path))
    listener.listen()
    return listener


def close(service: Service) -> None:
    """Give back what a service holds, as the end of its process would."""
    service.peers.close()
    for end in service._pair or ():
        end.close()
    service._notify.close()
    service._selector.close()


def ended(sock: socket.socket) -> bool:
    """Whether the room closed this connection; what it said before stays to be read."""
    try:
        return sock.recv(1, socket.MSG_PEEK) == b""
    except BlockingIOError:
        return False
    except ConnectionError:
        return True


def readable(sock: socket.socket) -> bool:
    with selectors.DefaultSelector() as selector:
        selector.register(sock, selectors.EVENT_READ)
        return bool(selector.select(0))


def open_files() -> set[str]:
    """What this process holds open, by what it is."""
    found = set()
    for number in Path("/proc/self/fd").iterdir():
        with contextlib.suppress(OSError):
            found.add(str(number.readlink()))
    return found
