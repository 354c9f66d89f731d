"""Another sitting of a face that is kept: what may be joined to it, and what comes of that.

Rules kept here:
- A face is the mean of all frames of all its sittings. Nothing of a frame is kept for that: as many frames as there
  were, times the length of their mean, times its direction, is their sum.
- A sitting is joined only if its own mean is as alike to the face that is kept as `LIKENESS` says, for a covered one
  `LIKENESS_COVERED`; and only if what comes of it has a threshold among faces of its own kind, that is, if it is no
  more varied than what was measured. Otherwise it is UNLIKE.
- Covered is joined with covered and bare with bare; otherwise it is COVERED_OTHERWISE.
- A face has `MOST_SITTINGS` at most: no more were measured.
- How varied the whole is says how strictly it is compared, as for one sitting. Whether a press is enough for the house
  it does not change: that is read as for one sitting.

Pure: records and vectors in, a record or the reason against it out. All vectors are turned alike (`rotation`).
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from device.vault import record
from device.vault.budget import Thresholds
from device.vault.record import FaceRecord, Vector
from device.wire import Result

MOST_SITTINGS = record.MOST_SITTINGS
# Cosine of the mean of the new sitting with the template that is kept. Measured with the shipped networks on rendered
# sittings of five frames (python -m tools.evaluate sittings): of 116 people, each with press photographs of two days,
# 87.6 % of the second and 96.9 % of the third sittings reach it; of two different people at most 0.002 % do. Of two
# people of the same sex and group, one picture each, 0.01 to 0.16 % do, at most 0.31 % (models/impostor-tail.toml).
LIKENESS = 0.5
# Covered sittings of two people are more alike. Their limit is the least hundredth that no more of them reach, of one
# sex and group and in the worst cloth, than bare ones reach LIKENESS (python -m tools.evaluate covered-sittings).
LIKENESS_COVERED = 0.64


@dataclass(frozen=True, slots=True, eq=False)
class Mean:
    """The mean of `frames` unit vectors: `unit` its direction (128 float32, of length 1), `length` how long it is."""

    unit: Vector
    frames: int
    length: float

    def alike(self, other: Mean, *, covered: bool = False) -> bool:
        """Whether both may be of one person; `covered`: with mouth and nose covered in both."""
        cosine = float(self.unit.astype(np.float64) @ other.unit.astype(np.float64))
        return cosine >= (LIKENESS_COVERED if covered else LIKENESS)

    def joined(self, other: Mean) -> Mean:
        """The mean of the frames of both."""
        one, two = (each.frames * each.length * each.unit.astype(np.float64) for each in (self, other))
        total, frames = one + two, self.frames + other.frames
        norm = float(np.linalg.norm(total))
        return Mean((total / norm).astype(np.float32), frames, norm / frames)


def why_not(kept: FaceRecord, frames: int, thresholds: Thresholds) -> Result | None:
    """Why no sitting of `frames` could be joined to `kept`, whoever's it were; None if one may be."""
    if kept.sittings >= MOST_SITTINGS:
        return Result.ENOUGH_SITTINGS
    if _mean_of(kept, thresholds) is None:
        return Result.NO_FACE
    # However alike they are: where no lengths were measured, every frame counts, and these are more than were measured.
    return None if _compared(_with(kept, kept.frames + frames, 1.0, thresholds), thresholds) else Result.NO_FACE


def joined(kept: FaceRecord, sitting: Mean, thresholds: Thresholds, *, covered: bool = False) -> FaceRecord | Result:
    """`kept` with `sitting`, which is turned as it is; or why that may not be. Its consent is still that of `kept`.

    `covered`: mouth and nose were covered in the sitting.
    """
    if covered is not kept.covered:
        return Result.COVERED_OTHERWISE
    refusal = why_not(kept, sitting.frames, thresholds)
    before = _mean_of(kept, thresholds)
    if refusal is not None or before is None:
        return refusal or Result.NO_FACE
    if not before.alike(sitting, covered=covered):
        return Result.UNLIKE
    whole = before.joined(sitting)
    face = _with(kept, whole.frames, whole.length, thresholds)
    if not _compared(face, thresholds):
        return Result.UNLIKE
    return replace(face, template=record.to_bytes(whole.unit))


def _mean_of(kept: FaceRecord, thresholds: Thresholds) -> Mean | None:
    """None where nothing says how long it was.

    A record from before the length was kept is taken for as long as the means are of as many different pictures as it
    counts for: it was no shorter when that was measured, so what comes of it counts for no fewer than it should.
    """
    length = kept.mean_length or thresholds.length(kept.averaged.worth, covered=kept.covered)
    return None if length is None else Mean(record.vector_of(kept), kept.frames, length)


def _with(kept: FaceRecord, frames: int, length: float, thresholds: Thresholds) -> FaceRecord:
    worth = thresholds.worth(frames, length, covered=kept.covered)
    return replace(kept, frames=frames, worth=worth, length=record.length_kept(length), sittings=kept.sittings + 1)


def _compared(face: FaceRecord, thresholds: Thresholds) -> bool:
    """Whether it would be told from strangers, with a flat number at least."""
    return thresholds.heights((face.averaged,), 1, covered=face.covered) is not None
