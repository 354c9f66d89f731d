"""The light challenge: what lock may draw, at which pace lamps may change, and what was driven when. Pure.

Rules kept here:
- Of all codes that may follow the lights that burn, each is as likely as every other: eye's test rests on that alone
  (docs/liveness.md). Whoever prepares pictures in advance, or plays an earlier challenge, has to guess one.
- In no second do the lights change more than three times, whatever asks for it: challenges, windows, their ends. Both
  lamps at one moment are one change. (WCAG 2.2, success criterion 2.3.1, allows three flashes, which are six changes.)
- In a window no lamp is dark: "dark" is the lowest level of both. The brightest is three times as bright, so that the
  light is modulated by at most one half (Michelson).
- At rest both lamps burn at the middle level: a camera's exposure, held since then, leaves room above it.
- A challenge has four lights, dark, left, right and both, in some order; the first of them burns already.

Shared by lock, which draws and drives, and eye, which is told afterwards. Levels are 0 (off) to 3, in steps of equal
brightness; times are CLOCK_MONOTONIC nanoseconds.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum, auto, unique
from functools import lru_cache
from itertools import permutations, product
from typing import Final

MS: Final = 1_000_000
FULL: Final = 3
LOWEST: Final = 1
BRIGHT: Final = (2, 3)
DELAYS_MS: Final = (100, 150, 200, 250)  # from the beginning to the first change: what burns before is seen as well
LASTS_MS: Final = (220, 260, 300)  # of the first two lights: at 15 frames a second three frames at least
LAST_MS: Final = 260  # of the third: its end is not drawn, nothing is learned from it
CHANGES: Final = 3  # in any second, and in a challenge
SECOND_MS: Final = 1000


@dataclass(frozen=True, slots=True)
class Lights:
    """The levels of the two lamps, as seen from the camera's side: `left` is left of the lens for who looks into it."""

    left: int
    right: int


OFF: Final = Lights(0, 0)
REST: Final = Lights(2, 2)
"""What burns in a window: the middle, so that a camera that set itself to it has room above for the brightest."""


@unique
class Kind(Enum):
    """Which lamps stand out."""

    DARK = auto()
    LEFT = auto()
    RIGHT = auto()
    BOTH = auto()


def kind_of(lights: Lights) -> Kind:
    """Which lamps of `lights` stand out; what is off counts as dark."""
    left, right = lights.left > LOWEST, lights.right > LOWEST
    if left and right:
        return Kind.BOTH
    if left:
        return Kind.LEFT
    return Kind.RIGHT if right else Kind.DARK


def lights_of(kind: Kind) -> tuple[Lights, ...]:
    """All lights of a kind."""
    lefts = BRIGHT if kind in (Kind.LEFT, Kind.BOTH) else (LOWEST,)
    rights = BRIGHT if kind in (Kind.RIGHT, Kind.BOTH) else (LOWEST,)
    return tuple(Lights(left, right) for left, right in product(lefts, rights))


@dataclass(frozen=True, slots=True)
class Code:
    """What is drawn: three lights, when the first begins, and how long the first two last."""

    delay_ms: int
    lights: tuple[Lights, Lights, Lights]
    lasts_ms: tuple[int, int]

    @property
    def offsets_ms(self) -> tuple[int, int, int]:
        """When each light begins, after the beginning of the challenge."""
        second = self.delay_ms + self.lasts_ms[0]
        return self.delay_ms, second, second + self.lasts_ms[1]

    @property
    def length_ms(self) -> int:
        """Until the third light has lasted."""
        return self.offsets_ms[2] + LAST_MS


@lru_cache(maxsize=len(Kind))
def codes_after(kind: Kind) -> tuple[Code, ...]:
    """Every code that may be drawn while lights of `kind` burn, in a fixed order."""
    others = tuple(other for other in Kind if other is not kind)
    return tuple(
        Code(delay, (one, two, three), (first, second))
        for order in permutations(others)
        for one, two, three in product(*(lights_of(each) for each in order))
        for delay, first, second in product(DELAYS_MS, LASTS_MS, LASTS_MS)
    )


def draw(fresh: bytes, before: Lights) -> Code:
    """One of the codes that may follow `before`; `fresh` is 16 random bytes that nobody else has seen."""
    codes = codes_after(kind_of(before))
    return codes[int.from_bytes(fresh, "little") % len(codes)]  # 2**128 codes' worth of luck: no code is favoured


def may_change_ns(changed_ns: tuple[int, ...]) -> int:
    """From when on the lights may change once more, after changes at `changed_ns` (ascending)."""
    return changed_ns[-CHANGES] + SECOND_MS * MS if len(changed_ns) >= CHANGES else 0


def may_begin_ns(now_ns: int, changed_ns: tuple[int, ...]) -> int:
    """From when on a challenge may begin, so that every code keeps the pace, after changes at `changed_ns`."""
    soonest_ms = (DELAYS_MS[0], DELAYS_MS[0] + LASTS_MS[0], DELAYS_MS[0] + 2 * LASTS_MS[0])
    begins_ns = now_ns
    for back, offset_ms in zip(range(CHANGES, 0, -1), soonest_ms, strict=True):
        if len(changed_ns) >= back:
            begins_ns = max(begins_ns, changed_ns[-back] + (SECOND_MS - offset_ms) * MS)
    return begins_ns
