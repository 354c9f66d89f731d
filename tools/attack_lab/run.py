"""Runs of many attempts, on as many cores as asked for.

Rules kept here:
- Attempt number k of a kind is the same on any number of cores, and after any other run: it follows from its seed.
- A picture of nobody is left out and said so; it is neither a person nor an attack.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Sequence
from concurrent.futures import ProcessPoolExecutor
from contextlib import nullcontext
from dataclasses import dataclass
from functools import partial
from multiprocessing import get_context
from pathlib import Path
from typing import Any

import numpy as np

from device.errors import PictureRefused
from tools.attack_lab.attempt import Attempt, watched
from tools.attack_lab.conditions import Conditions, draw_indoor
from tools.attack_lab.counts import Tally
from tools.attack_lab.curves import changed
from tools.attack_lab.faults import without_relief
from tools.attack_lab.instruments import BEYOND, INSTRUMENTS, PEOPLE, live

Told = Callable[[str], None]


@dataclass(frozen=True, slots=True)
class Kind:
    """Attempts of one sort: who or what, what is set of the drawn conditions, with the relief test or without."""

    maker: str
    change: tuple[tuple[str, Any], ...] = ()
    relief: bool = True

    @property
    def name(self) -> str:
        """As a line of a table says it."""
        words = [self.maker, *(f"{name} {value:g}" for name, value in self.change)]
        return ", ".join(words) if self.relief else ", ".join([*words, "no relief test"])


def tallied(kinds: Sequence[Kind], pictures: Sequence[Path], trials: int, workers: int, told: Told) -> list[Tally]:
    """`trials` attempts of each kind, counted; `told` hears of each kind when it is done."""
    tallies = []
    # Processes are started afresh: no network survives a fork.
    with ProcessPoolExecutor(workers, get_context("spawn")) if workers > 1 else nullcontext() as pool:
        for kind in kinds:
            work = partial(one, kind, pictures)
            found = pool.map(work, range(trials), chunksize=2) if pool else map(work, range(trials))
            attempts = [each for each in found if each is not None]
            tally = Tally.of(kind.name, attempts)
            told(f"{kind.name}: {dict(tally.why.most_common())}, {trials - len(attempts)} left out")
            if attempts:
                tallies.append(tally)
    return tallies


def one(kind: Kind, pictures: Sequence[Path], number: int) -> Attempt | None:
    """Attempt `number` of `kind`; None if the pictures drawn for it show nobody."""
    maker = {PEOPLE: live, **INSTRUMENTS, **BEYOND}[kind.maker]
    word = int.from_bytes(hashlib.sha256(kind.maker.encode()).digest()[:4], "little")

    def vary(rng: np.random.Generator) -> Conditions:
        return changed(draw_indoor(rng), kind.change)

    try:
        seen = watched(maker, pictures, vary, (word, number))
    except PictureRefused:
        return None
    with nullcontext() if kind.relief else without_relief():
        found = seen.judged()
    return Attempt(found.attack, found.why, found.frames, found.seen)
