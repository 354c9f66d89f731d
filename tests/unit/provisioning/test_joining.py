"""A door joins: its label, its request by file, and the manager's approval."""

from __future__ import annotations

import json
import time
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID
from nacl.public import PrivateKey, SealedBox

from device import certificates as formats
from device import document
from device import joining as wire
from device.joining import Answer, Label, claim_key
from provisioning import authority, cli_join, joining, labels
from provisioning import fleet as fleets
from provisioning.errors import FleetRefused
from provisioning.labels import Plan, Where
from provisioning.store import DoorState, LabelState
from tests.support.board import Board
from tests.unit.provisioning.doors import doorward

pytestmark = pytest.mark.slow

PASSPHRASE = "a long passphrase"
BROKER = "mqtts://broker.example"
NOW = 1_800_000_000
DAY_S = 86_400


@pytest.fixture(autouse=True)
def _passphrase(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DOORWARD_PASSPHRASE", PASSPHRASE)


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A fleet without an authority."""
    monkeypatch.setenv("DOORWARD_FLEET", str(tmp_path / "fleet"))
    done("fleet", "init")
    return tmp_path / "fleet"


@pytest.fixture
def office(folder: Path) -> Path:
    """A fleet with an authority, whose doors have a broker."""
    done("ca", "init")
    return folder


def run(*words: str) -> tuple[int, dict[str, Any]]:
    result = doorward(*words, "--json")
    return result.exit_code, json.loads(result.stdout)


def done(*words: str) -> dict[str, Any]:
    code, said = run(*words)
    assert code == 0, said
    return said


def refused(*words: str) -> str:
    code, said = run(*words)
    assert code == 1, said
    return str(said["reason"])


def added(*more: str) -> Board:
    return Board.of(done("door", "add", "Front", *more)["label"])


def approve(board: Board, path: Path, *more: str) -> tuple[int, dict[str, Any]]:
    return run("door", "approve", "Front", str(path), "--fingerprint", board.asked.fingerprint, *more)


def test_label_is_of_this_fleet_door_and_authority(office: Path) -> None:
    said = done("door", "add", "Front", "--broker", f"{BROKER}:9000", "--claim-port", "8884")
    label = Label.read(str(said["label"]))
    assert label.door_id.hex() == said["id"]
    assert label.manager_key.hex() == said["manager_key"]
    assert label.authority == formats.to_der(authority.certificate(office))
    assert (label.host, label.port, label.claim_port) == ("broker.example", 9000, 8884)
    assert done("label", "show", "Front")["label"]["state"] == "open"


def test_nothing_of_the_fleet_holds_the_label_s_secret(office: Path) -> None:
    label = added("--broker", BROKER).label
    for path in office.iterdir():
        content = path.read_bytes()
        assert label.secret not in content
        assert label.secret.hex().encode() not in content
        assert label.text().encode() not in content


def test_door_joins_by_file_and_believes_the_answer(office: Path, tmp_path: Path) -> None:
    board = added("--broker", BROKER)
    board.request(tmp_path / "front.request")
    code, said = approve(board, tmp_path / "front.request", "--out", str(tmp_path / "answer"))
    assert code == 0, said
    certificate = board.believes(tmp_path / "answer")
    assert int(certificate.not_valid_after_utc.timestamp()) == said["ends_unix"]
    (door,) = done("door", "list")["doors"]
    assert (door["state"], door["certificate_ends_unix"]) == ("joined", said["ends_unix"])
    assert done("label", "show", "Front")["label"]["state"] == "used"
    known = fleets.open_fleet(office).store
    assert known.door("Front").document_key == bytes(board.box.public_key).hex()
    (noted,) = known.certificates("Front")
    assert int(noted.serial, 16) == certificate.serial_number


@pytest.mark.usefixtures("office")
def test_what_was_made_for_the_door_opens_with_its_key_alone(tmp_path: Path) -> None:
    board = added("--broker", BROKER)
    board.request(tmp_path / "r")
    assert approve(board, tmp_path / "r")[0] == 0
    made = done("slot", "offer", "--door", "Front", "--slot", "12")
    content = document.sealed_box(Path(made["document"]).read_bytes(), board.label.door_id)
    assert SealedBox(board.box).decrypt(content)


def test_fleet_without_a_broker_knows_the_door_and_answers_without_a_certificate(folder: Path, tmp_path: Path) -> None:
    board = added()
    assert board.label.authority == b""
    board.request(tmp_path / "r")
    code, said = approve(board, tmp_path / "r", "--out", str(tmp_path / "answer"))
    assert (code, said["ends_unix"]) == (0, None)
    assert Answer.read((tmp_path / "answer").read_bytes()).certificate == b""
    assert fleets.open_fleet(folder).store.door("Front").document_key == bytes(board.box.public_key).hex()


def test_label_from_before_the_authority_gets_the_answer_its_door_can_take(folder: Path) -> None:
    added()
    done("ca", "init")
    fleet = fleets.open_fleet(folder)
    (old,) = fleet.store.labels("Front")
    begins = int(authority.certificate(folder).not_valid_before_utc.timestamp())
    before = Plan.of(folder, Where("broker.example"), 14, begins + 3600 + 5)
    labels.make(fleet, "Front", before)
    new = fleet.store.labels("Front")[-1]
    early = type(old)(old.door_id, old.verifier, begins + 3599, old.expires_unix)
    assert not joining.needs_certificate(folder, early)
    assert joining.needs_certificate(folder, new)


def test_two_doors_with_copies_of_a_label_one_is_refused_and_told(office: Path, tmp_path: Path) -> None:
    board = added("--broker", BROKER)
    thief = Board(board.label, formats.new_key(), PrivateKey.generate())
    board.request(tmp_path / "r")
    thief.request(tmp_path / "stolen")
    assert approve(board, tmp_path / "r")[0] == 0
    code, said = approve(thief, tmp_path / "stolen")
    assert code == 1
    assert "This label was used already, by a door with another key" in said["reason"]
    assert not (tmp_path / "stolen.answer").exists()
    known = fleets.open_fleet(office).store.door("Front")
    assert known.document_key == bytes(board.box.public_key).hex()


def test_thief_is_seen_by_the_fingerprint_and_nothing_is_used_up(office: Path, tmp_path: Path) -> None:
    board = added("--broker", BROKER)
    thief = Board(board.label, formats.new_key(), PrivateKey.generate())
    stolen = thief.request(tmp_path / "stolen")
    why = refused("door", "approve", "Front", stolen, "--fingerprint", board.asked.fingerprint)
    assert "that is not what you typed" in why
    answered_no = doorward("door", "approve", "Front", stolen, typed="n\n")
    assert answered_no.exit_code == 1
    assert thief.asked.fingerprint in answered_no.stderr
    assert done("label", "show", "Front")["label"]["state"] == "open"
    assert fleets.open_fleet(office).store.door("Front").state is DoorState.ADDED


def test_the_person_who_says_yes_approves(office: Path, tmp_path: Path) -> None:
    board = added("--broker", BROKER)
    path = board.request(tmp_path / "r")
    said = doorward("door", "approve", "Front", path, typed="y\n")
    assert said.exit_code == 0, said.output
    assert board.believes(tmp_path / "r.answer").version is x509.Version.v3
    assert fleets.open_fleet(office).store.door("Front").state is DoorState.JOINED


def test_revoked_label_is_of_no_use_to_a_thief(office: Path, tmp_path: Path) -> None:
    board = added("--broker", BROKER)
    board.request(tmp_path / "r")
    done("label", "revoke", "Front")
    code, said = approve(board, tmp_path / "r")
    assert (code, "label that was revoked" in said["reason"]) == (1, True)
    again = done("label", "new", "Front", "--broker", BROKER)
    assert again["label"] != board.label.text()
    assert "label that was revoked" in approve(board, tmp_path / "r")[1]["reason"]
    assert fleets.open_fleet(office).store.labels("Front")[0].state is LabelState.REVOKED
    done("label", "revoke", "Front")
    assert "has no label that could be revoked" in refused("label", "revoke", "Front")


def test_request_of_another_label_or_another_door_is_refused(office: Path, tmp_path: Path) -> None:
    board = added("--broker", BROKER)
    strange = Label(board.label.door_id, bytes(16), board.label.manager_key, board.label.expires_hour)
    Board(strange, board.key, board.box).request(tmp_path / "r")
    assert "made with another label than this door's" in approve(board, tmp_path / "r")[1]["reason"]
    other = Board.of(done("door", "add", "Back", "--broker", BROKER)["label"])
    other.request(tmp_path / "back")
    why = approve(board, tmp_path / "back")[1]["reason"]
    assert f"of the door {other.label.door_id.hex()}" in why
    assert fleets.open_fleet(office).store.door("Front").state is DoorState.ADDED


def test_joined_door_is_not_approved_again_but_for_a_lost_answer(office: Path, tmp_path: Path) -> None:
    board = added("--broker", BROKER)
    board.request(tmp_path / "r")
    assert approve(board, tmp_path / "r", "--out", str(tmp_path / "1"))[0] == 0
    assert "has joined already" in approve(board, tmp_path / "r", "--out", str(tmp_path / "2"))[1]["reason"]
    code, said = approve(board, tmp_path / "r", "--out", str(tmp_path / "2"), "--again")
    assert code == 0, said
    assert board.believes(tmp_path / "2").serial_number != board.believes(tmp_path / "1").serial_number
    assert len(fleets.open_fleet(office).store.certificates("Front")) == 2


def test_another_board_joins_by_a_new_label_and_ends_the_old_certificate(office: Path, tmp_path: Path) -> None:
    board = added("--broker", BROKER)
    board.request(tmp_path / "r")
    assert approve(board, tmp_path / "r")[0] == 0
    hours = tmp_path / "hours.toml"
    hours.write_text('zone = "Europe/Berlin"\n[[schedule]]\nopens = ["pin"]\nhours.every-day = ["00:00-24:00"]\n')
    done("policy", "set", "--door", "Front", str(hours))
    assert "whoever has a label could put another board" in refused("label", "new", "Front", "--broker", BROKER)
    new = Board.of(done("label", "new", "Front", "--broker", BROKER, "--replace")["label"])
    new.request(tmp_path / "new")
    code, said = approve(new, tmp_path / "new")
    assert code == 0, said
    (anew,) = said["documents"]
    sealed = document.sealed_box(Path(anew).read_bytes(), new.label.door_id)
    assert SealedBox(new.box).decrypt(sealed)
    old, present = fleets.open_fleet(office).store.certificates("Front")
    if old.revoked_unix is None:
        old, present = present, old
    assert (old.revoked_unix is None, present.revoked_unix is None) == (False, True)


def test_approval_that_was_cut_off_is_made_again(office: Path, tmp_path: Path) -> None:
    board = added("--broker", BROKER)
    board.request(tmp_path / "r")
    store = fleets.open_fleet(office).store
    store.claim(board.label.door_id.hex(), claim_key(board.label.secret), 1_700_000_000)
    assert approve(board, tmp_path / "r", "--out", str(tmp_path / "answer"))[0] == 0
    assert board.believes(tmp_path / "answer").version is x509.Version.v3


@pytest.mark.parametrize("years", [-5, 5])
def test_computer_whose_clock_is_years_off_approves_nothing_and_says_what_it_thinks(
    office: Path, tmp_path: Path, years: int
) -> None:
    board = added("--broker", BROKER)
    fleet = fleets.open_fleet(office)
    (label,) = fleet.store.labels("Front")
    data = Path(board.request(tmp_path / "r")).read_bytes()
    wrong = label.made_unix + years * 365 * DAY_S
    with pytest.raises(FleetRefused, match="this computer's clock says"):
        joining.look(fleet, "Front", data, wrong)
    assert joining.look(fleet, "Front", data, label.made_unix).door.name == "Front"
    assert fleet.store.door("Front").state is DoorState.ADDED


def weak_request(door_id: bytes, key: Any) -> bytes:
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, door_id.hex())])
    made = x509.CertificateSigningRequestBuilder().subject_name(name).sign(key, hashes.SHA256())
    return made.public_bytes(serialization.Encoding.DER)


def test_request_for_a_weak_key_is_refused(office: Path, tmp_path: Path) -> None:
    board = added("--broker", BROKER)
    csr = weak_request(board.label.door_id, ec.generate_private_key(ec.SECP192R1()))
    content = (
        b"DWJR" + b"\x01" + board.label.door_id + bytes(board.box.public_key) + len(csr).to_bytes(2, "little") + csr
    )
    (tmp_path / "r").write_bytes(content + wire._mac(content, claim_key(board.label.secret)))
    code, said = run("door", "approve", "Front", str(tmp_path / "r"), "--fingerprint", "0")
    assert (code, said["reason"]) == (1, "The request for a certificate in it is not signed with a key of a door.")
    assert fleets.open_fleet(office).store.door("Front").state is DoorState.ADDED


def test_authority_that_ends_before_the_label_makes_none(office: Path) -> None:
    ends = int(authority.certificate(office).not_valid_after_utc.timestamp())
    with pytest.raises(FleetRefused, match="before the label would"):
        Plan.of(office, Where("broker.example"), 14, ends - 3 * DAY_S)
    with pytest.raises(FleetRefused, match="this computer's clock"):
        Plan.of(office, Where("broker.example"), 14, ends + DAY_S)


def test_certificate_that_ends_with_the_authority_says_so(office: Path, tmp_path: Path) -> None:
    board = added("--broker", BROKER)
    fleet, issuer = fleets.open_fleet(office), authority.opened(office, PASSPHRASE)
    last = int(issuer.certificate.not_valid_after_utc.timestamp())
    late = last - 100 * DAY_S
    made = labels.make(fleet, "Front", Plan.of(office, Where("broker.example"), 14, late))
    board = Board(made, board.key, board.box)
    asked = joining.look(fleet, "Front", Path(board.request(tmp_path / "r")).read_bytes(), late)
    approved = joining.approve(fleet, asked, issuer, late)
    assert (approved.cut, approved.ends_unix) == (True, last)


@pytest.mark.parametrize(
    ("words", "why"),
    [
        (("--broker", "http://broker.example"), "is no broker's address"),
        (("--broker", "mqtts://user@broker.example"), "is no broker's address"),
        (("--broker", "mqtts://broker.example:99999"), "is no broker's address"),
        (("--broker", "mqtts://[broker.example]"), "is no broker's address"),
        (("--broker", "mqtts://[::1"), "is no broker's address"),
        (("--broker", "mqtts://broker.example#1"), "is no broker's address"),
        (("--broker", BROKER, "--label-days", "0"), "a label is good for 1 to 90 days"),
        (("--broker", BROKER, "--sheet", "sheet.pdf"), "a sheet is a file that ends in .svg, .png or .html"),
        (("--broker", BROKER, "--sheet", "nowhere/sheet.png"), "lies in a folder that is not there"),
    ],
)
@pytest.mark.usefixtures("office")
def test_what_cannot_be_a_label_adds_no_door(words: tuple[str, ...], why: str) -> None:
    said = refused("door", "add", "Front", *words)
    assert why.casefold() in said.casefold()
    assert done("door", "list")["doors"] == []


@pytest.mark.usefixtures("office")
def test_fleet_with_an_authority_makes_no_label_without_its_broker() -> None:
    assert done("door", "add", "Front")["label"] is None
    assert "name it with --broker" in refused("label", "new", "Front")


@pytest.mark.parametrize("size", [0, 1, 40, 9000])
def test_file_that_is_no_request_is_one_sentence(office: Path, tmp_path: Path, size: int) -> None:
    added("--broker", BROKER)
    (tmp_path / "r").write_bytes(b"DWJR"[:size].ljust(size, b"x"))
    assert refused("door", "approve", "Front", str(tmp_path / "r"))
    assert "cannot be read" in refused("door", "approve", "Front", str(tmp_path / "none"))
    assert office.exists()


def test_answer_s_place_is_looked_at_before_the_label_is_used_up(office: Path, tmp_path: Path) -> None:
    board = added("--broker", BROKER)
    board.request(tmp_path / "r")
    (tmp_path / "r.answer").write_text("mine")
    code, said = approve(board, tmp_path / "r")
    assert (code, "exists already and is not replaced" in said["reason"]) == (1, True)
    assert (tmp_path / "r.answer").read_text() == "mine"
    assert fleets.open_fleet(office).store.door("Front").state is DoorState.ADDED


def test_wrong_passphrase_uses_no_label_up(office: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    board = added("--broker", BROKER)
    board.request(tmp_path / "r")
    monkeypatch.setenv("DOORWARD_PASSPHRASE", "mistyped passphrase")
    assert "passphrase is wrong" in approve(board, tmp_path / "r")[1]["reason"]
    assert fleets.open_fleet(office).store.door("Front").state is DoorState.ADDED


def test_a_manager_who_compares_nothing_would_let_the_thief_in(
    office: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The seeded fault: without the comparison a copied label is enough."""
    monkeypatch.setattr(cli_join, "_compared", lambda _asked, _typed: None)
    board = added("--broker", BROKER)
    thief = Board(board.label, formats.new_key(), PrivateKey.generate())
    thief.request(tmp_path / "stolen")
    code, _ = run("door", "approve", "Front", str(tmp_path / "stolen"), "--fingerprint", board.asked.fingerprint)
    assert code == 0
    assert fleets.open_fleet(office).store.door("Front").document_key == bytes(thief.box.public_key).hex()


@pytest.mark.parametrize(("kind", "start"), [("svg", b"<?xml"), ("png", b"\x89PNG"), ("html", b"<!DOCTYPE html>")])
@pytest.mark.usefixtures("office")
def test_sheet_is_its_owner_s_alone_and_replaces_nothing(tmp_path: Path, kind: str, start: bytes) -> None:
    sheet = tmp_path / f"sheet.{kind}"
    done("door", "add", "Front <b>", "--broker", BROKER, "--sheet", str(sheet))
    assert sheet.read_bytes().startswith(start)
    assert sheet.stat().st_mode & 0o777 == 0o600
    before = sheet.read_bytes()
    assert "is not replaced" in refused("label", "new", "Front <b>", "--broker", BROKER, "--sheet", str(sheet))
    assert sheet.read_bytes() == before


@pytest.mark.usefixtures("office")
def test_page_says_what_it_is_until_when_and_the_whole_label(tmp_path: Path) -> None:
    sheet = tmp_path / "sheet.html"
    board = Board.of(done("door", "add", "Front <b>", "--broker", BROKER, "--sheet", str(sheet))["label"])
    page = sheet.read_text()
    assert "Front &lt;b&gt;" in page
    assert "<b>Front <b>" not in page
    assert f"{datetime.fromtimestamp(board.label.expires_hour * 3600, UTC):%Y-%m-%d %H:%M} UTC" in page
    assert "could put a door of their own" in page
    shown = page[page.index("<pre>") + 5 : page.index("</pre>")]
    assert Label.read(shown) == board.label


@pytest.mark.usefixtures("office")
def test_person_sees_the_label_once_and_what_it_is() -> None:
    said = doorward("door", "add", "Front", "--broker", BROKER).stdout
    text = next(line for line in said.splitlines() if line.startswith("DW1:"))
    assert Label.read(text).host == "broker.example"
    assert "It is shown only now" in said
    assert text not in doorward("label", "show", "Front").stdout + doorward("door", "list").stdout


def test_next_certificate_by_file_is_for_the_same_key_alone(office: Path, tmp_path: Path) -> None:
    board = added("--broker", BROKER)
    board.request(tmp_path / "r")
    assert approve(board, tmp_path / "r")[0] == 0
    for key, name in ((board.key, "own"), (formats.new_key(), "other")):
        (tmp_path / name).write_bytes(formats.ask(key, board.label.door_id))
    made = done("door", "renew", "Front", str(tmp_path / "own"), "--out", str(tmp_path / "answer"))
    believed = board.believes(tmp_path / "answer")
    assert int(believed.not_valid_after_utc.timestamp()) == made["ends_unix"]
    assert "is not replaced" in refused(
        "door", "renew", "Front", str(tmp_path / "own"), "--out", str(tmp_path / "answer")
    )
    why = refused("door", "renew", "Front", str(tmp_path / "other"), "--out", str(tmp_path / "2"))
    assert "another key than it joined with" in why
    assert len(fleets.open_fleet(office).store.certificates("Front")) == 2


def test_what_the_broker_needs_is_asked_for_in_one_sentence(office: Path, tmp_path: Path) -> None:
    added("--broker", BROKER)
    assert "name the broker with --broker" in refused("door", "approve", "Front").lower()
    assert "wrote with --as FOLDER" in refused("door", "approve", "Front", "--broker", BROKER)
    assert "no certificate of a manager in" in refused("watch", "--broker", BROKER, "--as", str(tmp_path))
    (tmp_path / "doc").write_bytes(b"no document")
    words = ("door", "send", "Front", str(tmp_path / "doc"), "--broker", BROKER, "--as", str(tmp_path))
    assert refused(*words)
    done("ca", "manager", "office", "--out", str(tmp_path / "office"))
    by_file = ("door", "approve", "Front", "--broker", BROKER, "--as", str(tmp_path / "office"))
    assert "join by file" in refused(*by_file)
    assert office.exists()


@pytest.mark.usefixtures("office")
def test_broker_without_a_port_for_joining_has_no_files_for_it(tmp_path: Path) -> None:
    done("broker", "config", "--host", "broker.example", "--manager", "office", "--out", str(tmp_path / "plain"))
    assert not list((tmp_path / "plain").glob("claim*"))
    words = ("broker", "config", "--host", "broker.example", "--manager", "office", "--claim-port", "8884")
    done(*words, "--out", str(tmp_path / "both"))
    names = {path.name for path in (tmp_path / "both").glob("claim*")}
    assert names == {"claim.conf", "claim-doors.acl", "claim-managers.acl"}
    why = refused("broker", "config", "--host", "b", "--claim-port", "8882", "--out", str(tmp_path / "bad"))
    assert why == "Doors join at 8882 and managers approve at 8883: choose another port."


class Cut(BaseException):
    """The computer stops."""


def cut(*_: object, **__: object) -> None:
    raise Cut


def test_a_new_board_s_approval_that_was_cut_off_is_made_again(
    office: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The label is used, the board has no certificate, and it takes no other label while it waits for its answer."""
    old = added("--broker", BROKER)
    old.request(tmp_path / "old")
    assert approve(old, tmp_path / "old")[0] == 0
    new = Board.of(done("label", "new", "Front", "--broker", BROKER, "--replace")["label"])
    new.request(tmp_path / "new")
    fleet = fleets.open_fleet(office)
    asked = joining.look(fleet, "Front", (tmp_path / "new").read_bytes(), int(time.time()))
    issuer = authority.opened(office, PASSPHRASE)
    with monkeypatch.context() as patched:
        patched.setattr("provisioning.store_sql.SqlStore.join", cut)
        with pytest.raises(Cut):
            joining.approve(fleet, asked, issuer, int(time.time()))
    assert approve(old, tmp_path / "old", "--out", str(tmp_path / "x"))[0] == 1, "the old board has no way back in"
    code, said = approve(new, tmp_path / "new", "--out", str(tmp_path / "answer"))
    assert code == 0, said
    new.believes(tmp_path / "answer")
    assert fleet.store.door("Front").document_key == bytes(new.box.public_key).hex()


@pytest.mark.usefixtures("office")
def test_an_answer_is_made_again_for_the_very_keys_alone(tmp_path: Path) -> None:
    """A used label is waste paper; with the document key, which is public, and a key of one's own it stays so."""
    board = added("--broker", BROKER)
    board.request(tmp_path / "request")
    assert approve(board, tmp_path / "request")[0] == 0
    thief = Board(board.label, formats.new_key(), board.box)
    thief.request(tmp_path / "stolen")
    code, said = approve(thief, tmp_path / "stolen", "--again", "--out", str(tmp_path / "answer"))
    assert (code, "used already" in str(said["reason"])) == (1, True)
    assert not (tmp_path / "answer").exists()
    assert approve(board, tmp_path / "request", "--again", "--out", str(tmp_path / "again"))[0] == 0


@pytest.mark.usefixtures("office")
def test_documents_that_a_cut_left_unmade_are_made_with_the_next_answer(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    board = added("--broker", BROKER)
    board.request(tmp_path / "request")
    assert approve(board, tmp_path / "request")[0] == 0
    done("reporting", "set", "--door", "Front", "--profile", "home", "--out", str(tmp_path / "first.doc"))
    new = Board.of(done("label", "new", "Front", "--broker", BROKER, "--replace")["label"])
    new.request(tmp_path / "new")
    with monkeypatch.context() as patched:
        patched.setattr(joining, "documents", cut)
        with pytest.raises(Cut):
            approve(new, tmp_path / "new", "--out", str(tmp_path / "answer"))
    code, said = approve(new, tmp_path / "new", "--again", "--out", str(tmp_path / "answer"))
    assert code == 0, said
    (made,) = said["documents"]
    assert document.sealed_box(Path(made).read_bytes(), new.label.door_id)


def test_a_label_never_names_a_key_that_was_given_up_meanwhile(office: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    done("door", "add", "Front", "--broker", BROKER)
    fleet = fleets.open_fleet(office)
    plan = Plan.of(office, Where("broker.example"), 14, int(time.time()))
    add = type(fleet.store).add_label

    def after_a_rotation(store: Any, *words: Any) -> Any:
        store.rotate(store.public_key(), "ab" * 32)
        return add(store, *words)

    monkeypatch.setattr(type(fleet.store), "add_label", after_a_rotation)
    with pytest.raises(FleetRefused, match="in this very moment"):
        labels.make(fleet, "Front", plan)
    found = labels.known(fleet, "Front")
    assert found is not None
    assert found.state is LabelState.REVOKED
