"""The real thread and the real Argon2."""

from __future__ import annotations

import select
import threading
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from device import wire
from device.edges import Room
from device.errors import Fault
from device.keeper.line import Result
from device.keeper.loop import Keeper
from device.keeper.pin import PRODUCTION, stretcher
from device.keeper.worker import ThreadExecutor
from device.wire import Outcome, Secret
from tests.unit.keeper.bench import DAY, PIN, Door


@dataclass
class Loop:
    """As much of a loop as one file descriptor needs."""

    watched: dict[int, Callable[[], None]] = field(default_factory=dict)

    def watch(self, fileno: int, callback: Callable[[], None]) -> None:
        self.watched[fileno] = callback

    def turn(self) -> None:
        ready, _, _ = select.select(list(self.watched), [], [], 30)
        assert ready, "nothing came back within half a minute"
        for fileno in ready:
            self.watched[fileno]()


def test_results_come_back_in_the_thread_of_the_loop() -> None:
    loop = Loop()
    worker = ThreadExecutor(loop.watch)
    results: list[tuple[Result, bool]] = []
    threads: list[str] = []

    def work() -> tuple[bytes, ...]:
        threads.append(threading.current_thread().name)
        return (b"done",)

    worker.start(work, lambda result: results.append((result, threading.current_thread() is threading.main_thread())))
    loop.turn()
    assert results == [((b"done",), True)]
    assert threads == ["argon2"]
    assert worker.stop()


def test_what_the_work_raises_is_its_result_and_the_thread_lives() -> None:
    loop = Loop()
    worker = ThreadExecutor(loop.watch)
    results: list[Result] = []
    fault = Fault("no memory")

    def fails() -> tuple[bytes, ...]:
        raise fault

    worker.start(fails, results.append)
    loop.turn()
    worker.start(lambda: (b"well",), results.append)
    loop.turn()
    assert results == [fault, (b"well",)]
    assert worker.stop()


def test_only_one_thing_is_done_at_a_time() -> None:
    worker = ThreadExecutor(Loop().watch)
    gate = threading.Event()
    worker.start(lambda: (b"",) if gate.wait(30) else (), lambda _: None)
    with pytest.raises(RuntimeError):
        worker.start(lambda: (), lambda _: None)
    gate.set()
    assert worker.stop()


@pytest.mark.slow
def test_a_pin_is_set_and_checked_with_production_cost_on_the_thread(tmp_path: Path) -> None:
    door = Door(tmp_path / "keeper", stretch=stretcher(PRODUCTION))
    loop = Loop()
    worker = ThreadExecutor(loop.watch)
    door.keeper = Keeper(door.house, door.guard, worker)
    door.invite()

    def ask(msg: wire.Message) -> wire.Message:
        door.say(msg)
        while not (answers := door.house.to(Room.LOCK)):
            loop.turn()
        (answer,) = answers
        return answer

    answer = ask(wire.SetPin(b"1" * 16, wire.Proof.INVITATION, Secret.PIN, 12, "907152638447", PIN))
    assert answer == wire.Answer(b"1" * 16, Outcome.ACCEPTED)
    for number, (digits, outcome) in enumerate([(PIN, Outcome.ACCEPTED), ("905217", Outcome.REFUSED)]):
        verdict = ask(wire.CheckPin(bytes([number]) * 16, 12, digits, DAY))
        assert isinstance(verdict, wire.Verdict)
        assert verdict.outcome is outcome
    door.keeper.stop()
