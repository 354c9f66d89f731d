"""How hard a fleet comes back: connection attempts over time, and what a fleet too large to be tried would do.

Rules kept here:
- The measure is the busiest second, wherever it begins, as a share of the fleet. It needs no clock of the broker.
- A spread storm has at most `SPREAD` of the fleet in one second, and what chance adds in a small one. Full jitter
  draws the first wait evenly from `WAIT_MIN_S` to `WAIT_FIRST_S`, so 1 / 7.5 of the fleet is expected, and with second
  attempts among the first a little more; without jitter it is everybody.
- The model knows one thing of a broker: how many connections it takes in a second. It turns everybody else away at
  once, and they wait by the door's own rule (`device.report.broker.wait_s`).
"""

from __future__ import annotations

import math
import random
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass

from device.report.broker import WAIT_FIRST_S, WAIT_MIN_S, wait_s

EXPECTED = 1 / (WAIT_FIRST_S - WAIT_MIN_S)
SPREAD = 0.25
_GIVE_UP_S = 86_400


def per_second(moments: Sequence[float], start_s: float, seconds: int) -> list[int]:
    """How many of `moments` fall into each second from `start_s` on."""
    counts = [0] * seconds
    for moment in moments:
        if 0 <= moment - start_s < seconds:
            counts[int(moment - start_s)] += 1
    return counts


def busiest(moments: Sequence[float]) -> int:
    """The most of `moments` that fall into any one second."""
    ordered = sorted(moments)
    most = first = 0
    for last, moment in enumerate(ordered):
        while moment - ordered[first] >= 1.0:
            first += 1
        most = max(most, last - first + 1)
    return most


def fault(moments: Sequence[float], doors: int) -> str:
    """What is wrong with a storm of these attempts, in a sentence; empty if it is spread."""
    most = busiest(moments)
    if most <= SPREAD * doors + math.sqrt(doors):
        return ""
    return f"{most} of {doors} doors tried to connect within one second: the storm is not spread"


@dataclass(frozen=True, slots=True)
class Recovery:
    """How a fleet came back in the model: when half, when all were, and the busiest second at the broker's gate."""

    half_s: int
    all_s: int
    busiest: int
    attempts: int


def recovery(doors: int, takes_a_second: int, away_s: int, draw: random.Random) -> Recovery:
    """Let `doors` lose a broker at second 0 that is away for `away_s` and then takes so many connections a second."""
    waiting: dict[int, list[int]] = defaultdict(list)  # second -> failures of each door that tries then
    for _ in range(doors):
        waiting[int(wait_s(1, draw.random()))].append(1)
    back = attempts = most = half_s = 0
    for second in range(_GIVE_UP_S):
        tries = waiting.pop(second, [])
        attempts += len(tries)
        most = max(most, len(tries))
        draw.shuffle(tries)
        taken = takes_a_second if second >= away_s else 0
        back += min(taken, len(tries))
        for failures in tries[taken:]:
            again = second + wait_s(failures + 1, draw.random())
            waiting[max(int(again), second + 1)].append(failures + 1)
        if back * 2 >= doors and not half_s:
            half_s = second
        if back == doors:
            return Recovery(half_s, second, most, attempts)
    message = f"a broker that takes {takes_a_second} connections a second is not enough for {doors} doors"
    raise ValueError(message)
