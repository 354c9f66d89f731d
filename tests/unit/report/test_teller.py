"""What is said, and when. Two worlds: one where people come and go, one where nobody does."""

import base64
import json
import math
import os
import re
from collections.abc import Callable
from dataclasses import dataclass, field, replace

import pytest
from hypothesis import given
from hypothesis import strategies as st
from nacl.public import PrivateKey, SealedBox

from device.report import envelope, seal
from device.report.alarm_tests import MEAN_S, AlarmTests
from device.report.envelope import SIZE, Envelope
from device.report.health import ALARMS, Health
from device.report.teller import RETOLD_S, Identity, Message, Teller
from device.wire import NO_ALARM_KEY, Profile
from device.wire import OccurrenceKind as Kind

ME = Identity("00112233445566ff", "0a0b0c0d", "0.1.0")
CADENCE_S = 900.0
WAITS = sorted(set(Kind) - ALARMS - {Kind.DURESS})

HEALTH_ONLY = {
    "STARTED",
    "CAMERA_FAULT",
    "CAMERA_WELL",
    "VAULT_GONE",
    "VAULT_BACK",
    "KEEPER_GONE",
    "KEEPER_BACK",
    "FORCED_OPEN",
    "HELD_OPEN",
    "TAMPER",
    "BREACH",
    "BOLT_FAULT",
    "ALARM_CLEARED",
    "LOCKOUT",  # wrong attempts, and it waits for the report (ADR 0017)
    "RETIRED",  # the end of the door itself, which follows from nobody's coming and going
}
CHOSEN = {"DURESS"}  # the resident's own call for help (ADR 0015)


@dataclass
class Told:
    """What left, and when."""

    at_s: list[float] = field(default_factory=list)
    messages: list[Message] = field(default_factory=list)

    def take(self, now_s: float, message: Message | None) -> None:
        if message is not None:
            self.at_s.append(now_s)
            self.messages.append(message)


def day(heard: list[tuple[float, Kind]], teller: Teller | None = None, *, hours: float = 24) -> Told:
    """A day in which lock says `heard` (seconds, kind); the loop calls at every deadline, as in `loop`."""
    teller = teller or Teller(ME, CADENCE_S, 0.0, seal=letters_alone)
    told, ends = Told(), hours * 3600
    for at_s, kind in [*sorted(heard, key=lambda each: each[0]), (ends, None)]:
        while (now := min(teller.due_s, teller.tests.due_s or teller.due_s)) <= at_s:
            told.take(now, teller.report(now, 0))
            told.take(now, teller.test(now, 0))
        if kind is not None:
            told.take(at_s, teller.hear(kind, at_s, 0))
    return told


def letters_alone(_content: bytes, _alarm_key: bytes) -> str:
    """As many random letters as a seal has: thousands of real ones take seconds, and nobody opens these."""
    return base64.b64encode(os.urandom(64)).decode()


def unsealed(message: Message) -> bytes:
    """The payload without the letters of what is sealed, which are random."""
    return re.sub(rb'"(reason|sealed)":"[^"]{88}"', rb'"\1":""', message.payload)


def tells_apart(world: Told, other: Told) -> list[str]:
    """What somebody who sees every byte and every moment could tell two days apart by."""
    marks: list[str] = []
    if [unsealed(each) for each in world.messages] != [unsealed(each) for each in other.messages]:
        marks.append("content")
    if {len(each.payload) for each in (*world.messages, *other.messages)} != {SIZE}:
        marks.append("size")
    if world.at_s != other.at_s:
        marks.append("time")
    if [each.topic for each in world.messages] != [each.topic for each in other.messages]:
        marks.append("topic")
    return marks


def test_lock_can_tell_nothing_that_follows_from_coming_and_going() -> None:
    """Whoever adds a kind must come by here, and by ADR 0004: an opening is not an occurrence."""
    assert {kind.name for kind in Kind} == HEALTH_ONLY | CHOSEN


# What lock may say any number of times while people come and go, mistype, and find the camera broken.
OF_PEOPLE = [Kind.CAMERA_FAULT, Kind.CAMERA_WELL, Kind.LOCKOUT]
comings = st.lists(st.tuples(st.floats(0, 86400), st.sampled_from([*OF_PEOPLE, Kind.VAULT_BACK, Kind.STARTED])))


@given(comings)
def test_a_busy_day_and_an_empty_day_are_the_same_bytes_at_the_same_times(busy: list[tuple[float, Kind]]) -> None:
    assert tells_apart(day(busy), day([])) == []


def test_a_day_is_ninety_six_reports_evenly_apart() -> None:
    told = day([])
    assert len(told.messages) == 96
    assert {round(b - a, 6) for a, b in zip(told.at_s, told.at_s[1:], strict=False)} == {CADENCE_S}
    assert [json.loads(each.payload)["seq"] for each in told.messages] == list(range(1, 97))


@given(st.lists(st.tuples(st.floats(0, 86400), st.sampled_from(WAITS))))
def test_nothing_but_an_alarm_changes_when_the_door_speaks(heard: list[tuple[float, Kind]]) -> None:
    told = day(heard)
    assert told.at_s == day([]).at_s
    assert {len(each.payload) for each in told.messages} == {SIZE}


@given(st.lists(st.tuples(st.floats(0, 86400), st.sampled_from(Kind))))
def test_reports_keep_their_times_whatever_is_heard(heard: list[tuple[float, Kind]]) -> None:
    told = day(heard)
    reports = [at for at, each in zip(told.at_s, told.messages, strict=True) if each.topic.endswith("/report")]
    assert reports == day([]).at_s
    assert {len(each.payload) for each in told.messages} == {SIZE}


@pytest.mark.parametrize("kind", sorted(ALARMS))
def test_an_alarm_goes_at_once_and_its_kind_does_not_leave(kind: Kind) -> None:
    told, tamper = day([(1000.5, kind)], hours=0.3), day([(1000.5, Kind.TAMPER)], hours=0.3)
    assert {len(each.payload) for each in told.messages} == {SIZE}
    alarms = [(at, each) for at, each in zip(told.at_s, told.messages, strict=True) if each.topic.endswith("/alarm")]
    assert [at for at, _ in alarms] == [1000.5]
    assert unsealed(alarms[0][1]) in [unsealed(each) for each in tamper.messages]


def test_an_alarm_that_lock_tells_again_is_the_same_alarm() -> None:
    standing = [(100.0, Kind.TAMPER), (200.0, Kind.HELD_OPEN)]
    door_closes = [(300.0, Kind.ALARM_CLEARED), (300.0, Kind.TAMPER)]
    lock_reconnects = [(400.0, Kind.STARTED), (400.0, Kind.TAMPER)]
    told = day([*standing, *door_closes, *lock_reconnects], hours=0.2)
    assert [at for at, each in zip(told.at_s, told.messages, strict=True) if "/alarm" in each.topic] == [100.0, 200.0]


def test_an_alarm_that_returns_after_a_while_is_a_new_one() -> None:
    told = day([(100.0, Kind.TAMPER), (200.0, Kind.ALARM_CLEARED), (200.0 + RETOLD_S, Kind.TAMPER)], hours=0.1)
    assert [each.topic.rpartition("/")[2] for each in told.messages].count("alarm") == 2


def test_missed_moments_are_made_up_by_one_report() -> None:
    teller = Teller(ME, CADENCE_S, 0.0)
    assert teller.report(teller.due_s + 10 * CADENCE_S, 0) is not None
    assert teller.report(teller.due_s - 1.0, 0) is None


def test_lock_and_the_count_of_dropped_messages_show_in_the_report() -> None:
    teller = Teller(ME, CADENCE_S, 0.0)
    first = teller.report(teller.due_s, 7)
    teller.lock_is(present=True)
    second = teller.report(teller.due_s, 7)
    assert first is not None
    assert second is not None
    assert [json.loads(each.payload)["lock"] for each in (first, second)] == [False, True]
    assert json.loads(second.payload)["dropped"] == 7


def reports(teller: Teller, count: int) -> list[dict[str, object]]:
    """The next `count` reports."""
    said = [teller.report(teller.due_s, 0) for _ in range(count)]
    return [json.loads(each.payload) for each in said if each is not None]


INSTALLER = PrivateKey(bytes(range(32)))
IN_PRIVATE = ("camera", "lockout")


def read(said: dict[str, object]) -> tuple[bool, bool]:
    """What a report says of the camera and of wrong attempts, to the holder of the alarm key."""
    if "sealed" not in said:
        return said["camera"] is True, said["lockout"] is True
    assert not set(IN_PRIVATE) & said.keys()
    opened = SealedBox(INSTALLER).decrypt(base64.b64decode(str(said["sealed"])))
    whole = {seal.flags(Health(camera=a, lockout=b)): (a, b) for a in (False, True) for b in (False, True)}
    return whole[opened]


def told_to(profile: Profile) -> Teller:
    """A door that may tell this, with the installer's key."""
    teller = Teller(ME, CADENCE_S, 0.0)
    teller.chosen(profile, bytes(INSTALLER.public_key), 0.0)
    return teller


@pytest.mark.parametrize("profile", Profile)
def test_a_lockout_shows_in_one_report_and_moves_none(profile: Profile) -> None:
    teller = told_to(profile)
    assert teller.hear(Kind.LOCKOUT, 10.0, 0) is None
    assert teller.hear(Kind.LOCKOUT, 11.0, 0) is None
    assert [read(each) for each in reports(teller, 3)] == [(True, True), (True, False), (True, False)]


@pytest.mark.parametrize("profile", Profile)
def test_a_broken_camera_shows_in_every_report_until_it_is_well(profile: Profile) -> None:
    teller = told_to(profile)
    assert teller.hear(Kind.CAMERA_FAULT, 10.0, 0) is None
    assert [read(each) for each in reports(teller, 2)] == [(False, False)] * 2
    assert teller.hear(Kind.CAMERA_WELL, teller.due_s - 1, 0) is None
    assert [read(each) for each in reports(teller, 2)] == [(True, False)] * 2


def test_a_home_says_both_in_the_open_and_a_building_neither_also_before_lock_has_spoken() -> None:
    for teller, openly in (
        (Teller(ME, CADENCE_S, 0.0), False),
        (told_to(Profile.BUILDING), False),
        (told_to(Profile.HOME), True),
    ):
        (said,) = reports(teller, 1)
        assert {key in said for key in IN_PRIVATE} == {openly}
        assert ("sealed" in said) is not openly


def test_a_choice_that_is_taken_back_seals_the_next_report() -> None:
    teller = told_to(Profile.HOME)
    teller.hear(Kind.CAMERA_FAULT, 10.0, 0)
    assert reports(teller, 1)[0]["camera"] is False
    teller.chosen(Profile.BUILDING, bytes(INSTALLER.public_key), 20.0)
    (said,) = reports(teller, 1)
    assert "camera" not in said
    assert read(said) == (False, False)


def letters(teller: Teller) -> list[object]:
    """What each report of a day in which nothing happens has sealed."""
    return [each["sealed"] for each in reports(teller, 96)]


@pytest.mark.parametrize("key", [bytes(INSTALLER.public_key), NO_ALARM_KEY], ids=["a key", "none"])
def test_every_report_is_sealed_anew(key: bytes) -> None:
    teller = Teller(ME, CADENCE_S, 0.0)
    teller.chosen(Profile.BUILDING, key, 0.0)
    assert len(set(letters(teller))) == 96


def test_a_seal_that_is_used_twice_would_be_seen() -> None:
    """The seeded fault: sealed once for each state, and so as good as open."""
    boxes: dict[bytes, str] = {}
    teller = Teller(ME, CADENCE_S, 0.0, seal=lambda content, key: boxes.setdefault(content, seal.sealed(content, key)))
    assert len(set(letters(teller))) == 1


def test_the_number_of_the_day_is_the_same_in_every_report_until_lock_takes_it_back() -> None:
    teller = Teller(ME, CADENCE_S, 0.0)
    assert reports(teller, 1)[0]["count"] is None
    teller.lock_is(present=True)
    teller.chosen(Profile.BUILDING, bytes(32), 20.0)
    teller.counted(-3)
    for kind in set(Kind) - ALARMS:
        teller.hear(kind, 20.0, 0)
    assert {each["count"] for each in reports(teller, 96)} == {-3}
    teller.chosen(Profile.BUILDING, bytes(32), 20.0)
    assert reports(teller, 1)[0]["count"] is None
    teller.counted(5)
    teller.lock_is(present=False)
    assert reports(teller, 1)[0]["count"] is None


class DrawsAnew(Teller):
    """The seeded fault: each report has a draw of its own, and their mean is the secret."""

    def report(self, now_s: float, dropped: int) -> Message | None:
        if now_s >= self.due_s:
            self.counted(40 + self._sequence % 7 - 3)
        return super().report(now_s, dropped)


def test_a_number_drawn_anew_for_each_report_is_seen() -> None:
    teller = DrawsAnew(ME, CADENCE_S, 0.0)
    assert len({each["count"] for each in reports(teller, 96)}) > 1


def test_what_report_sees_of_itself_and_of_documents_waits_for_the_report() -> None:
    teller = Teller(ME, CADENCE_S, 0.0)
    teller.applied(7)
    teller.looked_after(storage=False, certificate=False)
    (said,) = reports(teller, 1)
    assert (said["docs"], said["storage"], said["cert"]) == (7, False, False)
    teller.hear(Kind.STARTED, 1.0, 0)
    assert reports(teller, 1)[0]["docs"] == 7, "a restart of lock forgets nothing of it"


# ---- seeded leaks: each must be seen by `tells_apart`, or the tests above prove nothing


class CountsOpenings(Teller):
    """Leaks by content: a field of the health follows from what people do."""

    openings = 0

    def hear(self, kind: Kind, now_s: float, dropped: int) -> Message | None:
        self.openings += kind is Kind.CAMERA_WELL  # stands in for an opening, which lock cannot tell
        return super().hear(kind, now_s, dropped)

    def report(self, now_s: float, dropped: int) -> Message | None:
        return super().report(now_s, dropped + self.openings)


class LeavesOpen(Teller):
    """Leaks by content: whether the camera is well, and a lockout, stand in the open, as under another profile."""

    def report(self, now_s: float, dropped: int) -> Message | None:
        self.profile = Profile.HOME
        return super().report(now_s, dropped)


class SpeaksWhenHeard(Teller):
    """Leaks by time: a change is sent when it happens."""

    def hear(self, kind: Kind, now_s: float, dropped: int) -> Message | None:
        self.due_s = now_s
        return self.report(now_s, dropped)


class WaitsForQuiet(Teller):
    """Leaks by time: the grid starts anew with each occurrence."""

    def hear(self, kind: Kind, now_s: float, dropped: int) -> Message | None:
        self.due_s = now_s + CADENCE_S
        return super().hear(kind, now_s, dropped)


def _no_vault(said: Envelope) -> int:
    return int(said.health is not None and not said.health.vault)


def method_in_the_padding(said: Envelope) -> bytes:
    """Leaks by size: how long the padding is follows from the state."""
    return envelope.encode(said) + b" " * _no_vault(said)


def method_in_the_spaces(said: Envelope) -> bytes:
    """Leaks by content that JSON does not show: the same object, other bytes."""
    return envelope.encode(said).replace(b",", b", ", _no_vault(said))[:SIZE]


BUSY = [(8 * 3600.0, Kind.CAMERA_WELL), (17 * 3600.0 + 60, Kind.CAMERA_WELL)]
SILENT_FAULT = [(8 * 3600.0, Kind.VAULT_GONE)]


@pytest.mark.parametrize(
    ("leak", "heard", "mark"),
    [
        (lambda: CountsOpenings(ME, CADENCE_S, 0.0), BUSY, "content"),
        (lambda: LeavesOpen(ME, CADENCE_S, 0.0), [(8 * 3600.0, Kind.CAMERA_FAULT)], "content"),
        (lambda: LeavesOpen(ME, CADENCE_S, 0.0), [(8 * 3600.0, Kind.LOCKOUT)], "content"),
        (lambda: SpeaksWhenHeard(ME, CADENCE_S, 0.0), BUSY, "time"),
        (lambda: WaitsForQuiet(ME, CADENCE_S, 0.0), BUSY, "time"),
        (lambda: Teller(ME, CADENCE_S, 0.0, encode=method_in_the_padding), SILENT_FAULT, "size"),
        (lambda: Teller(ME, CADENCE_S, 0.0, encode=method_in_the_spaces), SILENT_FAULT, "content"),
    ],
)
def test_a_seeded_leak_is_seen(leak: Callable[[], Teller], heard: list[tuple[float, Kind]], mark: str) -> None:
    assert mark in tells_apart(day(heard, leak()), day([], leak()))


def test_only_the_declared_fields_differ_between_two_starts() -> None:
    other = replace(ME, run="ffffffff")
    first, second = day([]), day([], Teller(other, CADENCE_S, 0.0))
    assert {unsealed(each).replace(b"ffffffff", b"0a0b0c0d") for each in second.messages} == {
        unsealed(each) for each in first.messages
    }


# ---- test alarms: one world in which something happens, and one in which a test goes at that moment


KEY = bytes((9,)).ljust(32, b"\0")
MOMENT_S = 1000.5


def keyed(gap_s: float = math.inf, teller: type[Teller] = Teller, profile: Profile = Profile.BUILDING) -> Teller:
    """A door with an alarm key, whose next test comes after `gap_s`, and no other for days."""
    last = 1 - 2**-53
    gaps = iter([min(1 - math.exp(-gap_s / MEAN_S), last)])
    made = teller(ME, CADENCE_S, 0.0, tests=AlarmTests(lambda: next(gaps, last)))
    made.chosen(profile, KEY, 0.0)
    return made


def real(kind: Kind) -> Told:
    """Lock says `kind` at MOMENT_S, and soon that it is over."""
    return day([(MOMENT_S, kind), (MOMENT_S + 60.0, Kind.ALARM_CLEARED)], keyed(), hours=2)


def to_the_millisecond(told: Told) -> Told:
    """A gap is a logarithm of a power: the test goes a rounding off MOMENT_S."""
    return Told([round(at, 3) for at in told.at_s], told.messages)


@pytest.mark.parametrize("kind", [Kind.HELD_OPEN, Kind.DURESS])
def test_a_test_and_what_people_bring_about_are_the_same_bytes_then_and_afterwards(kind: Kind) -> None:
    one, other = (to_the_millisecond(each) for each in (day([], keyed(MOMENT_S), hours=2), real(kind)))
    assert len([each for each in one.messages if each.topic.endswith("/alarm")]) == 1
    assert tells_apart(one, other) == []


@pytest.mark.parametrize("kind", sorted(ALARMS - {Kind.HELD_OPEN}))
def test_an_alarm_that_needs_somebody_at_the_door_still_shows_in_the_report(kind: Kind) -> None:
    told = day([(MOMENT_S, kind)], keyed(), hours=1)
    assert json.loads(told.messages[-1].payload)["alarm"] is True


def test_a_door_held_open_shows_in_the_report_of_a_home_and_of_no_building() -> None:
    for profile, shows in ((Profile.HOME, True), (Profile.BUILDING, False)):
        told = day([(MOMENT_S, Kind.HELD_OPEN)], keyed(profile=profile), hours=1)
        reports_told = [json.loads(each.payload) for each in told.messages if each.topic.endswith("/report")]
        assert [each["alarm"] for each in reports_told][-1] is shows


class FlagsWhatPeopleDo(Teller):
    """Leaks by content: the report says that the door was held open, so no test was what came before."""

    def encode_alarms(self, said: Envelope) -> bytes:
        stands = said.health is not None and bool(self.health.alarms)
        return envelope.encode(said).replace(b'"alarm":false', b'"alarm":true ') if stands else envelope.encode(said)

    def report(self, now_s: float, dropped: int) -> Message | None:
        self.encode = self.encode_alarms
        return super().report(now_s, dropped)


class LongerTests(Teller):
    """Leaks by size."""

    def test(self, now_s: float, dropped: int) -> Message | None:
        said = super().test(now_s, dropped)
        return replace(said, payload=said.payload + b" ") if said else None


class UncountedTests(Teller):
    """Leaks by content: a test takes no number."""

    def test(self, now_s: float, dropped: int) -> Message | None:
        said = super().test(now_s, dropped)
        self._sequence -= said is not None
        return said


@pytest.mark.parametrize(
    ("leak", "mark"), [(FlagsWhatPeopleDo, "content"), (LongerTests, "size"), (UncountedTests, "content")]
)
def test_a_leak_that_tells_tests_from_alarms_is_seen(leak: type[Teller], mark: str) -> None:
    at_s = Teller(ME, CADENCE_S, 0.0).due_s - 1.0
    across = [(at_s, Kind.HELD_OPEN), (at_s + 60.0, Kind.ALARM_CLEARED)]  # a report comes while the door stands open
    one = day([], keyed(at_s, leak), hours=2)
    assert mark in tells_apart(one, day(across, keyed(teller=leak), hours=2))


@given(st.lists(st.tuples(st.floats(0, 86400), st.sampled_from(Kind))))
def test_no_test_is_moved_or_left_out_whatever_is_heard(heard: list[tuple[float, Kind]]) -> None:
    def moments(lived: list[tuple[float, Kind]]) -> list[float]:
        draws, sent = iter([0.3, 0.1, 0.5, 0.2] * 50), []
        teller = Teller(ME, CADENCE_S, 0.0, seal=letters_alone, tests=AlarmTests(lambda: next(draws)))
        teller.chosen(Profile.BUILDING, KEY, 0.0)
        heard_so_far = sorted(lived, key=lambda each: each[0])
        while (now := teller.tests.due_s) is not None and now < 86400.0:
            while heard_so_far and heard_so_far[0][0] <= now:
                at_s, kind = heard_so_far.pop(0)
                teller.hear(kind, at_s, 0)
            sent.append(now)
            assert teller.test(now, 0) is not None
        return sent

    assert moments(heard) == moments([])


@pytest.mark.parametrize(
    ("profile", "key"), [(Profile.BUILDING, bytes(32)), (Profile.HOME, KEY), (Profile.HOME, bytes(32))]
)
def test_without_a_key_or_at_home_there_is_none(profile: Profile, key: bytes) -> None:
    teller = Teller(ME, CADENCE_S, 0.0)
    assert teller.tests.due_s is None
    teller.chosen(Profile.BUILDING, KEY, 0.0)
    assert teller.tests.due_s is not None
    teller.chosen(profile, key, 1.0)
    assert teller.tests.due_s is None
    assert teller.test(1e9, 0) is None
