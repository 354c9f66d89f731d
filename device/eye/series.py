"""From good frames to the samples of one enrolment: views that differ, and nobody kept out who cannot turn.

Rules kept here:
- Samples are spread over time, and a sample differs from every one before it while there is time to ask for that.
- Nobody may be kept out because they cannot turn their head: after a bounded wait a frame needs to differ from the
  sample before it by no more than a living face and a sensor always do.
- Whoever declared a bare face is asked to uncover it, whoever declared a covered one to cover it; after a bounded wait
  the sample is sent as it is and says so, and vault ends the enrolment with a sentence about it.
- A picture that stands still to the last pixel is one sample, however long it is shown.
- Whether the samples show one person is vault's question: somebody else always differs, is sent, and ends the enrolment
  there.
- Nothing here knows a camera, a network or a clock: embeddings and times come as arguments.

Why the cosine of the embeddings and not the pose: what a template gains from another view is what the embedding says
differently, and aligning has taken away what a mere shift would change. Measured with the shipped networks on 86 people
of lfw-dev (`python -m tools.models.views`): two frames made from one picture, cosine at 5 %, 50 %, 95 % and the
largest:

    the same pixels                              1.000  1.000  1.000  1.000
    standing still, noise of 0.3 grey levels     0.989  0.994  0.996  0.996
    noise of 2                                   0.985  0.991  0.994  0.996
    noise of 8                                   0.958  0.977  0.986  0.989
    swaying by <= 1 degree, 1 %, 2 pixels        0.930  0.981  0.992  0.993
    by <= 3 degrees, 3 %, 6 pixels               0.880  0.965  0.988  0.993
    head turned by 3 degrees                     0.938  0.980  0.988  0.992
    by 6 degrees                                 0.929  0.969  0.982  0.986
    by 10 degrees                                0.906  0.952  0.971  0.978
    by 15 degrees                                0.850  0.914  0.948  0.955
    head nodded by 10 degrees                    0.896  0.937  0.961  0.975
    two pictures of different days               0.463  0.658  0.847  0.932

Turned heads are simulated: each pixel moved in proportion to its depth on an ellipsoid with a nose. The five points
tell less: at the median their yaw (`device.eye.quality`) moves by 0.061 for 15 degrees, and in 5 % of the pairs by more
than 0.030 for noise of 8 alone.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Final

import numpy as np

from device.eye.runtime import Floats
from device.wire import Hint

SAMPLE_EVERY_NS: Final = 400_000_000
"""Between two samples: a choice; five samples take at least 1.6 s of a window of 10 s."""

VARIED: Final = 0.95
"""Cosine above which two frames are too alike while there is time to ask for another view: nearly half of the simulated
turns by 10 degrees lie below it, nearly all by 15, and fewer than 5 % of the pairs that stand still with noise."""

STILL: Final = 0.999
"""Cosine above which a frame is the same picture again: of all pairs that differ by anything, noise of 0.3 grey levels
included, the most alike has 0.9963; the same pixels have 1."""

PATIENCE_NS: Final = 1_500_000_000
"""How long after a sample another view is asked for, at most: a choice; who cannot turn gives five samples in 6 s."""

COVERED_NS: Final = 3_000_000_000
"""How long somebody is asked to uncover the face, or to cover it, at most, and at most a third of what is left of the
window: a choice; time for a mask to come off or on, and for five samples afterwards."""


@dataclass(slots=True)
class Enrolment:
    """Picks and numbers the samples of one enrolment window: `frames` of them, before `ends_ns` if it can be done.

    `covered`: whether a covered face was declared.
    """

    frames: int
    ends_ns: int
    covered: bool = False
    _sent: list[Floats] = field(default_factory=list, repr=False)
    _last_ns: int = 0
    _otherwise_until_ns: int | None = None

    @property
    def done(self) -> bool:
        """Whether all samples were taken."""
        return len(self._sent) >= self.frames

    def offer(self, embedding: Floats, frame_ns: int, *, covered: bool = False) -> int | Hint | None:
        """A good frame's answer: its number, from 0, as a sample; what the person could do instead; None if too soon.

        `embedding` has length 1; times are of the clock that `ends_ns` is of, and do not go back. `covered`: the lower
        half of the face seems covered.
        """
        if self._waits_for_the_other(frame_ns, covered=covered):
            return Hint.COVER_YOUR_FACE if self.covered else Hint.UNCOVER_YOUR_FACE
        if self.done or (self._sent and frame_ns - self._last_ns < SAMPLE_EVERY_NS):
            return None
        if self._sent and not self._differs(embedding, frame_ns):
            return Hint.TURN_A_LITTLE
        self._sent.append(embedding)
        self._last_ns = frame_ns
        return len(self._sent) - 1

    def _waits_for_the_other(self, frame_ns: int, *, covered: bool) -> bool:
        if covered is self.covered:
            self._otherwise_until_ns = None
            return False
        if self._otherwise_until_ns is None:
            self._otherwise_until_ns = frame_ns + min(COVERED_NS, max(0, self.ends_ns - frame_ns) // 3)
        return not self.done and frame_ns < self._otherwise_until_ns

    def _differs(self, embedding: Floats, frame_ns: int) -> bool:
        likeness = [float(np.dot(sent, embedding)) for sent in self._sent]
        if max(likeness) <= VARIED:
            return True
        return likeness[-1] <= STILL and frame_ns - self._last_ns >= self._patience_ns()

    def _patience_ns(self) -> int:
        """This sample's share of what is left of the window, so that the last ones still fit into it."""
        missing = self.frames - len(self._sent)
        return min(PATIENCE_NS, max(0, self.ends_ns - self._last_ns) // (missing + 1))
