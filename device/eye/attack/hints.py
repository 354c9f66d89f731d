"""A passive hint: a frame that was there before. It can only refuse, and says nothing for anybody.

Rules kept here:
- A sensor has noise: two exposures of one scene are never equal to the last bit. Two frames of one challenge that are
  (a photograph played as a stream, a stream that stands still, a film that begins anew, or one that is played with more
  pictures a second than it has) come from no sensor that looks at somebody.
- What holds no noise says nothing: a frame that is black or burnt out nearly all over is not held against anybody.
- A frame leaves a number of 64 bits here, made with a key that this process drew when it began, and `begin` drops all.

What it cannot see: a film that is longer than a challenge, a picture with noise of its own making, a screen or a print
before the lens, which a real sensor sees with real noise. It costs an attacker one line of code; it is here because a
stream that stands still is what most tools for injecting give, and because it costs a person nothing.

Whom it refuses wrongly: everybody at a camera that hands out one exposure twice (some do in the dark, to keep their
rate), and nobody else: measured in docs/liveness.md with `python -m tools.evaluate passive`.
"""

from __future__ import annotations

from typing import Final

import numpy as np

from device.eye.pixels import Picture

EVERY_ROW: Final = 16
"""Every how many rows one is looked at, from edge to edge: 30 of 480, 57,600 values, and four or more of the smallest
face that is compared (28 pixels between the eyes). A choice."""

NOISY: Final = 0.1
"""The share of values between black and full below which a frame says nothing, of one value in eight that are looked
at. A choice: what is left is some thousand values with noise, and a face that eye compares has more."""

_EVERY_VALUE: Final = 8


class Repeats:
    """What was seen in one approach, its light and its motion challenge; `begin` starts the next."""

    def __init__(self) -> None:
        self._seen: set[int] = set()

    def again(self, main: Picture) -> bool:
        """Whether `main` (H x W x 3) is a frame that was there before since `begin`."""
        rows = main[::EVERY_ROW].reshape(-1)
        some = rows[::_EVERY_VALUE]
        if np.count_nonzero(some - np.uint8(1) < np.uint8(254)) < NOISY * some.size:  # 0 becomes 255: left are 1 to 254
            return False
        mark = hash(rows.tobytes())
        if mark in self._seen:
            return True
        self._seen.add(mark)
        return False

    def begin(self) -> None:
        """Forget what was seen."""
        self._seen.clear()
