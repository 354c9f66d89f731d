"""From the good frames of one window to a template, or to a reason why not.

Rules kept here:
- The frames of one template come from one window (`enrolling` sees to it) and carry the numbers 0 to n-1 in order.
- A frame that eye calls a presentation attack, that another model made, or that is no unit vector ends the enrolment.
- Every frame agrees with the mean of the others; so a change of person, or a second face among the frames, ends the
  enrolment.
- Frames live here until the template is made or the enrolment ends; nothing of them is written.
"""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from device.errors import EnrolmentRefused
from device.vault.record import Vector, to_bytes

MIN_FRAMES = 2  # below two there is nobody to agree with
# Cosine of each frame with the unit mean of the others. Measured with the shipped SFace (int8) on the first 150 people
# of lfw-dev with five pictures, taken on different days: 95 % of them agree with themselves; of 3,000 mixtures 4 + 1 of
# two people none passes, of 3,000 mixtures 3 + 2 five do. At 0.65 only 53 % of the people would agree with themselves.
AGREEMENT = 0.5


@dataclass(slots=True)
class Collection:
    """The frames of one window so far. `needed`: how many make a template."""

    needed: int
    _frames: list[Vector] = field(default_factory=list, repr=False)

    def __post_init__(self) -> None:
        if self.needed < MIN_FRAMES:
            raise EnrolmentRefused(f"an enrolment needs at least {MIN_FRAMES} frames")

    @property
    def next_index(self) -> int:
        """The number the next frame must have."""
        return len(self._frames)

    @property
    def complete(self) -> bool:
        """Whether enough frames are there."""
        return len(self._frames) >= self.needed

    def add(self, index: int, frame: Vector | None) -> None:
        """Take frame number `index` (a unit vector; None: not usable). Raises EnrolmentRefused."""
        if frame is None:
            raise EnrolmentRefused("a frame is stale, from another model, an attack, or no unit vector")
        if self.complete or index != self.next_index:
            raise EnrolmentRefused("the frames of an enrolment come in order, each once")
        self._frames.append(frame)

    @property
    def length(self) -> float:
        """Of the mean of the frames so far, before it is brought back to 1: the more alike they are, the longer."""
        return float(np.linalg.norm(np.mean(np.stack(self._frames), axis=0, dtype=np.float64))) if self._frames else 0.0

    def template(self) -> bytes | None:
        """The unit mean of the frames in wire form, or None if they disagree. Raises EnrolmentRefused if too few."""
        if not self.complete:
            raise EnrolmentRefused("an enrolment was not finished; nothing was kept")
        frames = np.stack(self._frames).astype(np.float64)
        total = frames.sum(axis=0)
        for frame in frames:
            rest = _unit(total - frame)
            if rest is None or not float(frame @ rest) >= AGREEMENT:
                return None
        mean = _unit(total)
        return None if mean is None else to_bytes(mean.astype(np.float32))


def _unit(vector: NDArray[np.float64]) -> NDArray[np.float64] | None:
    norm = float(np.linalg.norm(vector))
    return vector / norm if norm > 0 else None
