"""The thread that talks to pcscd, to the moment: its clock, its queue and its reader are made up, and it runs in place.

Over the real pcscd, and over a thread of its own: tests/contract/cards.
"""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from queue import Empty
from types import SimpleNamespace

import pytest

from device.lock import pcsc_worker
from device.lock.pcsc_calls import CardFault, ReaderFault
from device.lock.pcsc_worker import CALL_S, GLANCE_S, IDLE_S, TRIES, WAIT_MS, Came, Down, Left, Replied, Report, Worker
from device.wire import MAX_APDU

NAME = "Made Up Reader 00 00"
BEGAN_S = 1024.0
SLOW_S = 0.125  # what a call takes here; a power of two, so that sums are exact
TICK_S = 2.0**-10  # and what it takes to look into the queue
PRESENT, EMPTY = 0x20, 0x10
WHO = b"\xff\xca\x00\x00\x00"


class Endless(BaseException):
    """The thread goes on when everything is over; no rule of its own catches this."""


@dataclass(eq=False)
class World:
    """A reader, a queue and a clock in one: `plan` says what happens when. It is `System` and the queue of orders."""

    plan: list[tuple[float, Callable[[], None]]] = field(default_factory=list)
    now_s: float = BEGAN_S
    names: list[str] = field(default_factory=lambda: [NAME])
    there: bool = False
    visits: int = 0
    mute: bool = False
    process: Callable[[bytes], bytes] = lambda command: command[:2] + b"\x90\x00"
    orders: deque[object] = field(default_factory=deque)
    told: list[tuple[float, Report]] = field(default_factory=list)
    said: list[bytes] = field(default_factory=list)
    asked: set[str] = field(default_factory=set)  # the readers that were looked at, or whose card was taken
    taken: list[float] = field(default_factory=list)  # when a card was
    waits: list[float] = field(default_factory=list)  # for which each call was made, in seconds
    spare: list[float] = field(default_factory=list)  # how long each call may take besides
    closed: int = 0
    on_came: Callable[[int], None] = lambda _number: None

    def run(self, until_s: float = 60.0, kind: type[Worker] = Worker) -> None:
        """Let the thread run in place, and end it after so many seconds."""
        self.at(until_s, lambda: self.put(None))
        self.plan.sort(key=lambda each: each[0])
        self.worker = kind(NAME[:-6], self, self.tell)
        self.worker._run()

    def at(self, seconds: float, act: Callable[[], None]) -> None:
        """`act` happens so long after the beginning."""
        self.plan.append((BEGAN_S + seconds, act))

    def tell(self, report: Report) -> None:
        self.told.append((self.now_s - BEGAN_S, report))
        if isinstance(report, Came):
            self.on_came(report.number)

    def put_card(self) -> None:
        self.there, self.visits = True, self.visits + 1

    def take_card(self) -> None:
        self.there, self.visits = False, self.visits + 1

    def numbers(self) -> list[int]:
        return [report.number for _, report in self.told if isinstance(report, Came)]

    def heard(self, kind: type[Report]) -> list[float]:
        """When a report of `kind` was told."""
        return [at for at, report in self.told if isinstance(report, kind)]

    # ---- the clock

    def monotonic(self) -> float:
        return self.now_s

    def _pass(self, until_s: float, met: Callable[[], bool]) -> None:
        while not met() and self.plan and self.plan[0][0] <= until_s:
            at_s, act = self.plan.pop(0)
            self.now_s = max(self.now_s, at_s)
            act()
        if not met():
            self.now_s = max(self.now_s, until_s)
        if self.now_s > BEGAN_S + 600:
            raise Endless

    # ---- the queue

    def put(self, order: object) -> None:
        self.orders.append(order)

    def get(self, timeout: float) -> object:
        if timeout < 0:
            raise ValueError("as the real one says")
        self._pass(self.now_s + TICK_S + timeout, lambda: bool(self.orders))
        if not self.orders:
            raise Empty
        return self.orders.popleft()

    # ---- the reader

    def _call(self, wait_s: float = 0.0) -> None:
        self.waits.append(wait_s)
        self.spare.append(self.worker.due_s - self.now_s - wait_s)
        self._pass(self.now_s + SLOW_S, lambda: False)

    def open(self) -> None:
        self._call()

    def readers(self) -> list[str]:
        self._call()
        return self.names

    def look(self, reader: str, known: int, for_ms: int) -> int:
        self.asked.add(reader)
        self._call(for_ms / 1000)
        self._pass(self.now_s + for_ms / 1000, lambda: self._state() != known or not self.names)
        if not self.names:
            raise ReaderFault("the reader is gone")
        return self._state()

    def _state(self) -> int:
        return self.visits << 16 | (PRESENT if self.there else EMPTY)

    def connect(self, reader: str) -> None:
        self.asked.add(reader)
        self.taken.append(self.now_s - BEGAN_S)
        self._call()
        if self.mute:
            raise CardFault("the card cannot be had")

    def transmit(self, command: bytes) -> bytes:
        self._call()
        self.said.append(command)
        return self.process(command)

    def disconnect(self) -> None:
        self._call()

    def close(self) -> None:
        self._call()
        self.closed += 1


class NoThread:
    """A thread that never runs: the test runs what it should."""

    def __init__(self, **_: object) -> None:
        pass

    def start(self) -> None:
        pass


@pytest.fixture
def world(monkeypatch: pytest.MonkeyPatch) -> World:
    made = World()
    monkeypatch.setattr(pcsc_worker, "time", made)
    monkeypatch.setattr(pcsc_worker, "SimpleQueue", lambda: made)
    monkeypatch.setattr(pcsc_worker, "threading", SimpleNamespace(Thread=NoThread))
    return made


def test_every_call_may_take_as_long_as_a_call_and_what_it_waits_for(world: World) -> None:
    """What is held against a hanging pcscd begins with the call, not with the one before."""
    world.on_came = lambda number: world.worker.order(number, WHO)
    world.at(2, world.put_card)
    world.at(9, world.take_card)
    world.run()
    assert world.said == [WHO]
    assert world.closed == 1
    assert {round(spare_s, 6) for spare_s in world.spare} == {CALL_S}
    assert set(world.waits) == {0.0, WAIT_MS / 1000}, "only who waits for a card waits"


def two_cards(world: World, kind: type[Worker]) -> tuple[int, int]:
    """One after the other; the second has just come when a word and a farewell for the first one arrive too late."""

    def greet(number: int) -> None:
        if len(world.numbers()) > 1:
            world.worker.order(world.numbers()[0], b"late")
            world.worker.order(world.numbers()[0], None)
        world.worker.order(number, WHO)

    world.on_came = greet
    for seconds in (2, 12):
        world.at(seconds, world.put_card)
        world.at(seconds + 5, world.take_card)
    world.run(kind=kind)
    first, second = world.numbers()
    return first, second


def test_nobody_hears_what_was_meant_for_the_card_before(world: World) -> None:
    first, second = two_cards(world, Worker)
    assert first != second
    assert world.said == [WHO, WHO]
    answers = [report.number for _, report in world.told if isinstance(report, Replied)]
    assert answers == [first, second]


def test_a_worker_that_does_not_ask_for_whom_an_order_was_is_caught(world: World) -> None:
    """Seeded fault: every order is taken for one of the exchange under way."""

    class Careless(Worker):
        def _hear(self, for_s: float) -> pcsc_worker._Order | None:
            order = super()._hear(for_s)
            return order and replace(order, number=self._number)

    two_cards(world, Careless)
    assert world.said == [WHO, b"late"], "and the farewell ended it"


def test_a_card_that_was_exchanged_for_another_between_two_glances_has_left(world: World) -> None:
    def exchange() -> None:
        world.take_card()
        world.put_card()

    world.at(2, world.put_card)
    world.at(4, exchange)
    world.run(12)
    first, second = world.numbers()
    assert first != second
    assert 4 <= world.heard(Left)[0] <= 4 + GLANCE_S + 2 * SLOW_S


def test_a_card_that_is_not_there_has_left_even_if_nobody_counted_it(world: World) -> None:
    def vanish() -> None:
        world.there = False

    world.at(2, world.put_card)
    world.at(4, vanish)
    world.run(12)
    assert 4 <= world.heard(Left)[0] <= 4 + GLANCE_S + 2 * SLOW_S


def test_every_card_that_does_not_wake_is_tried_as_often_as_any_other(world: World) -> None:
    world.mute = True
    for seconds in (2, 22):
        world.at(seconds, world.put_card)
        world.at(seconds + 15, world.take_card)
    world.run()
    assert world.numbers() == []
    assert len([at for at in world.taken if at < 20]) == TRIES
    assert len([at for at in world.taken if at > 20]) == TRIES


@pytest.mark.parametrize(("size", "counts"), [(0, 0), (1, 0), (2, 1), (MAX_APDU, 1), (MAX_APDU + 1, 0)])
def test_an_answer_has_two_bytes_of_status_and_no_more_than_keeper_takes(world: World, size: int, counts: int) -> None:
    world.process = lambda _: bytes(size)
    world.on_came = lambda number: world.worker.order(number, WHO)
    world.at(2, world.put_card)
    world.run(10)
    assert len(world.heard(Replied)) == counts
    early = [at for at in world.heard(Left) if at < 10]
    assert len(early) == 1 - counts, "with a card that answers nonsense it is over"


def test_nothing_that_a_card_hears_or_says_is_printed() -> None:
    assert repr(Replied(7, b"secret")) == "Replied(number=7)"
    assert repr(pcsc_worker._Order(7, b"secret")) == "_Order(number=7)"


def test_a_card_is_let_go_when_nobody_talked_to_it_for_so_long(world: World) -> None:
    world.at(2, world.put_card)
    world.run()
    (came,), (left,) = world.heard(Came), world.heard(Left)
    assert IDLE_S <= left - came <= IDLE_S + GLANCE_S + SLOW_S


def test_the_first_reader_of_the_name_is_the_doors(world: World) -> None:
    world.names = ["Made Up Reader 02 00", "Another 00 00", "Made Up Reader 01 00", "Made Up Reader 03 00"]
    world.at(2, world.put_card)
    world.run(8)
    assert world.asked == {"Made Up Reader 01 00"}


@pytest.mark.parametrize(
    ("names", "words"), [([], "none at all"), (["A", "B"], "'A', 'B'"), (list("ABCDE"), "'A', 'B', 'C', 'D'")]
)
def test_a_reader_of_another_name_is_told_with_those_that_are_there(world: World, names: list[str], words: str) -> None:
    world.names = names
    world.run(3)
    assert world.told[0][1] == Down(f"no card reader is called {NAME[:-6]!r}; there are: {words}")


class Stuck(World):
    """Whose pcscd hangs, in a thread of its own."""

    def __init__(self) -> None:
        super().__init__()
        self.asked_for, self.gate = threading.Event(), threading.Event()

    def open(self) -> None:
        self.asked_for.set()
        self.gate.wait()
        raise ReaderFault("pcscd does not answer")

    def close(self) -> None:
        pass


def test_a_thread_that_hangs_in_pcscd_keeps_no_lock_from_ending() -> None:
    """The interpreter waits at its end for every thread that is no daemon."""
    system = Stuck()
    worker = Worker(NAME, system, system.tell)
    assert system.asked_for.wait(60)
    kept = not worker._thread.daemon
    system.gate.set()
    worker.stop()
    worker._thread.join(60)
    assert not worker._thread.is_alive()
    assert not kept
