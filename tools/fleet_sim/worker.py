"""A share of the fleet in a process of its own, led through a pipe.

Rules kept here:
- It does what it is told in one letter and answers in one object: how it stands, be quiet, give your notes and end.
- Doors wake one after the other within `ramp_s`; which one has an alarm, and when, is drawn from a seed.
- What doors log goes into a file beside their outboxes: thousands of them say the same.
"""

from __future__ import annotations

import os
import random
import time
from dataclasses import dataclass
from enum import Enum, unique
from math import inf
from multiprocessing.connection import Connection
from pathlib import Path

from device.report.broker import Broker
from device.report.tls import TlsFiles
from device.wire import OccurrenceKind
from tools.fleet_sim.account import Notes
from tools.fleet_sim.door import Around, FleetDoor, lock_link
from tools.fleet_sim.poll import Poll

ALARMS = (OccurrenceKind.DURESS, OccurrenceKind.FORCED_OPEN, OccurrenceKind.HELD_OPEN, OccurrenceKind.TAMPER)


@unique
class Word(Enum):
    """What a share is told."""

    STAND = "how do you stand?"
    QUIET = "no more messages"
    END = "your notes, and end"


@dataclass(frozen=True, slots=True)
class Share:
    """One process's part of the fleet. `certificates`: each door's folder tls lies there; none without TLS."""

    doors: tuple[str, ...]
    where: tuple[Broker, ...]
    folder: Path
    certificates: Path | None
    cadence_s: float
    ramp_s: float
    alarms_per_s: float
    jitter: bool
    seed: int


@dataclass(frozen=True, slots=True)
class Standing:
    """How a share stands; `waiting` counts once doors are quiet, `cpu_s` is the processor's time it has used."""

    online: int
    waiting: int
    handed: int
    cpu_s: float


@dataclass(frozen=True, slots=True)
class Record:
    """A share's notes, and how many messages its outboxes dropped."""

    notes: Notes
    dropped: int


class Trouble:
    """Alarms at random doors of a share, `per_s` of them in a second on average."""

    def __init__(self, doors: list[FleetDoor], per_s: float, draw: random.Random) -> None:
        self._doors = doors
        self._per_s = per_s
        self._draw = draw
        self._next_s = inf
        self._later()

    def due_s(self) -> float:
        """When the next one happens."""
        return self._next_s

    def turn(self, now_s: float) -> None:
        """It happens; what stood at that door before is over."""
        door = self._draw.choice(self._doors)
        door.occur(OccurrenceKind.ALARM_CLEARED)
        door.occur(self._draw.choice(ALARMS))
        self._later()

    def _later(self) -> None:
        if self._per_s:
            self._next_s = time.monotonic() + self._draw.expovariate(self._per_s)


def work(share: Share, orders: Connection) -> None:
    """The process: returns when it was told to end, or nobody is left to tell it."""
    log = os.open(share.folder / f"log-{share.seed}", os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
    os.dup2(log, 2)
    random.seed(share.seed)
    poll, notes = Poll(), Notes()
    chance = random.random if share.jitter else _no_chance
    around = Around(share.where, share.folder, poll, lock_link(), notes, share.cadence_s, chance)
    began_s = time.monotonic()
    doors = []
    for index, door in enumerate(share.doors):
        make_context = TlsFiles(share.certificates / door, door).context if share.certificates else None
        starts_s = began_s + share.ramp_s * (index + random.random()) / len(share.doors)
        doors.append(FleetDoor(door, starts_s, make_context, around))
    trouble = Trouble(doors, share.alarms_per_s, random.Random(share.seed))
    poll.join(trouble)
    ended = False

    def order(_mask: int) -> None:
        nonlocal ended
        try:
            word = orders.recv()
        except EOFError:
            ended = True
            return
        if word is Word.STAND:
            online = sum(door.online for door in doors)
            waiting = sum(door.waiting for door in doors if door.quiet)  # it costs a query of each outbox
            orders.send(Standing(online, waiting, len(notes.handed), time.process_time()))
        elif word is Word.QUIET:
            for door in doors:
                door.quiet = True
        else:
            orders.send(Record(notes, sum(door.dropped for door in doors)))
            ended = True

    poll.add(orders.fileno(), 1, order)
    poll.run(lambda: ended)
    os._exit(0)  # no goodbye from every door: the run is over, and the broker with it


def _no_chance() -> float:
    """The seeded fault: every door draws the same."""
    return 1.0
