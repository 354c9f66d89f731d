"""The thread beside lock's loop that talks to an OSDP reader: how it begins, how it ends, and what it leaves behind."""

from __future__ import annotations

import os
import select
import threading
from collections.abc import Callable, Iterator
from queue import Queue

import pytest

from device.lock import osdp_worker
from device.lock.osdp_supervisor import Stands, Supervisor, Where
from device.lock.osdp_worker import Worker
from device.lock.state import Event, Signal
from device.wire import Hint

PATIENCE_S = 60.0  # for what comes at once
Tell = Callable[[Event | Stands], None]


class Fake(Supervisor):
    """A supervisor without a line: it is stuck in its device until the gate is open."""

    def __init__(self, tell: Tell, gate: threading.Event) -> None:
        super().__init__(Where("/dev/nothing", 9600, 5), bytes(range(16)), 4000, tell, lambda: 0.0)
        self.gate = gate
        self.shown: Queue[tuple[Signal, Hint | None]] = Queue()
        self.given_back = False

    def turn(self) -> None:
        self.gate.wait(PATIENCE_S)

    def show(self, signal: Signal, hint: Hint | None) -> None:
        self.shown.put((signal, hint))

    def close(self) -> None:
        self.given_back = True


class Bench:
    """A worker, and its supervisor as soon as there is one."""

    def __init__(self) -> None:
        self.gate = threading.Event()
        self.made: list[Fake] = []
        self.refuses: Exception | None = None
        self.asked = threading.Event()

    def start(self) -> Worker:
        self.worker = Worker(self.make)
        return self.worker

    def make(self, tell: Tell) -> Supervisor:
        if self.refuses:
            raise self.refuses
        self.made.append(Fake(tell, self.gate))
        self.asked.set()
        return self.made[-1]

    def ended(self) -> bool:
        self.worker._thread.join(PATIENCE_S)
        return not self.worker._thread.is_alive()


@pytest.fixture
def bench() -> Iterator[Bench]:
    made = Bench()
    yield made
    made.gate.set()
    made.worker.close()
    assert made.ended()


def test_the_line_is_given_back_when_the_thread_ends(bench: Bench) -> None:
    bench.gate.set()
    worker = bench.start()
    assert bench.asked.wait(PATIENCE_S)
    worker.close()
    assert bench.ended()
    assert [supervisor.given_back for supervisor in bench.made] == [True]


def test_what_is_to_be_shown_reaches_one_supervisor_in_order(bench: Bench) -> None:
    bench.gate.set()
    worker = bench.start()
    assert bench.asked.wait(PATIENCE_S)
    for wanted in ([(Signal.KEY, None)], [(Signal.LOOK, Hint.TOO_DARK), (Signal.REFUSED, None)], [(Signal.WAIT, None)]):
        for signal, hint in wanted:
            worker.show(signal, hint)
        assert [bench.made[0].shown.get(timeout=PATIENCE_S) for _ in wanted] == wanted
    assert len(bench.made) == 1


def test_a_reader_that_cannot_be_watched_over_is_not_well_and_no_dead_thread(
    bench: Bench, capsys: pytest.CaptureFixture[str]
) -> None:
    bench.refuses = MemoryError()
    worker = bench.start()
    assert select.select([worker.fileno()], [], [], PATIENCE_S)[0]
    assert worker.told() == [Stands(well=False)]
    assert worker._thread.is_alive()
    assert capsys.readouterr().err.startswith("the OSDP reader is left alone for a while: ")
    worker.close()
    assert bench.ended(), "and there was no line to give back"


def test_a_thread_that_hangs_in_its_device_keeps_its_bell_and_keeps_nobody_from_ending(
    bench: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What it tells late rings its own bell, and no file of another that got the number."""
    monkeypatch.setattr(osdp_worker, "_PATIENCE_S", 0.0)
    worker = bench.start()
    assert bench.asked.wait(PATIENCE_S)
    worker.close()
    assert worker._thread.daemon, "the interpreter waits at its end for every thread that is none"
    bench.made[0].tell(Stands(well=False))
    assert worker.told() == [Stands(well=False)]
    bench.gate.set()
    assert bench.ended()


def test_a_worker_that_is_closed_twice_closes_no_other_file(bench: Bench) -> None:
    """Its bell's number may be another's by then, and 0 always is."""
    bench.gate.set()
    worker = bench.start()
    number = worker.fileno()
    worker.close()
    assert bench.ended()
    worker.close()  # after a first one whose patience may have ended before the thread did
    stranger = os.eventfd(7, os.EFD_NONBLOCK)
    if stranger != number:
        os.dup2(stranger, number)
        os.close(stranger)
    try:
        assert worker.fileno() < 0
        worker.close()
        assert os.eventfd_read(number) == 7
    finally:
        os.close(number)
