"""Whether there is enough to judge at all: frames, lights, one face that stays where it is. Pure.

Rules kept here:
- Too few frames, a gap, a light that was hardly seen, a face that went away or jumped: inconclusive, whoever it was.
- Frames count from the beginning of the challenge until the end of its last light, less what a lag could carry over.
"""

from __future__ import annotations

from collections.abc import Sequence
from enum import Enum, unique
from itertools import pairwise
from typing import Final

import numpy as np

from device.challenge import MS
from device.eye.attack.driven import Driven
from device.eye.attack.glance import Glance

MIN_RATE: Final = 15.0
"""Frames a second, over the whole challenge."""

_RATE_SLACK: Final = 0.9  # a camera of 15 frames a second gives 14 in 0.95 s if the first comes late
MAX_GAP_MS: Final = 110.0  # one frame of 15 a second may be missing, two may not
MIN_FRAMES: Final = 3  # of each light but the first, which burnt before
_TAIL_MS: Final = 20.0

MAX_JUMP: Final = 0.35
"""How far the face may move between two frames, in eye distances: 22 mm in 67 ms is 0.33 m/s, a quick step aside."""

MAX_GROWTH: Final = 0.15
"""How much nearer or farther it may come between two frames, as a share of the distance."""


@unique
class Unfit(Enum):
    """Why nothing is said about what was seen."""

    LOG = "what was driven is no code that is drawn"
    FRAMES = "too few frames, or a gap between them"
    MOVED = "the face did not stay where it was"


def within(driven: Driven, glances: Sequence[Glance]) -> list[Glance]:
    """The glances of the challenge, by time; of two with one time the first."""
    until = driven.ended_ns - _TAIL_MS * MS
    found = {glance.time_ns: glance for glance in reversed(glances) if driven.began_ns <= glance.time_ns <= until}
    return [found[time_ns] for time_ns in sorted(found)]


def unfit(driven: Driven, glances: Sequence[Glance]) -> Unfit | None:
    """What is wrong with `glances`, as `within` gives them; None if they may be judged."""
    times_ms = np.array([(glance.time_ns - driven.began_ns) / MS for glance in glances])
    length_ms = (driven.ended_ns - driven.began_ns) / MS - _TAIL_MS
    if len(glances) < _RATE_SLACK * MIN_RATE * length_ms / 1000:
        return Unfit.FRAMES
    if np.diff(times_ms, prepend=0.0, append=length_ms).max() > MAX_GAP_MS:
        return Unfit.FRAMES
    edges_ms = [(at - driven.began_ns) / MS for at in driven.at_ns] + [length_ms + _TAIL_MS]
    for begin, end in pairwise(edges_ms):
        if np.count_nonzero((times_ms >= begin) & (times_ms < end)) < MIN_FRAMES:
            return Unfit.FRAMES
    lens = np.array([glance.lens for glance in glances])
    moved = np.hypot(*np.diff(lens[:, :2], axis=0).T)
    grown = np.abs(np.diff(np.log(lens[:, 2])))
    return Unfit.MOVED if moved.max() > MAX_JUMP or grown.max() > MAX_GROWTH else None
