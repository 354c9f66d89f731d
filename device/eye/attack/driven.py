"""What lock says it drove, read as one of the codes it may draw. Pure.

Rules kept here:
- A log counts only if it is what a drawn code looks like: its lights in its order, each at its moment or a bit late.
  Everything that follows rests on the code having been drawn, so what cannot have been drawn is not judged.
- Which light burnt when is taken from the log, not from the code: lock may be late, and says so.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Final

import numpy as np
import numpy.typing as npt

from device.challenge import FULL, LAST_MS, MS, Code, Lights, codes_after, kind_of
from device.wire import ChallengeLog

Floats = npt.NDArray[np.floating[Any]]

LATE_MS: Final = 19
"""How late lock may have driven a change: below half of the least step between two codes (40 ms), so that at most one
of them fits."""


@dataclass(frozen=True, slots=True)
class Driven:
    """A log that fits `codes[which]`. Three changes at `at_ns` to `lights[1:]`; `lights[0]` burnt before."""

    codes: tuple[Code, ...]
    which: int
    began_ns: int
    at_ns: tuple[int, int, int]
    ended_ns: int
    lights: tuple[Lights, Lights, Lights, Lights]

    def changes(self) -> tuple[Floats, Floats]:
        """By how many levels each change moved the left and the right light, (3,) each."""
        levels = np.array([(light.left, light.right) for light in self.lights], float)
        steps = np.diff(levels, axis=0)
        return steps[:, 0], steps[:, 1]


def driven(log: ChallengeLog) -> Driven | None:
    """`log` as a code that may be drawn, or None if there is none that it fits."""
    lights = (
        Lights(log.left_0, log.right_0),
        Lights(log.left_1, log.right_1),
        Lights(log.left_2, log.right_2),
        Lights(log.left_3, log.right_3),
    )
    if any(max(light.left, light.right) > FULL for light in lights):
        return None
    at_ns = (log.at_1_ns, log.at_2_ns, log.at_3_ns)
    codes = codes_after(kind_of(lights[0]))
    for which, code in enumerate(codes):
        if code.lights == lights[1:] and _fits(code, log.began_ns, at_ns, log.ended_ns):
            return Driven(codes, which, log.began_ns, at_ns, log.ended_ns, lights)
    return None


def _fits(code: Code, began_ns: int, at_ns: tuple[int, int, int], ended_ns: int) -> bool:
    late_ms = [(at - began_ns) / MS - offset for at, offset in zip(at_ns, code.offsets_ms, strict=True)]
    lasted_ms = (ended_ns - at_ns[2]) / MS
    return all(-1 <= late <= LATE_MS for late in late_ms) and LAST_MS - LATE_MS - 1 <= lasted_ms <= 2 * LAST_MS
