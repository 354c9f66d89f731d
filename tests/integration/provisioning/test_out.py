"""A document whose place cannot be written: the fleet is as it was, and does not take for made what nobody can send."""

from __future__ import annotations

import json
import sqlite3
from contextlib import closing
from pathlib import Path

import pytest

from provisioning import files
from tests.unit.provisioning.doors import doorward, identify, listed

HOURS = 'zone = "Europe/Berlin"\n[[schedule]]\nopens = ["pin", "card"]\nhours.every-day = ["00:00-24:00"]\n'
DOOR = ("--door", "Front door")
COMMANDS = {
    "policy set": ("policy", "set", *DOOR, "hours.toml"),
    "slot offer": ("slot", "offer", *DOOR, "--slot", "12"),
    "slot revoke": ("slot", "revoke", *DOOR, "--slot", "12"),
    "reporting set": ("reporting", "set", *DOOR, "--profile", "building"),
    "door retire": ("door", "retire", "Front door"),
    "fleet rotate": ("fleet", "rotate"),
}
PLACES = {"a file that is there": "mine", "a link to nowhere": "dangling", "no such folder": "none/new.doc"}


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A fleet with one door and one place, and what is in the way of a new file."""
    monkeypatch.setenv("DOORWARD_PASSPHRASE", "correct horse battery")
    monkeypatch.setenv("DOORWARD_FLEET", str(tmp_path / "fleet"))
    monkeypatch.chdir(tmp_path)
    (tmp_path / "hours.toml").write_text(HOURS)
    (tmp_path / "mine").write_text("mine")
    (tmp_path / "dangling").symlink_to("nowhere")
    for setting_up in (("fleet", "init"), ("door", "add", "Front door")):
        assert doorward(*setting_up).exit_code == 0
    identify(tmp_path / "fleet")
    assert doorward(*COMMANDS["slot offer"]).exit_code == 0
    return tmp_path


def noted(folder: Path) -> list[str]:
    """Everything the fleet knows."""
    with closing(sqlite3.connect(folder / "fleet" / "fleet.sqlite")) as database:
        return list(database.iterdump())


@pytest.mark.parametrize("place", PLACES)
@pytest.mark.parametrize("command", COMMANDS)
def test_nothing_is_noted_of_a_document_that_has_no_place(folder: Path, command: str, place: str) -> None:
    before = noted(folder)
    said = doorward(*COMMANDS[command], "--out", PLACES[place], "--json")
    assert said.exit_code == 1
    assert "nothing was done" in json.loads(said.stdout)["reason"]
    assert noted(folder) == before
    assert (folder / "mine").read_text() == "mine"
    assert sorted(path.name for path in folder.iterdir()) == ["dangling", "fleet", "hours.toml", "mine"]


def test_a_place_that_was_not_ended_is_not_listed_as_ended(folder: Path) -> None:
    doorward(*COMMANDS["slot revoke"], "--out", "none/new.doc")
    assert [slot["ends_unix"] for slot in listed(folder / "fleet")["slots"]] == [None]


def test_seeded_fault_a_command_that_looks_at_the_place_afterwards_is_seen(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(files, "refuse_unwritable", lambda *_paths: None)
    before = noted(folder)
    assert doorward(*COMMANDS["door retire"], "--out", "none/new.doc").exit_code == 1
    assert noted(folder) != before


def test_a_place_that_is_looked_at_is_left_as_it_was(tmp_path: Path) -> None:
    files.refuse_unwritable(None, tmp_path / "new")
    assert list(tmp_path.iterdir()) == []
