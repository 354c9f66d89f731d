"""When reports are due: a grid in time that nothing which happens can move.

Rules kept here:
- The grid depends on the door's id, the configured cadence and the machine's monotonic clock; there is no argument
  through which an occurrence, a restart or the broker could reach it.
- The phase differs from door to door, so that a fleet does not speak in one breath, and tells nothing but the id.
"""

from __future__ import annotations

import hashlib
import math
from functools import cache


@cache
def phase_s(door: str, cadence_s: float) -> float:
    """Where in the cadence the door `door` reports: from 0 up to `cadence_s`, evenly spread over ids."""
    digest = hashlib.sha256(b"doorward report phase " + door.encode()).digest()
    return int.from_bytes(digest[:6], "big") / 2**48 * cadence_s


def next_due_s(now_s: float, cadence_s: float, phase: float) -> float:
    """The first moment of the grid after `now_s` (the same clock, seconds)."""
    steps = math.floor((now_s - phase) / cadence_s) + 1
    due = phase + steps * cadence_s
    # A float may round the next moment down to now itself; "after" must stay true, or the caller would spin.
    return due if due > now_s else phase + (steps + 1) * cadence_s
