"""What averaging costs and buys, for every number of enrolment pictures and frames a door may be set to.

Rules kept here:
- People with 8 or more pictures; 9 enrolment pictures need 12. The count of people is written beside each figure.
- How long the mean of so many different pictures is, before it is brought back to length 1, is measured too: the more
  alike pictures are, the longer. From that a door learns how many pictures its frames of one sitting are worth.
- Figures between two measured modes are not interpolated: the door takes the larger shift and the larger refusal.
"""

from __future__ import annotations

import numpy as np
from rich.progress import track

from tools.evaluate import averaging
from tools.evaluate.files import Mode
from tools.evaluate.gather import Floats, Gallery
from tools.evaluate.tail import THRESHOLDS

LEAST = 8
MODES = tuple((enrolled, frames) for enrolled in (2, 3, 5, 9) for frames in (1, 2, 3))
DRAWS = 30
RESAMPLES = 300


def measure(faces: Gallery, wanted: tuple[tuple[int, int], ...] = MODES) -> list[Mode]:
    """Every mode of `wanted` on the people of `faces`."""
    modes = []
    single: dict[int, averaging.Strangers] = {}
    for enrolled, frames in track(wanted, description="averaging"):
        least = max(LEAST, enrolled + frames)
        people = averaging.with_pictures(faces, least)
        if least not in single:
            single[least] = averaging.strangers(people, 1, 1, DRAWS, seed=1)
        several = averaging.strangers(people, enrolled, frames, DRAWS, seed=2)
        shifts = tuple(averaging.shifts(single[least], several, RESAMPLES, seed=3))
        modes.append(_mode(people, enrolled, frames, shifts))
    return modes


def _mode(people: list[Floats], enrolled: int, frames: int, shifts: tuple[averaging.Shift, ...]) -> Mode:
    scores = averaging.genuine(people, enrolled, frames, DRAWS, seed=4)
    # A score at the threshold is a match (device/vault/gallery.py), so refused is what lies strictly below.
    refused = np.searchsorted(scores, THRESHOLDS, side="left") / len(scores)
    length = averaging.mean_length(people, enrolled, DRAWS, seed=2)
    return Mode(enrolled, frames, len(people), len(scores) // DRAWS, shifts, refused, length)
