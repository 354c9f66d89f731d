"""Doors that break the rule in one way each. The attackers must catch every one of them, or they prove nothing.

The coarsest one, a message at every passage, is among the references (`voices.ExactTimes`).
"""

from __future__ import annotations

from device.report.envelope import Envelope
from device.report.teller import Message
from tools.anonymity.door import DOOR
from tools.anonymity.lock import Known
from tools.anonymity.voices import OPENED, Building, alarm_for_nobody

_LONGER = {Known.OPENED_BY_FACE: 1, Known.OPENED_BY_PIN: 2, Known.OPENED_BY_CARD: 3}


class SizeByMethod(Building):
    """The next report is longer by a byte or three, by the method of the last opening."""

    longer = 0

    def overhear(self, what: Known, now_s: float) -> Message | None:
        """Remember the method."""
        self.longer = _LONGER.get(what, self.longer)
        return None

    def encode(self, said: Envelope) -> bytes:
        """Longer than it should be."""
        longer, self.longer = self.longer, 0
        return super().encode(said) + b" " * longer


class SequenceCountsOpenings(Building):
    """The number of messages counts openings besides."""

    def overhear(self, what: Known, now_s: float) -> Message | None:
        """Count where it does not belong."""
        self.teller._sequence += what in OPENED  # noqa: SLF001  # the leak is made inside on purpose
        return None


class SpeaksEarly(Building):
    """A report is sent a few seconds after somebody opened; the grid goes on behind it."""

    def overhear(self, what: Known, now_s: float) -> Message | None:
        """Bring the report forward."""
        if what in OPENED:
            self.teller.due_s = min(self.teller.due_s, now_s + 5.0)
        return None


class LockoutAtOnce(Building):
    """A lockout is an alarm."""

    def overhear(self, what: Known, now_s: float) -> Message | None:
        """Raise it."""
        if what is not Known.LOCKED_OUT:
            return None
        return Message(f"doorward/{DOOR}/alarm", alarm_for_nobody())
