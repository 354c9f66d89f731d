"""Doors that break the rule in one way each. The attackers must catch every one of them, or they prove nothing.

The coarsest one, a message at every passage, is among the references (`voices.ExactTimes`).
"""

from __future__ import annotations

from dataclasses import replace

from device.report.envelope import Envelope
from device.report.teller import Message
from device.wire import SEALED_FLAGS
from tools.anonymity.door import DOOR
from tools.anonymity.habits import DAY_S
from tools.anonymity.lock import Known
from tools.anonymity.voices import OPENED, PASSED, Building, Unkeyed, alarm_for_nobody

BEHIND_S = 0.01
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


class LockoutAtOnce(Unkeyed):
    """A lockout is an alarm, and there is no key and no test."""

    def overhear(self, what: Known, now_s: float) -> Message | None:
        """Raise it."""
        if what is not Known.LOCKED_OUT:
            return None
        return Message(f"doorward/{DOOR}/alarm", alarm_for_nobody())


class FlagsInTheOpen(Building):
    """Whether the camera is well and whether somebody was locked out is told to everybody."""

    def encode(self, said: Envelope) -> bytes:
        """A report without its seal."""
        return super().encode(said if said.health is None else replace(said, sealed=""))


class SealedOnce(Building):
    """The flags are sealed, but not anew: the same flags are the same letters."""

    def __init__(self, run: str) -> None:
        self._letters: dict[bytes, str] = {}
        super().__init__(run)

    def sealed(self, content: bytes, alarm_key: bytes) -> str:
        """Those of the time before."""
        letters = super().sealed(content, alarm_key)
        return self._letters.setdefault(content, letters) if content[0] == SEALED_FLAGS else letters


class LongerTests(Building):
    """A test is one byte longer than an alarm."""

    def test(self, now_s: float) -> Message | None:
        """Longer than it should be."""
        said = super().test(now_s)
        return None if said is None else Message(said.topic, said.payload + b" ")


class GriddedTests(Building):
    """A test goes right behind a report, where no alarm ever goes but by chance."""

    _behind_s: float | None = None

    @property
    def due_s(self) -> float:
        """The next report, or what goes behind the last one."""
        return self.teller.due_s if self._behind_s is None else self._behind_s

    def report(self, now_s: float) -> Message | None:
        """The report, and at the next call the test that came due since the one before."""
        if self._behind_s is not None:
            self._behind_s = None
            return self.test(now_s)
        said, due_s = self.teller.report(now_s, 0), self.teller.tests.due_s
        if said is not None and due_s is not None and due_s <= now_s:
            self._behind_s = now_s + BEHIND_S
        return said


class NoTestsForNobody(Building):
    """A day after the last person passed the tests end, as nobody is there who would need cover."""

    passed_s = -DAY_S

    def overhear(self, what: Known, now_s: float) -> Message | None:
        """Remember when."""
        self.passed_s = now_s if what in PASSED else self.passed_s
        return None

    def test(self, now_s: float) -> Message | None:
        """Left out, if the house is empty."""
        said = super().test(now_s)
        if now_s - self.passed_s <= DAY_S:
            return said
        self.teller._sequence -= said is not None  # noqa: SLF001  # it was not said
        return None
