"""Papers are checked without a door: what they prove is said, what does not fit is refused in one sentence."""

from __future__ import annotations

import dataclasses
import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result
from hypothesis import given
from hypothesis import strategies as st
from nacl.signing import SigningKey

from device import attestation
from device.attestation import MARK_BYTES, NO_CONSENT_ID, CoveredConsent, Verified
from device.desk import cli
from device.desk.papers import files, findings
from device.desk.papers.findings import ONLY_ITS_OWN_KEY, day_in_words
from device.desk.terms import COMPONENTS
from device.errors import AttestationRefused
from device.strength import KeyPlace, describe
from tests.unit.desk.house import short_root
from tests.unit.desk.papers import CONSENT, DOOR, KEY, MARK, OTHER_KEY, RECEIPT, agreed, keep, write_config

DOOR_KEY = bytes(KEY.verify_key).hex()


@pytest.fixture
def root(monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    with short_root() as folder:
        write_config(folder)
        monkeypatch.setenv("DOORWARD_ROOT", str(folder))
        yield folder


@pytest.fixture(autouse=True)
def no_door(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """No door is here, unless a test makes one: checking a paper must do without."""
    monkeypatch.setenv("DOORWARD_ROOT", str(tmp_path / "nothing"))


def doorctl(*args: str | Path) -> Result:
    result = CliRunner().invoke(cli.cli, [str(arg) for arg in args], prog_name="doorctl")
    assert result.exception is None or isinstance(result.exception, SystemExit), result.exception
    return result


def refused(said: Result) -> bool:
    return said.exit_code == 1 and bool(re.fullmatch(r"[^\n]+[.!?)]\n", said.stderr)) and not said.stdout


# ---- receipts


@pytest.mark.parametrize("place", KeyPlace)
def test_a_receipt_says_who_signed_what_was_erased_when_and_what_its_place_means(
    tmp_path: Path, place: KeyPlace
) -> None:
    path = keep(tmp_path / "receipt", RECEIPT, key_place=place)
    said, told = doorctl("receipt", "verify", path), json.loads(doorctl("receipt", "verify", path, "--json").stdout)
    assert said.exit_code == 0
    for part in (DOOR_KEY, DOOR.hex(), RECEIPT.record_id.hex(), "2026-11-05", *describe(place).sentences()[1:]):
        assert part in said.stdout
    assert ONLY_ITS_OWN_KEY in said.stdout
    assert told["ok"] is True
    assert told["key_place"] == place.name.lower()
    assert told["deletion_is_final"] is (place is KeyPlace.TPM_NV)
    assert told["compared_with"] == {"consent": False, "door_key": False}
    assert (told["record"], told["mark"], told["door_key"]) == (RECEIPT.record_id.hex(), MARK.hex(), DOOR_KEY)


def test_a_receipt_that_fits_its_consent_record_says_so(tmp_path: Path) -> None:
    receipt, consent = keep(tmp_path / "receipt", RECEIPT), keep(tmp_path / "consent", CONSENT)
    said = doorctl("receipt", "verify", receipt, "--consent", consent)
    assert said.exit_code == 0
    assert "same door, same key, same consent" in said.stdout
    assert ONLY_ITS_OWN_KEY not in said.stdout
    told = json.loads(doorctl("receipt", "verify", receipt, "--consent", consent, "--json").stdout)
    assert told["compared_with"] == {"consent": True, "door_key": False}


UNFIT: dict[str, tuple[dict[str, object], SigningKey, str]] = {
    "another key": ({}, OTHER_KEY, "another door"),
    "another door": ({"door": bytes(8)}, KEY, "another door"),
    "another consent": ({"consent_id": bytes(range(1, 17))}, KEY, "another consent"),
    "no consent": ({"consent_id": NO_CONSENT_ID}, KEY, "names no consent record"),
}


@pytest.mark.parametrize("how", UNFIT)
def test_a_receipt_that_does_not_fit_the_consent_record_is_refused(tmp_path: Path, how: str) -> None:
    changes, key, words = UNFIT[how]
    receipt = keep(tmp_path / "receipt", RECEIPT, key, **changes)
    consent = keep(tmp_path / "consent", CONSENT)
    said = doorctl("receipt", "verify", receipt, "--consent", consent)
    assert refused(said)
    assert words in said.stderr
    assert doorctl("receipt", "verify", receipt).exit_code == 0, "by itself it is a receipt"


@pytest.mark.parametrize("how", UNFIT)
def test_a_comparison_that_is_left_out_would_be_caught(
    tmp_path: Path, how: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(findings, "_same_consent", lambda *_: "it will do")
    changes, key, _ = UNFIT[how]
    receipt, consent = keep(tmp_path / "receipt", RECEIPT, key, **changes), keep(tmp_path / "consent", CONSENT)
    assert not refused(doorctl("receipt", "verify", receipt, "--consent", consent))


def test_the_key_that_was_given_is_compared(tmp_path: Path) -> None:
    receipt, consent = keep(tmp_path / "receipt", RECEIPT), keep(tmp_path / "consent", CONSENT)
    other = bytes(OTHER_KEY.verify_key).hex()
    for words in (("receipt", "verify", receipt), ("consent", "verify", consent)):
        said = doorctl(*words, "--door-key", DOOR_KEY.upper())
        assert said.exit_code == 0
        assert "the key that you gave" in said.stdout
        assert ONLY_ITS_OWN_KEY not in said.stdout
        assert refused(doorctl(*words, "--door-key", other))
        assert doorctl(*words, "--door-key", "abc").exit_code == 2


def test_a_receipt_without_a_mark_says_so(tmp_path: Path) -> None:
    said = doorctl("receipt", "verify", keep(tmp_path / "receipt", RECEIPT, mark=bytes(MARK_BYTES)))
    assert "could not be read any more" in said.stdout


# ---- consent records


@pytest.mark.parametrize("under_14", [False, True])
def test_a_consent_record_says_what_was_agreed_to_and_by_whom_not(tmp_path: Path, under_14: bool) -> None:
    path = keep(tmp_path / "consent", CONSENT, under_14=under_14)
    said, told = doorctl("consent", "verify", path), json.loads(doorctl("consent", "verify", path, "--json").stdout)
    assert said.exit_code == 0
    assert CONSENT.terms_hash.hex() in said.stdout
    assert ("parent or guardian" in said.stdout) is under_14
    assert told["under_14"] is under_14
    assert list(told["components"]) == [name.replace(" ", "_") for name in COMPONENTS]
    assert ONLY_ITS_OWN_KEY in said.stdout


def test_a_consent_record_says_that_the_face_was_covered(tmp_path: Path) -> None:
    covered = CoveredConsent(*(getattr(CONSENT, each.name) for each in dataclasses.fields(CONSENT)))
    for paper in (CONSENT, covered):
        path = keep(tmp_path / type(paper).__name__, paper)
        told = json.loads(doorctl("consent", "verify", path, "--json").stdout)
        assert told["covered"] is paper.covered
        said = doorctl("consent", "verify", path)
        assert said.exit_code == 0
        assert ("mouth and nose covered" in said.stdout) is paper.covered


# ---- what is no paper, or another


def test_a_paper_of_the_other_kind_is_refused(tmp_path: Path) -> None:
    receipt, consent = keep(tmp_path / "receipt", RECEIPT), keep(tmp_path / "consent", CONSENT)
    assert refused(doorctl("receipt", "verify", consent))
    assert refused(doorctl("consent", "verify", receipt))
    assert refused(doorctl("receipt", "verify", receipt, "--consent", receipt))


@pytest.mark.parametrize("content", [None, b"", b"\xff\xfe\0", b"-----BEGIN DOORWARD RECEIPT-----\n", bytes(1 << 17)])
def test_a_file_that_holds_no_paper_is_refused(tmp_path: Path, content: bytes | None) -> None:
    if content is not None:
        (tmp_path / "paper").write_bytes(content)
    for kind in ("receipt", "consent"):
        assert refused(doorctl(kind, "verify", tmp_path / "paper"))
        assert refused(doorctl(kind, "verify", tmp_path)), "a folder"


SIGNED = {
    kind: attestation.armour(attestation.sign(paper, KEY))
    for kind, paper in (("receipt", RECEIPT), ("consent", CONSENT))
}


@given(st.sampled_from(sorted(SIGNED)), st.data())
def test_a_changed_byte_is_refused(kind: str, data: st.DataObject) -> None:
    signed = attestation.sign(RECEIPT if kind == "receipt" else CONSENT, KEY)
    at = data.draw(st.integers(0, len(signed) - 1))
    changed = signed[:at] + bytes([signed[at] ^ data.draw(st.integers(1, 255))]) + signed[at + 1 :]
    with pytest.raises(AttestationRefused):
        attestation.verify(changed)


@pytest.mark.parametrize("kind", sorted(SIGNED))
def test_a_changed_letter_in_the_file_is_refused(tmp_path: Path, kind: str) -> None:
    lines = SIGNED[kind].splitlines(keepends=True)
    swapped = "B" if lines[2][7] != "B" else "C"
    lines[2] = lines[2][:7] + swapped + lines[2][8:]
    (tmp_path / "paper").write_text("".join(lines))
    assert refused(doorctl(kind, "verify", tmp_path / "paper"))


def test_a_paper_survives_mail_in_another_script_and_with_other_line_ends(tmp_path: Path) -> None:
    text = "尊敬的住户：\r\n" + SIGNED["receipt"].replace("\n", "\r\n") + "再见\r\n"
    (tmp_path / "paper").write_bytes(text.encode("gb18030"))
    assert files.read(tmp_path / "paper").paper == RECEIPT


# ---- what has changed


def test_consent_show_tells_the_components_and_what_they_rest_on(root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DOORWARD_ROOT", str(root))
    said, told = doorctl("consent", "show"), json.loads(doorctl("consent", "show", "--json").stdout)
    record = agreed(root)
    assert told["components"] == findings.components(
        (
            record.notice,
            record.purpose,
            record.retention,
            record.model,
            record.threshold_class,
        )
    )
    assert told["consent_hash"] == record.terms_hash.hex()
    assert all(digest in said.stdout for digest in (*told["components"].values(), told["consent_hash"]))


@pytest.mark.parametrize("name", COMPONENTS)
def test_what_has_changed_since_a_consent_is_named(
    root: Path, tmp_path: Path, name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("DOORWARD_ROOT", str(root))
    same = keep(tmp_path / "same", agreed(root))
    change: dict[str, Any] = {name.replace(" ", "_"): bytes(32)}
    other = keep(tmp_path / "other", agreed(root), **change)
    assert json.loads(doorctl("consent", "show", "--against", same, "--json").stdout)["changed"] == []
    assert json.loads(doorctl("consent", "show", "--against", other, "--json").stdout)["changed"] == [name]
    assert f"Changed since that consent record: {name}." in doorctl("consent", "show", "--against", other).stdout
    assert "Nothing has changed" in doorctl("consent", "show", "--against", same).stdout


def test_a_stricter_budget_changes_the_threshold_class_and_another_place_for_keys_the_notice(
    root: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("DOORWARD_ROOT", str(root))
    before = keep(tmp_path / "before", agreed(root))
    for setting, changed in (("false_opens_per_year = 0.5", "threshold class"), ('key_store = "tpm-nv"', "notice")):
        write_config(root, f"[vault]\n{setting}\n")
        assert json.loads(doorctl("consent", "show", "--against", before, "--json").stdout)["changed"] == [changed]


def test_another_doors_consent_is_not_compared_with_this_doors_terms(
    root: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("DOORWARD_ROOT", str(root))
    assert refused(doorctl("consent", "show", "--against", keep(tmp_path / "other", agreed(root), door=bytes(8))))


# ---- days


def test_a_day_is_a_date_and_the_last_ones_are_a_number() -> None:
    assert day_in_words(0) == "1970-01-01"
    assert day_in_words(20762) == "2026-11-05"
    assert day_in_words(2**32 - 1) == "day 4294967295 after 1970-01-01"


@given(st.integers(0, 2**32 - 1), st.sampled_from(KeyPlace))
def test_every_receipt_a_door_can_sign_can_be_told(day: int, place: KeyPlace) -> None:
    verified = Verified(dataclasses.replace(RECEIPT, day=day, key_place=place), bytes(KEY.verify_key))
    assert findings.judge_receipt(verified).text
