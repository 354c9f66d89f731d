"""A door's key on the manager's side: brought once, bound to the door, replaced only on purpose."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest
from click.testing import Result

from device import document
from device.lock.identity import DocumentKey
from provisioning import fleet
from provisioning.identity import Identity
from provisioning.store import Door
from provisioning.stores import opened
from tests.unit.provisioning.doors import DOOR_KEY, doorward, fleet_with_a_door, identify, listed

OTHER = DocumentKey.of(bytes(32))


@pytest.fixture(autouse=True)
def _passphrase(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DOORWARD_PASSPHRASE", "correct horse battery")


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A fleet with one door, whose key nobody has brought yet."""
    return fleet_with_a_door(tmp_path / "fleet")


def bring(folder: Path, door: str, key: str, *args: str) -> Result:
    """`door identify` with a file as `doorctl export-identity` writes it."""
    file = folder.parent / "identity"
    file.write_text(json.dumps({"door": door, "document_key": key}) + "\n")
    return doorward("door", "identify", "Front door", str(file), *args, "--fleet", str(folder))


def refused(said: Result, pattern: str) -> None:
    assert said.exit_code == 1
    assert said.stdout == ""
    assert re.fullmatch(r"[A-Z/\"][^\n]*\.\n", said.stderr), said.stderr
    assert re.search(pattern, said.stderr), said.stderr


def key_of(folder: Path) -> str:
    (door,) = opened(folder, None).doors()
    return door.document_key


def test_nothing_is_made_for_a_door_whose_key_is_not_known_and_it_is_said_what_to_do(folder: Path) -> None:
    hours = folder.parent / "hours.toml"
    hours.write_text('zone = "UTC"\n[[schedule]]\nopens = ["pin"]\nhours.every-day = ["00:00-24:00"]\n')
    before = {path.name: path.read_bytes() for path in folder.iterdir()}
    common = ("--fleet", str(folder), "--door", "Front door")
    for said in (doorward("slot", "offer", *common, "--slot", "1"), doorward("policy", "set", *common, str(hours))):
        refused(said, "not known yet.*`doorctl export-identity --out FILE`.*`doorward door identify NAME FILE`")
    assert {path.name: path.read_bytes() for path in folder.iterdir()} == before


def test_a_file_of_the_door_binds_its_key_and_both_sides_show_one_fingerprint(folder: Path) -> None:
    door = listed(folder)["id"]
    said = bring(folder, door, DOOR_KEY.public.hex())
    shown = document.fingerprint(bytes.fromhex(door), DOOR_KEY.public)
    assert f"    {shown}\n" in said.stdout
    assert "by phone or in person" in said.stdout
    assert listed(folder)["fingerprint"] == shown
    assert key_of(folder) == DOOR_KEY.public.hex()
    assert "known" in doorward("door", "list", "--fleet", str(folder)).stdout


def test_a_key_that_was_read_out_is_taken_in_groups_and_in_capitals(folder: Path) -> None:
    digits = DOOR_KEY.public.hex().upper()
    typed = " ".join(digits[at : at + 4] for at in range(0, 64, 4))
    said = doorward("door", "identify", "Front door", "--key", typed, "--fleet", str(folder))
    assert said.exit_code == 0
    assert key_of(folder) == DOOR_KEY.public.hex()


def test_a_second_key_is_refused_and_replaced_only_on_purpose(folder: Path) -> None:
    identify(folder)
    identify(folder)
    door = listed(folder)["id"]
    said = bring(folder, door, OTHER.public.hex())
    refused(said, "somebody may have put himself in between.*--replace")
    for key in (DOOR_KEY, OTHER):
        assert document.fingerprint(bytes.fromhex(door), key.public) in said.stderr
    assert key_of(folder) == DOOR_KEY.public.hex()
    assert bring(folder, door, OTHER.public.hex(), "--replace").exit_code == 0
    assert key_of(folder) == OTHER.public.hex()


def test_a_fleet_that_takes_any_second_key_would_be_caught(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The seeded fault behind the test above."""
    real = fleet.Fleet.identify

    def careless(self: fleet.Fleet, name: str, found: Identity, *, anew: bool) -> Door:
        return real(self, name, found, anew=anew or True)

    monkeypatch.setattr(fleet.Fleet, "identify", careless)
    with pytest.raises(AssertionError):
        test_a_second_key_is_refused_and_replaced_only_on_purpose(folder)


def test_the_identity_of_another_door_is_refused_by_name_even_on_purpose(folder: Path) -> None:
    for wish in ((), ("--replace",)):
        refused(bring(folder, "00" * 8, DOOR_KEY.public.hex(), *wish), 'that of the door 0{16}, and "Front door" has')
    assert key_of(folder) == ""


def test_a_door_that_exists_already_is_added_with_its_identity(folder: Path) -> None:
    file = folder.parent / "back.identity"
    file.write_text(json.dumps({"door": "00112233445566aa", "document_key": DOOR_KEY.public.hex()}))
    said = doorward("door", "add", "Back door", "--identity", str(file), "--json", "--fleet", str(folder))
    assert json.loads(said.stdout)["id"] == "00112233445566aa"
    assert {door.name: door.document_key for door in opened(folder, None).doors()}["Back door"] == DOOR_KEY.public.hex()
    again = doorward("door", "add", "Third door", "--identity", str(file), "--fleet", str(folder))
    refused(again, "id 00112233445566aa already")


@pytest.mark.exhaustive(3)
@pytest.mark.parametrize(
    "text",
    [
        "",
        "{",
        "[]",
        "{}",
        '{"door": "00112233445566aa"}',
        '{"door": "0011", "document_key": "' + "11" * 32 + '"}',
        '{"door": 5, "document_key": 5}',
        "[" * 3000,
        "\0" * 5000,
    ],
)
def test_a_file_that_is_no_identity_is_one_sentence(folder: Path, text: str) -> None:
    file = folder.parent / "identity"
    file.write_text(text)
    refused(doorward("door", "identify", "Front door", str(file), "--fleet", str(folder)), "no identity of a door")
    assert key_of(folder) == ""


@pytest.mark.exhaustive(2)
@pytest.mark.parametrize("key", ["", "11" * 31, "11" * 33, "zz" * 32, "00" * 32, "01" + "00" * 31])
def test_what_is_no_key_is_refused_when_it_is_brought(folder: Path, key: str) -> None:
    refused(bring(folder, listed(folder)["id"], key), "64 digits|no key that anything can be sealed to")
    said = doorward("door", "identify", "Front door", "--key", key, "--fleet", str(folder))
    refused(said, "64 digits|no key that anything can be sealed to")


def test_a_file_or_a_key_is_needed_and_not_both(folder: Path) -> None:
    refused(doorward("door", "identify", "Front door", "--fleet", str(folder)), "name the file|Name the file")
    file = folder.parent / "none"
    refused(doorward("door", "identify", "Front door", str(file), "--fleet", str(folder)), "cannot be read")
    refused(doorward("door", "identify", "Cellar", "--key", "11" * 32, "--fleet", str(folder)), "no door named")
