"""doorward itself, on a file and on a server."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner
from nacl.pwhash import argon2id

from provisioning import cli, keys
from tests.contract.store.conftest import Place
from tests.unit.provisioning.doors import DOOR_KEY, doorward


@pytest.fixture(autouse=True)
def _cheap(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(keys, "AT_REST", keys.Hardness(argon2id.OPSLIMIT_MIN, argon2id.MEMLIMIT_MIN))
    monkeypatch.setenv("DOORWARD_PASSPHRASE", "correct horse battery")


@pytest.fixture
def where(empty: Place, monkeypatch: pytest.MonkeyPatch) -> Place:
    """A place without a fleet, and DOORWARD_STORE set for it."""
    if empty.url is not None:
        monkeypatch.setenv("DOORWARD_STORE", empty.url)
    return empty


def said(place: Place, *words: str) -> dict[str, Any]:
    result = doorward(*words, "--fleet", str(place.folder / "fleet"), "--json")
    assert result.exit_code == 0, result.output
    found: dict[str, Any] = json.loads(result.stdout)
    return found


def test_a_manager_does_everything_on_either(where: Place) -> None:
    key = said(where, "fleet", "init")["manager_key"]
    assert said(where, "fleet", "key")["manager_key"] == key
    said(where, "door", "add", "Front door")
    said(where, "door", "identify", "Front door", "--key", DOOR_KEY.public.hex())
    offers = [said(where, "slot", "offer", "--door", "Front door", "--slot", slot) for slot in ("12", "12", "7")]
    assert [(offer["version"], offer["serial"]) for offer in offers] == [(1, 1), (2, 2), (3, 1)]
    (door,) = said(where, "door", "list")["doors"]
    assert (door["version"], door["state"], [slot["number"] for slot in door["slots"]]) == (3, "added", [7, 12])
    assert len(said(where, "fleet", "acts")["acts"]) == 7
    assert not said(where, "fleet", "upgrade")["upgraded"]
    kept = {path.name for path in (where.folder / "fleet").iterdir() if path.suffix != ".doc"}
    assert kept == {"document.key"} | ({"fleet.sqlite"} if where.url is None else set())


def test_a_second_fleet_in_the_same_place_is_refused_before_a_key_is_made(where: Place) -> None:
    said(where, "fleet", "init")
    folder = where.folder / ("fleet" if where.url is None else "another")
    before = sorted(where.folder.glob("*/*"))
    refused = doorward("fleet", "init", "--fleet", str(folder))
    assert (refused.exit_code, refused.stdout) == (1, "")
    assert "already." in refused.stderr
    assert sorted(where.folder.glob("*/*")) == before


def test_a_server_that_is_away_costs_no_key(tmp_path: Path) -> None:
    url = f"postgresql+psycopg://me@/doors?host={tmp_path}"
    refused = CliRunner().invoke(cli.cli, ["fleet", "init", "--fleet", str(tmp_path / "fleet"), "--store", url])
    assert refused.exit_code == 1
    assert refused.stderr.startswith(f'The database "doors" on {tmp_path} cannot be reached: ')
    assert refused.stderr.count("\n") == 1
    assert not (tmp_path / "fleet").exists()
