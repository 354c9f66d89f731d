"""What the fleet's doors may tell, and alarms that are opened."""

from __future__ import annotations

import base64
import json
import re
import stat
from dataclasses import replace
from pathlib import Path

import pytest
from click.testing import Result
from nacl.public import PrivateKey, SealedBox

from device.document import Telling
from device.report import envelope, seal
from device.report.envelope import Envelope
from device.report.health import Health
from device.wire import SEALED_FLAGS, TEST_ALARM, OccurrenceKind, Profile
from provisioning import fleet, keys, reporting
from provisioning.errors import FleetFault, FleetRefused
from tests.unit.provisioning.doors import believed, doorward, fleet_with_a_door, identify

PASSPHRASE = "correct horse battery"
KEY = PrivateKey(bytes(range(32)))
PUBLIC = bytes(KEY.public_key)
SAID = Envelope("00112233445566aa", "0badcafe", 2, "0.1.0", 0, None)


@pytest.fixture(autouse=True)
def _passphrase(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DOORWARD_PASSPHRASE", PASSPHRASE)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A fleet with one door."""
    path = fleet_with_a_door(tmp_path / "fleet")
    identify(path)
    return path


def choose(folder: Path, *args: str, profile: str = "building") -> Result:
    return doorward("reporting", "set", "--fleet", str(folder), "--door", "Front door", "--profile", profile, *args)


def refused(result: Result, pattern: str) -> None:
    assert result.exit_code == 1
    assert re.fullmatch(r"[A-Z/][^\n]*\.\n", result.stderr), result.stderr
    assert re.search(pattern, result.stderr), result.stderr


def payload(kind: int = OccurrenceKind.TAMPER, key: bytes = PUBLIC) -> bytes:
    """An alarm as a door sends it."""
    return envelope.encode(replace(SAID, sealed=seal.sealed(seal.reason(kind), key)))


def report(health: Health, key: bytes = PUBLIC) -> bytes:
    """A report of a building as a door sends it."""
    return envelope.encode(replace(SAID, health=health, sealed=seal.sealed(seal.flags(health), key)))


@pytest.mark.exhaustive(1)
@pytest.mark.parametrize(
    ("args", "profile", "telling"),
    [
        ((), "building", Telling()),
        (("--daily-count", "0.5"), "building", Telling(epsilon_milli=500)),
        (("--alarm-key", PUBLIC.hex()), "home", Telling(Profile.HOME, alarm_key=PUBLIC)),
    ],
)
def test_a_choice_is_a_document_that_the_door_believes(
    folder: Path, args: tuple[str, ...], profile: str, telling: Telling
) -> None:
    told = json.loads(choose(folder, *args, "--json", profile=profile).stdout)
    assert told["version"] == 1
    assert believed(folder, Path(told["document"])).body == telling
    assert reporting.reporting(fleet.open_fleet(folder), "Front door") == telling
    shown = json.loads(doorward("reporting", "show", "--fleet", str(folder), "--door", "Front door", "--json").stdout)
    assert {key: told[key] for key in shown} == shown
    assert shown["profile"] == profile


def test_a_door_without_a_choice_shows_its_health_alone(folder: Path) -> None:
    said = doorward("reporting", "show", "--fleet", str(folder), "--door", "Front door")
    assert said.exit_code == 0
    assert "live" not in said.stdout
    assert "nobody can read" in said.stdout


def test_whoever_chooses_is_told_what_it_gives_away(folder: Path) -> None:
    assert "when people come and go" in choose(folder, profile="home").stdout
    assert "not a person's whole day" in choose(folder, "--daily-count", "1").stdout


@pytest.mark.exhaustive(2)
@pytest.mark.parametrize(
    ("args", "profile", "pattern"),
    [
        (("--daily-count", "0.5"), "home", "gives no daily count"),
        (("--alarm-key", "12"), "building", "64 hexadecimal digits"),
        (("--alarm-key", "zz" * 32), "building", "64 hexadecimal digits"),
        (("--alarm-key", "01" + "00" * 31), "building", "nothing can be sealed"),
    ],
)
def test_what_no_door_would_believe_uses_up_no_version(
    folder: Path, args: tuple[str, ...], profile: str, pattern: str
) -> None:
    refused(choose(folder, *args, profile=profile), pattern)
    assert fleet.open_fleet(folder).store.door("Front door").version == 0


@pytest.mark.exhaustive(2)
@pytest.mark.parametrize("epsilon", ["0", "0.05", "2.5", "much"])
def test_an_epsilon_that_hides_nothing_or_everything_is_a_mistake_of_usage(folder: Path, epsilon: str) -> None:
    assert choose(folder, "--daily-count", epsilon).exit_code == 2


def test_a_wrong_passphrase_uses_up_no_version(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DOORWARD_PASSPHRASE", "another one altogether")
    refused(choose(folder), "passphrase is wrong")
    assert fleet.open_fleet(folder).store.door("Front door").version == 0


# ---- alarms


def test_an_alarm_is_opened_by_the_key_that_was_made_for_it(tmp_path: Path) -> None:
    path, message = tmp_path / "alarm.key", tmp_path / "alarm.json"
    told = json.loads(doorward("alarm", "key", "--key", str(path), "--json").stdout)
    for kind in (OccurrenceKind.DURESS, OccurrenceKind.HELD_OPEN):
        message.write_bytes(payload(kind, bytes.fromhex(told["alarm_key"])))
        said = doorward("alarm", "read", "--key", str(path), str(message), "--json")
        assert json.loads(said.stdout) == {"ok": True, "door": "00112233445566aa", "reason": kind.name}
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert "held open" in doorward("alarm", "read", "--key", str(path), str(message)).stdout


def test_a_test_is_none_to_the_key_that_opens_it_and_said_to_be_one(tmp_path: Path) -> None:
    path, message = tmp_path / "alarm.key", tmp_path / "alarm.json"
    public = reporting.make_key(path, PASSPHRASE)
    message.write_bytes(payload(TEST_ALARM, public))
    assert reporting.read_alarm(message.read_bytes(), reporting.load_key(path, PASSPHRASE)).kind is None
    read = ("alarm", "read", "--key", str(path), str(message))
    assert json.loads(doorward(*read, "--json").stdout)["reason"] == "TEST"
    assert "a test; nothing has happened" in doorward(*read).stdout
    assert len(message.read_bytes()) == len(payload(OccurrenceKind.DURESS, public)) == envelope.SIZE


def test_whoever_chooses_a_key_hears_of_tests_and_whoever_does_not_hears_why_it_matters(folder: Path) -> None:
    with_key = choose(folder, "--alarm-key", PUBLIC.hex()).stdout
    assert "32 times a day" in with_key
    assert "a test of an alarm" in with_key
    assert "There are no tests" in choose(folder).stdout
    at_home = choose(folder, "--alarm-key", PUBLIC.hex(), profile="home").stdout
    assert PUBLIC.hex() in at_home
    assert "a test of an alarm" not in at_home


def test_a_key_is_never_replaced_and_opens_with_its_passphrase_alone(tmp_path: Path) -> None:
    path = tmp_path / "alarm.key"
    public = reporting.make_key(path, PASSPHRASE)
    assert bytes(reporting.load_key(path, PASSPHRASE).public_key) == public
    refused(doorward("alarm", "key", "--key", str(path)), "exists already")
    with pytest.raises(FleetRefused, match="passphrase is wrong"):
        reporting.load_key(path, "another one altogether")
    with pytest.raises(FleetRefused, match="damaged"):
        keys.unseal(path.read_bytes(), PASSPHRASE)  # it is no key that signs


@pytest.mark.parametrize(
    ("content", "pattern"),
    [
        (payload(key=bytes(PrivateKey(bytes(range(1, 33))).public_key)), "does not open"),
        (payload(key=bytes(32)), "does not open"),
        (b"", "no alarm"),
        (b"{}", "no alarm"),
        (b"[" * 4000, "no alarm"),
        (b" " * 5000, "no alarm"),
        (b"\xff", "no alarm"),
        (b'{"door":"\\u001b[2J","reason":"AA=="}', "no alarm"),
        (b'{"door":"ab","reason":"AA=="}', "does not open"),
        (b'{"door":"ab","reason":"\\u00e9"}', "no alarm"),
    ],
    ids=range(10),
)
def test_what_is_no_alarm_for_this_key_is_refused_in_one_sentence(content: bytes, pattern: str) -> None:
    with pytest.raises(FleetRefused, match=pattern):
        reporting.read_alarm(content, KEY)


@pytest.mark.parametrize("content", [b"", bytes(16), bytes((99,)) + bytes(15), b"\x0a" + bytes(14) + b"\1", bytes(17)])
def test_a_reason_that_makes_no_sense_is_refused(content: bytes) -> None:
    reason = base64.b64encode(SealedBox(KEY.public_key).encrypt(content)).decode()
    with pytest.raises(FleetRefused, match="makes no sense"):
        reporting.read_alarm(json.dumps({"door": "ab", "reason": reason}).encode(), KEY)


# ---- what a report seals


@pytest.mark.parametrize("camera", [False, True])
@pytest.mark.parametrize("lockout", [False, True])
def test_what_a_report_seals_is_read_with_the_key(camera: bool, lockout: bool) -> None:
    sent = report(Health(camera=camera, lockout=lockout))
    assert reporting.read_flags(sent, KEY) == reporting.SealedFlags(camera=camera, lockout=lockout)


def swapped(one: bytes, other: bytes) -> tuple[bytes, bytes]:
    """The report `one` and the alarm `other`, each with what the other one sealed: what a broker can do."""
    said, alarm = json.loads(one), json.loads(other)
    said["sealed"], alarm["reason"] = alarm["reason"], said["sealed"]
    return json.dumps(said).encode(), json.dumps(alarm).encode()


@pytest.mark.parametrize("kind", [*OccurrenceKind, TEST_ALARM])
def test_no_reason_is_taken_for_the_flags_of_a_report_and_no_flags_for_a_reason(kind: int) -> None:
    for health in (Health(), Health(camera=False), Health(lockout=True), Health(camera=False, lockout=True)):
        said, alarm = swapped(report(health), payload(kind))
        with pytest.raises(FleetRefused, match="makes no sense"):
            reporting.read_flags(said, KEY)
        with pytest.raises(FleetRefused, match="makes no sense"):
            reporting.read_alarm(alarm, KEY)


def test_a_reader_that_does_not_look_at_the_first_byte_would_take_one_for_the_other(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """The seeded fault: the flags begin with the byte of an alarm."""
    monkeypatch.setattr(reporting, "SEALED_FLAGS", OccurrenceKind.TAMPER)
    said, _ = swapped(report(Health()), payload(OccurrenceKind.TAMPER))
    assert reporting.read_flags(said, KEY).camera is False


@pytest.mark.parametrize(
    "content",
    [
        b"",
        bytes(16),
        bytes((SEALED_FLAGS,)),
        bytes((SEALED_FLAGS,)).ljust(17, b"\0"),
        bytes((SEALED_FLAGS, 2)).ljust(16, b"\0"),
        bytes((SEALED_FLAGS, 1, 255)).ljust(16, b"\0"),
        bytes((SEALED_FLAGS, 1, 0)).ljust(15, b"\0") + b"\1",
    ],
    ids=range(7),
)
def test_flags_that_make_no_sense_are_refused(content: bytes) -> None:
    box = base64.b64encode(SealedBox(KEY.public_key).encrypt(content)).decode()
    with pytest.raises(FleetRefused, match="makes no sense"):
        reporting.read_flags(json.dumps({"door": "ab", "sealed": box}).encode(), KEY)


@pytest.mark.parametrize(
    ("content", "pattern"),
    [
        (report(Health(), bytes(PrivateKey(bytes(range(1, 33))).public_key)), "does not open"),
        (report(Health(), bytes(32)), "does not open"),
        (envelope.encode(replace(SAID, health=Health())), "no report"),
        (payload(), "no report"),
        (b"", "no report"),
        (b"[" * 4000, "no report"),
        (b'{"door":"ab","sealed":7}', "no report"),
        (b'{"door":"ab","sealed":"AA=="}', "does not open"),
    ],
    ids=range(8),
)
def test_what_is_no_sealed_report_for_this_key_is_refused_in_one_sentence(content: bytes, pattern: str) -> None:
    with pytest.raises(FleetRefused, match=pattern):
        reporting.read_flags(content, KEY)


def test_whoever_chooses_for_a_building_hears_that_its_camera_needs_the_key(folder: Path) -> None:
    assert "a broken camera shows at the door alone, by doorctl status" in choose(folder).stdout
    assert "each report says to the key alone" in choose(folder, "--alarm-key", PUBLIC.hex()).stdout
    for args in ((), ("--alarm-key", PUBLIC.hex())):
        assert "camera" not in choose(folder, *args, profile="home").stdout


def test_a_missing_key_and_a_missing_message_are_one_sentence_each(tmp_path: Path) -> None:
    path = tmp_path / "alarm.key"
    with pytest.raises(FleetRefused, match="doorward alarm key"):
        reporting.load_key(path, PASSPHRASE)
    path.mkdir()
    with pytest.raises(FleetFault, match="cannot be read"):
        reporting.load_key(path, PASSPHRASE)
    key = tmp_path / "another.key"
    reporting.make_key(key, PASSPHRASE)
    refused(doorward("alarm", "read", "--key", str(key), str(tmp_path / "none")), "cannot be read")
