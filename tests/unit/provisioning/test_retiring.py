"""The end of a door from the manager's side: announced, taken back, and given up only with its receipt."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from nacl.signing import SigningKey

from device import attestation
from device.attestation import EndOfDoor, Receipt
from device.bodies import RECALL, Retirement
from device.strength import KeyPlace
from tests.unit.provisioning.doors import believed, doorward, identify, listed

KEY = SigningKey(bytes(range(32)))


@pytest.fixture
def fleet(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("DOORWARD_PASSPHRASE", "correct horse battery staple")
    folder = tmp_path / "fleet"
    assert doorward("fleet", "init", "--fleet", str(folder)).exit_code == 0
    assert doorward("door", "add", "Front door", "--fleet", str(folder)).exit_code == 0
    return folder


def retire(folder: Path, *more: str) -> tuple[int, dict[str, object]]:
    said = doorward("door", "retire", "Front door", "--fleet", str(folder), *more, "--json")
    return said.exit_code, json.loads(said.stdout) if said.stdout else {}


def receipt_at(path: Path, door: str, *, key: SigningKey = KEY) -> Path:
    paper = EndOfDoor(bytes.fromhex(door), 20_000, KeyPlace.TPM_NV, KeyPlace.FILE_HOST_KEY)
    path.write_text(attestation.armour(attestation.sign(paper, key)))
    return path


@pytest.mark.slow
def test_an_announcement_and_its_recall_are_documents_of_growing_versions(fleet: Path) -> None:
    identify(fleet)
    versions = []
    for more, hours in (((), 72), (("--hours", "100"), 100), (("--recall",), RECALL)):
        code, facts = retire(fleet, *more)
        assert code == 0, facts
        parsed = believed(fleet, Path(str(facts["document"])))
        assert parsed.body == Retirement(hours)
        assert parsed.version == facts["version"]
        versions.append(parsed.version)
    assert versions == sorted(set(versions))
    assert listed(fleet)["state"] != "retired", "it opens for its residents until it has ended"


def test_a_notice_that_is_too_short_makes_no_document(fleet: Path) -> None:
    identify(fleet)
    assert retire(fleet, "--hours", "71")[0] == 2
    assert list(fleet.glob("*.doc")) == []


def test_a_door_whose_key_is_not_known_gets_none(fleet: Path) -> None:
    assert retire(fleet)[0] == 1


@pytest.mark.slow
def test_a_door_is_given_up_with_its_own_receipt_and_with_no_other(fleet: Path, tmp_path: Path) -> None:
    identify(fleet)
    door = listed(fleet)["id"]
    erased = Receipt(bytes.fromhex(door), bytes(16), bytes(32), bytes(16), 20_000, KeyPlace.TPM_NV)
    other = tmp_path / "erasure.txt"
    other.write_text(attestation.armour(attestation.sign(erased, KEY)))
    forged = tmp_path / "forged.txt"
    forged.write_text(receipt_at(tmp_path / "whole.txt", door).read_text().replace("DWED", "DWEE").replace("A", "B", 1))
    whole = receipt_at(tmp_path / "end.txt", door)
    for refused in (
        (str(other),),
        (str(forged),),
        (str(receipt_at(tmp_path / "elsewhere.txt", "00" * 8)),),
        (str(tmp_path / "missing.txt"),),
        (str(whole), "--door-key", "00" * 32),
        (str(whole), "--door-key", "no key"),
        (str(whole), "--recall"),
    ):
        code, said = retire(fleet, "--receipt", *refused)
        assert code == 1, refused
        assert said.get("ok") is not True
        assert retire(fleet)[0] == 0, "a document is still made for it"
    code, said = retire(fleet, "--receipt", str(whole), "--door-key", bytes(KEY.verify_key).hex())
    assert code == 0, said
    assert listed(fleet)["state"] == "retired"
    assert retire(fleet)[0] == 1, "nothing is made for it any more"
