"""From single frames to what is sent for an approach: one mean, and hints at a pace that somebody can follow.

Rules kept here:
- One approach gives at most one Probe. Three good frames are better than one (models/sface.md: FNMR 4.9 % -> 0.0 %),
  but a person is not kept waiting for them: after the first good frame the others have a bounded time.
- Two people are never averaged: a frame that disagrees with those before it starts the gathering anew.
- Covered and bare frames are never averaged: of what was gathered those count that are more, of as many of both the
  later ones.
- What grew too old while others were looked at is dropped: vault would refuse the whole answer for it.
- Hints are few: a person reads them, and their number must not tell how a comparison went.
- Nothing here knows a camera, a network or a clock: embeddings and times come as arguments.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Final

from device.eye.embedder import unit
from device.eye.runtime import Floats
from device.wire import Hint

GATHER_NS: Final = 700_000_000
"""How long after the first good frame a Probe may still wait for more: a choice; with the 500 ms that a
Verdict may take it stays below what people call a pause."""

FRESH_NS: Final = 1_750_000_000
"""How old a frame may be when it is sent: vault takes none older than 2 s, and the way there may take the rest (25 ms
were the most with all rooms in 8 % of a core). On a slow or busy board the first frame of a window, for which
everything is loaded, is older once it was looked at: 3.5 s with eye in 2 % of a core."""

SAME_PERSON: Final = 0.5
"""Cosine below which two frames of one approach show two people. Measured on lfw-dev: of 648,868 pairs of different
people the most alike has 0.488; of 1,084 pairs of one picture and itself turned, moved, scaled, lit, blurred and noised
0.1 % lie below 0.597, none below 0.578. Look-alikes can be nearer to each other than this bound: it keeps passers-by
apart, not twins."""

HINT_EVERY_NS: Final = 500_000_000
"""Between two hints that differ: a choice; faster than that nobody follows."""

SAME_HINT_EVERY_NS: Final = 2_000_000_000
"""Between two hints that say the same."""


@dataclass(frozen=True, slots=True, eq=False)
class Mean:
    """What a Probe carries: the unit mean of `frames` embeddings; `frame_ns` is the oldest frame's time."""

    embedding: Floats
    frames: int
    frame_ns: int
    covered: bool = False


@dataclass(frozen=True, slots=True, eq=False)
class Good:
    """One good frame: its time, its embedding (float32, (128,), L2 norm 1), and whether the face seemed covered."""

    frame_ns: int
    embedding: Floats
    covered: bool


def mean_of(good: Sequence[Good]) -> Mean:
    """The unit mean of those of `good` (at least one, oldest first) that are of the kind there is more of."""
    covered = sum(1 if one.covered else -1 for one in good)
    kind = covered > 0 if covered else good[-1].covered
    alike = [one for one in good if one.covered is kind]
    return Mean(_mean(alike), len(alike), min(one.frame_ns for one in alike), kind)


def _mean(good: Sequence[Good]) -> Floats:
    """The unit mean of `good`, at least one."""
    total = good[0].embedding.copy()
    for one in good[1:]:
        total += one.embedding
    return unit(total)


@dataclass(slots=True)
class Recognition:
    """Gathers the good frames of one approach; `due` answers once."""

    frames: int
    _kept: list[Good] = field(default_factory=list)
    _sent: bool = False

    @property
    def done(self) -> bool:
        """Whether the one answer was given."""
        return self._sent

    @property
    def begun(self) -> bool:
        """Whether there is a frame that others will be averaged with."""
        return bool(self._kept)

    def offer(self, embedding: Floats, frame_ns: int, *, covered: bool = False) -> None:
        """One more good frame. `covered`: the lower half of the face seems covered."""
        if self._sent:
            return
        if self._kept and float(_mean(self._kept).dot(embedding)) < SAME_PERSON:
            self._kept.clear()
        self._kept.append(Good(frame_ns, embedding, covered))

    def due(self, now_ns: int) -> Mean | None:
        """The mean of the frames that are fresh, once: when they are enough, or the first has waited long enough."""
        self._kept = [one for one in self._kept if now_ns - one.frame_ns <= FRESH_NS]
        if self._sent or not self._kept:
            return None
        first_ns = self._kept[0].frame_ns
        if len(self._kept) < self.frames and now_ns - first_ns < GATHER_NS:
            return None
        self._sent = True
        mean = mean_of(self._kept)
        self._kept.clear()
        return mean


@dataclass(slots=True)
class Hints:
    """Lets hints through at a rate a person can follow."""

    _last: Hint | None = None
    _last_ns: int = 0

    def let_through(self, hint: Hint, now_ns: int) -> bool:
        """Whether `hint` is to be shown now."""
        pause = SAME_HINT_EVERY_NS if hint is self._last else HINT_EVERY_NS
        if self._last is not None and now_ns - self._last_ns < pause:
            return False
        self._last, self._last_ns = hint, now_ns
        return True
