"""How often something before the lens was called an attack, and when that is too often for a face alone to open.

Rules kept here:
- What passes one window in a hundred and fifty passes in an evening of presses. So attacks are counted: after
  `MOST_ATTACKS` within a day a face needs its PIN besides, until the oldest of them is a day old.
- Nobody is kept out by a picture in somebody else's hand: PIN and card open as ever, and a face still saves the number.
- Only what eye calls an attack counts. Doubt happens to people: it counts nothing, and neither does a stranger.
- What is kept are moments, and no more of them than are counted; whom the picture showed is not known here. They are in
  memory alone, and in no log: it would tell that somebody was taken for a picture, and when.

docs/liveness.md says what that leaves to whoever is patient.
"""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass, field
from typing import Final

MOST_ATTACKS: Final = 10
DAY_NS: Final = 86_400_000_000_000


@dataclass(slots=True)
class Patience:
    """Moments are CLOCK_MONOTONIC nanoseconds."""

    _attacks: deque[int] = field(default_factory=lambda: deque(maxlen=MOST_ATTACKS), repr=False)

    def tried(self, now_ns: int) -> None:
        """Something was called an attack."""
        self._attacks.append(now_ns)

    def is_over(self, now_ns: int) -> bool:
        """Whether a face alone opens nothing at this moment."""
        return len(self._attacks) == MOST_ATTACKS and now_ns - self._attacks[0] < DAY_NS
