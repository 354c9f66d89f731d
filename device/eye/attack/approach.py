"""One approach at a door with lights: from frames to one answer, by way of a challenge. No camera, network or clock.

Rules kept here:
- A challenge is asked for once, when a good face has stood still for two frames; from then on every frame counts.
- What is embedded are crops of the challenge itself, of the face whose answer was judged; and only if that answer was
  bona fide. Of a face that failed, no embedding ever exists.
- Crops that disagree about who it is make the answer inconclusive: nobody answers for somebody else.
- Without a log in LOG_LIMIT_NS the answer is inconclusive. A log for another approach, or a second one, says nothing.
- A frame that was there before is a presentation (`device.eye.attack.hints`).
- Glances and crops are dropped with the answer, and crops overwritten first.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Final

import numpy as np

from device.challenge import MS
from device.eye.attack.glance import Fitted, Glance
from device.eye.attack.judge import Why, judge
from device.eye.covered import cover, seems_covered
from device.eye.gather import FRESH_NS, SAME_PERSON, Good, Mean, mean_of
from device.eye.pixels import Picture
from device.eye.runtime import Floats
from device.wire import Attack, ChallengeLog, Hint

LOG_LIMIT_NS: Final = 2500 * MS
"""How long after asking the log may come: a challenge takes 1.11 s at most, and may have to wait a second for the pace
of the one before."""

CROP_EVERY_NS: Final = 150 * MS
"""Between two crops that are kept: the moments that are averaged should differ, as the lights do."""

STILL_MOVE: Final = 0.12
"""How far a face that stands still moves between two frames, in eye distances (7 mm)."""

STILL_GROWTH: Final = 0.04
"""By how much it comes nearer or goes away between them, as a share of its distance."""

_CROPS: Final = 8  # a challenge has room for seven
_GLANCES: Final = 256  # more than any camera gives in LOG_LIMIT_NS


@dataclass(frozen=True, slots=True, eq=False)
class Watched:
    """What one frame gave: a glance, or what the person could do; both if only the light is not good enough.

    `crop`: the aligned face, 112 x 112 x 3 BGR, if it is good enough for an embedding and was asked for.
    """

    frame_ns: int
    hint: Hint | None = None
    glance: Glance | None = None
    crop: Picture | None = None
    again: bool = False


@dataclass(frozen=True, slots=True)
class Answer:
    """What is sent: the verdict, and for BONA_FIDE and MOVED the mean that is compared. `why`: the judge's, unsent."""

    attack: Attack
    mean: Mean | None = None
    why: Why | None = None


@dataclass(slots=True)
class Challenged:
    """`frames`: how many crops are averaged at most ([eye] frames)."""

    fitted: Fitted
    frames: int
    _asked_ns: int | None = None
    _log: ChallengeLog | None = None
    _again: bool = False
    _sent: bool = False
    _last: Glance | None = None
    _glances: deque[Glance] = field(default_factory=lambda: deque(maxlen=_GLANCES), repr=False)
    _crops: list[tuple[int, Picture]] = field(default_factory=list, repr=False)

    @property
    def done(self) -> bool:
        """Whether the one answer was given."""
        return self._sent

    @property
    def begun(self) -> bool:
        """Whether a challenge was asked for: from then on frames are exposed alike."""
        return self._asked_ns is not None

    @property
    def told(self) -> bool:
        """Whether lock has told what it drove: there is nothing more to be seen."""
        return self._log is not None

    def wants_crop(self, frame_ns: int) -> bool:
        """Whether a crop of a frame of that time is of use."""
        return not self._crops or frame_ns - self._crops[-1][0] >= CROP_EVERY_NS

    def offer(self, watched: Watched) -> bool:
        """One more frame; whether a challenge is to be asked for now."""
        if self.begun:
            self._again = self._again or watched.again
            if watched.glance is not None:
                self._glances.append(watched.glance)
            if watched.crop is not None and self.wants_crop(watched.frame_ns):
                self._keep(watched.frame_ns, watched.crop)
            return False
        before, self._last = self._last, watched.glance if watched.hint is None else None
        return before is not None and self._last is not None and _still(before, self._last)

    def asked(self, now_ns: int) -> None:
        """A challenge was asked for."""
        self._asked_ns = now_ns

    def tell(self, log: ChallengeLog) -> None:
        """Lock has driven a challenge. Without one asked for, or after the first log, nothing happens."""
        if self.begun and not self.told and not self.done:
            self._log = log

    def due(self, now_ns: Callable[[], int], embed: Callable[[Picture], Floats]) -> Answer | None:
        """The answer, once: when the log has come, or nobody waits for it any more."""
        if self._sent or self._asked_ns is None:
            return None
        if self._log is None:
            if now_ns() - self._asked_ns < LOG_LIMIT_NS:
                return None
            return self._answered(Answer(Attack.PRESENTATION if self._again else Attack.INCONCLUSIVE))
        if self._again:
            return self._answered(Answer(Attack.PRESENTATION))
        found = judge(self._log, self._glances, self.fitted)
        if found.attack is not Attack.BONA_FIDE:
            return self._answered(Answer(found.attack, why=found.why))
        mean = self._mean(self._log, now_ns, embed)
        return self._answered(Answer(Attack.INCONCLUSIVE) if mean is None else Answer(found.attack, mean))

    def forget(self) -> None:
        """Overwrite the crops, drop everything seen."""
        for _, crop in self._crops:
            crop.fill(0)
        self._crops.clear()
        self._glances.clear()
        self._last = None

    def _answered(self, answer: Answer) -> Answer:
        self._sent = True
        self.forget()
        return answer

    def _keep(self, frame_ns: int, crop: Picture) -> None:
        self._crops.append((frame_ns, crop.copy()))
        if len(self._crops) > _CROPS:
            self._crops.pop(0)[1].fill(0)

    def _mean(self, log: ChallengeLog, now_ns: Callable[[], int], embed: Callable[[Picture], Floats]) -> Mean | None:
        """The unit mean of up to `frames` crops of the challenge, none too old by now; None if they disagree."""
        during = [(at, crop) for at, crop in self._crops if log.began_ns <= at <= log.ended_ns]
        if not during:
            return None
        chosen = sorted({round(place) for place in np.linspace(0, len(during) - 1, self.frames)}, reverse=True)
        seen = [Good(at, embed(crop), seems_covered(cover(crop))) for at, crop in (during[place] for place in chosen)]
        if any(float(np.dot(one.embedding, other.embedding)) < SAME_PERSON for one in seen for other in seen):
            return None
        fresh = [one for one in seen if now_ns() - one.frame_ns <= FRESH_NS]
        return mean_of(sorted(fresh, key=lambda one: one.frame_ns)) if fresh else None


def _still(before: Glance, after: Glance) -> bool:
    moved = float(np.hypot(*(after.lens - before.lens)[:2]))
    grown = abs(float(np.log(after.lens[2] / before.lens[2])))
    return moved <= STILL_MOVE and grown <= STILL_GROWTH
