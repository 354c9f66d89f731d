"""start: from exec to READY=1 of each process, against the interpreter that does nothing.

Rules kept here:
- A room is started by doorsim's own init, with its sockets, credentials and watchdog, in a door of its own. It is
  started alone: what it shares the processor with is this program, which waits.
- The interpreter is started the same way (fork and exec from here) and runs `pass`; timed until it has ended.
- The first round makes the door's files and compiles modules; it is not counted.
"""

from __future__ import annotations

import os
import selectors
import socket
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from device.edges import PROCESSES, Room
from device.paths import Paths
from tools.benchmark.figures import Figure, NotMeasured, Plan, Rows, Section, Spread, ratios
from tools.simulator import layout, scene
from tools.simulator.init import Init
from tools.simulator.layout import Wishes

ENOUGH_S = 20.0
ROUNDS_QUICK = 2


class Starter:
    """An init and a board's cable around one selector."""

    def __init__(self, paths: Paths) -> None:
        self._selector = selectors.DefaultSelector()
        self._owners: list[socket.socket] = []
        self._init = Init(paths, self._watch, self._unwatch)
        self._cable = socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        address = paths.board / "cable.sock"
        address.unlink(missing_ok=True)
        self._cable.bind(str(address))
        self._cable.listen(8)
        self._watch(self._cable.fileno(), self._plugged_in)
        scene.write(scene.Standing(), paths.board / "scene.json")
        self._init.prepare(PROCESSES)
        for process in self._init.processes.values():
            process.start_at_s = None

    def ready_s(self, rooms: tuple[Room, ...]) -> float:
        """Seconds until all of `rooms` said READY=1; they are ended again. Raises NotMeasured."""
        processes = [self._init.processes[room] for room in rooms]
        began = time.perf_counter()
        for room in rooms:
            self._init.start(room)
        self._init.tend(time.monotonic())
        self._until(lambda: all(process.ready for process in processes), rooms)
        took = time.perf_counter() - began
        for room in rooms:
            self._init.stop(room)
        self._until(lambda: not any(process.pid for process in processes), rooms)
        return took

    def close(self) -> None:
        """End whatever still runs, by its own number."""
        for process in self._init.processes.values():
            process.start_at_s = None
            if process.pid:
                os.kill(process.pid, 9)
                os.waitpid(process.pid, 0)
                process.pid = 0
        self._cable.close()
        for owner in self._owners:
            owner.close()

    def _until(self, done: Callable[[], bool], rooms: tuple[Room, ...]) -> None:
        ends = time.monotonic() + ENOUGH_S
        while not done():
            if time.monotonic() > ends or any(self._init.processes[room].refused for room in rooms):
                msg = f"{', '.join(rooms)} did not start or end within {ENOUGH_S:.0f} s"
                raise NotMeasured(msg)
            for key, _ in self._selector.select(0.5):
                callback: Callable[[], None] = key.data
                callback()

    def _watch(self, fileno: int, callback: Callable[[], None]) -> None:
        self._selector.register(fileno, selectors.EVENT_READ, callback)

    def _unwatch(self, fileno: int) -> None:
        self._selector.unregister(fileno)

    def _plugged_in(self) -> None:
        owner, _ = self._cable.accept()
        owner.send(b"yours")
        self._owners.append(owner)


@contextmanager
def starter() -> Iterator[Starter]:
    """A door's folder and its starter; ended and removed afterwards."""
    with tempfile.TemporaryDirectory(prefix="dw-") as folder:
        paths = Paths(Path(folder))
        layout.make(paths, Wishes())
        one = Starter(paths)
        try:
            yield one
        finally:
            one.close()


def interpreter_s() -> float:
    """Seconds from fork to the end of `python -c pass`."""
    began = time.perf_counter()
    pid = os.fork()
    if pid == 0:
        try:
            os.execv(sys.executable, [sys.executable, "-c", "pass"])  # noqa: S606 - the interpreter we run under
        finally:
            os._exit(127)
    os.waitpid(pid, 0)
    return time.perf_counter() - began


def measure(plan: Plan, tell: Callable[[str], None]) -> Section:
    """Each room by itself, and all six together. Raises NotMeasured."""
    groups: dict[str, tuple[Room, ...]] = {str(room): (room,) for room in PROCESSES}
    groups["all six at once"] = PROCESSES
    took: dict[str, list[float]] = {name: [] for name in groups}
    bare: dict[str, list[float]] = {name: [] for name in groups}
    with starter() as one:
        rounds = min(plan.rounds, ROUNDS_QUICK) if plan.quick else plan.rounds
        for number in range(rounds + 1):
            tell(f"start: round {number} of {rounds}")
            for name, rooms in groups.items():
                empty_s, ready_s = interpreter_s(), one.ready_s(rooms)
                if number:
                    bare[name].append(empty_s)
                    took[name].append(ready_s)
    figures = tuple(
        Figure(f"{name}: exec to READY=1 / python -c pass", ratios(took[name], bare[name])) for name in took
    )
    rows = tuple((name, _ms(took[name]), _ms(bare[name])) for name in took)
    table = Rows("milliseconds, median (min to max)", ("process", "to READY=1", "python -c pass"), rows)
    return Section(
        "start", figures, ("No limit is stated. Files are in the page cache, as after a restart.",), (table,)
    )


def _ms(values: list[float]) -> str:
    spread = Spread.of([value * 1e3 for value in values])
    return f"{spread.median:.0f} ({spread.low:.0f} to {spread.high:.0f})"
