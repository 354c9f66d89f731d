"""What `doorward watch` makes of what comes in: renewals, reports, alarms, and nonsense."""

from __future__ import annotations

import base64
import json
from pathlib import Path
from typing import Any

import pytest
from cryptography import x509
from hypothesis import given
from hypothesis import strategies as st
from nacl.public import PrivateKey, SealedBox
from nacl.pwhash import argon2id

from device import certificates as formats
from device.certificates import DoorKey
from device.document import Telling
from device.joining import Answer, Request, claim_key
from device.report import seal
from device.report.health import Health
from device.wire import TEST_ALARM, OccurrenceKind, Profile
from provisioning import authority, joining, keys, labels, reporting, supervising
from provisioning import fleet as fleets
from provisioning.errors import FleetFault, FleetRefused
from provisioning.fleet import Fleet
from provisioning.labels import Plan, Where
from provisioning.line import Heard
from provisioning.renewing import AGAIN_S, Renewer
from provisioning.store import Door
from provisioning.watching import Fact, Watch, in_words

PASSPHRASE = "a long passphrase"
NOW = 1_800_000_000
DAY_S = 86_400
REPORT = {"v": 2, "kind": "report", "seq": 7, "sw": "0.1.0", "dropped": 0, "docs": 3, "count": None} | dict.fromkeys(
    ("lock", "camera", "vault", "keeper", "bolt", "storage", "cert"), True
)
CALM = {"alarm": False, "lockout": False}


class Desk:
    """A fleet with one door that has joined, and somebody who watches it."""

    def __init__(self, folder: Path) -> None:
        self.fleet = fleets.init(folder, PASSPHRASE)
        self.authority = authority.create(folder, PASSPHRASE, NOW - DAY_S)
        self.fleet.add_door("Front")
        self.key = formats.new_key()
        self.door = self.join(self.fleet, self.key)
        self.now = float(NOW)
        self.told: list[Fact] = []
        self.alarm_key = PrivateKey.generate()
        self.watch = Watch(self.fleet, self.told.append, lambda: self.now, Renewer(self.fleet, self.authority))

    def join(self, fleet: Fleet, key: DoorKey) -> Door:
        label = labels.make(fleet, "Front", Plan.of(fleet.folder, Where("broker.example"), 14, NOW), anew=True)
        box = bytes(PrivateKey.generate().public_key)
        asked = Request(label.door_id, box, formats.ask(key, label.door_id)).pack(claim_key(label.secret))
        return joining.approve(fleet, joining.look(fleet, "Front", asked, NOW), self.authority, NOW).door

    def hears(self, ending: str, content: bytes, door: str = "") -> tuple[str, bytes] | None:
        return self.watch.take(Heard(f"doorward/{door or self.door.id}/{ending}", content))

    def asks(self, key: DoorKey | None = None, door: str = "") -> tuple[str, bytes] | None:
        return self.hears("renew", formats.ask(key or self.key, bytes.fromhex(door or self.door.id)), door)


@pytest.fixture
def desk(tmp_path: Path) -> Desk:
    return Desk(tmp_path / "fleet")


def test_door_gets_its_next_certificate_for_the_same_key(desk: Desk) -> None:
    desk.now = NOW + 250 * DAY_S
    reply = desk.asks()
    assert reply is not None
    topic, content = reply
    assert topic == f"doorward/{desk.door.id}/certificate"
    own = formats.public_part(desk.key)
    known = formats.to_der(desk.authority.certificate)
    found = Answer.read(content).believed(door_id=bytes.fromhex(desk.door.id), public=own, authority=known)
    assert int(found.not_valid_after_utc.timestamp()) == NOW + 615 * DAY_S
    assert desk.told == [
        {"event": "renewed", "door": "Front", "id": desk.door.id, "ends_unix": NOW + 615 * DAY_S},
    ]
    assert desk.fleet.store.door("Front").not_after_unix == NOW + 615 * DAY_S


def test_question_that_comes_again_is_answered_once_a_day(desk: Desk) -> None:
    desk.now = NOW + 250 * DAY_S
    assert desk.asks() is not None
    assert [desk.asks() for _ in range(3)] == [None] * 3
    desk.now += AGAIN_S + 1
    assert desk.asks() is not None
    assert len(desk.fleet.store.certificates("Front")) == 3


def test_broker_s_own_key_in_a_door_s_place_gets_nothing(desk: Desk) -> None:
    desk.now = NOW + 250 * DAY_S
    assert desk.asks(formats.new_key()) is None
    (told,) = desk.told
    assert (told["event"], "another key than it joined with" in str(told["why"])) == ("trouble", True)
    assert len(desk.fleet.store.certificates("Front")) == 1


def test_seeded_fault_without_that_comparison_it_would(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("provisioning.renewing.key_fingerprint", lambda _key: _fingerprint(desk))
    desk.now = NOW + 250 * DAY_S
    assert desk.asks(formats.new_key()) is not None


def _fingerprint(desk: Desk) -> str:
    (certificate,) = desk.fleet.store.certificates("Front")
    return certificate.fingerprint


def test_revoked_or_retired_door_gets_no_next_certificate(desk: Desk) -> None:
    desk.now = NOW + 250 * DAY_S
    (certificate,) = desk.fleet.store.certificates("Front")
    desk.fleet.store.revoke_certificate(certificate.serial, NOW)
    assert desk.asks() is None
    assert "was revoked" in str(desk.told[-1]["why"])
    desk.fleet.store.retire("Front", NOW, lambda _door: None)
    assert desk.asks() is None
    assert "has not joined" in str(desk.told[-1]["why"])


def test_door_that_was_only_added_gets_no_certificate_by_asking(desk: Desk) -> None:
    back = desk.fleet.add_door("Back")
    assert desk.asks(door=back.id) is None
    assert "has not joined" in str(desk.told[-1]["why"])


def test_request_in_another_door_s_name_is_refused(desk: Desk) -> None:
    desk.now = NOW + 250 * DAY_S
    assert desk.hears("renew", formats.ask(desk.key, bytes(8))) is None
    assert "names another door" in str(desk.told[-1]["why"])


def test_authority_that_ends_with_the_certificate_issues_no_next_one_and_is_announced(desk: Desk) -> None:
    last = int(desk.authority.certificate.not_valid_after_utc.timestamp())
    renewer = Renewer(desk.fleet, desk.authority)
    request = formats.ask(desk.key, bytes.fromhex(desk.door.id))
    assert renewer.renew("Front", request, last - 200 * DAY_S) is not None
    with pytest.raises(FleetRefused, match="ends with the present one"):
        renewer.renew("Front", request, last - 100 * DAY_S)
    with pytest.raises(FleetRefused, match="this computer's clock"):
        renewer.renew("Front", request, last + DAY_S)
    desk.now = last - 20 * DAY_S
    desk.watch.notices(desk.authority.certificate)
    assert [fact["event"] for fact in desk.told] == ["authority-ends", "certificate-ends"]
    assert all("ends on" in in_words(fact) for fact in desk.told)


def test_nothing_is_announced_while_everything_lasts(desk: Desk) -> None:
    desk.watch.notices(desk.authority.certificate)
    assert desk.told == []


def test_report_is_told_and_nothing_of_it_is_stored(desk: Desk) -> None:
    before = {path: path.read_bytes() for path in desk.fleet.folder.iterdir()}
    desk.hears("report", json.dumps(REPORT | CALM | {"door": desk.door.id}).encode().ljust(384))
    (told,) = desk.told
    assert (told["event"], told["door"], told["well"], told["docs"]) == ("report", "Front", True, 3)
    assert in_words(told) == "Front is well"
    assert {path: path.read_bytes() for path in desk.fleet.folder.iterdir()} == before


@pytest.mark.exhaustive(2)
@pytest.mark.parametrize("part", ["lock", "camera", "vault", "keeper", "bolt", "storage", "cert"])
def test_what_is_not_well_is_named(desk: Desk, part: str) -> None:
    desk.hears("report", json.dumps(REPORT | CALM | {part: False}).encode())
    assert in_words(desk.told[0]) == f"Front is not well: {part}"


def of_building(desk: Desk, health: Health, **parts: bool) -> bytes:
    """A report of a building: two of its flags are sealed."""
    openly = {key: value for key, value in (REPORT | CALM).items() if key not in ("camera", "lockout")} | parts
    letters = seal.sealed(seal.flags(health), bytes(desk.alarm_key.public_key))
    return json.dumps(openly | {"door": desk.door.id, "sealed": letters}).encode().ljust(384)


@pytest.mark.exhaustive(2)
@pytest.mark.parametrize(
    ("health", "words"),
    [
        (Health(), "Front is well"),
        (Health(camera=False), "Front is not well: camera"),
        (Health(lockout=True), "Front is well (somebody was locked out for a while)"),
        (Health(camera=False, lockout=True), "Front is not well: camera (somebody was locked out for a while)"),
    ],
)
def test_with_the_key_a_sealed_report_is_shown_as_an_open_one(desk: Desk, health: Health, words: str) -> None:
    desk.watch.key = desk.alarm_key
    desk.hears("report", of_building(desk, health))
    openly = CALM | {"camera": health.camera, "lockout": health.lockout}
    desk.hears("report", json.dumps(REPORT | openly | {"door": desk.door.id}).encode())
    assert desk.told[0] == desk.told[1]
    assert in_words(desk.told[0]) == words


def test_without_the_key_it_is_said_that_camera_and_wrong_attempts_need_it(desk: Desk) -> None:
    for health in (Health(), Health(camera=False, lockout=True)):
        desk.hears("report", of_building(desk, health))
    desk.hears("report", of_building(desk, Health(), storage=False))
    assert desk.told[0] == desk.told[1]
    assert not {"camera", "lockout"} & desk.told[0].keys()
    assert (desk.told[0]["well"], desk.told[0]["sealed"]) == (True, True)
    assert in_words(desk.told[1]) == "Front is well (camera and wrong attempts: only the alarm key says)"
    assert in_words(desk.told[2]) == ("Front is not well: storage (camera and wrong attempts: only the alarm key says)")


def test_a_report_that_does_not_open_is_told_with_the_reason_and_is_no_word_of_the_camera(desk: Desk) -> None:
    desk.watch.key = PrivateKey.generate()
    desk.hears("report", of_building(desk, Health(camera=False)))
    (told,) = desk.told
    assert (told["event"], told["sealed"], "camera" in told) == ("report", True, False)
    assert "was sealed to another one, or to nobody)" in in_words(told)


def test_what_an_alarm_sealed_is_no_word_of_the_camera(desk: Desk) -> None:
    desk.watch.key = desk.alarm_key
    stolen = json.loads(alarm(desk, OccurrenceKind.TAMPER))["reason"]
    said = json.loads(of_building(desk, Health())) | {"sealed": stolen}
    desk.hears("report", json.dumps(said).encode())
    (told,) = desk.told
    assert "makes no sense" in str(told["why"])
    assert not {"camera", "lockout"} & told.keys()


def alarm(desk: Desk, kind: int, door: str = "") -> bytes:
    reason = SealedBox(desk.alarm_key.public_key).encrypt(bytes([kind]) + bytes(15))
    return json.dumps({"door": door or desk.door.id, "reason": base64.b64encode(reason).decode()}).encode()


def test_alarm_is_told_and_its_reason_with_the_installer_s_key_alone(desk: Desk) -> None:
    desk.hears("alarm", alarm(desk, OccurrenceKind.DURESS))
    desk.watch.key = desk.alarm_key
    desk.hears("alarm", alarm(desk, OccurrenceKind.DURESS))
    assert [fact["reason"] for fact in desk.told] == [None, "DURESS"]
    assert [in_words(fact) for fact in desk.told] == [
        "ALARM at Front: why, only the alarm key says",
        "ALARM at Front: duress",
    ]


def chooses(desk: Desk, telling: Telling) -> None:
    """What the manager lets the door tell; the watch looks into the store anew after half a minute."""
    reporting.set_reporting(desk.fleet, "Front", telling, now_unix=NOW, passphrase=PASSPHRASE)
    desk.now += 31


def keyed(desk: Desk, profile: Profile = Profile.BUILDING) -> Telling:
    return Telling(profile, alarm_key=bytes(desk.alarm_key.public_key))


def test_with_the_key_a_test_is_no_alarm(desk: Desk) -> None:
    chooses(desk, keyed(desk))
    desk.watch.key = desk.alarm_key
    desk.hears("alarm", alarm(desk, TEST_ALARM))
    desk.hears("alarm", alarm(desk, OccurrenceKind.HELD_OPEN))
    assert [fact["event"] for fact in desk.told] == ["test", "alarm"]
    assert in_words(desk.told[0]) == "test from Front: an alarm would arrive"
    assert in_words(desk.told[1]) == "ALARM at Front: held open"


def test_damage_in_the_store_hides_no_alarm(desk: Desk) -> None:
    desk.fleet.store.reserve_reporting("Front", b"damaged", lambda *_: None)
    desk.now += 31
    for key in (None, desk.alarm_key):
        desk.watch.key = key
        desk.hears("alarm", alarm(desk, OccurrenceKind.DURESS))
    assert [(fact["event"], fact["reason"]) for fact in desk.told] == [("alarm", None), ("alarm", "DURESS")]


def test_without_the_key_an_alarm_may_be_a_test_and_that_is_said_of_doors_that_send_any(desk: Desk) -> None:
    for telling in (Telling(), keyed(desk), keyed(desk, Profile.HOME)):
        chooses(desk, telling)
        for kind in (TEST_ALARM, OccurrenceKind.DURESS):
            desk.hears("alarm", alarm(desk, kind))
    assert [fact["may_be_test"] for fact in desk.told] == [False, False, True, True, False, False]
    lines = [in_words(fact) for fact in desk.told]
    assert lines[2] == lines[3] == "ALARM at Front, or a test of one: which of the two, only the alarm key says"
    assert lines[0] == lines[4] == "ALARM at Front: why, only the alarm key says"


# ---- tests that stay away


def reports(desk: Desk, days: float, *, every_s: float = 900.0) -> list[Fact]:
    """Reports come for so many days. What is told besides them."""
    before = len(desk.told)
    for _ in range(round(days * DAY_S / every_s)):
        desk.now += every_s
        desk.hears("report", json.dumps(REPORT | CALM | {"door": desk.door.id}).encode())
    return [fact for fact in desk.told[before:] if fact["event"] != "report"]


QUIET_DAYS = supervising.QUIET_S / DAY_S


@pytest.fixture
def supervised(desk: Desk) -> Desk:
    chooses(desk, keyed(desk))
    desk.watch.key = desk.alarm_key
    return desk


@pytest.mark.slow
def test_a_door_whose_tests_stay_away_while_its_reports_come_is_told_once_a_day(supervised: Desk) -> None:
    assert reports(supervised, QUIET_DAYS - 0.1) == []
    told = reports(supervised, 2.0)
    assert [fact["event"] for fact in told] == ["no-test", "no-test"]
    assert in_words(told[0]) == (
        "no test from Front for 0.5 days, though its reports come: an alarm may not arrive either"
    )


@pytest.mark.slow
def test_a_test_begins_the_count_anew_and_an_alarm_does_not(supervised: Desk) -> None:
    assert reports(supervised, QUIET_DAYS - 0.1) == []
    supervised.hears("alarm", alarm(supervised, TEST_ALARM))
    assert reports(supervised, QUIET_DAYS - 0.1) == []
    supervised.hears("alarm", alarm(supervised, OccurrenceKind.HELD_OPEN))
    assert [fact["event"] for fact in reports(supervised, 0.2)] == ["no-test"]


@pytest.mark.slow
def test_what_was_away_is_not_counted_as_quiet(supervised: Desk) -> None:
    assert reports(supervised, QUIET_DAYS - 0.1) == []
    supervised.now += 30 * DAY_S  # the door is away, and its outbox is emptied afterwards
    assert reports(supervised, 0.04) == []
    supervised.watch.take(Heard(why="it does not answer"))
    supervised.watch.take(Heard())
    assert [fact for fact in reports(supervised, QUIET_DAYS - 0.1) if fact["event"] == "no-test"] == []


@pytest.mark.exhaustive(2)
@pytest.mark.parametrize("telling", [None, Telling(), Telling(Profile.HOME), Telling(alarm_key=bytes((9,)).ljust(32))])
def test_no_tests_are_missed_of_a_door_that_sends_none_to_this_key(desk: Desk, telling: Telling | None) -> None:
    if telling is not None:
        chooses(desk, telling)
    desk.watch.key = desk.alarm_key
    assert reports(desk, 2 * QUIET_DAYS, every_s=3000.0) == []


def test_without_the_key_no_tests_are_missed(supervised: Desk) -> None:
    supervised.watch.key = None
    assert reports(supervised, 2 * QUIET_DAYS, every_s=3000.0) == []


def test_a_count_by_the_clock_alone_would_be_seen(supervised: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    """The seeded fault: the time in which the door was away counts as well."""
    monkeypatch.setattr(supervising, "BETWEEN_S", float("inf"))
    reports(supervised, 0.5)
    supervised.now += 30 * DAY_S
    assert [fact["event"] for fact in reports(supervised, 0.04)] == ["no-test"]


def test_alarm_whose_reason_does_not_open_is_still_an_alarm(desk: Desk) -> None:
    desk.watch.key = desk.alarm_key
    for content in (b"nonsense", alarm(desk, OccurrenceKind.TAMPER, "0" * 16)):
        desk.hears("alarm", content)
    assert [fact["event"] for fact in desk.told] == ["alarm", "alarm"]
    assert [fact["reason"] for fact in desk.told] == [None, None]
    assert in_words(desk.told[1]) == "ALARM at Front: it was made for another door"


def test_online_offline_state_and_the_connection_are_told(desk: Desk) -> None:
    desk.hears("availability", b"online")
    desk.hears("availability", b"offline")
    desk.hears("state", b'{"locked": false, "door": "open"}')
    desk.watch.take(Heard(why="it does not answer"))
    desk.watch.take(Heard())
    assert [in_words(fact) for fact in desk.told] == [
        "Front is online",
        "Front is offline",
        "Front is unlocked and open",
        "no connection to the broker (it does not answer); it is tried again",
        "connected to the broker",
    ]


def test_watch_that_must_not_issue_says_who_asks(desk: Desk) -> None:
    desk.watch.renewer = None
    assert desk.asks() is None
    assert in_words(desk.told[0]) == "Front asks for its next certificate"
    assert len(desk.fleet.store.certificates("Front")) == 1


def test_store_that_is_away_for_a_moment_ends_nothing(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    def away(*_: object) -> None:
        msg = "the database cannot be reached"
        raise FleetFault(msg)

    with monkeypatch.context() as patched:
        patched.setattr("provisioning.store_sql.SqlStore.doors", away)
        desk.hears("availability", b"online")
    desk.hears("availability", b"online")
    assert [fact["event"] for fact in desk.told] == ["trouble", "online"]
    assert in_words(desk.told[0]) == "the database cannot be reached"


HOSTILE = [
    b"",
    b"{",
    b"[" * 5000,
    b"null",
    b'{"lock": "\\u001b[31m", "bolt": 1}',
    b'{"lock": true, "bolt": true, "docs": 1e400, "door": "open", "id": "x", "event": "renewed"}',
    b"\xff" * 400,
    b"x" * 100_000,
]


@pytest.mark.parametrize("content", HOSTILE)
@pytest.mark.parametrize("ending", ["report", "state", "availability", "renew"])
def test_nonsense_is_left_out_or_said_and_ends_nothing(many: Desk, ending: str, content: bytes) -> None:
    many.told.clear()
    assert many.hears(ending, content) is None
    for fact in many.told:
        assert fact["event"] in ("trouble", "report")
        assert fact["door"] == "Front"
        assert "\x1b" not in in_words(fact) + json.dumps(fact)
        assert not {"docs", "locked"} & fact.keys()


@pytest.mark.exhaustive(2)
@pytest.mark.parametrize("topic", ["doorward/x/report", "doorward/#", "", "homeassistant/device/x/config", "a/b/c/d"])
def test_strange_topics_are_left_out(desk: Desk, topic: str) -> None:
    assert desk.watch.take(Heard(topic or "/", b"{}")) is None
    assert desk.told == []


def test_door_of_nobody_is_said_to_be_unknown(desk: Desk) -> None:
    desk.hears("report", json.dumps(REPORT | CALM).encode(), "0" * 16)
    assert desk.told == [{"event": "unknown", "id": "0" * 16}]


@given(content=st.binary(max_size=300), ending=st.sampled_from(["report", "state", "alarm", "renew", "availability"]))
def test_whatever_comes_is_survived(content: bytes, ending: str, many: Desk) -> None:
    many.told.clear()
    assert many.hears(ending, content) is None
    assert all(isinstance(in_words(fact), str) for fact in many.told)


@pytest.fixture(scope="module")
def many(tmp_path_factory: pytest.TempPathFactory) -> Desk:
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(keys, "AT_REST", keys.Hardness(argon2id.OPSLIMIT_MIN, argon2id.MEMLIMIT_MIN))
        made = Desk(tmp_path_factory.mktemp("office") / "fleet")
    made.watch.key = made.alarm_key
    return made


def test_certificate_in_the_store_is_the_one_that_was_sent(desk: Desk) -> None:
    desk.now = NOW + 250 * DAY_S
    reply = desk.asks()
    assert reply is not None
    sent = x509.load_der_x509_certificate(Answer.read(reply[1]).certificate)
    assert desk.fleet.store.door("Front").certificate_serial == f"{sent.serial_number:x}"


def test_a_clock_that_is_behind_makes_no_certificate_and_says_so(desk: Desk) -> None:
    desk.now = NOW - 5 * 365 * DAY_S
    assert desk.asks() is None
    (told,) = desk.told
    assert (told["event"], "this computer's clock says" in str(told["why"])) == ("trouble", True)
    assert len(desk.fleet.store.certificates("Front")) == 1


def test_a_store_that_is_away_at_the_daily_look_ends_no_watch(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    def away(*_: object) -> None:
        msg = "the database cannot be reached"
        raise FleetFault(msg)

    with monkeypatch.context() as patched:
        patched.setattr("provisioning.store_sql.SqlStore.doors", away)
        desk.watch.daily(lambda: desk.authority.certificate)
    assert [in_words(fact) for fact in desk.told] == ["the database cannot be reached"]


def test_a_flood_of_strange_ids_does_not_read_the_store_each_time(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    reads = 0
    doors = type(desk.fleet.store).doors

    def counted(store: Any) -> tuple[Door, ...]:
        nonlocal reads
        reads += 1
        return doors(store)

    monkeypatch.setattr(type(desk.fleet.store), "doors", counted)
    for number in range(500):
        desk.hears("availability", b"online", f"{number:016x}")
    assert reads == 1
    desk.fleet.add_door("Back")
    desk.now += 3
    desk.hears("availability", b"online", desk.fleet.store.door("Back").id)
    assert desk.told[-1]["event"] == "online"
