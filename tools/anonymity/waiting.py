"""Two ways of speaking that the product does not have: an alarm of a door held open that waits for the report.

Rules kept here:
- Only that one kind waits; every other alarm goes at once, as ever.
- A message has its number when it is said: it counts in the sequence like any other, and nothing is hidden.
"""

from __future__ import annotations

from device.report.teller import Message
from device.wire import OccurrenceKind
from tools.anonymity.voices import Building

BEHIND_S = 0.01  # a second message of the same moment


class HeldWaits(Building):
    """The alarm goes right behind the next report, whether or not the door still stands open."""

    def __init__(self, run: str) -> None:
        super().__init__(run)
        self.held = False
        self._behind_s: float | None = None

    @property
    def due_s(self) -> float:
        """The next report, or what goes behind the last one."""
        return self.teller.due_s if self._behind_s is None else self._behind_s

    def report(self, now_s: float) -> Message | None:
        """The report, and at the next call what waited for it."""
        if self._behind_s is not None:
            self._behind_s = None
            return self.teller._alarm(OccurrenceKind.HELD_OPEN, 0)  # noqa: SLF001 - the product never says it here
        said = super().report(now_s)
        if said is not None and self.held:
            self.held, self._behind_s = False, now_s + BEHIND_S
        return said

    def hear(self, kind: OccurrenceKind, now_s: float) -> Message | None:
        """An alarm that may wait does, and takes its number when it is said."""
        said = super().hear(kind, now_s)
        if kind is OccurrenceKind.HELD_OPEN and said is not None:
            self.held = True
            self.teller._sequence -= 1  # noqa: SLF001 - it was not said
            return None
        return said


class HeldIfItStands(HeldWaits):
    """The alarm goes right behind the next report if the door still stands open then; otherwise nobody hears of it."""

    def hear(self, kind: OccurrenceKind, now_s: float) -> Message | None:
        """What is over is forgotten."""
        said = super().hear(kind, now_s)
        if kind is OccurrenceKind.ALARM_CLEARED:
            self.held = False
        return said
