"""The authority in the fleet's folder, and the commands that use it."""

import json
import subprocess
from pathlib import Path

import pytest
from click.testing import CliRunner
from cryptography import x509

from provisioning import authority, broker_config
from provisioning import fleet as fleets
from provisioning.broker_config import Place
from provisioning.cli import cli
from provisioning.errors import FleetFault, FleetRefused

PASSPHRASE = "a long passphrase"
NOW = 1_900_000_000


@pytest.fixture(autouse=True)
def _passphrase(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DOORWARD_PASSPHRASE", PASSPHRASE)


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("DOORWARD_FLEET", str(tmp_path / "fleet"))
    done("fleet", "init")
    return tmp_path / "fleet"


def run(*words: str) -> tuple[int, dict[str, object]]:
    result = CliRunner().invoke(cli, [*words, "--json"])
    return result.exit_code, json.loads(result.stdout)


def done(*words: str) -> dict[str, object]:
    code, said = run(*words)
    assert code == 0, said
    return said


def refused(*words: str) -> str:
    code, said = run(*words)
    assert code == 1
    return str(said["reason"])


def test_what_was_made_can_be_opened_with_the_passphrase_alone(folder: Path) -> None:
    made = authority.create(folder, PASSPHRASE, NOW)
    opened = authority.opened(folder, PASSPHRASE)
    assert opened.certificate == made.certificate
    assert opened.key.private_numbers() == made.key.private_numbers()
    with pytest.raises(FleetRefused, match="passphrase is wrong"):
        authority.opened(folder, "another passphrase")
    secret = made.key.private_numbers().private_value.to_bytes(32, "big")
    assert secret not in (folder / "ca.key").read_bytes()
    assert (folder / "ca.key").stat().st_mode & 0o777 == 0o600


def test_a_passphrase_that_is_not_the_fleet_s_makes_no_authority(folder: Path) -> None:
    with pytest.raises(FleetRefused, match="passphrase is wrong"):
        authority.create(folder, "mistyped passphrase", NOW)
    assert not (folder / "ca.key").exists()
    assert not (folder / "ca.pem").exists()


@pytest.mark.usefixtures("folder")
def test_an_authority_is_never_replaced() -> None:
    first = done("ca", "init")
    assert "has an authority already" in refused("ca", "init")
    assert done("ca", "show")["sha256"] == first["sha256"]


def test_key_and_certificate_of_two_fleets_issue_nothing(folder: Path) -> None:
    authority.create(folder, PASSPHRASE, NOW)
    (folder / "ca.pem").unlink()
    kept = (folder / "ca.key").read_bytes()
    (folder / "ca.key").unlink()
    authority.create(folder, PASSPHRASE, NOW)
    (folder / "ca.key").write_bytes(kept)
    with pytest.raises(FleetRefused, match="do not belong together"):
        authority.opened(folder, PASSPHRASE)


def test_the_document_key_is_not_taken_for_the_authority_s(folder: Path) -> None:
    authority.create(folder, PASSPHRASE, NOW)
    (folder / "ca.key").write_bytes((folder / "document.key").read_bytes())
    with pytest.raises(FleetRefused, match="damaged or of another version"):
        authority.opened(folder, PASSPHRASE)


def test_a_damaged_certificate_is_a_sentence(folder: Path) -> None:
    assert "no authority yet" in refused("ca", "show")
    (folder / "ca.pem").write_bytes(b"x")
    with pytest.raises(FleetFault, match="restore it from your copy"):
        authority.certificate(folder)


def test_a_request_made_by_openssl_as_the_page_says_becomes_a_door_s_certificate(folder: Path, tmp_path: Path) -> None:
    done("ca", "init")
    door = str(done("door", "add", "Front")["id"])
    request = tmp_path / "door.csr"
    kind = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-noenc"]
    command = [
        "openssl",
        "req",
        "-new",
        *kind,
        "-subj",
        f"/CN={door}",
        "-keyout",
        f"{tmp_path}/key",
        "-out",
        str(request),
    ]
    subprocess.run(command, check=True, capture_output=True)
    done("ca", "door", "Front", str(request), "--out", str(tmp_path / "door.pem"), "--days", "7")
    certificate = x509.load_pem_x509_certificate((tmp_path / "door.pem").read_bytes())
    certificate.verify_directly_issued_by(authority.certificate(folder))
    assert certificate.subject.rfc4514_string() == f"CN={door}"
    assert "exists already" in refused("ca", "door", "Front", str(request), "--out", str(tmp_path / "door.pem"))
    (noted,) = fleets.open_fleet(folder).store.certificates("Front")
    assert noted.serial == f"{certificate.serial_number:x}", "and the one that was refused is not in the list"
    done("door", "revoke", "Front")
    assert [each.serial for each in fleets.open_fleet(folder).store.revoked()] == [noted.serial]
    assert "is not of the door" in refused_for_another(request, tmp_path)


def refused_for_another(request: Path, tmp_path: Path) -> str:
    done("door", "add", "Back")
    return refused("ca", "door", "Back", str(request), "--out", str(tmp_path / "back.pem"))


@pytest.mark.usefixtures("folder")
def test_a_broker_s_files_are_complete_and_for_their_owner_alone(tmp_path: Path) -> None:
    done("ca", "init")
    out = tmp_path / "broker"
    done("broker", "config", "--host", "broker.example", "--manager", "office", "--out", str(out))
    keys_and_lists = {"ca.pem", "broker.pem", "broker.key", "revoked.pem"}
    assert {path.name for path in out.iterdir()} == {"mosquitto.conf", "acl"} | keys_and_lists
    assert {path.stat().st_mode & 0o777 for path in out.iterdir()} == {0o600}
    assert "user manager/office\n" in (out / "acl").read_text()
    before = (out / "broker.key").read_bytes()
    assert "exists already" in refused("broker", "config", "--host", "broker.example", "--out", str(out))
    assert (out / "broker.key").read_bytes() == before


@pytest.mark.usefixtures("folder")
def test_a_manager_s_files_are_made(tmp_path: Path) -> None:
    done("ca", "init")
    done("ca", "manager", "office", "--out", str(tmp_path / "office"))
    assert {path.name for path in (tmp_path / "office").iterdir()} == {"manager.key", "manager.pem", "ca.pem"}
    assert "manager's name for the broker" in refused("ca", "manager", "a/b", "--out", str(tmp_path / "other"))
    assert not (tmp_path / "other").exists()


@pytest.mark.usefixtures("folder")
@pytest.mark.parametrize("wish", [["--at", "here"], ["--data", "/a\nuser root"], ["--listen", "0.0.0.0\nuser root"]])
def test_what_would_be_another_line_of_the_configuration_is_refused(tmp_path: Path, wish: list[str]) -> None:
    done("ca", "init")
    assert refused("broker", "config", "--host", "broker.example", "--out", str(tmp_path / "broker"), *wish)
    assert not (tmp_path / "broker").exists()


def test_what_may_wait_grows_with_the_fleet() -> None:
    small, large = (broker_config.config(Place(doors=doors)) for doors in (3, 10_000))
    assert "max_queued_messages 10000\n" in small
    assert "max_queued_messages 200000\n" in large
    assert "max_queued_bytes 204800000\n" in large


def test_the_configuration_lets_nobody_in_without_a_certificate_and_tls_1_3() -> None:
    lines = broker_config.config(Place()).splitlines()
    for line in ("tls_version tlsv1.3", "require_certificate true", "use_identity_as_username true"):
        assert line in lines
    for line in ("use_username_as_clientid true", "allow_anonymous false", "listener 8883"):
        assert line in lines
    assert sum(line.startswith("listener") for line in lines) == 1


def test_every_right_of_a_door_holds_its_name() -> None:
    rights = [line for line in broker_config.acl([]).splitlines() if line and not line.startswith("#")]
    assert rights
    assert all("%u" in right for right in rights)


def test_a_key_without_its_certificate_says_both_ways_on_and_nothing_is_replaced(folder: Path) -> None:
    """The making was cut off, or the certificate was lost: only a person knows which."""
    done("ca", "init")
    known, key = (folder / "ca.pem").read_bytes(), (folder / "ca.key").read_bytes()
    (folder / "ca.pem").unlink()
    said = refused("ca", "init")
    assert "restore" in said
    assert "interrupted, remove ca.key" in said
    assert (folder / "ca.key").read_bytes() == key
    (folder / "ca.pem").write_bytes(known)
    done("ca", "show")
