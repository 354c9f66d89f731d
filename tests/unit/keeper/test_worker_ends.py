"""A worker that is stopped: it keeps no process alive, and one that does not end in time is said not to have ended."""

from __future__ import annotations

import threading

import pytest

from device.keeper import worker as worker_module
from device.keeper.throttle import BUDGET, Counts, Throttle
from device.keeper.worker import ThreadExecutor
from tests.unit.keeper.test_worker import Loop


def test_a_worker_that_is_still_at_work_is_not_stopped_and_its_file_stays_open(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(worker_module, "PATIENCE_S", 0.01)
    loop, gate = Loop(), threading.Event()
    worker = ThreadExecutor(loop.watch)
    worker.start(lambda: (b"",) if gate.wait(30) else (), lambda _: None)
    assert not worker.stop()
    gate.set()
    loop.turn()  # what it did still arrives
    monkeypatch.setattr(worker_module, "PATIENCE_S", 30.0)
    assert worker.stop()


def test_a_worker_keeps_no_process_alive() -> None:
    worker = ThreadExecutor(Loop().watch)
    assert [thread.daemon for thread in threading.enumerate() if thread.name == "argon2"] == [True]
    assert worker.stop()


@pytest.mark.parametrize("right", [Throttle.settle, Throttle.take_back])
def test_what_came_back_meanwhile_is_not_given_back_twice(right: object) -> None:
    throttle = Throttle(Counts(0, {}), 0.0)
    admission = throttle.charge(12, 0.0, known=True, residents=1)
    assert throttle.counts().door == 1
    throttle.charge(99, BUDGET.door_refill_s, known=False, residents=1)
    assert throttle.counts().door == 0
    assert callable(right)
    right(throttle, 12, admission)
    assert throttle.counts() == Counts(0, {})
