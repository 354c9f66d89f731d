"""What is said, and when: the pure core of report.

Rules kept here:
- A report goes out at every moment of the grid (`schedule`), whether or not anything happened, and at no other.
- An alarm goes out when it begins to stand, once; a call for help goes out each time, and is an alarm like any other.
  So is a test alarm, which nothing that happens brings, moves or holds back (`alarm_tests`).
- Nothing else that happens makes a message: a lockout, a full disk and a number of the day wait for the report.
- Every report of a BUILDING seals whether the camera is well and whether somebody was locked out, as both change only
  when somebody is there. At HOME, where the live state tells that anyway, they stand in the open.
- The number of the day is drawn in lock and repeated here as it is, until lock takes it back.
- No I/O and no clock: time is an argument, messages are results. Only seals and the moments of tests are random.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field, replace

from device.report import envelope, health, schedule, seal
from device.report.alarm_tests import AlarmTests
from device.report.envelope import Envelope
from device.report.health import Health
from device.wire import NO_ALARM_KEY, TEST_ALARM, OccurrenceKind, Profile

RETOLD_S = 5.0
"""Lock repeats what stands after it clears something or reconnects, and a loose contact chatters: an alarm that stood
less than this long ago is the same alarm, and the moment of the repetition is nobody's business."""


@dataclass(frozen=True, slots=True)
class Message:
    """Something to be told: ready bytes for a topic."""

    topic: str
    payload: bytes


@dataclass(frozen=True, slots=True)
class Identity:
    """Who speaks: the door's id, this start of the process (8 random hexadecimal digits), the software's version."""

    door: str
    run: str
    software: str


@dataclass(slots=True)
class Teller:
    """Folds occurrences and lets the grid speak. Times are seconds of one monotonic clock."""

    identity: Identity
    cadence_s: float
    started_s: float
    encode: Callable[[Envelope], bytes] = envelope.encode
    seal: Callable[[bytes, bytes], str] = seal.sealed
    tests: AlarmTests = field(default_factory=AlarmTests)
    health: Health = field(default_factory=Health)
    due_s: float = field(init=False)
    profile: Profile = Profile.BUILDING
    alarm_key: bytes = NO_ALARM_KEY
    _sequence: int = 0
    _stood_s: dict[OccurrenceKind, float] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.due_s = self._due_after(self.started_s)

    def report(self, now_s: float, dropped: int) -> Message | None:
        """The report, if one is due; one only, however many moments of the grid were missed."""
        if now_s < self.due_s:
            return None
        self.due_s = self._due_after(now_s)
        sealed = "" if self.profile is Profile.HOME else self.seal(seal.flags(self.health), self.alarm_key)
        said = self._message(health.told(self.health, self.profile), dropped, sealed)
        if self.health.lockout:
            self.health = replace(self.health, lockout=False)
        return said

    def hear(self, kind: OccurrenceKind, now_s: float, dropped: int) -> Message | None:
        """Take in an occurrence; a message only if it is an alarm that begins to stand, or a call for help."""
        if kind is OccurrenceKind.DURESS:
            # It stands nowhere: no later report says that there was one.
            return self._alarm(kind, dropped)
        before = self.health.alarms
        self.health = health.heard(self.health, kind)
        for ended in before - self.health.alarms:
            self._stood_s[ended] = now_s
        begins = self.health.alarms - before
        if not begins:
            return None
        recently = [now_s - self._stood_s[alarm] < RETOLD_S for alarm in begins if alarm in self._stood_s]
        return None if any(recently) else self._alarm(kind, dropped)

    def lock_is(self, *, present: bool) -> None:
        """Lock connected or went away; the next report says so."""
        self.health = health.lock_is(self.health, present=present)

    def test(self, now_s: float, dropped: int) -> Message | None:
        """A test alarm, if one is due."""
        return self._alarm(TEST_ALARM, dropped) if self.tests.take(now_s) else None

    def chosen(self, profile: Profile, alarm_key: bytes, now_s: float) -> None:
        """Lock says what may be told, anew: the number of the day it told before is over."""
        self.profile, self.alarm_key = profile, alarm_key
        self.tests.wanted(now_s, on=profile is Profile.BUILDING and alarm_key != NO_ALARM_KEY)
        self.health = replace(self.health, count=None)

    def counted(self, noisy: int) -> None:
        """The number of the last full day, as every report says it from now on."""
        self.health = replace(self.health, count=noisy)

    def applied(self, version: int) -> None:
        """The newest document that lock has applied."""
        self.health = replace(self.health, documents=version)

    def looked_after(self, *, storage: bool, certificate: bool) -> None:
        """What report sees of itself, just before a report."""
        self.health = replace(self.health, storage=storage, certificate=certificate)

    def _due_after(self, now_s: float) -> float:
        return schedule.next_due_s(now_s, self.cadence_s, schedule.phase_s(self.identity.door, self.cadence_s))

    def _alarm(self, kind: int, dropped: int) -> Message:
        return self._message(None, dropped, self.seal(seal.reason(kind), self.alarm_key))

    def _message(self, said: Health | None, dropped: int, sealed: str) -> Message:
        self._sequence += 1
        me = self.identity
        message = Envelope(me.door, me.run, self._sequence, me.software, dropped, said, sealed)
        return Message(envelope.topic(message.kind, me.door), self.encode(message))
