"""doorward policy: a manager's file becomes a document that the door believes, or one sentence and nothing lost."""

from __future__ import annotations

import json
import re
import sqlite3
import time
from contextlib import closing
from datetime import date
from pathlib import Path
from typing import Any

import pytest
from click.testing import Result
from hypothesis import given, settings
from hypothesis import strategies as st

from device import document
from device.document import Kind
from device.policy.methods import PIN_AND_CARD, Method
from device.policy.schedule import DoorPolicy, Interval, OtherHours, Schedule
from provisioning import timetable
from provisioning.errors import FleetRefused
from provisioning.store import Reserved
from provisioning.store_sql import SqlStore
from provisioning.stores import opened
from tests.unit.policy.policies import policies
from tests.unit.provisioning.doors import believed, doorward, fleet_with_a_door, identify, listed

ALWAYS = '[[schedule]]\nopens = ["pin", "card"]\nhours.every-day = ["00:00-24:00"]\n'
WORKDAYS = """
[[schedule]]
opens = ["face+pin"]
hours.mon-fri = ["07:00-12:00", "12:00-20:00"]
hours.sat = ["09:00-14:00"]
[[schedule.other]]
from = 2026-12-24
to = 2026-12-26
hours = []
[[schedule.other]]
from = 2026-12-31
hours = ["10:00-12:00"]
"""
EQUAL = 'zone = "Europe/Berlin"\n' + ALWAYS + WORKDAYS
UNEQUAL = EQUAL.replace('"pin", "card"', '"pin"')


@pytest.fixture(autouse=True)
def _passphrase(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DOORWARD_PASSPHRASE", "correct horse battery")


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    path = fleet_with_a_door(tmp_path / "fleet")
    identify(path)
    return path


def put(folder: Path, text: str, *args: str) -> Result:
    file = folder.parent / "hours.toml"
    file.write_text(text)
    return doorward("policy", "set", "--fleet", str(folder), "--door", "Front door", str(file), *args)


def show(folder: Path, *args: str) -> Result:
    return doorward("policy", "show", "--fleet", str(folder), "--door", "Front door", *args)


def parsed(folder: Path, told: dict[str, str]) -> document.Parsed:
    return believed(folder, Path(told["document"]))


def test_a_file_becomes_a_document_that_the_door_believes(folder: Path) -> None:
    told = json.loads(put(folder, EQUAL, "--json").stdout)
    found = parsed(folder, told)
    day = (Interval(420, 1200),)
    assert (found.kind, found.version) == (Kind.POLICY, 1)
    assert found.body == DoorPolicy(
        "Europe/Berlin",
        (
            Schedule(PIN_AND_CARD, ((Interval(0, 1440),),) * 7),
            Schedule(
                Method.FACE_WITH_PIN,
                (*(day,) * 5, (Interval(540, 840),), ()),
                (
                    OtherHours(date(2026, 12, 24), date(2026, 12, 26)),
                    OtherHours(date(2026, 12, 31), date(2026, 12, 31), (Interval(600, 720),)),
                ),
            ),
        ),
    )


def test_documents_of_both_kinds_share_one_row_of_versions(folder: Path) -> None:
    put(folder, EQUAL)
    args = ("slot", "offer", "--fleet", str(folder), "--door", "Front door", "--slot", "12", "--json")
    assert json.loads(doorward(*args).stdout)["version"] == 2
    assert json.loads(put(folder, EQUAL, "--json").stdout)["version"] == 3


def test_an_unequal_policy_is_refused_and_uses_up_nothing(folder: Path) -> None:
    before = {path: path.read_bytes() for path in folder.iterdir()}
    said = put(folder, UNEQUAL)
    assert said.exit_code == 1
    assert said.stderr == "On Thursdays at 07:00 the door would open by face but not by card.\n"
    assert {path: path.read_bytes() for path in folder.iterdir()} == before


def test_what_is_shown_is_what_was_set_and_could_be_set_again(folder: Path) -> None:
    assert "no policy" in show(folder).stdout
    assert json.loads(show(folder, "--json").stdout)["policy"] is None
    told = json.loads(put(folder, EQUAL, "--json").stdout)
    shown = show(folder).stdout
    assert timetable.parse(shown) == parsed(folder, told).body
    facts = json.loads(show(folder, "--json").stdout)["policy"]
    assert facts["zone"] == "Europe/Berlin"
    assert facts["schedules"][1]["opens"] == ["face+pin"]
    assert facts["schedules"][1]["hours"]["sat"] == ["09:00-14:00"]
    assert facts["schedules"][1]["other"][0] == {"from": "2026-12-24", "to": "2026-12-26", "hours": []}


def test_a_slot_that_is_offered_later_keeps_the_policy(folder: Path) -> None:
    put(folder, EQUAL)
    shown = show(folder).stdout
    doorward("slot", "offer", "--fleet", str(folder), "--door", "Front door", "--slot", "12")
    assert show(folder).stdout == shown


def test_a_policy_that_is_damaged_in_the_fleet_is_one_sentence(folder: Path) -> None:
    put(folder, EQUAL)
    for bad in ("zz", b"\x00\xff"):
        with closing(sqlite3.connect(folder / "fleet.sqlite")) as database, database:
            database.execute("UPDATE doors SET policy = ?", (bad,))
        said = show(folder)
        assert said.exit_code == 1
        assert "damaged" in said.stderr
        assert said.stderr.count("\n") == 1


@given(policies)
@settings(max_examples=60)
def test_any_policy_can_be_written_down_and_read_again(policy: DoorPolicy) -> None:
    assert timetable.parse(timetable.shown(policy)) == policy


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("zone = 5", "a zone such as"),
        ("zone = ", "no TOML"),
        ('zone = "Europe/Berlin"\n', "one \\[\\[schedule]]"),
        (EQUAL + "\n[extra]\n", "not 'extra'"),
        (EQUAL.replace('"pin", "card"', '"pin", "key"'), "not by 'key'"),
        (EQUAL.replace('["pin", "card"]', '"pin"'), "opens is a list of texts"),
        (EQUAL.replace("mon-fri", "fri-mon"), "'fri-mon' is no day"),
        (EQUAL.replace("mon-fri", "mon-"), "'mon-' is no day"),
        (EQUAL.replace("07:00-12:00", "22:00-06:00"), "past midnight stands under both days"),
        (EQUAL.replace("07:00-12:00", "7-12"), "'7-12' is not"),
        (EQUAL.replace("07:00-12:00", "07:00-24:01"), "at 24:00 at the latest"),
        (EQUAL.replace("from = 2026-12-24", "from = 2026-12-24T10:00:00"), "a day such as"),
        (EQUAL.replace("from = 2026-12-24", 'from = "tomorrow"'), "a day such as"),
        (EQUAL.replace("to = 2026-12-26", "to = 2026-12-23"), "begin on their first day"),
        (EQUAL.replace("to = 2026-12-26", "to = 2026-12-31"), "no day has two of them"),
        (EQUAL.replace("Europe/Berlin", "Mars/Olympus"), "Mars/Olympus is unknown here"),
        (EQUAL.replace("Europe/Berlin", "/etc/localtime"), "time zone"),
        (EQUAL.replace('"face+pin"', '"face+pin", "face"'), "either alone or with the PIN"),
        ('zone = "UTC"\nschedule = [5]\n', "a schedule is a table"),
        ('zone = "UTC"\n[[schedule]]\nopens = ["pin"]\n', "a schedule has hours"),
        ('zone = "UTC"\n' + ALWAYS.replace("00:00-24:00", ""), "'' is not"),
        ('zone = "UTC"\n[[schedule]]\nopens = ["pin"]\nhours = {}\n', "to nobody, at no time"),
        (EQUAL + "[timetable]\nnumber = 1\n", "under \\[\\[timetable]]"),
        (EQUAL + "[[timetable]]\nhours.mon = []\n", "a timetable has a number"),
        (EQUAL + "[[timetable]]\nnumber = true\nhours.mon = []\n", "a timetable has a number"),
        (EQUAL + "[[timetable]]\nnumber = 1\n", "a timetable has hours"),
        (EQUAL + "[[timetable]]\nnumber = 0\nhours.mon = []\n", "number from 1 to 255"),
        (EQUAL + "[[timetable]]\nnumber = 256\nhours.mon = []\n", "number from 1 to 255"),
        (EQUAL + "[[timetable]]\nnumber = 1\nopens = ['pin']\nhours.mon = []\n", "not 'opens'"),
        (EQUAL + 2 * "[[timetable]]\nnumber = 1\nhours.mon = []\n", "each timetable once"),
        (EQUAL + "[[timetable]]\nnumber = 1\nhours.mon = []\nother = 5\n", "under \\[\\[timetable.other]]"),
        ("#" * 70_000, "too long"),
    ],
)
def test_a_file_that_makes_no_sense_is_one_sentence_and_costs_nothing(folder: Path, text: str, sentence: str) -> None:
    said = put(folder, text)
    assert said.exit_code == 1
    assert said.stdout == ""
    assert re.fullmatch(r"[A-Z/'#][^\n]*\.\n", said.stderr), said.stderr
    assert re.search(sentence, said.stderr, re.IGNORECASE), said.stderr
    assert opened(folder, None).doors()[0].version == 0


def test_a_file_that_cannot_be_read_is_one_sentence(folder: Path, tmp_path: Path) -> None:
    binary = tmp_path / "binary.toml"
    binary.write_bytes(b"\xff\xfe")
    for path in (tmp_path / "none.toml", tmp_path, binary):
        said = doorward("policy", "set", "--fleet", str(folder), "--door", "Front door", str(path))
        assert said.exit_code == 1
        assert said.stderr.count("\n") == 1


def test_an_unknown_door_is_one_sentence(folder: Path) -> None:
    for args in (("policy", "show", "--fleet", str(folder), "--door", "Back"),):
        said = doorward(*args)
        assert (said.exit_code, said.stderr) == (1, 'There is no door named "Back" in this fleet.\n')


@given(st.text(max_size=200))
def test_arbitrary_text_is_no_policy(text: str) -> None:
    with pytest.raises(FleetRefused):
        timetable.parse(text)


# ---- timetables of places

CLEANED = (
    EQUAL
    + """
[[timetable]]
number = 2
hours.mon = ["08:00-12:00"]
[[timetable.other]]
from = 2026-12-28
hours = []
[[timetable]]
number = 1
hours.every-day = ["00:00-24:00"]
"""
)


def offer(folder: Path, *args: str, slot: int = 12) -> Result:
    return doorward("slot", "offer", "--fleet", str(folder), "--door", "Front door", "--slot", str(slot), *args)


def refused(folder: Path, said: Result, pattern: str, version: int) -> None:
    assert said.exit_code == 1
    assert said.stdout == ""
    assert re.fullmatch(r"[A-Z][^\n]*\.\n", said.stderr), said.stderr
    assert re.search(pattern, said.stderr), said.stderr
    assert opened(folder, None).doors()[0].version == version, "and nothing was used up"


def test_timetables_are_set_shown_and_offered_by_their_number(folder: Path) -> None:
    told = json.loads(put(folder, CLEANED, "--json").stdout)
    body = parsed(folder, told).body
    assert isinstance(body, DoorPolicy)
    assert [each.number for each in body.timetables] == [1, 2]
    assert body.timetables[1].week == ((Interval(480, 720),), *((),) * 6)
    assert body.timetables[1].exceptions == (OtherHours(date(2026, 12, 28), date(2026, 12, 28)),)
    shown = show(folder).stdout
    assert timetable.parse(shown) == body
    assert json.loads(show(folder, "--json").stdout)["policy"]["timetables"][1]["number"] == 2
    said = json.loads(offer(folder, "--timetable", "2", "--json").stdout)
    found = parsed(folder, said).body
    assert isinstance(found, document.SlotOffers)
    assert found.offers[0].timetable == said["timetable"] == 2
    assert listed(folder)["slots"] == [{"number": 12, "ends_unix": None, "timetable": 2}]
    assert "hours of timetable 1 only" in offer(folder, "--timetable", "1").stdout


def test_a_timetable_that_the_newest_policy_lacks_is_offered_to_nobody(folder: Path) -> None:
    refused(folder, offer(folder, "--timetable", "1"), "has no timetable 1", 0)
    put(folder, CLEANED)
    refused(folder, offer(folder, "--timetable", "3"), "has no timetable 3", 1)
    for wrong in ("0", "256", "one"):
        assert offer(folder, "--timetable", wrong).exit_code == 2


def test_a_policy_drops_no_timetable_that_a_place_has(folder: Path) -> None:
    put(folder, CLEANED)
    offer(folder, "--timetable", "2")
    offer(folder, "--timetable", "1", slot=13)
    refused(folder, put(folder, EQUAL), "Place 12 has the hours of timetable 2", 3)
    offer(folder)
    refused(folder, put(folder, EQUAL), "Place 13 has the hours of timetable 1", 4)
    offer(folder, slot=13)
    assert put(folder, EQUAL).exit_code == 0


def test_a_place_that_has_ended_needs_no_timetable_any_more(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    put(folder, CLEANED)
    now = time.time()
    today = time.strftime("%Y-%m-%d", time.localtime(now))
    assert offer(folder, "--timetable", "2", "--until", today).exit_code == 0
    refused(folder, put(folder, EQUAL), "timetable 2", 2)
    monkeypatch.setattr("provisioning.cli.time.time", lambda: now + 2 * 86_400)
    assert put(folder, EQUAL).exit_code == 0


def test_a_check_that_looks_before_the_store_is_locked_alone_would_be_caught(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Two managers at once: between one's look and its reservation the other drops the timetable."""
    put(folder, CLEANED)
    real = SqlStore.reserve_offer

    def late(self: SqlStore, *args: Any, **kwargs: Any) -> Reserved:
        monkeypatch.setattr(SqlStore, "reserve_offer", real)
        assert put(folder, EQUAL).exit_code == 0
        return real(self, *args, **kwargs)

    monkeypatch.setattr(SqlStore, "reserve_offer", late)
    refused(folder, offer(folder, "--timetable", "2"), "has no timetable 2", 2)
