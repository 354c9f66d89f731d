"""Which face counts: the largest one in range, and only if it stands alone.

Rules kept here:
- Faces too far away are dropped here, before a crop or an embedding of them exists; so are those too near.
- Two faces of like size are a question nobody answered: neither is looked at. While enrolling, two in range are, of
  whatever size: a face that is kept is worth asking whoever stands behind to step aside.
- Distances are between the eyes, in pixels of the main plane.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from device.eye.detector import Face
from device.wire import Hint

# A choice, not a measurement: somebody with this share of the eye distance stands 1 / 0.7 = 1.4 times as far away, more
# than a pace behind a person who is at arm's length.
COMPARABLE: Final = 0.7


@dataclass(frozen=True, slots=True)
class Range:
    """The eye distances, in pixels of the main plane, at which a face is looked at; both included."""

    min_px: float
    max_px: float


def choose(faces: Sequence[Face], within: Range, *, alone: bool = False) -> Face | Hint:
    """The face to look at, or what the person in front could do. `faces` in pixels of the main plane.

    `alone`: nobody else may be in range.
    """
    if not faces:
        return Hint.NOBODY
    largest = max(faces, key=lambda face: face.eye_distance_px)
    if largest.eye_distance_px > within.max_px:
        return Hint.STEP_BACK
    if largest.eye_distance_px < within.min_px:
        return Hint.COME_CLOSER
    comparable_px = COMPARABLE * largest.eye_distance_px
    nearest_other = min(within.min_px, comparable_px) if alone else comparable_px
    others = (face for face in faces if face is not largest)
    if any(face.eye_distance_px >= nearest_other for face in others):
        return Hint.ONE_PERSON_ONLY
    return largest
