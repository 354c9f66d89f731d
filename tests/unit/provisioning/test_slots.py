"""Places: offered, listed, ended; and what a door reads in the document that ends one."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from device.document import SlotOffers
from device.wire import SlotOffer
from provisioning import fleet as fleets
from provisioning import withdrawing
from provisioning.errors import FleetRefused
from provisioning.store import Slot
from tests.unit.provisioning.doors import believed, doorward, identify, listed

PASSPHRASE = "a long passphrase"


@pytest.fixture(autouse=True)
def _passphrase(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DOORWARD_PASSPHRASE", PASSPHRASE)


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A fleet with one door that is known."""
    monkeypatch.setenv("DOORWARD_FLEET", str(tmp_path / "fleet"))
    for words in (["fleet", "init"], ["door", "add", "Front door"]):
        assert doorward(*words).exit_code == 0
    identify(tmp_path / "fleet")
    return tmp_path / "fleet"


def slot(*words: str) -> dict[str, object]:
    said = doorward("slot", words[0], "--door", "Front door", *words[1:], "--json")
    found: dict[str, object] = json.loads(said.stdout)
    assert said.exit_code == (0 if found["ok"] else 1)
    return found


def places() -> list[dict[str, object]]:
    found = slot("list")["slots"]
    assert isinstance(found, list)
    return found


def test_what_ends_a_place_is_an_offer_to_nobody_newer_than_all_before(folder: Path) -> None:
    slot("offer", "--slot", "12")
    made = slot("revoke", "--slot", "12")
    parsed = believed(folder, Path(str(made["document"])))
    assert parsed.body == SlotOffers((SlotOffer.withdrawal(12, 2),))
    assert (parsed.version, made["version"], made["serial"]) == (2, 2, 2)


@pytest.mark.usefixtures("folder")
def test_a_place_that_was_ended_is_listed_as_that_and_can_be_offered_again() -> None:
    slot("offer", "--slot", "12", "--until", f"{datetime.now(UTC) + timedelta(300):%Y-%m-%d}")
    assert [(each["number"], each["ended"], each["offers"]) for each in places()] == [(12, False, 1)]
    slot("revoke", "--slot", "12")
    (ended,) = places()
    assert (ended["number"], ended["ended"], ended["expires_unix"]) == (12, True, None)
    assert "  12  ended on " in doorward("slot", "list", "--door", "Front door").stdout
    assert slot("offer", "--slot", "12")["serial"] == 3
    (again,) = places()
    assert (again["ended"], again["ends_unix"]) == (False, None)
    assert "invitation good until" in doorward("slot", "list", "--door", "Front door").stdout


@pytest.mark.usefixtures("folder")
def test_who_comes_next_gets_a_number_that_nobody_had_unless_it_is_named() -> None:
    assert slot("offer")["slot"] == 1
    slot("offer", "--slot", "2")
    slot("revoke", "--slot", "1")
    assert slot("offer")["slot"] == 3
    assert slot("offer", "--slot", "1")["slot"] == 1


def test_a_door_whose_numbers_are_used_up_says_so(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    slot("offer", "--slot", "1")
    monkeypatch.setattr(withdrawing, "LAST_SLOT", 1)
    with pytest.raises(FleetRefused, match="name the one to offer again"):
        withdrawing.unused(fleets.open_fleet(folder).store.door("Front door"))


def test_a_lost_document_is_made_anew_with_higher_numbers(folder: Path) -> None:
    slot("offer", "--slot", "12")
    first, second = slot("revoke", "--slot", "12"), slot("revoke", "--slot", "12")
    assert (first["version"], second["version"]) == (2, 3)
    assert believed(folder, Path(str(second["document"]))).body == SlotOffers((SlotOffer.withdrawal(12, 3),))


def test_every_mistake_is_one_sentence_and_uses_up_no_number(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    slot("offer", "--slot", "12")
    before = listed(folder)
    assert slot("revoke", "--slot", "13")["reason"] == (
        'Place 13 of "Front door" was never offered; `doorward slot list` shows those that were.'
    )
    missing = json.loads(doorward("slot", "revoke", "--door", "Cellar", "--slot", "1", "--json").stdout)
    assert missing["reason"] == 'There is no door named "Cellar" in this fleet.'
    monkeypatch.setenv("DOORWARD_PASSPHRASE", "wrong")
    assert "passphrase" in str(slot("revoke", "--slot", "12")["reason"])
    assert listed(folder) == before
    assert doorward("slot", "revoke", "--door", "Front door").exit_code == 2


@pytest.mark.usefixtures("folder")
def test_a_door_without_a_key_cannot_be_told() -> None:
    doorward("door", "add", "Cellar")
    said = json.loads(doorward("slot", "revoke", "--door", "Cellar", "--slot", "1", "--json").stdout)
    assert not said["ok"]
    assert "door identify" in said["reason"]


def test_a_place_that_has_ended_holds_up_no_policy(folder: Path) -> None:
    store = fleets.open_fleet(folder).store
    slot("offer", "--slot", "12")
    slot("revoke", "--slot", "12")
    (ended,) = store.door("Front door").slots
    assert isinstance(ended, Slot)
    assert (ended.timetable, ended.expires_unix) == (0, 0)
    assert ended.ends_unix > 0


@pytest.mark.usefixtures("folder")
@pytest.mark.parametrize("command", ["offer", "revoke", "list"])
def test_help_has_an_example(command: str) -> None:
    assert f"Example: doorward slot {command}" in doorward("slot", command, "--help").stdout
