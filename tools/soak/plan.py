"""The drawn day: who comes to the door and how, who moves in and out, and what breaks meanwhile. Pure, by a seed.

Rules kept here:
- The same seed and sizes draw the same day. What an approach finds at the door is the ledger's business.
- Rooms are killed in the first part of the day (`TROUBLED`), the broker is troubled in all of it. So each room has one
  life that is long enough for the slope of its memory to say something.
- A room is killed at the worst moments: while somebody waits for an answer, and as soon as something was acknowledged.
- No more wrong PINs are drawn than a door looks at before it keeps people waiting (`device.keeper.throttle`): what is
  measured is the door, and not the waits that it owes to guessers.
"""

from __future__ import annotations

import random
from collections.abc import Iterator
from dataclasses import dataclass
from enum import StrEnum, unique
from typing import Final

from device.edges import PROCESSES, Room

TROUBLED: Final = 0.6  # of the approaches
LATEST_MS: Final = 200  # after an act began; a PIN takes about 100
IN_AN_ACT: Final = 0.7  # of the kills that are not between two acts: during one that the door acknowledges
MOST_GUESSES: Final = 30  # of the 60 that a door of twenty has; the others are for entries that a kill interrupts


@unique
class Way(StrEnum):
    """One approach: what somebody does who wants to be let in."""

    PIN = "pin"
    CARD = "card"
    FACE = "face and PIN"
    GUEST = "guest's code"
    NO_FLAT = "PIN at an empty flat"
    WRONG_PIN = "wrong PIN"
    BLANK_CARD = "blank card"
    CLONE = "copied card"
    OLD_COPY = "copy of a card as it was"
    ERASED_PIN = "PIN of who left"
    ERASED_CARD = "cancelled card"
    STRANGER = "stranger's face"
    USED_CODE = "guest's code once more"


SHARES: Final[dict[Way, float]] = {
    Way.PIN: 30,
    Way.CARD: 49,
    Way.FACE: 2,
    Way.GUEST: 3,
    Way.NO_FLAT: 5,
    Way.WRONG_PIN: 0.3,
    Way.BLANK_CARD: 3,
    Way.CLONE: 2,
    Way.OLD_COPY: 1,
    Way.ERASED_PIN: 2,
    Way.ERASED_CARD: 2,
    Way.STRANGER: 0.3,
    Way.USED_CODE: 0.2,
}
GUESSES: Final = frozenset({Way.WRONG_PIN, Way.USED_CODE})
BY_FACE: Final = frozenset({Way.FACE, Way.STRANGER})


@unique
class Moment(StrEnum):
    """When a room is killed: between two acts, right behind an acknowledgement, or while somebody waits."""

    IDLE = "between two acts"
    ACKNOWLEDGED = "right behind an acknowledgement"
    UNDER_WAY = "while somebody waits"


@unique
class BrokerTrouble(StrEnum):
    """What becomes of the broker."""

    STOPPED = "stopped"
    PAUSED = "paused"


@dataclass(frozen=True, slots=True)
class Approach:
    """Somebody wants in. `draw`: a number from 0 to 1 that picks who; `killed`: a room that dies `after_ms` later."""

    way: Way
    draw: float
    killed: Room | None = None
    after_ms: int = 0


@dataclass(frozen=True, slots=True)
class Cycle:
    """A tenant moves in with PIN, card and face, comes and goes, erases all of it and moves out.

    `killed`: a room that dies around the act number `at`: `after_ms` after it began, or (None) right behind its
    acknowledgement.
    """

    number: int
    draw: float
    killed: Room | None = None
    at: int = 0
    after_ms: int | None = None


@dataclass(frozen=True, slots=True)
class Kill:
    """A room dies between two acts."""

    room: Room


@dataclass(frozen=True, slots=True)
class Broker:
    """The broker is in trouble (or, None, well again)."""

    trouble: BrokerTrouble | None


Step = Approach | Cycle | Kill | Broker
CYCLE_ACTS: Final = 7  # PIN, card, face; and then without face, without card, without place; and the end of it


@dataclass(frozen=True, slots=True)
class Sizes:
    """How long the day is. `kills`: of rooms; `flaps`: of the broker."""

    approaches: int
    cycles: int
    kills: int
    flaps: int


def drawn(seed: int, sizes: Sizes) -> Iterator[Step]:
    """The day of this seed."""
    dice = random.Random(seed)  # a day to be repeated, no secret
    troubled = int(sizes.approaches * TROUBLED)
    at: dict[int, list[Step]] = {}
    carried: dict[int, tuple[Room, int]] = {}  # a kill while the approach of this number is under way
    cycles = [(dice.randrange(sizes.approaches), Cycle(number, dice.random())) for number in range(sizes.cycles)]
    rooms = [PROCESSES[number % len(PROCESSES)] for number in range(sizes.kills)]
    dice.shuffle(rooms)
    spare = [index for index, (place, _) in enumerate(cycles) if place < troubled]
    dice.shuffle(spare)
    for room in rooms:
        moment, place = dice.choice(list(Moment)), dice.randrange(troubled)
        after_ms = dice.randrange(LATEST_MS)
        if moment is not Moment.IDLE and spare and dice.random() < IN_AN_ACT:
            index = spare.pop()
            where, cycle = cycles[index]
            late = None if moment is Moment.ACKNOWLEDGED else after_ms
            cycles[index] = (where, Cycle(cycle.number, cycle.draw, room, dice.randrange(CYCLE_ACTS), late))
        elif moment is not Moment.IDLE:
            carried[place] = (room, after_ms)
        else:
            at.setdefault(place, []).append(Kill(room))
    for place, cycle in cycles:
        at.setdefault(place, []).append(cycle)
    for begins, ends, trouble in _flaps(dice, sizes):
        at.setdefault(begins, []).append(Broker(trouble))
        at.setdefault(ends, []).append(Broker(None))
    ways, weights = list(SHARES), list(SHARES.values())
    guesses = MOST_GUESSES
    for number in range(sizes.approaches):
        yield from at.get(number, [])
        way = dice.choices(ways, weights)[0]
        if way in GUESSES:
            guesses -= 1
            way = way if guesses >= 0 else Way.NO_FLAT
        if number in carried:
            yield Approach(way, dice.random(), *carried[number])
        else:
            yield Approach(way, dice.random())


def _flaps(dice: random.Random, sizes: Sizes) -> Iterator[tuple[int, int, BrokerTrouble]]:
    """From which approach to which the broker is in trouble; two troubles never overlap."""
    if not sizes.flaps:
        return
    span = sizes.approaches // sizes.flaps
    for number in range(sizes.flaps):
        begins = number * span + dice.randrange(max(1, span // 3))
        ends = begins + 1 + dice.randrange(max(1, span // 2))
        yield begins, min(ends, sizes.approaches - 1), dice.choice(list(BrokerTrouble))
