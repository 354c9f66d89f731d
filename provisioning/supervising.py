"""Whether a door's test alarms still arrive: then a real one would.

Rules kept here:
- Counted is the time in which the door's reports came and no test did. While the door, the broker or the watch is away,
  nothing is counted: whoever misses the reports hears of that anyway.
- Only of a door whose newest choice says that it sends tests to the key in hand. It may not have applied it yet.
- Everything is forgotten with the process: a list of when a door was heard would be a diary (`watching`).
"""

from __future__ import annotations

from dataclasses import dataclass, field

from device.document import Telling
from device.wire import NO_ALARM_KEY, Profile

DAY_S = 86_400.0
TESTS_A_DAY = 32.0
"""On average, at random (device.report.alarm_tests)."""
QUIET_S = DAY_S / 2
"""The probability of so long without any is exp(-32 / 2), less than one in a million."""
BETWEEN_S = 3600.0
"""Reports further apart than this tell that a door was away in between; the rest of the gap counts for nothing."""


def sends_tests(telling: Telling | None) -> bool:
    """Whether a door that was told to tell this sends test alarms."""
    return telling is not None and telling.profile is Profile.BUILDING and telling.alarm_key != NO_ALARM_KEY


@dataclass(slots=True)
class _Quiet:
    """One door: when its last report came, how long reports have come without a test, and when that is told."""

    report_s: float
    for_s: float = 0.0
    told_at_s: float = QUIET_S


@dataclass(slots=True)
class Supervision:
    """Every door that was heard in this process. Times are seconds of one clock."""

    _doors: dict[str, _Quiet] = field(default_factory=dict)

    def tested(self, door_id: str) -> None:
        """A test came."""
        self._doors.pop(door_id, None)

    def interrupted(self) -> None:
        """The watch itself heard nothing for a while: what was counted may have been answered meanwhile."""
        self._doors.clear()

    def reported(self, door_id: str, now_s: float) -> float | None:
        """A report came. For how many seconds no test did, if that is to be told now: once, then once a day."""
        quiet = self._doors.setdefault(door_id, _Quiet(now_s))
        quiet.for_s += min(max(now_s - quiet.report_s, 0.0), BETWEEN_S)
        quiet.report_s = now_s
        if quiet.for_s < quiet.told_at_s:
            return None
        quiet.told_at_s = quiet.for_s + DAY_S
        return quiet.for_s
