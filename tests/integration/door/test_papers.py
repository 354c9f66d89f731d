"""What a resident can hold in their hand, and what follows from it: consents, receipts, changed terms, new keys."""

from pathlib import Path

import pytest

from device import attestation
from device.attestation import ConsentRecord, Receipt
from device.edges import Room
from tests.integration.door.conftest import PIN, SLOT
from tests.support.door import NOTED, OPENED, USE_PIN_OR_CARD, Home, door_up, resident_pictures

ONE_PICTURE = resident_pictures()[0]


def enrolled_with_copy(home: Home, folder: Path) -> Path:
    """A resident moves in, enrols, and keeps the signed consent record."""
    home.move_in(SLOT, PIN)
    copy = folder / "consent.txt"
    said = home.enrol(SLOT, PIN, *resident_pictures(), wishes=("--copy", str(copy)))
    assert said.facts["result"] == "done", said
    return copy


def with_setting(home: Home, before: str, after: str) -> None:
    """The installer changes one line of door.toml and starts the door anew."""
    text = home.paths.config.read_text()
    assert before in text
    home.door.cut()
    home.paths.config.write_text(text.replace(before, after))
    home.up()
    home.well()


def test_receipt_of_an_erasure_holds_and_the_door_has_nothing_left_of_the_record(tmp_path: Path) -> None:
    with door_up() as home:
        consent = enrolled_with_copy(home, tmp_path)
        (record,) = home.records(Room.VAULT)
        sealed = record.read_bytes()
        receipt = tmp_path / "receipt.txt"
        said = home.act("erase", SLOT, PIN, "--receipt", str(receipt))
        assert said.facts["result"] == "done", said
        paper = attestation.read(receipt.read_text()).paper
        agreed = attestation.read(consent.read_text()).paper
        assert isinstance(paper, Receipt)
        assert isinstance(agreed, ConsentRecord)
        assert paper.record_id.hex() == record.stem
        assert paper.mark == sealed[8:40]
        assert paper.consent_id == agreed.consent_id
        assert home.doorctl("audit", "--receipt", str(receipt)).facts["ok"] is True
        # Somebody brings a copy of the sealed file back: the audit sees it under any name.
        (record.parent / ("ab" * 16 + ".rec")).write_bytes(sealed)
        audited = home.doorctl("audit", "--receipt", str(receipt))
        assert (audited.code, audited.facts["ok"]) == (1, False)
        home.door.cut()
        # Offline: no door is up.
        verified = home.doorctl("receipt", "verify", str(receipt), "--consent", str(consent))
        assert verified.code == 0, verified


def test_receipt_of_another_door_is_refused_by_the_audit(tmp_path: Path) -> None:
    receipt = tmp_path / "receipt.txt"
    with door_up() as one:
        enrolled_with_copy(one, tmp_path)
        assert one.act("erase", SLOT, PIN, "--receipt", str(receipt)).code == 0
    with door_up(door_id="00112233445566aa") as other:
        audited = other.doorctl("audit", "--receipt", str(receipt))
        assert (audited.code, audited.facts["ok"]) == (1, False)


def test_face_sleeps_when_the_terms_change_until_its_owner_agrees_anew_and_the_pin_goes_on(tmp_path: Path) -> None:
    with door_up(vault="false_opens_per_year = 1.0") as home:
        old = enrolled_with_copy(home, tmp_path)
        assert home.looks_until_ready(ONE_PICTURE) == OPENED
        with_setting(home, "false_opens_per_year = 1.0", "false_opens_per_year = 0.9")
        before = home.door.state()["frames_read"]
        assert home.looks(ONE_PICTURE) == USE_PIN_OR_CARD
        assert home.door.state()["frames_read"] == before, "nobody is awake, so nothing looks"
        assert home.types(f"{SLOT}#{PIN}#") == OPENED
        home.goes_in()
        assert "sleep until their residents agree anew" in home.log(Room.VAULT)
        changed = home.doorctl("consent", "show", "--against", str(old))
        assert "threshold class" in changed.out.replace("_", " ")
        new = tmp_path / "new-consent.txt"
        assert home.act("renew", SLOT, PIN, "--consent", "--copy", str(new)).facts["result"] == "done"
        assert home.looks_until_ready(ONE_PICTURE) == OPENED, "without enrolling again"
        terms = [attestation.read(each.read_text()).paper for each in (old, new)]
        assert all(isinstance(each, ConsentRecord) for each in terms)
        assert terms[0] != terms[1]


def test_rekey_changes_every_file_and_nobody_notices(tmp_path: Path) -> None:
    with door_up() as home:
        enrolled_with_copy(home, tmp_path)
        folder = home.paths.state(Room.VAULT)
        before = {path.name: path.read_bytes() for path in folder.iterdir()}
        assert home.doorctl("rekey").code == 0
        after = {path.name: path.read_bytes() for path in folder.iterdir()}
        assert not set(before.values()) & set(after.values())
        assert home.looks_until_ready(ONE_PICTURE) == OPENED
        home.goes_in()
        again = home.doorctl("rekey")
        assert (again.code, again.facts["result"]) == (1, "busy"), "once a minute at most"
        home.door.cut()
        home.up()
        assert home.looks_until_ready(ONE_PICTURE) == OPENED


@pytest.mark.parametrize("paper", ["erase", "renew"])
def test_paper_that_cannot_be_written_stops_the_act_before_it_begins(tmp_path: Path, paper: str) -> None:
    with door_up() as home:
        enrolled_with_copy(home, tmp_path)
        taken = tmp_path / "taken.txt"
        taken.write_text("mine")
        option = {"erase": ("--receipt", str(taken)), "renew": ("--consent", "--copy", str(taken))}[paper]
        assert home.types(f"{'02' if paper == 'erase' else '06'}#{SLOT}#{PIN}#") == NOTED
        said = home.doorctl(paper, "--wait", "5", *option)
        assert said.code == 1
        assert taken.read_text() == "mine"
        assert len(home.records(Room.VAULT)) == 1
        assert home.looks_until_ready(ONE_PICTURE) == OPENED
