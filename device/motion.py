"""The motion challenge: where somebody is asked to turn their face to, and what was asked when. Pure.

Rules kept here:
- Three places one after the other, each another than the one before; the first of them is never the middle, where
  every face begins. Of the SEQUENCES that may be asked for, each is as likely as every other.
- Whoever has pictures of all of them still has to know which one is asked for before it is: a guess is right once in
  len(SEQUENCES). That is all that keeps a film out, so motion alone opens no door (docs/liveness.md).
- Who prompts does it with the lights beside the lens: a face turns to the one that is bright, and to the middle when
  none is. Each change is one change of lights, far below the pace of `device.challenge`.
- Before the first prompt both lights burn at rest for LEAD_MS: in that time a face shows its own middle, and no light
  says what comes.

Shared by lock, which draws and prompts, and eye, which asks for it and is told afterwards. Times are CLOCK_MONOTONIC
nanoseconds.
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise, product
from typing import Final

from device.challenge import FULL, LOWEST, MS, REST, SECOND_MS, Lights
from device.wire import Facing, MotionLog

__all__ = [
    "LEAD_MS",
    "LIGHTS",
    "LIMIT_MS",
    "MARGIN_MS",
    "PROMPTS",
    "PROMPT_MS",
    "SEQUENCES",
    "Asked",
    "Facing",
    "Prompted",
    "draw",
    "told",
]

PROMPTS: Final = 3
PROMPT_MS: Final = 1500
"""How long each lasts. A choice: half a second to see it, half a second to turn, and the rest is looked at."""

LEAD_MS: Final = 600
"""How long both lights burn at rest before the first prompt: a little more than what the middle is taken from."""

LIMIT_MS: Final = SECOND_MS + LEAD_MS + PROMPTS * PROMPT_MS + 400
"""How long after it was asked for its log may come: the pace of the lights may make it wait for a second, and each of
four lights be late a little."""

MARGIN_MS: Final = 1000
"""How much of a window has to be left after it: for eye to judge and vault to compare, on a slow board as well."""

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


def told(log: MotionLog) -> Prompted | None:
    """What a log tells; None if no motion challenge looks like that."""
    asked = (log.facing_0, log.facing_1, log.facing_2)
    began_ns = (log.began_0_ns, log.began_1_ns, log.began_2_ns)
    ends_ns = (*began_ns[1:], log.ended_ns)
    lasted = all(end - begin >= PROMPT_MS * MS for begin, end in zip(began_ns, ends_ns, strict=True))
    return Prompted(asked, began_ns, log.ended_ns) if asked in SEQUENCES and lasted else None
