"""The motion challenge: where somebody is asked to turn their face to, and what was asked when. Pure.

Rules kept here:
- Three places one after the other, each another than the one before; the first of them is never the middle, where
  every face begins. Of the SEQUENCES that may be asked for, each is as likely as every other.
- Whoever has pictures of all of them still has to know which one is asked for before it is: a guess is right once in
  len(SEQUENCES). That is all that keeps a film out, so motion alone opens no door (docs/liveness.md).
- Who prompts does it with the lights beside the lens: a face turns to the one that is bright, and to the middle when
  none is. Each change is one change of lights, far below the pace of `device.challenge`.

Not used by the door yet: lock does not ask, and eye does not look for an answer. Times are CLOCK_MONOTONIC nanoseconds.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum, auto, unique
from itertools import pairwise, product
from typing import Final

from device.challenge import FULL, LOWEST, REST, Lights


@unique
class Facing(Enum):
    """Where a face is turned to, as the person says it: their own left and right."""

    LEFT = auto()
    MIDDLE = auto()
    RIGHT = auto()


PROMPTS: Final = 3
PROMPT_MS: Final = 1500
"""How long each lasts. A choice: half a second to see it, half a second to turn, and the rest is looked at."""

Asked = tuple[Facing, Facing, Facing]

SEQUENCES: Final[tuple[Asked, ...]] = tuple(
    (one, two, three)
    for one, two, three in product(Facing, repeat=PROMPTS)
    if all(before is not after for before, after in pairwise((Facing.MIDDLE, one, two, three)))
)
"""All that may be asked for, in a fixed order: 2 x 2 x 2."""

LIGHTS: Final[dict[Facing, Lights]] = {
    Facing.LEFT: Lights(FULL, LOWEST),
    Facing.MIDDLE: REST,
    Facing.RIGHT: Lights(LOWEST, FULL),
}
"""What prompts for it; `left` is left of the lens for who looks into it."""


@dataclass(frozen=True, slots=True)
class Prompted:
    """What was asked, told afterwards: `began_ns` when each prompt began, `ended_ns` when the last one ended."""

    asked: Asked
    began_ns: tuple[int, int, int]
    ended_ns: int

    def spans(self) -> tuple[tuple[Facing, int, int], ...]:
        """Each prompt with its beginning and its end."""
        ends = (*self.began_ns[1:], self.ended_ns)
        return tuple(zip(self.asked, self.began_ns, ends, strict=True))


def draw(fresh: bytes) -> Asked:
    """One of SEQUENCES; `fresh` is 16 random bytes that nobody else has seen."""
    return SEQUENCES[int.from_bytes(fresh, "little") % len(SEQUENCES)]  # 2**128 is a multiple of their number
