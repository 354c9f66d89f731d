"""A process that does all of a card's opening by itself: `python -m tools.benchmark.bare_card CARD COUNTERS`.

Rules kept here:
- It is keeper's own code on both sides of the one write, and the same simulated card, without lock, board and sockets.
  It sleeps on a pipe in between, as keeper sleeps on its socket, and comes first as keeper does (`device/urgency.py`):
  what else the machine does makes neither of them slow.
- The time is parted: what the card took (its file included, as doorsim reads it when a card is held there), what the
  durable write of the counters' page took, and the rest, which is the door's cryptography.
- The card is one of its own, kept where the resident's is; the counters are on the disk that keeper's are on. What
  settles an opening is written after it and not counted, as at the door.
"""

from __future__ import annotations

import os
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar

from device.keeper.cards.counters import Counters, Kept
from device.keeper.cards.diversify import DOOR_BYTES, MASTER_BYTES, CardKeys
from device.keeper.cards.exchange import Added, adding, opening, uid_of
from device.keeper.cards.registered import Registered
from device.keeper.cards.steps import Steps, Transmit
from device.urgency import come_first
from tools.benchmark.figures import NotMeasured
from tools.benchmark.helper import measuring
from tools.benchmark.house import CARD_KIND
from tools.simulator.cards.card import SimulatedCard
from tools.simulator.cards.memory import Kind

_T = TypeVar("_T")


@dataclass(frozen=True, slots=True)
class Bare:
    """Milliseconds of one opening."""

    crypto: float
    write: float
    card: float

    @property
    def whole(self) -> float:
        """All three."""
        return self.crypto + self.write + self.card


@contextmanager
def opening_cards(card: Path, counters: Path) -> Iterator[Callable[[], Bare]]:
    """Gives a function that measures one bare opening. It raises NotMeasured if the process ended."""
    with measuring(__name__, "a bare card", str(card), str(counters)) as once:
        yield lambda: Bare(*(each_ns / 1e6 for each_ns in once()))


class BareDoor:
    """Keeper's part of a card, and the card. Raises NotMeasured if the card cannot be added."""

    def __init__(self, card: Path, counters: Path) -> None:
        self._keys = CardKeys(os.urandom(MASTER_BYTES), os.urandom(DOOR_BYTES))
        self._counters = Counters(counters, os.urandom(32))
        self._counters.load()
        self._path = card
        self._card = SimulatedCard.new(Kind(CARD_KIND), path=card)
        self._card.save()
        self._serial = 0
        self._card_ns = self._write_ns = 0
        self._holds = self._add()

    def open(self) -> tuple[int, int, int]:
        """(cryptography, write, card) of one opening, in nanoseconds. Raises NotMeasured."""
        self._card_ns = self._write_ns = 0
        began_ns = time.perf_counter_ns()
        self._card = SimulatedCard.load(self._path)
        self._card_ns = time.perf_counter_ns() - began_ns
        self._run(uid_of())
        ended = self._run(opening(self._holds, self._keys, self._counters.get(self._serial), os.urandom))
        took_ns = time.perf_counter_ns() - began_ns
        parts = took_ns - self._card_ns - self._write_ns, self._write_ns, self._card_ns
        if ended.settle is None:
            msg = "the bare card did not open, so its time says nothing"
            raise NotMeasured(msg)
        self._counters.keep(self._serial, Kept(ended.settle.counter, ended.settle.pending))
        return parts

    def _add(self) -> Registered:
        uid = self._run(uid_of())
        self._serial = self._counters.fresh_serial(os.urandom)
        added = self._run(adding(uid or b"", self._keys, self._serial, os.urandom))
        if not isinstance(added, Added):
            msg = "the bare card could not be added"
            raise NotMeasured(msg)
        self._counters.keep(self._serial, added.kept)
        return added.card

    def _run(self, steps: Steps[_T]) -> _T:
        answer: bytes | None = None
        while True:
            try:
                step = steps.send(answer)
            except StopIteration as end:
                value: _T = end.value
                return value
            began_ns = time.perf_counter_ns()
            if isinstance(step, Transmit):
                answer = self._card.process(step.apdu)
                self._card_ns += time.perf_counter_ns() - began_ns
            else:
                answer = None
                self._counters.keep(self._serial, Kept(step.counter, step.pending))
                self._write_ns += time.perf_counter_ns() - began_ns


def main() -> int:
    """One opening for each line."""
    door = BareDoor(Path(sys.argv[1]), Path(sys.argv[2]))
    come_first("the bare card")
    for _ in sys.stdin.buffer:
        sys.stdout.write("{} {} {}\n".format(*door.open()))
        sys.stdout.flush()
    return 0


if __name__ == "__main__":
    sys.exit(main())
