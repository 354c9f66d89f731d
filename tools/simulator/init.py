"""The part of systemd that a simulated door needs: sockets, start, readiness, watchdog, restart.

Rules kept here:
- The same contract as the units: LISTEN_FDS, NOTIFY_SOCKET, WATCHDOG_USEC, CREDENTIALS_DIRECTORY (sd_listen_fds(3),
  sd_notify(3)), Restart=always, RestartSec=100ms, five starts in ten seconds, no restart after exit code 78.
- A process of the door dies with the simulator (PR_SET_PDEATHSIG): nothing is left running behind anybody's back.
- Only for simulation: on a real door systemd does this, and confines the processes as well.
"""

from __future__ import annotations

import ctypes
import os
import signal
import socket
import sys
import time
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import partial

from device.edges import Room, edges_into
from device.handover import PAGE
from device.paths import Paths
from device.service import EXIT_REFUSED
from tools.simulator import layout

WATCHDOG_S = 10.0
RESTART_S = 0.1
START_LIMIT = 5
START_LIMIT_S = 10.0
_PR_SET_PDEATHSIG = 1
_FIRST_FD = 3


@dataclass(slots=True)
class Process:
    """One supervised process. `pidfd` becomes readable when it ends."""

    room: Room
    pid: int = 0
    pidfd: int = -1
    ready: bool = False
    refused: bool = False
    fed_s: float = 0.0
    start_at_s: float | None = 0.0
    starts: deque[float] = field(default_factory=lambda: deque(maxlen=START_LIMIT))

    @property
    def word(self) -> str:
        """How `doorsim state` calls it."""
        if self.pid:
            return "up" if self.ready else "starting"
        return "refused" if self.refused else "down" if self.start_at_s is None else "restarting"


class Init:
    """Starts and keeps the door's processes; `watch`/`unwatch` register file descriptors with the caller's loop."""

    def __init__(
        self, paths: Paths, watch: Callable[[int, Callable[[], None]], None], unwatch: Callable[[int], None]
    ) -> None:
        self._paths = paths
        self._watch = watch
        self._unwatch = unwatch
        self._sockets: dict[Room, dict[str, socket.socket]] = {}
        self.processes: dict[Room, Process] = {}
        self.ended: Callable[[Room], None] = lambda _room: None

    @property
    def page_port(self) -> int:
        """At which port of 127.0.0.1 the resident's page is called; 0 without one."""
        page = self._sockets.get(Room.DESK, {}).get(PAGE)
        return int(page.getsockname()[1]) if page else 0

    def prepare(self, rooms: tuple[Room, ...], *, page: bool = False) -> None:
        """Make every socket before the first process starts, so that no start order matters.

        `page`: desk is handed the socket of the resident's page as well.
        """
        for room in rooms:
            folder = self._paths.run / room
            folder.mkdir(parents=True, exist_ok=True)
            self._sockets[room] = {
                str(edge.connector): _bound(self._paths.socket(room, edge.connector), socket.SOCK_SEQPACKET)
                for edge in edges_into(room)
            }
            if page and room is Room.DESK:
                self._sockets[room][PAGE] = _called_by_browsers()
            notify = _bound(self._paths.board / f"notify-{room}.sock", socket.SOCK_DGRAM)
            self.processes[room] = process = Process(room)
            self._watch(notify.fileno(), partial(self._notified, notify, process))

    def tend(self, now_s: float) -> None:
        """Start what is due, end what stopped feeding its watchdog."""
        for process in self.processes.values():
            if process.pid and process.ready and now_s - process.fed_s > WATCHDOG_S:
                os.kill(process.pid, signal.SIGABRT)
                os.kill(process.pid, signal.SIGCONT)  # as systemd: a stopped process would never see the first
                process.fed_s = now_s
            if not process.pid and process.start_at_s is not None and now_s >= process.start_at_s:
                self._start(process, now_s)

    def deadline(self) -> float | None:
        """When `tend` is due (CLOCK_MONOTONIC seconds)."""
        ends = [p.start_at_s for p in self.processes.values() if not p.pid and p.start_at_s is not None]
        ends += [p.fed_s + WATCHDOG_S for p in self.processes.values() if p.pid and p.ready]
        return min(ends, default=None)

    def stop(self, room: Room) -> None:
        """As `systemctl stop`: end it, and do not start it again."""
        process = self.processes[room]
        process.start_at_s = None
        if process.pid:
            process.starts.clear()
            os.kill(process.pid, signal.SIGTERM)

    def start(self, room: Room) -> None:
        """As `systemctl start`."""
        process = self.processes[room]
        process.refused = False
        process.starts.clear()
        process.start_at_s = 0.0

    def kill(self, room: Room, number: int) -> None:
        """Send a signal. Raises ValueError if the process is not running."""
        pid = self.processes[room].pid
        if not pid:
            msg = f"{room} is not running"
            raise ValueError(msg)
        os.kill(pid, number)

    # ---- one process

    def _start(self, process: Process, now_s: float) -> None:
        if len(process.starts) == START_LIMIT and now_s - process.starts[0] < START_LIMIT_S:
            process.start_at_s = None
            return
        process.starts.append(now_s)
        process.fed_s, process.ready = now_s, False
        me = os.getpid()
        pid = os.fork()
        if pid == 0:
            self._become(process.room, me)
        process.pid, process.pidfd = pid, os.pidfd_open(pid)
        self._watch(process.pidfd, lambda: self._ended(process))

    def _become(self, room: Room, init: int) -> None:
        """In the child: arrange file descriptors and environment as systemd does, and execute the room."""
        try:
            ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGKILL, 0, 0, 0)
            if os.getppid() != init:
                os._exit(127)  # killed between fork and prctl: nobody is left to send that signal
            signal.set_wakeup_fd(-1)
            for number in (signal.SIGTERM, signal.SIGINT, signal.SIGCHLD):
                signal.signal(number, signal.SIG_DFL)
            signal.pthread_sigmask(signal.SIG_SETMASK, ())
            sockets = self._sockets[room]
            log = os.open(self._paths.board / f"{room}.log", os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
            null = os.open(os.devnull, os.O_RDWR)
            # Move everything well above the target numbers first, so that no dup2 overwrites a source.
            sources = [os.dup(fd) for fd in (null, log, log, *(sock.fileno() for sock in sockets.values()))]
            sources = [_raised(fd) for fd in sources]
            for target, source in enumerate(sources):
                os.dup2(source, target, inheritable=True)
            os.closerange(len(sources), 4096)
            environment = self._environment(room, tuple(sockets))
            os.execve(sys.executable, [sys.executable, "-m", f"device.{room}"], environment)  # noqa: S606 - our own rooms
        finally:
            os._exit(127)

    def _environment(self, room: Room, names: tuple[str, ...]) -> dict[str, str]:
        own = {
            "DOORWARD_ROOT": str(self._paths.root),
            "DOORWARD_ONE_USER": "simulated",
            "NOTIFY_SOCKET": str(self._paths.board / f"notify-{room}.sock"),
            "WATCHDOG_USEC": str(int(WATCHDOG_S * 1e6)),
            "LISTEN_PID": str(os.getpid()),
            "LISTEN_FDS": str(len(names)),
            "LISTEN_FDNAMES": ":".join(names),
            # One thread: the work is small vectors, and each further OpenBLAS thread costs memory for nothing.
            "OPENBLAS_NUM_THREADS": "1",
        }
        if room in layout.KEYED_ROOMS:
            own["CREDENTIALS_DIRECTORY"] = str(layout.credentials(self._paths, room))
        if room is Room.REPORT:
            own["DOORWARD_LEDGER"] = "1"
        return {**os.environ, **own}

    def _notified(self, sock: socket.socket, process: Process) -> None:
        words = sock.recv(4096).decode("utf-8", "replace").splitlines()
        process.fed_s = time.monotonic()
        process.ready = process.ready or "READY=1" in words

    def _ended(self, process: Process) -> None:
        _, status = os.waitpid(process.pid, 0)
        self._unwatch(process.pidfd)
        os.close(process.pidfd)
        process.pid, process.ready = 0, False
        process.refused = os.waitstatus_to_exitcode(status) == EXIT_REFUSED
        if process.refused:
            process.start_at_s = None
        elif process.start_at_s is not None:
            process.start_at_s = time.monotonic() + RESTART_S
        self.ended(process.room)


def _bound(path: os.PathLike[str], kind: socket.SocketKind) -> socket.socket:
    if os.path.lexists(path):
        os.unlink(path)  # noqa: PTH108 - a PathLike
    sock = socket.socket(socket.AF_UNIX, kind)
    sock.bind(str(path))
    if kind != socket.SOCK_DGRAM:
        sock.listen(8)
    return sock


def _called_by_browsers() -> socket.socket:
    """As ListenStream=, at a free port of this machine and for this machine alone."""
    sock = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
    sock.bind(("127.0.0.1", 0))
    sock.listen(64)
    return sock


def _raised(fd: int) -> int:
    while fd < _FIRST_FD + 32:
        fd = os.dup(fd)
    return fd
