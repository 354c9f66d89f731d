"""How a door speaks: the product's profiles, and the two that it refuses to have, as references.

Rules kept here:
- Everything the tools use of what report says is used here.
- `Building` is the Teller as it is, with an alarm key: it sends test alarms. They are drawn from the run's own seed, as
  are the 64 bytes of everything sealed, which without the key nobody tells from random ones.
- What lock knows and does not tell (`Known`) reaches it by a method that does nothing: that is where the others of this
  file, and most of the seeded leaks (`leaks`), break the rule.
"""

from __future__ import annotations

import base64
import json
from dataclasses import replace
from typing import ClassVar

import numpy as np

from device import wire
from device.lock import daily_count
from device.report import envelope, seal, state
from device.report.alarm_tests import A_DAY, AlarmTests
from device.report.envelope import SIZE, Envelope
from device.report.teller import Identity, Message, Teller
from device.wire import NO_ALARM_KEY, OccurrenceKind, Profile
from tools.anonymity.door import CADENCE_S, DOOR
from tools.anonymity.habits import DAY_S
from tools.anonymity.lock import Known
from tools.anonymity.spliced import Encoder

EPSILON_MILLI = 500
A_KEY = bytes((9,)).ljust(32, b"\0")  # the base point of RFC 7748; nothing is sealed to it here
_BOX_BYTES = seal.LETTERS // 4 * 3 - 2
_BOXES = 64  # drawn at once: one by one they would take a fifth of the whole time
OPENED = frozenset({Known.OPENED_BY_FACE, Known.OPENED_BY_PIN, Known.OPENED_BY_CARD})
_TURNS = {
    Known.DOOR_OPEN: {"open": True},
    Known.DOOR_CLOSED: {"open": False},
    Known.GRANTED: {"granted": True},
    Known.SECURED: {"granted": False},
}
PASSED = OPENED | {Known.WENT_OUT}


class Building:
    """The default profile: what is told is what `device.report.teller` makes of what lock tells.

    `tests_a_day`: how many test alarms on average; 0 is a door without an alarm key.
    """

    tests_a_day: ClassVar[float] = A_DAY
    profile: ClassVar[Profile] = Profile.BUILDING

    def __init__(self, run: str) -> None:
        moments, self._draw_boxes = np.random.default_rng(int(run, 16)).spawn(2)
        self._boxes = b""
        self._encode = Encoder()
        tests = AlarmTests(moments.random, DAY_S / self.tests_a_day if self.tests_a_day else DAY_S)
        me = Identity(DOOR, run, "0.1.0")
        self.teller = Teller(me, CADENCE_S, 0.0, encode=self.encode, seal=self.sealed, tests=tests)
        self.teller.lock_is(present=True)
        self.teller.chosen(self.profile, A_KEY if self.tests_a_day else NO_ALARM_KEY, 0.0)

    @property
    def due_s(self) -> float:
        """When the next report or test is due."""
        test_s = self.teller.tests.due_s
        return self.teller.due_s if test_s is None else min(self.teller.due_s, test_s)

    def report(self, now_s: float) -> Message | None:
        """The report or the test that is due."""
        return self.teller.report(now_s, 0) or self.test(now_s)

    def test(self, now_s: float) -> Message | None:
        """The test, if it is due."""
        return self.teller.test(now_s, 0)

    def hear(self, kind: OccurrenceKind, now_s: float) -> Message | None:
        """What lock tells report."""
        return self.teller.hear(kind, now_s, 0)

    def overhear(self, what: Known, now_s: float) -> Message | None:
        """What lock never tells report: nothing comes of it."""
        return None

    def encode(self, said: Envelope) -> bytes:
        """The bytes of a message."""
        return self._encode(said)

    def sealed(self, content: bytes, alarm_key: bytes) -> str:
        """The letters of something sealed."""
        if not self._boxes:
            self._boxes = self._draw_boxes.bytes(_BOX_BYTES * _BOXES)
        box, self._boxes = self._boxes[:_BOX_BYTES], self._boxes[_BOX_BYTES:]
        return base64.b64encode(box).decode("ascii")


class Unkeyed(Building):
    """The default profile without an alarm key: there are no tests."""

    tests_a_day = 0.0


class TwoADay(Building):
    """The default profile with few tests."""

    tests_a_day = 2.0


class EightADay(Building):
    """The default profile with a quarter of its tests."""

    tests_a_day = 8.0


OTHER_RATES = (TwoADay, EightADay)


class QuarterCounts(Building):
    """Forbidden: each report says how many people passed since the last one."""

    passed = 0

    def overhear(self, what: Known, now_s: float) -> Message | None:
        """Count."""
        self.passed += what in PASSED
        return None

    def encode(self, said: Envelope) -> bytes:
        """The envelope, and the count in it."""
        told = json.loads(super().encode(said))
        if said.health is not None:
            told["passed"], self.passed = self.passed, 0
        return json.dumps(told, separators=(",", ":")).encode().ljust(SIZE)


class ExactTimes(Building):
    """Forbidden: a message at the moment at which somebody passes."""

    def overhear(self, what: Known, now_s: float) -> Message | None:
        """Tell it."""
        return Message(f"doorward/{DOOR}/opened", alarm_for_nobody()) if what in PASSED else None


class Home(Unkeyed):
    """The profile `home`: how the door stands, live, in the product's own bytes. It sends no tests."""

    profile = Profile.HOME
    now = wire.DoorState(granted=False, open=False)

    def overhear(self, what: Known, now_s: float) -> Message | None:
        """What lock says under this profile, on every change (`device.lock.reporting`)."""
        if what not in _TURNS:
            return None
        self.now = replace(self.now, **_TURNS[what])
        return Message(state.topic(DOOR), state.encode(self.now))


class Counted(Building):
    """The default profile with the number of the day: epsilon 0.5, drawn by lock's own code at midnight."""

    def __init__(self, run: str) -> None:
        super().__init__(run)
        self._draw = np.random.default_rng(int(run, 16))
        self._openings = self._day = 0

    def report(self, now_s: float) -> Message | None:
        """The report, with the number of the day before."""
        self._midnight(now_s)
        return super().report(now_s)

    def overhear(self, what: Known, now_s: float) -> Message | None:
        """Lock counts openings, all methods alike."""
        self._midnight(now_s)
        self._openings += what in OPENED
        return None

    def _midnight(self, now_s: float) -> None:
        if now_s < (self._day + 1) * DAY_S:
            return
        self._day += 1
        self.teller.counted(daily_count.noisy(self._openings, EPSILON_MILLI, lambda end: int(self._draw.integers(end))))
        self._openings = 0


def alarm_for_nobody() -> bytes:
    """The payload of an alarm that no Teller sent, with the same letters each time: nobody reads more of it."""
    return envelope.encode(Envelope(DOOR, "00000000", 0, "0.1.0", 0, None, "A" * seal.LETTERS))
