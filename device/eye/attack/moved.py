"""One motion challenge, where a light challenge was in doubt: from frames to one answer. No camera, network or clock.

Rules kept here:
- Nothing of it is taken before it is asked for. What is kept until the answer are the frames of KEPT_NS, as crops of
  the mesh, and a face every CROP_EVERY_NS; each is overwritten when it is dropped, and all of them with the answer.
- Without a log in LIMIT_MS, or with one that no motion challenge looks like, the answer is inconclusive.
- What passes is a solid face that turned as asked (`device.eye.attack.motion`), and one person: before the first
  prompt, where each prompt brought them, and afterwards, without a gap. Of a face that did not turn as asked there is
  no embedding.
- What is compared with the gallery is seen after the last prompt, looking ahead, and fresh: no picture that was there
  while somebody knew what was asked, and none from before it.
- It says MOVED or INCONCLUSIVE; PRESENTATION for a frame that was there before. A face that is flat to the judge of
  motion is not called an attack: people are among them (docs/liveness.md, "Motion").
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from itertools import combinations, pairwise
from typing import Final

import numpy as np

from device.challenge import LAST_MS, LASTS_MS, MS, SECOND_MS
from device.eye.attack.approach import CROP_EVERY_NS, Answer
from device.eye.attack.motion import BEFORE_MS, MAX_GAP_MS, MIDDLE, Middle, Moment, turning
from device.eye.covered import cover, seems_covered
from device.eye.gather import FRESH_NS, SAME_PERSON, Good, mean_of
from device.eye.pixels import Picture
from device.eye.runtime import Floats
from device.motion import LEAD_MS, LIMIT_MS, PROMPT_MS, PROMPTS, Facing, Prompted, told
from device.wire import Attack, Hint, MotionLog

AFTER_NS: Final = 1200 * MS
"""How long after the last prompt somebody may take to look ahead again. A choice: a third of a second to see it, as
much to turn, and three crops."""

PACE_MS: Final = SECOND_MS - 2 * LASTS_MS[0] - LAST_MS
"""How long the pace of the lights may make lock wait: it tells of a light challenge when its last light has lasted, and
from the first of its three changes a second has to pass before a fourth, which is the one to rest."""

TAKES_NS: Final = (PACE_MS + LEAD_MS + PROMPTS * PROMPT_MS + 300) * MS + AFTER_NS
"""What must be left of a window when it is asked for: all of it, and 0.3 s to judge and to compare."""

KEPT_NS: Final = (BEFORE_MS + PROMPTS * PROMPT_MS + 200) * MS
"""How long a frame is kept, whatever the camera's rate: a challenge with the middle before it takes 5.0 s, and 0.2 s
are for four lights that come late and a log that comes a frame or two after them."""

MOMENT_EVERY_NS: Final = 32 * MS
"""The least time between two frames that are kept, so that a fast camera fills no more memory."""

LONGEST: Final = KEPT_NS // MOMENT_EVERY_NS + 1

SAME_TURNED: Final = SAME_PERSON
"""Cosine below which a turned crop shows somebody else than one that looks ahead: no other bound is needed. Of 150
rendered heads none fell below it at 12 degrees, 1 of 294 pictures at 16 and 4 of 285 at 20; some 22,000 pairs of
different people at each angle came to 0.481 at most (`python -m tools.attack_lab.same`)."""


@dataclass(frozen=True, slots=True, eq=False)
class Followed:
    """What one frame gave: a moment, or what the person could do. `again`: it was there before."""

    frame_ns: int
    hint: Hint | None = None
    moment: Moment | None = None
    again: bool = False


@dataclass(slots=True)
class Moved:
    """`frames`: how many crops are averaged at most ([eye] frames); `asked_ns`: when it was asked for."""

    frames: int
    asked_ns: int
    _logged: bool = False
    _prompted: Prompted | None = None
    _middle: Middle | None = None
    _again: bool = False
    _sent: bool = False
    _cropped_ns: int = 0
    _moments: deque[Moment] = field(default_factory=deque, repr=False)
    _seen_ns: list[int] = field(default_factory=list)
    _after: list[tuple[int, Picture]] = field(default_factory=list, repr=False)

    @property
    def done(self) -> bool:
        """Whether the one answer was given."""
        return self._sent

    def wants_crop(self, frame_ns: int) -> bool:
        """Whether a crop of a frame of that time is of use."""
        return frame_ns - self._cropped_ns >= CROP_EVERY_NS

    def offer(self, followed: Followed) -> Hint | None:
        """One more frame, whose moment is this object's from now on; what the person could do."""
        moment = followed.moment
        if self._sent:
            if moment is not None:
                moment.forget()
            return None
        self._again = self._again or followed.again
        if moment is None:
            return followed.hint
        cropped = moment.crop is not None
        kept, hint = (self._keep(moment), None) if not self._logged else (True, self._afterwards(moment))
        if cropped and kept:  # one that comes too soon after the last is dropped with its crop: the next has another
            self._cropped_ns = followed.frame_ns
        return hint

    def tell(self, log: MotionLog) -> None:
        """Lock has prompted. After the first log nothing happens."""
        if self._logged or self._sent:
            return
        self._logged, self._prompted = True, told(log)
        if self._prompted is None:
            return
        before = [each for each in self._moments if each.time_ns <= self._prompted.began_ns[0]]
        self._middle = Middle(before[-1].shot.points) if before else None

    def due(self, now_ns: Callable[[], int], embed: Callable[[Picture], Floats]) -> Answer | None:
        """The answer, once: when somebody has looked ahead again, or nobody waits for it any more."""
        if self._sent:
            return None
        if not self._logged:
            return self._answered(self._doubt()) if now_ns() - self.asked_ns >= LIMIT_MS * MS else None
        if self._prompted is None or self._middle is None:
            return self._answered(self._doubt())
        if len(self._after) < self.frames and now_ns() - self._prompted.ended_ns < AFTER_NS:
            return None
        return self._answered(self._judged(self._prompted, now_ns, embed))

    def forget(self) -> None:
        """Overwrite and drop everything seen."""
        for moment in self._moments:
            moment.forget()
        for _, crop in self._after:
            crop.fill(0)
        self._moments.clear()
        self._after.clear()
        self._seen_ns.clear()
        self._middle = None

    def _doubt(self) -> Answer:
        return Answer(Attack.PRESENTATION if self._again else Attack.INCONCLUSIVE)

    def _answered(self, answer: Answer) -> Answer:
        self._sent = True
        self.forget()
        return answer

    def _keep(self, moment: Moment) -> bool:
        """Whether it was kept."""
        if self._moments and moment.time_ns - self._moments[-1].time_ns < MOMENT_EVERY_NS:
            moment.forget()
            return False
        self._moments.append(moment)
        while moment.time_ns - self._moments[0].time_ns > KEPT_NS:
            self._moments.popleft().forget()
        return True

    def _afterwards(self, moment: Moment) -> Hint | None:
        """Keep the crops of who looks ahead again; nothing else of this frame is needed any more."""
        self._seen_ns.append(moment.time_ns)
        ahead = self._middle is not None and abs(self._middle.sideways(moment.shot.points)) <= MIDDLE
        ended_ns = self._prompted.ended_ns if self._prompted else moment.time_ns
        if ahead and moment.crop is not None and moment.time_ns > ended_ns:
            self._after.append((moment.time_ns, moment.crop.copy()))
        moment.forget()
        return None if ahead else Hint.LOOK_AT_CAMERA

    def _judged(self, prompted: Prompted, now_ns: Callable[[], int], embed: Callable[[Picture], Floats]) -> Answer:
        if self._again:
            return self._doubt()
        found = turning(prompted, self._moments)
        if not found.passed or not self._after or self._gap():
            return Answer(Attack.INCONCLUSIVE)
        crops = [moment.crop for moment in found.looked_at if moment.crop is not None]
        if len(crops) < len(found.looked_at):
            return Answer(Attack.INCONCLUSIVE)
        seen = [(where, embed(crop)) for where, crop in zip((Facing.MIDDLE, *prompted.asked), crops, strict=True)]
        ahead = [Good(at, embed(crop), seems_covered(cover(crop))) for at, crop in reversed(self._after)]
        turned = [vector for where, vector in seen if where is not Facing.MIDDLE]
        middle = [vector for where, vector in seen if where is Facing.MIDDLE]
        if not _one_person(turned, [*middle, *(one.embedding for one in ahead)]):
            return Answer(Attack.INCONCLUSIVE)
        fresh = sorted((one for one in ahead if now_ns() - one.frame_ns <= FRESH_NS), key=lambda one: one.frame_ns)
        return Answer(Attack.MOVED, mean_of(fresh)) if fresh else Answer(Attack.INCONCLUSIVE)

    def _gap(self) -> bool:
        """Whether the face was gone between the last prompt and the last crop."""
        times = [self._moments[-1].time_ns, *self._seen_ns]
        return any(after - before > MAX_GAP_MS * MS for before, after in pairwise(times))


def _one_person(turned: Sequence[Floats], ahead: Sequence[Floats]) -> bool:
    """Whether those who look ahead are all alike, and each of `turned` is like all of them."""
    if any(float(np.dot(one, other)) < SAME_PERSON for one, other in combinations(ahead, 2)):
        return False
    return all(float(np.dot(one, other)) >= SAME_TURNED for one in turned for other in ahead)
