"""One room as a real process, with the test as all of its neighbours.

`with room_process(Room.REPORT, root) as room:` starts `python -m device.report` as its units would: listening sockets
handed over (LISTEN_FDS), readiness told by datagram (NOTIFY_SOCKET), everything below `root`. Rooms that connect to it
are played with `room.connect(Room.LOCK)`, rooms it connects to with `room.accept(Room.EYE)`; both give a `Peer`.

Unix socket names hold 107 bytes: take `root` from `short_root()` rather than from pytest's long temporary names.
"""

import os
import select
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from device import wire
from device.edges import Room, edges_into, edges_out_of
from device.paths import Paths
from device.wire import Message

CHECKOUT = Path(__file__).resolve().parents[2]
DOOR_ID = "00112233445566ff"
STARTS_WITHIN_S = 20.0

# systemd hands over descriptors from 3 on and names the process by LISTEN_PID; only the process itself can know its
# number before it becomes the room. Descriptors go high first, so that none is overwritten before it was moved.
_BECOME = """
import fcntl, os, sys
module, *fds = sys.argv[1:]
high = [fcntl.fcntl(int(fd), fcntl.F_DUPFD, 100) for fd in fds]
for at, fd in enumerate(high):
    os.dup2(fd, 3 + at)
    os.close(fd)
os.closerange(3 + len(high), 100)
os.environ["LISTEN_PID"] = str(os.getpid())
os.execv(sys.executable, [sys.executable, "-m", module])
"""


@contextmanager
def short_root() -> Iterator[Path]:
    """An empty folder with a name short enough for sockets; removed afterwards."""
    root = Path(tempfile.mkdtemp(prefix="dw-"))
    try:
        yield root
    finally:
        shutil.rmtree(root, ignore_errors=True)


def write_config(root: Path, text: str) -> None:
    """door.toml below `root`: a [door] table with DOOR_ID, then `text`."""
    path = Paths(root).config
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(f'[door]\nid = "{DOOR_ID}"\n{text}')


@dataclass(eq=False)
class Peer:
    """The test's end of one connection."""

    sock: socket.socket

    def send(self, msg: Message) -> None:
        """Send a well-formed message, permitted or not."""
        self.sock.send(wire.pack(msg))

    def send_raw(self, data: bytes) -> None:
        """Send any datagram."""
        self.sock.send(data)

    def receive(self, timeout_s: float = 10.0) -> Message | None:
        """The next message, or None once the room has closed the connection. Raises TimeoutError."""
        self.sock.settimeout(timeout_s)
        try:
            data = self.sock.recv(wire.MAX_DATAGRAM)
        except ConnectionError:
            return None
        return wire.unpack(data) if data else None

    def close(self) -> None:
        """Hang up."""
        self.sock.close()


@dataclass(eq=False)
class RoomProcess:
    """A running room. `stderr` grows with what it logs."""

    room: Room
    root: Path
    environ: Mapping[str, str] = field(default_factory=dict)
    process: subprocess.Popen[bytes] | None = None
    _sockets: dict[Room, socket.socket] = field(default_factory=dict)
    _peers: list[Peer] = field(default_factory=list)
    _notify: socket.socket | None = None

    @property
    def paths(self) -> Paths:
        """The room's files."""
        return Paths(self.root)

    @property
    def pid(self) -> int:
        """Of the running process."""
        assert self.process is not None, "the room is not running"
        return self.process.pid

    @property
    def stderr(self) -> str:
        """Everything logged so far, over all starts."""
        path = self.root / f"{self.room}.log"
        return path.read_text(errors="replace") if path.exists() else ""

    def start(self, *, wait: bool = True) -> None:
        """Start the process and, with `wait`, return when it says READY=1."""
        listening = [self._bound(self.room, edge.connector) for edge in edges_into(self.room)]
        for edge in edges_out_of(self.room):
            if edge.listener not in self._sockets:
                self._sockets[edge.listener] = self._bound(edge.listener, self.room)
        address = self.root / "notify"
        address.unlink(missing_ok=True)
        if self._notify is not None:
            self._notify.close()
        self._notify = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        self._notify.bind(str(address))
        credentials = self.root / "credentials" / self.room
        credentials.mkdir(parents=True, exist_ok=True)
        environ = {
            **os.environ,
            "DOORWARD_ROOT": str(self.root),
            "DOORWARD_ONE_USER": "simulated",
            "CREDENTIALS_DIRECTORY": str(credentials),
            "NOTIFY_SOCKET": str(address),
            "LISTEN_FDS": str(len(listening)),
            "LISTEN_FDNAMES": ":".join(edge.connector for edge in edges_into(self.room)),
            "PYTHONPATH": str(CHECKOUT),
            **self.environ,
        }
        fds = [sock.fileno() for sock in listening]
        with (self.root / f"{self.room}.log").open("ab") as log:
            self.process = subprocess.Popen(
                [sys.executable, "-c", _BECOME, f"device.{self.room}", *map(str, fds)],
                env=environ,
                pass_fds=fds,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
            )
        for sock in listening:
            sock.close()
        if wait:
            self.wait_ready()

    def wait_ready(self, timeout_s: float = STARTS_WITHIN_S) -> None:
        """Return when the room says READY=1. Raises AssertionError if it ends or says nothing."""
        ends = time.monotonic() + timeout_s
        while (left := ends - time.monotonic()) > 0:
            if "READY=1" in self.notifications(min(left, 0.1)):
                return
            assert self.process is not None
            assert self.process.poll() is None, f"{self.room} ended instead of being ready:\n{self.stderr}"
        message = f"{self.room} was not ready within {timeout_s} s:\n{self.stderr}"
        raise AssertionError(message)

    def notifications(self, timeout_s: float = 0.0) -> list[str]:
        """What the room told systemd since the last call; waits for the first at most `timeout_s`."""
        assert self._notify is not None
        told: list[str] = []
        while select.select([self._notify], [], [], 0.0 if told else timeout_s)[0]:
            told.append(self._notify.recv(4096).decode())
        return told

    def connect(self, connector: Room) -> Peer:
        """Play `connector`, which connects to this room."""
        sock = socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        sock.connect(str(self.paths.socket(self.room, connector)))
        return self._peer(sock)

    def accept(self, listener: Room, timeout_s: float = 10.0) -> Peer:
        """Play `listener`, to which this room connects."""
        self._sockets[listener].settimeout(timeout_s)
        sock, _ = self._sockets[listener].accept()
        return self._peer(sock)

    def wait(self, timeout_s: float = 20.0) -> int:
        """The exit code of a room that ends by itself."""
        assert self.process is not None
        return self.process.wait(timeout_s)

    def kill(self, number: signal.Signals = signal.SIGKILL) -> int:
        """Send a signal and wait for the end; the exit code (negative: the signal)."""
        assert self.process is not None
        self.process.send_signal(number)
        return self.process.wait(20.0)

    def stop(self) -> int:
        """End it as systemd would (SIGTERM); its exit code."""
        return self.kill(signal.SIGTERM)

    def tidy(self) -> None:
        """End what still runs and close the sockets."""
        if self.process is not None and self.process.poll() is None:
            self.process.kill()
            self.process.wait()
        peers = [peer.sock for peer in self._peers]
        for sock in (*peers, *self._sockets.values(), *filter(None, [self._notify])):
            sock.close()

    def _peer(self, sock: socket.socket) -> Peer:
        self._peers.append(Peer(sock))
        return self._peers[-1]

    def _bound(self, listener: Room, connector: Room) -> socket.socket:
        path = self.paths.socket(listener, connector)
        path.parent.mkdir(parents=True, exist_ok=True)
        path.unlink(missing_ok=True)
        sock = socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        sock.bind(str(path))
        sock.listen(8)
        return sock


@contextmanager
def room_process(
    room: Room, root: Path, environ: Mapping[str, str] | None = None, *, started: bool = True, wait: bool = True
) -> Iterator[RoomProcess]:
    """`room` below `root` for the time of a `with` block. Write its door.toml first (`write_config`)."""
    running = RoomProcess(room, root, environ or {})
    try:
        if started:
            running.start(wait=wait)
        yield running
    finally:
        running.tidy()
