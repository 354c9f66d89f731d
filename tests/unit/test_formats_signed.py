"""docs/formats.md against the code: what the door signs, how it is written down, and the hash of the terms."""

from __future__ import annotations

import struct
from collections.abc import Callable

import pytest
from nacl.signing import SigningKey

from device import attestation, config, consent
from device.attestation import ConsentRecord, Paper, Receipt
from device.strength import KeyPlace
from device.vault.signing import signing_key
from tests.unit import formats_page
from tests.unit.formats_page import DOOR, PAGE, count, form_of, personal, section, tables, terms_of_the_page, vectors
from tests.unit.shared.strategies import places

KINDS = {"Consent record, 290 bytes": ConsentRecord, "Receipt, 178 bytes": Receipt}


@pytest.mark.parametrize("title", KINDS)
def test_a_signed_paper_has_the_layout_of_the_page(title: str) -> None:
    kind = KINDS[title]
    form, rows = attestation._FORMS[kind], tables(section(title))[0]
    head = [(place.offset, place.size, form_of(place.field), place.name) for place in places(attestation._Head)]
    at = attestation._HEAD.size
    body = [(at + place.offset, place.size, form_of(place.field), place.name) for place in places(kind)]
    end = at + form.schema.size
    assert [(int(row["offset"]), int(row["size"]), row["form"], row["field"]) for row in rows] == [
        *head,
        *body,
        (end, 32, "bytes", "door_key"),
        (end + 32, 64, "bytes", "signature"),
    ]
    assert title.endswith(f", {attestation.SIZES[kind]} bytes")
    assert rows[0]["meaning"] == f'"{form.magic.decode()}"'
    assert rows[1]["meaning"] == str(attestation.VERSION)
    said = f"the {len(form.domain)} bytes `{form.domain[:-1].decode()}` NUL"
    assert said in " ".join(section(title).split())
    assert form.domain[-1:] == b"\0"


PAPERS: dict[str, Paper] = {
    "Consent record, 290 bytes": ConsentRecord(
        DOOR, count(0, 16), 20_000, True, *(count(start, 32) for start in range(0, 0xA0, 0x20))
    ),
    "Receipt, 178 bytes": Receipt(DOOR, count(0, 16), count(0, 32), count(0x10, 16), 20_001, KeyPlace.TPM_NV),
}


@pytest.mark.parametrize("title", PAPERS)
def test_the_paper_of_the_page_is_what_is_signed_and_verified(title: str) -> None:
    key = SigningKey(count(0, 32))
    (stated,) = vectors(section(title))
    assert stated == attestation.sign(PAPERS[title], key)
    assert attestation.verify(stated) == attestation.Verified(PAPERS[title], bytes(key.verify_key))


def test_the_armour_of_the_page_is_that_of_the_receipt() -> None:
    (receipt,) = vectors(section("Receipt, 178 bytes"))
    assert f"```text\n{attestation.armour(receipt)}```" in section("Armour")
    assert attestation.read(section("Armour")).paper == PAPERS["Receipt, 178 bytes"]
    for form in attestation._FORMS.values():
        for line in (f"-----BEGIN DOORWARD {form.name}-----", f"-----END DOORWARD {form.name}-----"):
            assert f"`{line}`" in section("Armour")


def test_the_places_for_keys_are_those_of_the_page() -> None:
    _, (row,) = tables(section("Receipt, 178 bytes"))
    assert row["values"] == ", ".join(f"{place.value} {place.name}" for place in KeyPlace)


def test_the_signing_key_follows_from_the_root_key_as_the_page_says() -> None:
    (rows,) = tables(section("What the door signs"))
    seed = personal(b"", 32, b"doorward signing", count(0x40, 32))
    assert {row["what"]: row["is"] for row in rows} == {
        "seed": seed.hex(),
        "public key": bytes(SigningKey(seed).verify_key).hex(),
    }
    assert signing_key(count(0x40, 32)) == SigningKey(seed)


def test_the_terms_are_hashed_as_the_page_says() -> None:
    pieces, wording, rows = tables(section("The hash of the terms"))
    terms = terms_of_the_page(count(0, 32))
    names = [row["part"] for row in pieces]
    assert names == [place.name for place in places(ConsentRecord)][-5:]
    assert {row["what"]: row["is"] for row in rows} == {
        **{name: part.hex() for name, part in zip(names, terms.parts, strict=True)},
        "terms": terms.hash.hex(),
    }
    by_hand = [
        [b"notice-0", b"One.\n", "另一个。\n".encode()],
        [b"Opening this door."],
        [b"Until you erase it."],
        [count(0, 32)],
        [b"at most 1 false opens a year at 5 strangers a day; face+pin"],
    ]
    hashes = [
        personal(b"".join(struct.pack("<I", len(each)) + each for each in group), 32, b"doorward-consent")
        for group in by_hand
    ]
    assert [row["is"] for row in rows[:5]] == [each.hex() for each in hashes]
    assert rows[5]["is"] == personal(b"".join(hashes), 32, b"doorward-terms").hex()
    door = config.parse('[door]\nid = "00112233445566aa"\n')
    here = consent.terms_of(door, count(0, 32))
    said = {row["part"]: row["text"].strip("`") for row in wording}
    assert (said["purpose"], said["retention"]) == (here.purpose, here.retention)
    filled = said["threshold_class"].replace(" A ", " 1 ").replace(" B ", " 5 ").replace("; T", "; face+pin")
    assert filled == here.threshold_class
    text = section("The hash of the terms")
    assert f"`{consent.NOTICE_ID}`" in text
    assert all(f"`device/notices/{consent.NOTICE_ID}.{language}.txt`" in text for language in consent.LANGUAGES)


# ---- the check itself


@pytest.mark.parametrize(
    ("spoil", "check"),
    [
        (lambda page: page.replace("| 33 | 1 | bool | under_14 |", "| 33 | 1 | u8 | under_14 |"), "layout"),
        (lambda page: page.replace("445743530100", "445743530101"), "paper"),
        (lambda page: page.replace("RFdSVAEA", "RFdSVAEB"), "armour"),
        (lambda page: page.replace("2 FILE_TPM2_CREDENTIAL, 3 TPM_NV", "3 FILE_TPM2_CREDENTIAL, 2 TPM_NV"), "places"),
        (lambda page: page.replace("| seed | f6", "| seed | f7"), "key"),
        (lambda page: page.replace("| terms | 22", "| terms | 23"), "terms"),
        (lambda page: page.replace("place at this door ends.`", "place here ends.`"), "terms"),
    ],
    ids=["a form", "a byte", "a letter", "a list", "a key", "a hash", "a text"],
)
def test_a_page_that_drifted_is_noticed(
    monkeypatch: pytest.MonkeyPatch, spoil: Callable[[str], str], check: str
) -> None:
    spoiled = spoil(PAGE)
    assert spoiled != PAGE
    monkeypatch.setattr(formats_page, "PAGE", spoiled)
    checks: dict[str, Callable[[], None]] = {
        "layout": lambda: test_a_signed_paper_has_the_layout_of_the_page("Consent record, 290 bytes"),
        "paper": lambda: test_the_paper_of_the_page_is_what_is_signed_and_verified("Consent record, 290 bytes"),
        "armour": test_the_armour_of_the_page_is_that_of_the_receipt,
        "places": test_the_places_for_keys_are_those_of_the_page,
        "key": test_the_signing_key_follows_from_the_root_key_as_the_page_says,
        "terms": test_the_terms_are_hashed_as_the_page_says,
    }
    with pytest.raises(AssertionError):
        checks[check]()
