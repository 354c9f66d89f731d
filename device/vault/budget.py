"""What a face may cost: the threshold that was measured, and how often a probe may fail.

Rules kept here:
- Face does not run without a measured operating point: no threshold is typed into a program or a configuration.
- The lock asks at most three times a window. Should eye be taken over and probe by itself, at most two windows' worth
  of probes may fail in 20 s; after that every probe is refused without a comparison. A probe that succeeds is free:
  it opened the door anyway.
- The limit says nothing outside: a probe refused by it looks like every other refusal.
"""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass, field

from device.errors import ModelRefused
from device.manifest import ModelEntry

APPROACHES_PER_WINDOW = 3  # docs/rules.md, rule 7
WINDOW_NS = 10_000_000_000  # docs/rules.md, rule 2
# Two windows, because two people in a row may each need three approaches.
FAILURES_ALLOWED = 2 * APPROACHES_PER_WINDOW
FAILURES_SPAN_NS = 2 * WINDOW_NS


def measured_threshold(embedder: ModelEntry) -> float:
    """The cosine at and above which a comparison of averages is a match.

    It is the operating point's threshold plus what averaging shifts strangers by: vault compares the mean of an
    enrolment with the mean of an approach. Raises ModelRefused without a measured operating point.
    """
    point = embedder.operating_point
    if point is None:
        raise ModelRefused("face does not start without a measured operating point of its model in the manifest")
    threshold = point.threshold + point.averaging_shift
    if not 0.0 < point.threshold <= threshold < 1.0 or not 0.0 < point.fmr < 1.0:
        raise ModelRefused("face does not start: the operating point of its model is none that could be measured")
    return threshold


@dataclass(slots=True)
class FailureLimit:
    """When the last few probes failed."""

    _failed_ns: deque[int] = field(default_factory=lambda: deque(maxlen=FAILURES_ALLOWED))

    def charge(self, now_ns: int) -> bool:
        """Pay for one comparison before it is made; False if there is none left."""
        if len(self._failed_ns) == FAILURES_ALLOWED and now_ns - self._failed_ns[0] < FAILURES_SPAN_NS:
            return False
        self._failed_ns.append(now_ns)
        return True

    def refund(self) -> None:
        """The comparison that was paid for last was a match."""
        self._failed_ns.pop()
