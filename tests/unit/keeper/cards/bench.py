"""A door, a card and nothing between them: exchanges are driven by hand, with the simulated cards answering."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import TypeVar

from device.errors import StoreFault
from device.keeper.cards.counters import Kept
from device.keeper.cards.diversify import CardKeys
from device.keeper.cards.exchange import Added, Opening, adding, opening, uid_of
from device.keeper.cards.registered import Registered
from device.keeper.cards.steps import Keep, Reason, Steps, Transmit
from tools.simulator.cards.card import SimulatedCard
from tools.simulator.cards.memory import Kind
from tools.simulator.cards.status import CardGone

_T = TypeVar("_T")
MASTER = bytes(range(16))
FRESH = range(1000, 2000)
DOOR = bytes.fromhex("00112233445566aa")
UID = bytes.fromhex("04782e21801d80")
CHIPS = (Kind.DESFIRE_EV1, Kind.DESFIRE_EV2, Kind.NTAG424)
Process = Callable[[bytes], bytes]


def counting_draw() -> Callable[[int], bytes]:
    """Bytes that never repeat, and are the same in every run."""
    numbers = itertools.count(1)
    return lambda size: next(numbers).to_bytes(size, "big")


def blank(kind: Kind, uid: bytes = UID) -> SimulatedCard:
    return SimulatedCard.new(kind, uid, randomness=counting_draw())


@dataclass
class Door:
    """Keeper, as far as cards are concerned: keys, and one counter."""

    keys: CardKeys = field(default_factory=lambda: CardKeys(MASTER, DOOR))
    kept: Kept | None = None
    disk_full: bool = False
    draw: Callable[[int], bytes] = field(default_factory=counting_draw)
    sent: list[bytes] = field(default_factory=list)
    told: list[bytes] = field(default_factory=list)
    steps: int = 0
    fresh: Iterator[int] = field(default_factory=lambda: iter(FRESH))

    def run(self, exchange: Steps[_T], process: Process) -> _T:
        """The end of `exchange`. CardGone ends it from outside, as lock's message would."""
        self.sent, self.told, self.steps = [], [], 0
        answer: bytes | None = None
        try:
            while True:
                step = exchange.send(answer)
                self.steps += 1
                answer = self._step(step, exchange, process)
        except StopIteration as end:
            value: _T = end.value
            return value

    def _step(self, step: Transmit | Keep, exchange: Steps[_T], process: Process) -> bytes | None:
        if isinstance(step, Transmit):
            self.sent.append(step.apdu)
            try:
                self.told.append(process(step.apdu))
            except CardGone:
                exchange.close()
                raise
            return self.told[-1]
        if self.disk_full:
            exchange.throw(StoreFault("the counters of cards cannot be saved: no space left"))
        self.kept = Kept(step.counter, step.pending)
        return None

    def open(self, card: Registered, process: Process) -> Opening:
        """One opening as keeper would do it: settle once the door is open."""
        ended = self.run(opening(card, self.keys, self.kept, self.draw), process)
        if ended.settle:
            self.kept = Kept(ended.settle.counter, ended.settle.pending)
        return ended

    def add(self, card: SimulatedCard, serial: int = 0) -> Added | Reason:
        """One adding, under `serial` or a fresh one; what keeper would save of it."""
        card.reset()
        serial = serial or next(self.fresh)
        uid = self.run(uid_of(), card.process)
        assert uid is not None
        ended = self.run(adding(uid, self.keys, serial, self.draw), card.process)
        if isinstance(ended, Added):
            self.kept = ended.kept
        return ended

    def resident(self, kind: Kind, serial: int = 77) -> tuple[Registered, SimulatedCard]:
        """A card that was added."""
        card = blank(kind)
        added = self.add(card, serial)
        assert isinstance(added, Added)
        card.reset()
        return added.card, card


def played(answers: Sequence[bytes]) -> Process:
    """Somebody who answers what was heard before, in its order."""
    rest = iter(answers)
    return lambda _apdu: next(rest, b"\x6f\x00")


def door_side_of_one_opening(kind: Kind) -> Callable[[], bool]:
    """A function that does the door's part of one opening, cryptography and all, against answers heard before.

    The card's time, the radio's and the disk's are not in it.
    """
    door = Door()
    card, chip = door.resident(kind)
    door.draw, before = bytes, door.kept
    door.open(card, chip.process)
    heard = list(door.told)

    def once() -> bool:
        door.kept = before
        return door.open(card, played(heard)).opens

    return once
