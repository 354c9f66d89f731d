"""All with whom one room speaks: the sockets it listens at, whom it calls, and what they say.

Rules kept here:
- Only rows of `device.edges` become sockets. A room that lacks one, or was given one too many, does not start.
- The listener checks the peer's user (`device.link`). A stranger is hung up on, and the room hears of it.
- A datagram that is no permitted message closes that connection and calls `Work.breached`.
- Who is not there is called again: at once, then ever less often, and at least once a second. Nobody is called in a
  tight loop, not even who accepts and hangs up.
- One talkative peer does not keep the others waiting.
- Of command lines so many are heard at once, and one more is hung up on: lines that somebody merely holds take neither
  every descriptor nor the processor. A listener that cannot be served any more would be ready in every turn.
"""

from __future__ import annotations

import math
import socket
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import partial

from device import edges, wire
from device.edges import Edge, Room
from device.errors import MessageRefused, NotPermitted
from device.handover import PAGE, inherited_sockets
from device.journal import log
from device.link import Link, peer_uid, permitted_uids
from device.paths import Paths
from device.waiting import Waiting
from device.work import Work

_RECONNECT_S = (0.02, 0.05, 0.1, 0.2, 0.5, 1.0)
MOST_LINES = 64
_AT_ONCE = 16  # datagrams of one peer, before the others have their turn


@dataclass(eq=False, slots=True)
class Outgoing:
    """A peer whom this room calls, and how often it did in vain."""

    edge: Edge
    tries: int = 0
    next_s: float = 0.0
    link: Link | None = None


@dataclass(slots=True)
class Peers:
    """The connections of `room`. What is readable calls back through `selector`; `work` hears of all that happens."""

    room: Room
    paths: Paths
    selector: Waiting
    work: Work | None = None
    links: dict[Room, Link] = field(default_factory=dict)
    open: set[Link] = field(default_factory=set)
    outgoing: list[Outgoing] = field(default_factory=list)
    listeners: list[socket.socket] = field(default_factory=list)
    _handed: dict[str, socket.socket] | None = None

    @property
    def page_socket(self) -> socket.socket | None:
        """Where browsers call, if it was handed over; not watched by the loop. Raises NotPermitted."""
        return self._inherited().get(PAGE) if self.room is Room.DESK else None

    def listen(self) -> None:
        """Serve the sockets that were handed over. Raises NotPermitted if one is missing, or one is too many."""
        wanted = {str(edge.connector): edge for edge in edges.edges_into(self.room)}
        for name, listener in self._inherited().items():
            self.listeners.append(listener)
            edge = wanted.pop(name, None)
            if listener is self.page_socket:
                continue
            if edge is None:
                msg = f"{self.room} was given a socket named {name}, which no edge describes"
                raise NotPermitted(msg)
            listener.setblocking(False)
            self._watch(listener, partial(self.accept, listener, edge))
        if wanted:
            msg = f"{self.room} was started without its sockets for {', '.join(wanted)}; start it through its units"
            raise NotPermitted(msg)

    def call(self, now_s: float) -> None:
        """Call everybody out of the table of edges, for the first time at `now_s` (CLOCK_MONOTONIC seconds)."""
        self.outgoing = [Outgoing(edge) for edge in edges.edges_out_of(self.room)]
        self.call_again(now_s)

    def call_again(self, now_s: float) -> None:
        """Call who is not there and is due."""
        for out in self.outgoing:
            if out.link is None and now_s >= out.next_s:
                self._connect(out, now_s)

    def next_call_s(self) -> float:
        """When `call_again` is due next; math.inf if everybody is there."""
        return min((math.inf, *(out.next_s for out in self.outgoing if out.link is None)))

    def accept(self, listener: socket.socket, edge: Edge) -> None:
        """Somebody calls at `listener`: adopted if it is the user of that edge."""
        try:
            sock, _ = listener.accept()
        except OSError:
            return
        sock.setblocking(False)
        if peer_uid(sock) not in permitted_uids(edge.connector):
            log(f"a stranger (uid {peer_uid(sock)}) knocked at the socket of {edge.connector}")
            sock.close()
            if self.work:
                self.work.breached(edge.connector)
            return
        if edge.many and sum(link.edge is edge for link in self.open) >= MOST_LINES:
            sock.close()
            return
        if not edge.many and (old := self.links.get(edge.connector)):
            # The same user again: it was restarted before we saw the end of its old connection.
            self.drop(old)
        self.adopt(Link(edge.connector, edge, sock, self.room))

    def adopt(self, link: Link) -> None:
        """`link` stands: listen to it, and tell the room."""
        self.open.add(link)
        self.links[link.peer] = link
        self._watch(link.sock, partial(self._receive, link))
        if self.work:
            self.work.connected(link)

    def drop(self, link: Link) -> None:
        """`link` is over, whoever ended it: forget it, and tell the room."""
        if link not in self.open:
            return
        self.open.discard(link)
        self.selector.unregister(link.sock.fileno())
        link.sock.close()
        if self.links.get(link.peer) is link:
            del self.links[link.peer]
        for out in self.outgoing:
            if out.link is link:
                out.link = None
        if self.work:
            self.work.disconnected(link)

    def close(self) -> None:
        """Give every socket back, without a word to the room."""
        for sock in (*(link.sock for link in self.open), *self.listeners):
            sock.close()

    def _inherited(self) -> dict[str, socket.socket]:
        if self._handed is None:
            self._handed = inherited_sockets()
        return self._handed

    def _watch(self, sock: socket.socket, callback: Callable[[], None]) -> None:
        self.selector.register(sock.fileno(), callback)

    def _connect(self, out: Outgoing, now_s: float) -> None:
        path = self.paths.socket(out.edge.listener, out.edge.connector)
        sock = socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        sock.setblocking(False)
        out.next_s = now_s + _RECONNECT_S[min(out.tries, len(_RECONNECT_S) - 1)]
        out.tries += 1
        try:
            sock.connect(str(path))
        except OSError:
            sock.close()
            return
        out.link = Link(out.edge.listener, out.edge, sock, self.room)
        self.adopt(out.link)

    def _receive(self, link: Link) -> None:
        for _ in range(_AT_ONCE):
            if link not in self.open:
                return
            try:
                data = link.sock.recv(wire.MAX_DATAGRAM)
            except BlockingIOError:
                return
            except OSError:
                data = b""
            if not data:
                self.drop(link)
                return
            self._deliver(link, data)

    def _deliver(self, link: Link, data: bytes) -> None:
        work = self.work
        if work is None:
            return
        try:
            msg = wire.unpack(data)
            if type(msg) not in link.hears:
                text = f"{link.peer} must not send {type(msg).__name__} to {self.room}"
                raise NotPermitted(text)  # noqa: TRY301 - one handler for every way to break the table
            work.received(link, msg)
        except (MessageRefused, NotPermitted) as refusal:
            log(f"connection to {link.peer} closed: {refusal}")
            self.drop(link)
            work.breached(link.peer)
            return
        for out in self.outgoing:
            if out.link is link:
                out.tries = 0
