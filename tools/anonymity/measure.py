"""Trials in, one line out: how often an attacker is right, and how far above luck that can be.

Rules kept here:
- Deterministic: a line's people, days, networks, coins and forests follow from the seed and the line's own name.
- Learning and asking never share a household.
- Bounds are exact (Clopper and Pearson 1934), one-sided, 95 %, for independent trials; both attackers have their own.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from zlib import crc32

import numpy as np

from tools.anonymity import tasks
from tools.anonymity.attackers import Case, case, nearest_habit, trained
from tools.anonymity.channel import capture
from tools.anonymity.lock import lived
from tools.anonymity.observed import observe
from tools.anonymity.tasks import Setting
from tools.anonymity.voices import Building
from tools.evaluate.intervals import upper_bound

LIMIT = 0.03
"""The building profile's advantage over luck may be at most this, at the bound (issue 5)."""


@dataclass(frozen=True, slots=True)
class Line:
    """What is measured: a way of speaking, and the attacker's question. `wire`: only lengths and times are seen."""

    name: str
    voice: type[Building]
    setting: Setting
    wire: bool = False


@dataclass(frozen=True, slots=True)
class Size:
    """How many trials: to learn from, and to be asked."""

    learn: int
    asked: int


@dataclass(frozen=True, slots=True)
class Result:
    """What one attacker got right."""

    line: Line
    attacker: str
    right: int
    asked: int

    @property
    def luck(self) -> float:
        """How often guessing is right."""
        return 1 / self.line.setting.answers

    @property
    def rate(self) -> float:
        """How often this attacker is right."""
        return self.right / self.asked

    @property
    def at_most(self) -> float:
        """Upper 95 % bound of the advantage over luck."""
        return upper_bound(self.right, self.asked) - self.luck

    @property
    def at_least(self) -> float:
        """Lower 95 % bound of the advantage over luck."""
        return 1 - upper_bound(self.asked - self.right, self.asked) - self.luck

    @property
    def holds(self) -> bool:
        """Whether the advantage is at most LIMIT, at the bound."""
        return self.at_most <= LIMIT

    @property
    def caught(self) -> bool:
        """Whether the advantage is more than LIMIT, at the bound."""
        return self.at_least > LIMIT


def measure(line: Line, size: Size, seed: int) -> list[Result]:
    """Let both attackers at it."""
    name = crc32(line.name.encode())
    learn = list(cases(line, size.learn, (seed, name, 1)))
    asked = list(cases(line, size.asked, (seed, name, 2)))
    right = np.array([each.answer for each in asked])
    draw = np.random.default_rng((seed, name, 3))
    task, found = line.setting.task, []
    if (reckoned := nearest_habit(task, asked, draw)) is not None:
        found.append(Result(line, "nearest habit", int((reckoned == right).sum()), len(asked)))
    taught = trained(task, learn, asked, draw, seed)
    return [*found, Result(line, "trained", int((taught == right).sum()), len(asked))]


def cases(line: Line, many: int, seed: tuple[int, ...]) -> Iterator[Case]:
    """That many trials of `line`, each a household of its own, as the attacker has them."""
    draw = np.random.default_rng(seed)
    for number in range(many):
        trial = tasks.trial(draw, line.setting, number % line.setting.answers)
        voice = line.voice(draw.bytes(4).hex())
        seen = capture(voice, lived(trial.done), trial.days, draw)
        yield case(trial, line.setting, line.voice.tests_a_day, observe(seen, wire=line.wire))
