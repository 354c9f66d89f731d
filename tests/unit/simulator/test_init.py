"""doorsim's part of systemd, over a kernel in memory: start, readiness, restart, limits, watchdog."""

from __future__ import annotations

import os
import select
import signal
import socket
import tempfile
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path

import pytest

from device.edges import EDGES, Room
from device.paths import Paths
from device.service import EXIT_FAULT, EXIT_REFUSED
from tools.simulator import init
from tools.simulator.init import RESTART_S, START_LIMIT, START_LIMIT_S, WATCHDOG_S, Init
from tools.simulator.layout import Wishes, make

ROOMS = (Room.KEEPER, Room.LOCK, Room.REPORT)


@dataclass
class Kernel:
    """Processes that exist in a table only. An eventfd stands for a pidfd: readable once its process ended."""

    alive: dict[int, int] = field(default_factory=dict)  # pid -> pidfd
    ended: dict[int, int] = field(default_factory=dict)  # pid -> wait status
    signals: list[tuple[int, int]] = field(default_factory=list)
    _next: int = 1000

    def fork(self) -> int:
        self._next += 1
        self.alive[self._next] = -1
        return self._next

    def pidfd_open(self, pid: int) -> int:
        self.alive[pid] = os.eventfd(0, os.EFD_NONBLOCK)
        return self.alive[pid]

    def kill(self, pid: int, number: int) -> None:
        assert pid in self.alive, "never a pid that is nobody's any more"
        self.signals.append((pid, number))

    def waitpid(self, pid: int, _options: int) -> tuple[int, int]:
        return pid, self.ended.pop(pid)

    def exits(self, pid: int, status: int) -> None:
        self.ended[pid] = status
        os.eventfd_write(self.alive.pop(pid), 1)


@dataclass
class Machine:
    """An init, its kernel, and a clock moved by hand."""

    init: Init
    kernel: Kernel
    watched: dict[int, Callable[[], None]]
    now_s: float = 1000.0

    def monotonic(self) -> float:
        return self.now_s

    def passes(self, seconds: float) -> None:
        """Time passes; init tends whenever it asked to."""
        end = self.now_s + seconds
        while (due := self.init.deadline()) is not None and due <= end:
            self.now_s = max(self.now_s, due)
            self.init.tend(self.now_s + 1e-6)
            self.now_s += 1e-3
        self.now_s = max(self.now_s, end)
        self.init.tend(self.now_s)

    def pid(self, room: Room) -> int:
        return self.init.processes[room].pid

    def word(self, room: Room) -> str:
        return self.init.processes[room].word

    def ends(self, room: Room, code: int) -> None:
        process = self.init.processes[room]
        callback = self.watched[process.pidfd]
        self.kernel.exits(process.pid, code << 8)
        callback()

    def notifies(self, paths: Paths, room: Room, state: str = "READY=1") -> None:
        with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as sock:
            sock.sendto(state.encode(), str(paths.board / f"notify-{room}.sock"))
        self.hear()

    def hear(self) -> None:
        for fd, callback in list(self.watched.items()):
            if os.path.exists(f"/proc/self/fd/{fd}") and _readable(fd):  # noqa: PTH110 - a number in /proc
                callback()


def _readable(fd: int) -> bool:
    return bool(select.select([fd], [], [], 0)[0])


@pytest.fixture
def paths() -> Iterator[Paths]:
    before = os.umask(0o022)
    with tempfile.TemporaryDirectory(prefix="dw") as folder:
        made = Paths(Path(folder))
        make(made, Wishes())
        yield made
    os.umask(before)


@pytest.fixture
def machine(paths: Paths, monkeypatch: pytest.MonkeyPatch) -> Iterator[Machine]:
    kernel = Kernel()
    watched: dict[int, Callable[[], None]] = {}

    def forget(fd: int) -> None:
        del watched[fd]

    made = Machine(Init(paths, watched.__setitem__, forget), kernel, watched)
    made.init.prepare(ROOMS)
    for name in ("fork", "pidfd_open", "kill", "waitpid"):
        monkeypatch.setattr(os, name, getattr(kernel, name))
    monkeypatch.setattr(init, "time", made)
    yield made
    for sockets in made.init._sockets.values():
        for sock in sockets.values():
            sock.close()
    for process in made.init.processes.values():
        if process.pid:
            os.close(process.pidfd)
    for callback in watched.values():
        for held in (
            callback.args if isinstance(callback, partial) else ()
        ):  # the notify sockets live in their callbacks
            if isinstance(held, socket.socket):
                held.close()


def test_every_socket_is_there_before_the_first_process(machine: Machine, paths: Paths) -> None:
    assert machine.kernel.alive == {}
    for edge in EDGES:
        assert paths.socket(edge.listener, edge.connector).is_socket() is (edge.listener in ROOMS)


def test_all_start_and_are_up_once_they_say_so(machine: Machine, paths: Paths) -> None:
    machine.init.tend(machine.now_s)
    assert {machine.word(room) for room in ROOMS} == {"starting"}
    machine.notifies(paths, Room.KEEPER)
    assert [machine.word(room) for room in ROOMS] == ["up", "starting", "starting"]
    machine.notifies(paths, Room.LOCK, "STATUS=thinking\nREADY=1\n")
    machine.notifies(paths, Room.REPORT, "NOTREADY=1")
    assert [machine.word(room) for room in ROOMS] == ["up", "up", "starting"]


@pytest.mark.parametrize("code", [0, EXIT_FAULT, 1, 137])
def test_whatever_ends_is_started_again_after_a_tenth_of_a_second(machine: Machine, code: int) -> None:
    machine.init.tend(machine.now_s)
    first = machine.pid(Room.LOCK)
    machine.ends(Room.LOCK, code)
    assert machine.word(Room.LOCK) == "restarting"
    machine.passes(RESTART_S * 0.9)
    assert machine.pid(Room.LOCK) == 0
    machine.passes(RESTART_S * 0.2)
    assert machine.pid(Room.LOCK) not in (0, first)
    assert machine.pid(Room.KEEPER), "the others are not touched"


def test_a_refusal_is_not_tried_again_until_somebody_starts_it(machine: Machine) -> None:
    machine.init.tend(machine.now_s)
    machine.ends(Room.REPORT, EXIT_REFUSED)
    machine.passes(3600)
    assert (machine.word(Room.REPORT), machine.pid(Room.REPORT)) == ("refused", 0)
    machine.init.start(Room.REPORT)
    machine.passes(0.01)
    assert machine.word(Room.REPORT) == "starting"


def test_five_starts_in_ten_seconds_are_enough(machine: Machine) -> None:
    for _ in range(START_LIMIT):
        machine.passes(RESTART_S * 1.1)
        assert machine.pid(Room.LOCK)
        machine.ends(Room.LOCK, EXIT_FAULT)
    machine.passes(3600)
    assert (machine.word(Room.LOCK), machine.pid(Room.LOCK)) == ("down", 0)
    machine.init.start(Room.LOCK)
    machine.passes(0.01)
    assert machine.word(Room.LOCK) == "starting"


def test_a_process_that_fails_now_and_then_is_started_every_time(machine: Machine) -> None:
    for _ in range(3 * START_LIMIT):
        machine.passes(START_LIMIT_S / 2)
        assert machine.pid(Room.LOCK)
        machine.ends(Room.LOCK, EXIT_FAULT)


def test_a_process_that_stops_feeding_its_watchdog_is_aborted_once(machine: Machine, paths: Paths) -> None:
    machine.init.tend(machine.now_s)
    for room in ROOMS:
        machine.notifies(paths, room)
    hung = machine.pid(Room.KEEPER)
    machine.now_s += WATCHDOG_S * 0.9
    for room in (Room.LOCK, Room.REPORT):
        machine.notifies(paths, room, "WATCHDOG=1")
    machine.now_s += WATCHDOG_S * 0.2
    machine.init.tend(machine.now_s)
    machine.init.tend(machine.now_s + 0.1)
    assert {pid for pid, _ in machine.kernel.signals} == {hung}
    assert [number for _, number in machine.kernel.signals].count(signal.SIGABRT) == 1


def test_a_process_that_is_still_starting_has_no_watchdog(machine: Machine) -> None:
    machine.init.tend(machine.now_s)
    machine.passes(WATCHDOG_S * 3)
    assert machine.kernel.signals == []


def test_stop_ends_it_and_it_stays_down(machine: Machine) -> None:
    machine.init.tend(machine.now_s)
    pid = machine.pid(Room.LOCK)
    machine.init.stop(Room.LOCK)
    assert machine.kernel.signals == [(pid, signal.SIGTERM)]
    machine.ends(Room.LOCK, 0)
    machine.passes(60)
    assert machine.word(Room.LOCK) == "down"
    machine.init.stop(Room.LOCK)
    assert len(machine.kernel.signals) == 1, "there is nobody to signal"


def test_a_signal_to_nobody_is_refused(machine: Machine) -> None:
    with pytest.raises(ValueError, match="lock is not running"):
        machine.init.kill(Room.LOCK, 9)
    machine.init.tend(machine.now_s)
    machine.init.kill(Room.LOCK, 9)
    assert machine.kernel.signals == [(machine.pid(Room.LOCK), 9)]


def test_the_end_of_a_room_is_told(machine: Machine) -> None:
    told: list[Room] = []
    machine.init.ended = told.append
    machine.init.tend(machine.now_s)
    machine.ends(Room.KEEPER, 1)
    assert told == [Room.KEEPER]


def test_each_room_is_handed_its_own_key_and_no_other(machine: Machine, paths: Paths) -> None:
    keeper = machine.init._environment(Room.KEEPER, ("lock", "vault"))
    assert [path.name for path in Path(keeper["CREDENTIALS_DIRECTORY"]).iterdir()] == ["keeper.key"]
    assert (keeper["LISTEN_FDS"], keeper["LISTEN_FDNAMES"]) == ("2", "lock:vault")
    lock = machine.init._environment(Room.LOCK, ())
    assert [path.name for path in Path(lock["CREDENTIALS_DIRECTORY"]).iterdir()] == ["lock.key"]
    for room in (Room.REPORT, Room.EYE, Room.DESK):
        assert "CREDENTIALS_DIRECTORY" not in machine.init._environment(room, ())
    assert keeper["DOORWARD_ROOT"] == str(paths.root)
