"""A reader, the hand that holds cards to it, and lock's loop: the same for the real pcscd and the simulated board."""

from __future__ import annotations

import select
import time
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import TypeVar

from device.lock.board import Board
from device.lock.parts import Part, PartsBoard
from device.lock.reader_pcsc import PcscReader
from device.lock.state import DoorMoved, Event, TamperMoved
from tests.contract.board.bench import Cable, gpiozero_bench

Process = Callable[[bytes], bytes]
Result = TypeVar("Result")
PATIENCE_S = 15.0


def nothing() -> None:
    """Nothing to do."""


@dataclass
class Bench:
    """What a test holds. `slowest_s` is the longest that the loop was kept by the board."""

    board: PartsBoard
    put_card: Callable[[Process], None]
    take_card: Callable[[], None]
    far_end: Callable[[], None] = nothing  # one turn of whatever stands behind the cable
    silence_s: float = 0.9  # several rounds of the thread, two of pcscd's own looks at the reader (every 0.4 s)
    slowest_s: float = 0.0
    _heard: deque[Event] = field(default_factory=deque)

    def next_event(self, within_s: float = PATIENCE_S) -> Event | None:
        """The next thing lock's loop hears of cards or of tampering, None if there is none for `within_s`."""
        end_s = time.monotonic() + within_s
        while not self._heard and (now_s := time.monotonic()) < end_s:
            self.far_end()
            due_s = self.board.deadline()
            until_s = end_s if due_s is None else min(end_s, due_s)
            select.select([self.board.fileno()], [], [], max(0.0, until_s - now_s))
            heard = self._timed(lambda: self.board.events(time.monotonic()))
            self._heard += [event for event in heard if not isinstance(event, DoorMoved)]
        return self._heard.popleft() if self._heard else None

    def say(self, command: bytes | None) -> None:
        """What keeper says to the card."""
        self._timed(lambda: self.board.card(command))

    def answer_to(self, command: bytes) -> Event | None:
        """Say it, and what comes next."""
        self.say(command)
        return self.next_event()

    def _timed(self, act: Callable[[], Result]) -> Result:
        before = time.monotonic()
        try:
            return act()
        finally:
            self.slowest_s = max(self.slowest_s, time.monotonic() - before)


def quiet_board() -> Board:
    """A board whose housing and door are closed."""
    made = gpiozero_bench()
    made.touch("door closed")
    made.touch("tamper off")
    made.events()
    return made.board


def bench_of(*parts: Part, put: Callable[[Process], None], take: Callable[[], None]) -> Bench:
    """The loop around a quiet board with `parts` beside it."""
    return Bench(PartsBoard(quiet_board(), parts), put, take)


def ready(bench: Bench, reader: PcscReader) -> Bench:
    """`bench`, once its reader has looked whether a card lies there already: such a one has to leave first."""
    end_s = time.monotonic() + PATIENCE_S
    while not reader._up:
        assert time.monotonic() < end_s, "the reader never came up"
        assert bench.next_event(0.02) is None
    return bench


def cable_bench(cable: Cable) -> Bench:
    """The simulated board, with its far end played by hand: one card, and the words on the cable."""
    board = cable.claim()
    lying: list[Process] = []

    def put(process: Process) -> None:
        lying.append(process)
        cable.touch("card here")

    def take() -> None:
        if lying:
            lying.clear()
            cable.touch("card gone")

    def far_end() -> None:
        while cable.owner and select.select([cable.owner], [], [], 0)[0]:
            words = cable.owner.recv(512).decode("ascii")
            if words == "card -":
                take()
            elif words.startswith("card ") and lying:
                cable.touch(f"card {lying[0](bytes.fromhex(words.removeprefix('card '))).hex()}")

    return Bench(PartsBoard(board, ()), put, take, far_end, silence_s=0.1)


WELL, ILL = TamperMoved(on=False), TamperMoved(on=True)
