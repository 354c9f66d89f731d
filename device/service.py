"""The frame every process runs in: one loop around sockets, timers and signals.

Rules kept here:
- One thread around one selector. A room never waits anywhere else for another room.
- Only rows of `device.edges` become sockets. The listener checks the peer's user; a datagram that is no permitted
  message closes that connection and calls `Work.breached`.
- The watchdog is fed by the work loop alone, and only while `Work.healthy` says so.
- No core dumps, no ptrace of a process that holds secrets.
- Told to end, a room ends at once, unless it said beforehand that it may have to `linger`. A failure never lingers.
- An error nobody foresaw, in the loop or in a thread, ends the process (systemd starts it anew) after `Work.stop`.
- Refused while starting, a process stays down until somebody repairs the cause; once it served, it is started again.

`device.handover` is what systemd gives, `device.journal` what it is told, `device.link` one connection. Sources:
systemd.socket(5), systemd.service(5).
"""

from __future__ import annotations

import ctypes
import math
import resource
import selectors
import signal
import socket
import threading
import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Protocol

from device import edges, unjoined, wire
from device.edges import Edge, Room
from device.errors import MessageRefused, NotJoined, NotPermitted, Refusal
from device.handover import PAGE, credential, inherited_sockets
from device.journal import Notifier, in_words, log
from device.link import Link, peer_uid, permitted_uids
from device.paths import Paths, door_paths

# With what a room needs of `handover`, `journal` and `link`: it imports its frame from one place.
__all__ = [
    "EXIT_FAULT",
    "EXIT_REFUSED",
    "Link",
    "Service",
    "Work",
    "credential",
    "harden",
    "log",
    "main",
    "permitted_uids",
]

EXIT_REFUSED = 78  # EX_CONFIG, sysexits.h: starting again will not help
EXIT_FAULT = 70  # EX_SOFTWARE: systemd starts the process anew
_RECONNECT_S = (0.02, 0.05, 0.1, 0.2, 0.5, 1.0)
_PR_SET_DUMPABLE = 4
_LINGER_TURN_S = 0.1  # how often a room that lingers is asked whether it still has to


class Work(Protocol):
    """What a room brings; all calls come from the one loop."""

    def connected(self, link: Link) -> None:
        """A permitted peer is there."""

    def received(self, link: Link, msg: wire.Message) -> None:
        """A message the edge permits. Raise NotPermitted if it comes at the wrong moment."""

    def disconnected(self, link: Link) -> None:
        """The peer is gone."""

    def breached(self, room: Room) -> None:
        """`room` sent something it must never send; its connection is closed already."""

    def deadline(self) -> float | None:
        """When `tick` wants to be called next (CLOCK_MONOTONIC seconds), or None."""

    def tick(self) -> None:
        """Time has passed."""

    def healthy(self) -> bool:
        """Whether the work itself, not merely the loop, goes on."""

    def stop(self) -> None:
        """The process ends; put everything into its safe state."""


@dataclass(eq=False, slots=True)
class _Outgoing:
    edge: Edge
    tries: int = 0
    next_s: float = 0.0
    link: Link | None = None


@dataclass(slots=True)
class Service:
    """One process: `Service(Room.EYE).run(work)` returns its exit code."""

    room: Room
    paths: Paths = field(default_factory=door_paths)
    links: dict[Room, Link] = field(default_factory=dict)
    _selector: selectors.BaseSelector = field(default_factory=selectors.DefaultSelector)
    _outgoing: list[_Outgoing] = field(default_factory=list)
    _open: set[Link] = field(default_factory=set)
    _listeners: list[socket.socket] = field(default_factory=list)
    _handed: dict[str, socket.socket] | None = None
    _work: Work | None = None
    _stopping: bool = False
    _notify: Notifier = field(default_factory=Notifier)
    _pair: tuple[socket.socket, socket.socket] | None = None
    _served: bool = False
    _failed: bool = False
    _still: Callable[[], bool] | None = None

    @property
    def notifier(self) -> Notifier:
        """The way to whoever started this process."""
        return self._notify

    @property
    def served(self) -> bool:
        """Whether the start is over: from now on a refusal is no matter of set-up."""
        return self._served

    @property
    def page_socket(self) -> socket.socket | None:
        """Where browsers call, if it was handed over; not watched by the loop. Raises NotPermitted."""
        return self._inherited().get(PAGE) if self.room is Room.DESK else None

    def run(self, work: Work) -> int:
        """Serve until SIGTERM or SIGINT. Faults and refusals end with one sentence on stderr."""
        self._work = work
        try:
            self._catch_signals()
            self._listen()
            self._outgoing = [_Outgoing(edge) for edge in edges.edges_out_of(self.room)]
            self._connect_all()
            self._notify.tell("READY=1")
            self._served = True
            while not self._stopping:
                self.turn()
            while not self._failed and self._still and self._still():
                self.turn(_LINGER_TURN_S)
        finally:
            self._end(work)
        return EXIT_FAULT if self._failed else 0

    def linger(self, still: Callable[[], bool]) -> None:
        """Told to end, serve on while `still()` says so; it has to come to an end by itself, and soon."""
        self._still = still

    def fail(self) -> None:
        """End the loop in order, with EXIT_FAULT. Safe from any thread."""
        self._failed = self._stopping = True
        if self._pair:
            with suppress(OSError):
                self._pair[1].send(b"\0")

    def _end(self, work: Work) -> None:
        self._notify.tell("STOPPING=1")
        try:
            work.stop()
        except Exception as error:  # noqa: BLE001 - what ended the loop must not be hidden by what its end brought
            log(f"{self.room} did not stop in order: {in_words(error)}")
            self._failed = True
        finally:
            for sock in (*(link.sock for link in self._open), *self._listeners):
                sock.close()
            if self._pair:
                signal.set_wakeup_fd(-1)
                for end in self._pair:
                    end.close()
            self._notify.close()
            self._selector.close()

    def turn(self, timeout_s: float | None = None) -> None:
        """One turn of the loop: wait (at most `timeout_s`), deliver what came, call `tick` when it is due."""
        work = self._work
        if work is None:
            return
        for key, _ in self._rest(work, self._end_s(timeout_s)):
            callback: Callable[[], None] = key.data
            callback()
        self._connect_all()
        due = work.deadline()
        if due is not None and time.monotonic() >= due:
            work.tick()
        if work.healthy():
            self._notify.feed_watchdog()

    def link(self, peer: Room) -> Link | None:
        """The live connection to `peer`, if there is one."""
        return self.links.get(peer)

    def send(self, peer: Room, msg: wire.Message) -> bool:
        """Send to `peer` if it is there; False if not."""
        link = self.links.get(peer)
        return link.send(msg) if link else False

    def watch(self, fileno: int, callback: Callable[[], None]) -> None:
        """Call `callback` from the loop whenever `fileno` is readable."""
        self._selector.register(fileno, selectors.EVENT_READ, callback)

    def unwatch(self, fileno: int) -> None:
        """Stop watching `fileno`."""
        self._selector.unregister(fileno)

    # ---- waiting

    def _rest(self, work: Work, end_s: float) -> list[tuple[selectors.SelectorKey, int]]:
        """What is ready, or nothing at `end_s`; meanwhile the watchdog is fed.

        At a door where nobody is this is all that runs, day and night: nothing else is asked or reckoned here.
        """
        while True:
            now_s = time.monotonic()
            until_s = min(end_s, self._notify.feeding_s(now_s))
            ready = self._selector.select(None if until_s == math.inf else max(0.0, until_s - now_s))
            if ready or time.monotonic() >= end_s:
                return ready
            if work.healthy():
                self._notify.feed_watchdog()

    def _end_s(self, timeout_s: float | None) -> float:
        """Until when the loop may rest if nothing comes (CLOCK_MONOTONIC seconds)."""
        due = self._work.deadline() if self._work else None
        end_s = math.inf if due is None else due
        if timeout_s is not None:
            end_s = min(end_s, time.monotonic() + timeout_s)
        return min((end_s, *(out.next_s for out in self._outgoing if out.link is None)))

    def _catch_signals(self) -> None:
        reader, writer = socket.socketpair()
        reader.setblocking(False)
        writer.setblocking(False)

        def woken() -> None:
            with suppress(OSError):
                reader.recv(64)

        def end(_number: int, _frame: object) -> None:
            self._stopping = True

        signal.set_wakeup_fd(writer.fileno(), warn_on_full_buffer=False)
        self._pair = (reader, writer)
        signal.signal(signal.SIGTERM, end)
        signal.signal(signal.SIGINT, end)
        self.watch(reader.fileno(), woken)

    # ---- listening

    def _listen(self) -> None:
        wanted = {str(edge.connector): edge for edge in edges.edges_into(self.room)}
        for name, listener in self._inherited().items():
            self._listeners.append(listener)
            edge = wanted.pop(name, None)
            if listener is self.page_socket:
                continue
            if edge is None:
                msg = f"{self.room} was given a socket named {name}, which no edge describes"
                raise NotPermitted(msg)
            listener.setblocking(False)
            self.watch(listener.fileno(), lambda sock=listener, to=edge: self._accept(sock, to))  # type: ignore[misc]
        if wanted:
            msg = f"{self.room} was started without its sockets for {', '.join(wanted)}; start it through its units"
            raise NotPermitted(msg)

    def _inherited(self) -> dict[str, socket.socket]:
        if self._handed is None:
            self._handed = inherited_sockets()
        return self._handed

    def _accept(self, listener: socket.socket, edge: Edge) -> None:
        try:
            sock, _ = listener.accept()
        except OSError:
            return
        sock.setblocking(False)
        if peer_uid(sock) not in permitted_uids(edge.connector):
            log(f"a stranger (uid {peer_uid(sock)}) knocked at the socket of {edge.connector}")
            sock.close()
            if self._work:
                self._work.breached(edge.connector)
            return
        if not edge.many and (old := self.links.get(edge.connector)):
            # The same user again: it was restarted before we saw the end of its old connection.
            self._drop(old)
        self._adopt(Link(edge.connector, edge, sock, self.room))

    def _connect_all(self) -> None:
        now = time.monotonic()
        for out in self._outgoing:
            if out.link is None and now >= out.next_s:
                self._connect(out, now)

    def _connect(self, out: _Outgoing, now: float) -> None:
        path = self.paths.socket(out.edge.listener, out.edge.connector)
        sock = socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        sock.setblocking(False)
        try:
            sock.connect(str(path))
        except OSError:
            sock.close()
            out.next_s = now + _RECONNECT_S[min(out.tries, len(_RECONNECT_S) - 1)]
            out.tries += 1
            return
        out.link = Link(out.edge.listener, out.edge, sock, self.room)
        out.next_s = now + _RECONNECT_S[min(out.tries, len(_RECONNECT_S) - 1)]
        out.tries += 1
        self._adopt(out.link)

    def _adopt(self, link: Link) -> None:
        self._open.add(link)
        self.links[link.peer] = link
        self.watch(link.sock.fileno(), lambda: self._receive(link))
        if self._work:
            self._work.connected(link)

    def _receive(self, link: Link) -> None:
        # Bounded: one talkative peer must not keep the others waiting.
        for _ in range(16):
            if link not in self._open:
                return
            try:
                data = link.sock.recv(wire.MAX_DATAGRAM)
            except BlockingIOError:
                return
            except OSError:
                data = b""
            if not data:
                self._drop(link)
                return
            self._deliver(link, data)

    def _deliver(self, link: Link, data: bytes) -> None:
        work = self._work
        if work is None:
            return
        try:
            msg = wire.unpack(data)
            if type(msg) not in edges.permitted(link.edge, link.peer):
                text = f"{link.peer} must not send {type(msg).__name__} to {self.room}"
                raise NotPermitted(text)  # noqa: TRY301 - one handler for every way to break the table
            work.received(link, msg)
        except (MessageRefused, NotPermitted) as refusal:
            log(f"connection to {link.peer} closed: {refusal}")
            self._drop(link)
            work.breached(link.peer)
            return
        for out in self._outgoing:
            if out.link is link:
                out.tries = 0

    def _drop(self, link: Link) -> None:
        if link not in self._open:
            return
        self._open.discard(link)
        self.unwatch(link.sock.fileno())
        link.sock.close()
        if self.links.get(link.peer) is link:
            del self.links[link.peer]
        for out in self._outgoing:
            if out.link is link:
                out.link = None
        if self._work:
            self._work.disconnected(link)


def harden() -> None:
    """No core dump and no ptrace by others of the same user. Best effort: the units enforce it as well."""
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    ctypes.CDLL(None, use_errno=True).prctl(_PR_SET_DUMPABLE, 0, 0, 0, 0)


def main(room: Room, build: Callable[[Service], Work]) -> int:
    """Start `room`: build its work, serve, and turn every failure into one sentence and an exit code."""
    service = Service(room)

    def thread_ended(ended: threading.ExceptHookArgs) -> None:
        if ended.exc_value:
            log(f"{room}: {in_words(ended.exc_value)}, in a thread")
        service.fail()

    threading.excepthook = thread_ended
    harden()  # before anything secret is read
    try:
        return service.run(_built(service, build))
    except Refusal as refusal:
        log(f"{room}: {in_words(refusal)}")
        return EXIT_FAULT if service.served else EXIT_REFUSED
    except Exception as error:  # noqa: BLE001 - the last place before the interpreter, which would print the text
        log(f"{room}: {in_words(error)}")
        return EXIT_FAULT


def _built(service: Service, build: Callable[[Service], Work]) -> Work:
    """The room's work; a door that has not joined is waited for, and the journal says what is missing."""
    try:
        return build(service)
    except NotJoined as not_yet:
        log(f"{service.room}: {not_yet}")
    unjoined.wait(service.paths.config, service.notifier)
    return build(service)
