"""`doorward door place`, `door import`, `user` and `fleet acts --check`, as a person types them."""

from __future__ import annotations

import json
import sqlite3
from contextlib import closing
from pathlib import Path

import pytest

from provisioning import fleet as fleets
from tests.support.console import cheap
from tests.unit.provisioning.doors import doorward

PASSPHRASE = "a long passphrase"


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    cheap(monkeypatch)
    monkeypatch.setenv("DOORWARD_USER_PASSWORD", "lions eat no grass")
    fleets.init(tmp_path / "fleet", PASSPHRASE)
    return tmp_path / "fleet"


def test_a_list_of_doors_is_added_and_placed(folder: Path, tmp_path: Path) -> None:
    (tmp_path / "doors.csv").write_text("name,building,floor\nFront,Lindenhof,0\nCellar,Lindenhof,-1\n")
    said = doorward("door", "import", str(tmp_path / "doors.csv"), "--fleet", str(folder))
    assert (said.exit_code, said.stdout) == (0, "2 doors were added.\n")
    said = doorward("door", "place", "Cellar", "--building", "Mühle", "--fleet", str(folder))
    assert said.stdout == "Cellar: Mühle\n"
    again = doorward("door", "import", str(tmp_path / "doors.csv"), "--fleet", str(folder))
    assert again.exit_code == 1
    assert "2 of 2 rows cannot be added, so none is: row 2: there is a door of this name already" in again.stderr


def test_users_are_made_and_acts_are_checked(folder: Path) -> None:
    made = json.loads(doorward("user", "add", "Ada", "--role", "owner", "--json", "--fleet", str(folder)).stdout)
    assert (made["name"], len(made["secret"])) == ("ada", 32)
    shown = doorward("user", "add", "bob", "--role", "viewer", "--fleet", str(folder)).stdout
    assert "It is shown only now" in shown
    assert doorward("user", "list", "--fleet", str(folder)).stdout == "owner     ada\nviewer    bob\n"
    assert (
        doorward("user", "role", "bob", "--role", "manager", "--fleet", str(folder)).stdout == "bob is manager now.\n"
    )
    assert json.loads(doorward("user", "reset", "bob", "--json", "--fleet", str(folder)).stdout)["secret"]
    assert "last owner" in doorward("user", "remove", "ada", "--fleet", str(folder)).stderr
    assert doorward("user", "remove", "bob", "--fleet", str(folder)).stdout == "bob is removed.\n"
    acts = doorward("fleet", "acts", "--check", "--fleet", str(folder))
    assert acts.exit_code == 0
    assert "user remove  bob" in acts.stdout
    assert "The chain is whole; its last hash: " in acts.stdout
    with closing(sqlite3.connect(folder / "fleet.sqlite")) as database, database:
        database.execute("DELETE FROM acts WHERE command = 'user reset'")
    broken = doorward("fleet", "acts", "--check", "--fleet", str(folder))
    assert broken.exit_code == 1
    assert 'breaks at the act "user remove"' in broken.stderr
