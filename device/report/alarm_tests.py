"""When a door sends a test alarm, which tells the holder of the alarm key, and nobody else, that nothing happened.

Rules kept here:
- Only a BUILDING with an alarm key sends any. Without a key nobody could tell them from alarms; at HOME the live state
  tells more than they could hide.
- The gaps are exponential and drawn from the system's random source. The next moment follows from nothing: not from the
  last one, an alarm, a start, the broker, or what people do. So nothing is kept on disk, and a restart shows nothing.
- None is ever left out. Not for an empty house, or a quiet week would be an empty one; not while the broker is away or
  the outbox full, or whoever cuts a door off would find nothing but real alarms in what waited.
- None costs a real alarm its place: the outbox has room for them beside what it keeps otherwise (`room`).

Alarm systems have long sent periodic tests to show that the way to whoever receives their alarms works (event 602 of
SIA DC-05, Contact ID; supervision of the link: ANSI/SIA DC-09-2013, 5.5.2). These do the same, at moments that nobody
can foresee. What they hide was measured: docs/anonymity.md.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass, field
from random import SystemRandom

DAY_S = 86_400.0
A_DAY = 32.0
"""On average: a third of what reports are. So many hide that twenty people hold a door open now and then; measured with
8 to 96 (docs/anonymity.md). The same in every house: a number that followed from who lives there would tell of it."""
MEAN_S = DAY_S / A_DAY


@dataclass(slots=True)
class AlarmTests:
    """The moments of a door's tests, in seconds of one monotonic clock; `due_s` is the next one, None: there is none.

    `chance` gives numbers evenly from 0 up to 1, without 1; `mean_s` is the mean gap.
    """

    chance: Callable[[], float] = field(default_factory=lambda: SystemRandom().random)
    mean_s: float = MEAN_S
    due_s: float | None = None

    def wanted(self, now_s: float, *, on: bool) -> None:
        """Send tests from now on, or none. Said again, it moves nothing."""
        if not on:
            self.due_s = None
        elif self.due_s is None:
            self.due_s = now_s + self._gap_s()

    def take(self, now_s: float) -> bool:
        """Whether one goes now. The next one is drawn from now on, however many moments were missed."""
        if self.due_s is None or now_s < self.due_s:
            return False
        self.due_s = now_s + self._gap_s()
        return True

    def _gap_s(self) -> float:
        return -self.mean_s * math.log1p(-self.chance())


def room(rows: int, cadence_s: float) -> int:
    """How many rows more an outbox of `rows` needs so that it keeps for as long with tests as without.

    As many tests as come while `rows` reports do, and so many more that they suffice in all but one in 10^7 cases: a
    Poisson number is x above its mean m with a probability of at most exp(-x^2 / (2 (m + x/3))) (Bernstein's bound).
    """
    mean = rows * cadence_s / MEAN_S
    return math.ceil(mean + 6 * math.sqrt(mean) + 12)
