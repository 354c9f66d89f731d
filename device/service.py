"""The frame every process runs in: sockets, peers, timers, signals, systemd.

Rules kept here:
- One thread around one selector. A room never waits anywhere else for another room.
- Only rows of `device.edges` become sockets. The listener checks the peer's user (SO_PEERCRED); a datagram that is no
  permitted message closes that connection and calls `Room.breached`.
- Sending never blocks. A peer that does not read loses the connection; what was meant for it is void anyway.
- The watchdog is fed by the work loop alone, and only while `Room.healthy` says so.
- No core dumps, no ptrace of a process that holds secrets; log lines carry no slot, digit, score or picture.
- An error nobody foresaw, in the loop or in a thread, ends the process (systemd starts it anew) after `Work.stop`. The
  journal gets its type and place, never its text: that may hold what a log must never hold.
- Refused while starting, a process stays down until somebody repairs the cause; once it served, it is started again.

Sources: sd_notify(3), sd_listen_fds(3), unix(7), systemd.socket(5).
"""

from __future__ import annotations

import ctypes
import os
import pwd
import resource
import selectors
import signal
import socket
import struct
import sys
import threading
import time
import traceback
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Protocol

from device import edges, wire
from device.edges import Edge, Room
from device.errors import Fault, KeyFault, MessageRefused, NotPermitted, Refusal
from device.paths import Paths, door_paths

EXIT_REFUSED = 78  # EX_CONFIG, sysexits.h: starting again will not help
EXIT_FAULT = 70  # EX_SOFTWARE: systemd starts the process anew
_RECONNECT_S = (0.02, 0.05, 0.1, 0.2, 0.5, 1.0)
_FIRST_LISTEN_FD = 3  # SD_LISTEN_FDS_START
_PR_SET_DUMPABLE = 4


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
class Link:
    """One live connection to `peer`."""

    peer: Room
    edge: Edge
    sock: socket.socket
    me: Room

    def send(self, msg: wire.Message) -> bool:
        """Send without waiting; False if the peer is gone or does not read (the loop then closes the link)."""
        if type(msg) not in edges.permitted(self.edge, self.me):
            text = f"{self.me} must not send {type(msg).__name__} to {self.peer}"
            raise NotPermitted(text)
        try:
            self.sock.send(wire.pack(msg))
        except OSError:
            self.hang_up()
            return False
        return True

    def hang_up(self) -> None:
        """End the connection; the loop sees its end and tidies up in one place."""
        _quietly(lambda: self.sock.shutdown(socket.SHUT_RDWR))


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
    _work: Work | None = None
    _stopping: bool = False
    _notify: socket.socket | None = None
    _pair: tuple[socket.socket, socket.socket] | None = None
    _served: bool = False
    _failed: bool = False

    @property
    def served(self) -> bool:
        """Whether the start is over: from now on a refusal is no matter of set-up."""
        return self._served

    def run(self, work: Work) -> int:
        """Serve until SIGTERM or SIGINT. Faults and refusals end with one sentence on stderr."""
        self._work = work
        try:
            self._catch_signals()
            self._listen()
            self._outgoing = [_Outgoing(edge) for edge in edges.edges_out_of(self.room)]
            self._connect_all()
            self._tell("READY=1")
            self._served = True
            while not self._stopping:
                self.turn()
        finally:
            self._end(work)
        return EXIT_FAULT if self._failed else 0

    def fail(self) -> None:
        """End the loop in order, with EXIT_FAULT. Safe from any thread."""
        self._failed = self._stopping = True
        if self._pair:
            writer = self._pair[1]
            _quietly(lambda: writer.send(b"\0"))

    def _end(self, work: Work) -> None:
        self._tell("STOPPING=1")
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
            if self._notify:
                self._notify.close()
            self._selector.close()

    def turn(self, timeout_s: float | None = None) -> None:
        """One turn of the loop: wait (at most `timeout_s`), deliver what came, call `tick` when it is due."""
        work = self._work
        if work is None:
            return
        for key, _ in self._selector.select(self._wait_s(timeout_s)):
            callback: Callable[[], None] = key.data
            callback()
        self._connect_all()
        due = work.deadline()
        if due is not None and time.monotonic() >= due:
            work.tick()
        if work.healthy():
            self._feed_watchdog()

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

    def _wait_s(self, timeout_s: float | None) -> float | None:
        now = time.monotonic()
        ends = [timeout_s]
        due = self._work.deadline() if self._work else None
        ends.append(None if due is None else max(0.0, due - now))
        ends += [max(0.0, out.next_s - now) for out in self._outgoing if out.link is None]
        watchdog_us = os.environ.get("WATCHDOG_USEC")
        ends.append(int(watchdog_us) / 2e6 if watchdog_us else None)
        finite = [end for end in ends if end is not None]
        return min(finite) if finite else None

    def _catch_signals(self) -> None:
        reader, writer = socket.socketpair()
        reader.setblocking(False)
        writer.setblocking(False)

        def woken() -> None:
            _quietly(lambda: reader.recv(64))

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
        for name, listener in inherited_sockets().items():
            self._listeners.append(listener)
            edge = wanted.pop(name, None)
            if edge is None:
                msg = f"{self.room} was given a socket named {name}, which no edge describes"
                raise NotPermitted(msg)
            listener.setblocking(False)
            self.watch(listener.fileno(), lambda sock=listener, to=edge: self._accept(sock, to))  # type: ignore[misc]
        if wanted:
            msg = f"{self.room} was started without its sockets for {', '.join(wanted)}; start it through its units"
            raise NotPermitted(msg)

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

    # ---- systemd

    def _tell(self, state: str) -> None:
        address = os.environ.get("NOTIFY_SOCKET")
        if not address:
            return
        if self._notify is None:
            self._notify = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM | socket.SOCK_CLOEXEC)
        target = "\0" + address[1:] if address.startswith("@") else address
        _quietly(lambda: self._notify.sendto(state.encode(), target))  # type: ignore[union-attr]

    def _feed_watchdog(self) -> None:
        if "WATCHDOG_USEC" in os.environ:
            self._tell("WATCHDOG=1")


def inherited_sockets() -> dict[str, socket.socket]:
    """The listening sockets handed over by systemd, by their FileDescriptorName= (sd_listen_fds(3)).

    Raises NotPermitted if one has no name of its own, or is no SOCK_SEQPACKET socket of the file system: with another
    kind a datagram's size would not be its schema.
    """
    if os.environ.get("LISTEN_PID") != str(os.getpid()):
        return {}
    count = os.environ.get("LISTEN_FDS", "0")
    names = [name for name in os.environ.get("LISTEN_FDNAMES", "").split(":") if name]
    if count != str(len(names)) or len(set(names)) != len(names):
        msg = f"{count} sockets were handed over with the names {', '.join(names) or 'of none'}; each needs its own"
        raise NotPermitted(msg)
    return {name: _listener(_FIRST_LISTEN_FD + i, name) for i, name in enumerate(names)}


def _listener(fd: int, name: str) -> socket.socket:
    try:
        sock = socket.socket(fileno=fd)
    except OSError as cause:
        msg = f"what was handed over as {name} is no socket"
        raise NotPermitted(msg) from cause
    if (sock.family, sock.type) != (socket.AF_UNIX, socket.SOCK_SEQPACKET):
        sock.close()
        msg = f"the socket handed over as {name} is not of the kind ListenSequentialPacket="
        raise NotPermitted(msg)
    sock.set_inheritable(False)
    return sock


def peer_uid(sock: socket.socket) -> int:
    """The user id of the process at the other end (SO_PEERCRED, unix(7))."""
    raw = sock.getsockopt(socket.SOL_SOCKET, socket.SO_PEERCRED, struct.calcsize("3i"))
    uid: int = struct.unpack("3i", raw)[1]
    return uid


def permitted_uids(room: Room) -> frozenset[int]:
    """The users `room` may run as: `doorward-<room>`, root for doorctl; the simulator runs a door under one user."""
    if os.environ.get("DOORWARD_ONE_USER") == "simulated":
        return frozenset({os.getuid()})
    if room is Room.DOORCTL:
        return frozenset({0})
    try:
        return frozenset({pwd.getpwnam(f"doorward-{room}").pw_uid})
    except KeyError:
        return frozenset()


def harden() -> None:
    """No core dump and no ptrace by others of the same user. Best effort: the units enforce it as well."""
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    ctypes.CDLL(None, use_errno=True).prctl(_PR_SET_DUMPABLE, 0, 0, 0, 0)


def credential(name: str) -> bytes:
    """A key that systemd hands over as a credential (LoadCredentialEncrypted=). Raises KeyFault."""
    folder = os.environ.get("CREDENTIALS_DIRECTORY")
    if not folder:
        msg = f"the key {name} was not handed over; start this process through its unit"
        raise KeyFault(msg)
    try:
        with open(os.path.join(folder, name), "rb") as file:  # noqa: PTH118, PTH123 - no Path needed for one read
            return file.read()
    except OSError as cause:
        msg = f"the key {name} cannot be read"
        raise KeyFault(msg) from cause


def log(text: str) -> None:
    """One line for the journal. Where nobody listens it is lost: a restarted journal ends no process."""
    with suppress(OSError, ValueError):
        sys.stderr.write(text + "\n")
        sys.stderr.flush()


def in_words(error: BaseException) -> str:
    """What a log may say: the sentence of our own errors; of any other only its type and place, "module:line"."""
    if isinstance(error, Refusal | Fault):
        return str(error)
    place = "an unknown place"
    for frame, line in traceback.walk_tb(error.__traceback__):
        module = frame.f_globals.get("__name__", "?")
        if module.startswith(f"{__package__}.") or not place.startswith(f"{__package__}."):
            place = f"{module}:{line}"  # the innermost place of ours; without one, the innermost of all
    return f"{type(error).__name__} at {place}, which nobody foresaw"


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
        return service.run(build(service))
    except Refusal as refusal:
        log(f"{room}: {in_words(refusal)}")
        return EXIT_FAULT if service.served else EXIT_REFUSED
    except Exception as error:  # noqa: BLE001 - the last place before the interpreter, which would print the text
        log(f"{room}: {in_words(error)}")
        return EXIT_FAULT


def _quietly(call: Callable[[], object]) -> None:
    with suppress(OSError):
        call()
