"""One piece of work after the other: the line is bounded, and after `void` nobody in it is heard."""

from __future__ import annotations

from dataclasses import dataclass, field

import pytest

from device.keeper.line import WAITING, Line, Result, Work
from tests.unit.keeper.bench import HandWorker


@dataclass
class Noted:
    name: str
    journal: list[str] = field(default_factory=list)

    def begin(self) -> Work:
        self.journal.append(f"begin {self.name}")
        return lambda: (self.name.encode(),)

    def finish(self, result: Result) -> None:
        assert not isinstance(result, Exception)
        self.journal.append(f"finish {result[0].decode()}")


def line() -> tuple[Line, HandWorker, list[str]]:
    worker = HandWorker()
    return Line(worker, lambda: 0.0), worker, []


def test_each_begins_only_when_the_one_before_has_finished() -> None:
    queue, worker, journal = line()
    assert all(queue.submit(Noted(name, journal)) for name in "abc")
    assert journal == ["begin a"]
    worker.run()
    assert journal == ["begin a", "finish a", "begin b", "finish b", "begin c", "finish c"]


def test_the_line_is_bounded_and_open_again_afterwards() -> None:
    queue, worker, journal = line()
    took = [queue.submit(Noted(str(number), journal)) for number in range(WAITING + 3)]
    assert took == [True] * (1 + WAITING) + [False, False]
    worker.run()
    assert queue.submit(Noted("later", journal))


def test_after_void_nobody_hears_and_nobody_begins() -> None:
    queue, worker, journal = line()
    for name in "abc":
        queue.submit(Noted(name, journal))
    queue.void()
    worker.run()
    assert journal == ["begin a"]
    queue.submit(Noted("d", journal))
    worker.run()
    assert journal == ["begin a", "begin d", "finish d"]


def test_after_void_the_next_still_waits_for_the_worker() -> None:
    queue, worker, journal = line()
    queue.submit(Noted("a", journal))
    queue.void()
    queue.submit(Noted("b", journal))
    assert journal == ["begin a"]
    worker.run()
    assert journal == ["begin a", "begin b", "finish b"]


def test_how_long_it_takes_is_known() -> None:
    now = [5.0]
    worker = HandWorker()
    queue = Line(worker, lambda: now[0])
    assert queue.busy_s() == 0
    queue.submit(Noted("a"))
    now[0] = 26.0
    assert queue.busy_s() == pytest.approx(21)
    worker.run()
    assert queue.busy_s() == 0
