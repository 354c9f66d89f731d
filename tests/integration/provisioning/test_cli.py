"""doorward: the manager's commands, and what they must never leave behind."""

from __future__ import annotations

import json
import os
import pwd
import re
import sqlite3
import subprocess
import sys
import time
import tomllib
from collections.abc import Iterator
from contextlib import closing, contextmanager
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from device import document
from device.wire import NO_END, SlotOffer
from provisioning import cli, fleet, invitation, keys, until
from provisioning.errors import FleetRefused
from provisioning.stores import opened
from tests.support.command_line import commands
from tests.unit.provisioning.doors import believed, doorward, fleet_with_a_door, identify

PASSPHRASE = "correct horse battery"


@pytest.fixture(autouse=True)
def _passphrase(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DOORWARD_PASSPHRASE", PASSPHRASE)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A fleet with one door."""
    path = fleet_with_a_door(tmp_path / "fleet")
    identify(path)
    return path


def offer(folder: Path, *args: str, door: str = "Front door", slot: str = "12") -> Result:
    return doorward("slot", "offer", "--fleet", str(folder), "--door", door, "--slot", slot, *args)


def refused(result: Result, pattern: str) -> None:
    assert result.exit_code == 1
    assert result.stdout == ""
    assert re.fullmatch(r"[A-Z/][^\n]*\.\n", result.stderr), result.stderr
    assert re.search(pattern, result.stderr), result.stderr


def test_a_new_fleet_shows_the_key_its_doors_will_believe(tmp_path: Path) -> None:
    told = json.loads(doorward("fleet", "init", "--fleet", str(tmp_path / "f"), "--json").stdout)
    again = json.loads(doorward("fleet", "key", "--fleet", str(tmp_path / "f"), "--json").stdout)
    assert told == again
    assert len(bytes.fromhex(told["manager_key"])) == 32


def test_the_door_table_is_the_one_a_door_reads(folder: Path) -> None:
    said = doorward("door", "add", "东门", "--no-label", "--fleet", str(folder))
    table = tomllib.loads(said.stdout)["door"]
    listed = json.loads(doorward("door", "list", "--fleet", str(folder), "--json").stdout)["doors"]
    assert {each["name"]: each["id"] for each in listed}["东门"] == table["id"]
    assert re.fullmatch("[0-9a-f]{16}", table["id"])
    assert (
        table["manager_key"]
        == json.loads(doorward("fleet", "key", "--fleet", str(folder), "--json").stdout)["manager_key"]
    )


def test_an_offer_is_a_document_that_the_door_believes_and_the_invitation_fits(folder: Path, tmp_path: Path) -> None:
    for version in (1, 2, 3):
        told = json.loads(offer(folder, "--json", "--out", str(tmp_path / f"{version}.doc"), "--days", "3").stdout)
        parsed = believed(folder, tmp_path / f"{version}.doc")
        assert isinstance(parsed.body, document.SlotOffers)
        (found,) = parsed.body.offers
        assert (parsed.version, found.serial, found.slot) == (version, version, 12)
        assert found.expires_unix == parsed.issued_unix + 3 * 86_400 == told["expires_unix"]
        assert invitation.verifier(told["invitation"], found.salt) == found.verifier


def test_a_person_is_shown_the_invitation_in_groups_once(folder: Path) -> None:
    said = offer(folder)
    assert len(re.findall(r"^ {4}\d{4} \d{4} \d{4}$", said.stdout, re.MULTILINE)) == 1


def test_the_fleet_keeps_no_invitation_in_any_form(folder: Path) -> None:
    digits = json.loads(offer(folder, "--json").stdout)["invitation"]
    forms = [digits.encode(), digits.encode().hex().encode(), int(digits).to_bytes(5, "little")]
    for path in folder.iterdir():
        assert not any(form in path.read_bytes() for form in forms), path.name
    # The search finds what is there: a seeded leak is caught.
    (folder / "leak").write_text(f"slot 12: {digits}")
    assert any(forms[0] in path.read_bytes() for path in folder.iterdir())


def test_the_private_key_lies_nowhere_in_the_clear(folder: Path) -> None:
    key = keys.unseal((folder / "document.key").read_bytes(), PASSPHRASE)
    for path in folder.iterdir():
        content = path.read_bytes()
        assert bytes(key) not in content
        assert bytes(key).hex().encode() not in content
        assert path.stat().st_mode & 0o077 == 0


def test_the_fleet_has_no_place_for_people(folder: Path) -> None:
    offer(folder)
    with closing(sqlite3.connect(folder / "fleet.sqlite")) as database:
        tables = [name for (name,) in database.execute("SELECT name FROM sqlite_schema WHERE type = 'table'")]
        columns = {name: {column[1] for column in database.execute(f"PRAGMA table_info({name})")} for name in tables}
    assert columns == {
        "doorward_revision": {"version_num"},
        "fleet": {"number", "public_key"},
        "doors": {"id", "name", "version", "policy", "reporting", "document_key", "state", "created_unix"}
        | {"joined_unix", "certificate_serial", "not_after_unix", "manager_key", "succession"}
        | {"building", "floor"},
        "slots": {"door_id", "number", "serial", "expires_unix", "ends_unix", "timetable"},
        "labels": {"number", "door_id", "verifier", "made_unix", "expires_unix", "state"},
        "certificates": {"serial", "door_id", "not_before_unix", "not_after_unix", "fingerprint", "revoked_unix"},
        "managers": {"serial", "name", "not_before_unix", "not_after_unix", "revoked_unix"},
        "acts": {"number", "at_unix", "who", "command", "door_id", "about", "chain"},
        "users": {"name", "role", "password", "second_factor", "last_step", "created_unix"},  # managers, not residents
        "sessions": {"token_hash", "user_name", "created_unix", "seen_unix"},
        "devices": {"token_hash", "user_name", "created_unix"},
    }


def test_who_did_what_at_which_door_is_noted_and_nothing_of_residents(folder: Path) -> None:
    put = offer(folder, slot="1234")
    assert put.exit_code == 0
    (account,) = {pwd.getpwuid(os.getuid()).pw_name}
    acts = json.loads(doorward("fleet", "acts", "--fleet", str(folder), "--json").stdout)["acts"]
    assert [(each["who"], each["command"], each["door"]) for each in acts] == [
        (account, "fleet init", None),
        (account, "door add", "Front door"),
        (account, "label make", "Front door"),
        (account, "door identify", "Front door"),
        (account, "slot offer", "Front door"),
    ]
    said = doorward("fleet", "acts", "--fleet", str(folder), "--newest", "1").stdout
    assert re.fullmatch(rf"\d{{4}}-\d\d-\d\d \d\d:\d\d:\d\d  {account}  slot offer  Front door\n", said)
    assert "1234" not in said


def test_help_is_shown_without_loading_a_database() -> None:
    slow = {"sqlalchemy", "alembic", "psycopg", "cryptography", "paho", "segno"}
    program = f"import sys, provisioning.cli; print({slow} & set(sys.modules))"
    said = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert said.stdout == "set()\n"


def test_a_computer_without_the_managers_packages_is_told_what_is_missing(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("provisioning.fleet.find_spec", lambda _name: None)
    refused(doorward("fleet", "key", "--fleet", str(folder)), "pip install 'doorward")


# ---- the end of a place

CHINA = "CST-8"  # written out, as POSIX does: it needs no list of zones on the machine


def local(year: int, month: int, day: int, hour: int = 0) -> int:
    """Seconds since 1970 of a full hour by the clocks of this computer."""
    return int(time.mktime((year, month, day, hour, 0, 0, 0, 0, -1)))


@pytest.fixture
def _at_noon(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """It is noon on the 22nd of November 2026 in China."""
    with in_time_zone(CHINA):
        noon = local(2026, 11, 22, 12)
        monkeypatch.setattr("provisioning.cli.time.time", lambda: noon)
        yield


@contextmanager
def in_time_zone(name: str) -> Iterator[None]:
    before = os.environ.get("TZ")
    os.environ["TZ"] = name
    time.tzset()
    try:
        yield
    finally:
        os.environ.pop("TZ")
        if before is not None:
            os.environ["TZ"] = before
        time.tzset()


def parsed_offer(folder: Path, told: dict[str, str]) -> SlotOffer:
    parsed = believed(folder, Path(told["document"]))
    assert isinstance(parsed.body, document.SlotOffers)
    return parsed.body.offers[0]


@pytest.mark.usefixtures("_at_noon")
def test_a_place_ends_at_midnight_after_its_last_day_where_the_manager_stands(folder: Path) -> None:
    told = json.loads(offer(folder, "--until", "2027-06-30", "--json").stdout)
    end = int(datetime(2027, 6, 30, 16, tzinfo=UTC).timestamp())  # 2027-07-01 00:00 in Shanghai
    assert told["ends_unix"] == end == parsed_offer(folder, told).ends_unix
    (listed,) = json.loads(doorward("door", "list", "--fleet", str(folder), "--json").stdout)["doors"]
    assert listed["slots"] == [{"number": 12, "ends_unix": end, "timetable": None}]
    assert opened(folder, None).door("Front door").slots[0].ends_unix == end


def test_a_place_without_a_last_day_has_no_end(folder: Path) -> None:
    told = json.loads(offer(folder, "--json").stdout)
    assert told["ends_unix"] is None
    assert parsed_offer(folder, told).ends_unix == NO_END
    (listed,) = json.loads(doorward("door", "list", "--fleet", str(folder), "--json").stdout)["doors"]
    assert listed["slots"] == [{"number": 12, "ends_unix": None, "timetable": None}]


@pytest.mark.usefixtures("_at_noon")
def test_an_invitation_is_never_good_for_longer_than_its_place(folder: Path) -> None:
    told = json.loads(offer(folder, "--until", "2026-11-22", "--days", "14", "--json").stdout)
    assert told["expires_unix"] == told["ends_unix"]
    found = parsed_offer(folder, told)
    assert found.expires_unix == found.ends_unix == int(datetime(2026, 11, 22, 16, tzinfo=UTC).timestamp())


@pytest.mark.usefixtures("_at_noon")
def test_a_person_is_told_the_last_day_and_the_moment(folder: Path) -> None:
    said = offer(folder, "--until", "2027-06-30").stdout
    assert "The last day of the place is 2027-06-30; it ends at 2027-07-01 00:00 CST." in said
    listed = doorward("door", "list", "--fleet", str(folder)).stdout
    assert "2027-06-30" in listed


@pytest.mark.usefixtures("_at_noon")
@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("2026-11-21", "is over"),
        ("1999-01-01", "is over"),
        ("2036-11-23", "within 10 years"),
        ("9999-12-31", "within 10 years"),
        ("2027-02-29", "such as 2027-06-30"),
        ("30.6.2027", "such as 2027-06-30"),
        ("20270630", "such as 2027-06-30"),
        ("2027-W26-3", "such as 2027-06-30"),
        ("2027-6-30", "such as 2027-06-30"),
        ("2027-06-30T12:00", "such as 2027-06-30"),
        ("\uff12\uff10\uff12\uff17-06-30", "such as 2027-06-30"),
        ("", "such as 2027-06-30"),
        ("tomorrow\nor so", "such as 2027-06-30"),
    ],
)
def test_a_day_that_is_none_or_no_last_day_is_refused_and_costs_nothing(folder: Path, text: str, why: str) -> None:
    before = {path.name: path.read_bytes() for path in folder.iterdir()}
    refused(offer(folder, "--until", text), why)
    assert {path.name: path.read_bytes() for path in folder.iterdir()} == before


@pytest.mark.usefixtures("_at_noon")
def test_the_last_of_the_ten_years_is_taken(folder: Path) -> None:
    assert offer(folder, "--until", "2036-11-22").exit_code == 0


def test_ten_years_after_a_leap_day_is_the_28th() -> None:
    leap_day = local(2028, 2, 29, 12)
    assert until.end_of(date(2038, 2, 28), leap_day) == local(2038, 3, 1)
    with pytest.raises(FleetRefused, match="within 10 years"):
        until.end_of(date(2038, 3, 1), leap_day)


@pytest.mark.parametrize("zone", ["UTC0", CHINA, "EST5EDT,M3.2.0,M11.1.0", "<+14>-14", "<+0545>-5:45"])
@pytest.mark.parametrize("last", [date(2026, 11, 22), date(2027, 3, 13), date(2027, 3, 14), date(2027, 11, 7)])
def test_a_last_day_is_whole_and_shown_as_it_was_typed(zone: str, last: date) -> None:
    with in_time_zone(zone):
        end = until.end_of(last, local(2026, 11, 22, 12))
        following = last + timedelta(days=1)
        assert time.localtime(end - 1)[:6] == (*last.timetuple()[:3], 23, 59, 59)
        assert time.localtime(end)[:6] == (*following.timetuple()[:3], 0, 0, 0)
        assert until.shown(end) == last.isoformat()


def test_the_help_says_whose_midnight_it_is() -> None:
    said = " ".join(doorward("slot", "offer", "--help").stdout.split())
    assert "--until YYYY-MM-DD" in said
    assert "midnight in this computer's time zone" in said


# ---- refusals


def test_a_fleet_is_not_begun_over_another(folder: Path) -> None:
    before = {path.name: path.read_bytes() for path in folder.iterdir()}
    refused(doorward("fleet", "init", "--fleet", str(folder)), "already")
    assert {path.name: path.read_bytes() for path in folder.iterdir()} == before


def test_a_key_without_its_fleet_is_not_replaced(folder: Path) -> None:
    (folder / "fleet.sqlite").unlink()
    before = (folder / "document.key").read_bytes()
    refused(doorward("fleet", "init", "--fleet", str(folder)), "exists already")
    assert (folder / "document.key").read_bytes() == before


def test_a_wrong_passphrase_costs_no_version(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DOORWARD_PASSPHRASE", "something else")
    refused(offer(folder), "passphrase is wrong")
    monkeypatch.setenv("DOORWARD_PASSPHRASE", PASSPHRASE)
    assert json.loads(offer(folder, "--json").stdout)["version"] == 1


def test_a_key_of_another_fleet_is_noticed(folder: Path, tmp_path: Path) -> None:
    doorward("fleet", "init", "--fleet", str(tmp_path / "other"))
    (folder / "document.key").write_bytes((tmp_path / "other" / "document.key").read_bytes())
    refused(offer(folder), "another fleet")


@pytest.mark.parametrize("slot", ["0", "-1", "10000", "99999999999999999999"])
def test_a_slot_out_of_range_is_refused(folder: Path, slot: str) -> None:
    refused(offer(folder, slot=slot), "1 to 9999")


@pytest.mark.parametrize("days", ["0", "-3", "91"])
def test_an_invitation_for_ever_is_refused(folder: Path, days: str) -> None:
    refused(offer(folder, "--days", days), "1 to 90 days")


def test_an_unknown_door_is_refused(folder: Path) -> None:
    refused(offer(folder, door="Cellar"), 'no door named "Cellar"')


@pytest.mark.parametrize("words", [["fleet", "key"], ["door", "list"], ["door", "add", "x"]])
def test_a_folder_without_a_fleet_is_refused_and_left_alone(tmp_path: Path, words: list[str]) -> None:
    refused(doorward(*words, "--fleet", str(tmp_path)), "no fleet")
    assert list(tmp_path.iterdir()) == []


def test_a_fleet_of_before_the_database_is_one_sentence(tmp_path: Path) -> None:
    (tmp_path / "fleet.json").write_text("{}")
    for words in (["fleet", "key"], ["fleet", "init"], ["fleet", "upgrade"]):
        refused(doorward(*words, "--fleet", str(tmp_path)), "before the first release")
    assert [path.name for path in tmp_path.iterdir()] == ["fleet.json"]


def test_a_fleet_of_this_version_needs_no_upgrade(folder: Path) -> None:
    before = (folder / "fleet.sqlite").read_bytes()
    said = doorward("fleet", "upgrade", "--fleet", str(folder)).stdout
    assert said == "The fleet was of this version already.\n"
    assert (folder / "fleet.sqlite").read_bytes() == before


@pytest.mark.parametrize("name", ["", "   ", "x" * 65, "two\nlines", "bell\a"])
def test_a_door_needs_a_name_that_can_be_read(folder: Path, name: str) -> None:
    refused(doorward("door", "add", name, "--fleet", str(folder)), "door's name")


def test_a_door_is_added_once(folder: Path) -> None:
    refused(doorward("door", "add", " Front door ", "--fleet", str(folder)), "already")


def test_a_document_replaces_no_file(folder: Path, tmp_path: Path) -> None:
    (tmp_path / "precious").write_text("mine")
    refused(offer(folder, "--out", str(tmp_path / "precious")), "not replaced")
    assert (tmp_path / "precious").read_text() == "mine"


def test_a_place_that_cannot_be_written_is_refused(folder: Path, tmp_path: Path) -> None:
    refused(offer(folder, "--out", str(tmp_path / "nowhere" / "x.doc")), "cannot be written")
    (tmp_path / "file").write_text("")
    refused(doorward("fleet", "init", "--fleet", str(tmp_path / "file" / "fleet")), "cannot be written")


def test_a_missing_key_file_is_refused(folder: Path) -> None:
    (folder / "document.key").unlink()
    refused(offer(folder), "cannot be read")


def test_a_short_passphrase_begins_no_fleet(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DOORWARD_PASSPHRASE", "short")
    refused(doorward("fleet", "init", "--fleet", str(tmp_path / "f")), "8 characters")
    assert not (tmp_path / "f").exists()


def test_json_says_why_it_was_refused(folder: Path) -> None:
    said = offer(folder, "--json", slot="0")
    assert said.exit_code == 1
    assert json.loads(said.stdout) == {"ok": False, "reason": "A slot is a number from 1 to 9999, not 0."}


# ---- the passphrase prompt, and manners


def test_the_passphrase_is_asked_for_twice_and_must_agree(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("DOORWARD_PASSPHRASE")
    typed = f"{PASSPHRASE}\nmistyped passphrase\n{PASSPHRASE}\n{PASSPHRASE}\n"
    assert doorward("fleet", "init", "--fleet", str(tmp_path / "f"), typed=typed).exit_code == 0
    keys.unseal((tmp_path / "f" / "document.key").read_bytes(), PASSPHRASE)


def test_no_passphrase_is_a_sentence(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("DOORWARD_PASSPHRASE")
    said = CliRunner().invoke(
        cli.cli, ["slot", "offer", "--fleet", str(folder), "--door", "Front door", "--slot", "1", "--json"], input=""
    )
    assert said.exit_code == 1
    assert json.loads(said.stdout)["reason"].startswith("The passphrase was not given")


def test_ctrl_c_is_a_sentence_and_130(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def interrupted(*_args: object, **_kwargs: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(fleet.Fleet, "offer_slot", interrupted)
    said = offer(folder)
    assert (said.exit_code, said.stderr) == (130, "Stopped.\n")


@pytest.mark.parametrize("words", list(commands(cli.cli)))
def test_every_command_has_help_with_an_example_and_json(words: tuple[str, ...]) -> None:
    said = doorward(*words, "--help")
    assert said.exit_code == 0
    assert f"Example: doorward {' '.join(words)}" in said.stdout
    assert "--json" in said.stdout


@pytest.mark.parametrize("words", [["slot", "offer"], ["door", "remove"], ["fleet", "key"], []])
def test_usage_errors_exit_2(words: list[str]) -> None:
    assert doorward(*words).exit_code == 2


def test_the_list_of_doors_shows_names_as_they_are(folder: Path) -> None:
    doorward("door", "add", "[bold]Yard[/bold]", "--fleet", str(folder))
    said = doorward("door", "list", "--fleet", str(folder)).stdout
    assert "[bold]Yard[/bold]" in said
    assert "Front door" in said


def test_a_fleet_refusal_is_also_a_value_error() -> None:
    with pytest.raises(ValueError, match="x"):
        raise FleetRefused("x")
