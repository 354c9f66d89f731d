"""Runs of many windows, on as many cores as asked for.

Rules kept here:
- Window number k of a kind is the same on any number of cores, and after any other run: it follows from its seed.
- Windows of one number have one hallway, camera and distance, and are made of one person's pictures, whatever the kind.
- A window ends as at the door: with the first attempt that is called an attack, after the last approach, or once as
  many attempts have passed as open it: one where the PIN is wanted besides, two where a face alone opens. Its attempts
  up to the first that passes are the same under either rule: each has a seed of its own.
- A picture of nobody is left out and said so; it is neither a person nor an attack.
- A run that is recorded (`tools.attack_lab.record`) is taken up where it stood. Kinds take turns, so that one that is
  ended early has counted something of each.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from contextlib import nullcontext
from dataclasses import dataclass
from multiprocessing import get_context
from pathlib import Path
from typing import Any, Final

import numpy as np

from device.errors import PictureRefused
from device.wire import Attack
from tools.attack_lab.attempt import Attempt, approaches
from tools.attack_lab.conditions import Conditions, changed, draw_indoor
from tools.attack_lab.counts import Tally
from tools.attack_lab.faces import Faces
from tools.attack_lab.faults import without_relief
from tools.attack_lab.instruments import BEYOND, INSTRUMENTS, PEOPLE, live
from tools.attack_lab.record import Outcome, Record

Told = Callable[[str], None]

_TURN: Final = 10  # windows of a kind before the next one has its turn, where several processes make them


@dataclass(frozen=True, slots=True)
class Kind:
    """Windows of one sort: who or what, what is set of the drawn conditions, with the relief test or without.

    `windows` are made of it, of up to `most` approaches each, until `answers` of them have passed. `seed` is that of
    the run.
    """

    maker: str
    windows: int
    most: int = 1
    change: tuple[tuple[str, Any], ...] = ()
    relief: bool = True
    seed: int = 0
    answers: int = 1

    @property
    def name(self) -> str:
        """As a line of a table says it."""
        words = [self.maker, *(f"{name} {value:g}" for name, value in self.change)]
        return ", ".join(words) if self.relief else ", ".join([*words, "no relief test"])

    @property
    def key(self) -> str:
        """As a record says it: a window of this name is not one of other approaches, or of another seed."""
        until = "" if self.answers == 1 else f" until {self.answers} pass"
        return f"{self.name}, {self.most} approaches{until}, seed {self.seed}"


def tallied(kinds: Sequence[Kind], faces: Faces, workers: int, told: Told, record: Record | None = None) -> list[Tally]:
    """Every kind's windows, counted; `told` hears of each turn. A kind of which nobody was found is not there."""
    found: dict[Kind, dict[int, Outcome]] = {kind: dict(record.of(kind.key)) if record else {} for kind in kinds}
    # Processes are started afresh: no network survives a fork.
    with ProcessPoolExecutor(workers, get_context("spawn")) if workers > 1 else nullcontext() as pool:
        # One process makes every kind's window of a number before the next number: along a curve that is one person.
        for kind, numbers in _turns(kinds, _TURN if pool else 1):
            missing = [number for number in numbers if number not in found[kind]]
            if not missing:
                continue
            jobs = [(kind, faces.number(number), number) for number in missing]
            for number, outcome in zip(missing, pool.map(_job, jobs) if pool else map(_job, jobs), strict=True):
                found[kind][number] = outcome
                if record:
                    record.add(kind.key, number, outcome)
            left_out = sum(outcome is None for outcome in found[kind].values())
            told(f"{kind.name}: {len(found[kind])} of {kind.windows}, {left_out} left out")
    return _counted(found)


def recorded(kinds: Sequence[Kind], record: Record) -> list[Tally]:
    """What `record` holds of them, however many windows that is."""
    return _counted({kind: dict(record.of(kind.key)) for kind in kinds})


def one(kind: Kind, pictures: Sequence[Path], number: int) -> Outcome:
    """Window `number` of `kind`, its attempts in order; None if the pictures show nobody."""
    maker = {PEOPLE: live, **INSTRUMENTS, **BEYOND}[kind.maker]
    word = int.from_bytes(hashlib.sha256(kind.maker.encode()).digest()[:4], "little")

    def vary(_: np.random.Generator) -> Conditions:
        return changed(draw_indoor(np.random.default_rng([number, kind.seed])), kind.change)

    attempts: list[Attempt] = []
    try:
        for seen in approaches(maker, pictures, vary, (word, number, kind.seed), kind.most):
            with nullcontext() if kind.relief else without_relief():
                found = seen.judged()
            attempts.append(Attempt(found.attack, found.why, found.frames, found.seen))
            passed = sum(each.attack is Attack.BONA_FIDE for each in attempts)
            if found.attack is Attack.PRESENTATION or passed == kind.answers:
                break
    except PictureRefused:
        return None
    return tuple(attempts)


def _turns(kinds: Sequence[Kind], each: int) -> Iterator[tuple[Kind, range]]:
    most = max((kind.windows for kind in kinds), default=0)
    for first in range(0, most, each):
        for kind in kinds:
            if first < kind.windows:
                yield kind, range(first, min(first + each, kind.windows))


def _job(job: tuple[Kind, Sequence[Path], int]) -> Outcome:
    return one(*job)


def _counted(found: dict[Kind, dict[int, Outcome]]) -> list[Tally]:
    tallies = (
        Tally.of(kind.name, [(number, each) for number, each in sorted(windows.items()) if each is not None])
        for kind, windows in found.items()
    )
    return [tally for tally in tallies if tally.trials]
