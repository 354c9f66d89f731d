"""docs/formats.md against the code: what the door signs, how it is written down, and the hash of the terms."""

from __future__ import annotations

import struct
from collections.abc import Callable
from pathlib import Path

import pytest
from nacl.exceptions import CryptoError
from nacl.signing import SigningKey, VerifyKey

from device import attestation, config, consent, document, strength
from device.attestation import ConsentRecord, EndOfDoor, Paper, Receipt
from device.consent import Liveness
from device.errors import AttestationRefused, DocumentRefused
from device.lock import managers, timetables
from device.lock.identity import DocumentKey
from device.strength import KeyPlace
from device.vault.signing import signing_key
from device.wire import MAX_DOCUMENT
from tests.unit import formats_page
from tests.unit.formats_page import (
    DOOR,
    PAGE,
    SPELLINGS,
    count,
    form_of,
    layout,
    of_struct,
    personal,
    section,
    tables,
    terms_of_the_page,
    vectors,
)
from tests.unit.shared.strategies import places

KINDS = {
    "Consent record, 290 bytes": ConsentRecord,
    "Receipt, 178 bytes": Receipt,
    "Receipt for the end of a door, 115 bytes": EndOfDoor,
}


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
    "Receipt for the end of a door, 115 bytes": EndOfDoor(DOOR, 20_002, KeyPlace.TPM_NV, KeyPlace.FILE_HOST_KEY),
}


@pytest.mark.parametrize("title", PAPERS)
def test_the_paper_of_the_page_is_what_is_signed_and_verified(title: str) -> None:
    key = SigningKey(count(0, 32))
    (stated,) = vectors(section(title))
    assert stated == attestation.sign(PAPERS[title], key)
    assert attestation.verify(stated) == attestation.Verified(PAPERS[title], bytes(key.verify_key))


def test_a_signature_counts_where_the_page_says_so() -> None:
    """Of libsodium, which is not ours: an update that decides otherwise is noticed here, not at somebody's door."""
    (rows,) = tables(section("Signatures"))
    assert {row["counts"] for row in rows} == {"yes", "no"}
    for row in rows:
        key, signature = VerifyKey(bytes.fromhex(row["key"])), bytes.fromhex(row["signature"])
        try:
            key.verify(b"doorward", signature)
        except CryptoError:
            assert row["counts"] == "no", row["case"]
        else:
            assert row["counts"] == "yes", row["case"]
    assert bytes.fromhex(rows[0]["key"]) == bytes(SigningKey(count(0, 32)).verify_key)
    assert SigningKey(count(0, 32)).sign(b"doorward").signature.hex() == rows[0]["signature"]


@pytest.mark.parametrize(("title", "at", "wrong"), [("Consent record", 33, (2, 255)), ("Receipt", 81, (0, 4, 255))])
def test_a_value_that_is_not_in_its_list_is_refused_even_if_it_is_signed(
    title: str, at: int, wrong: tuple[int, ...]
) -> None:
    (stated,) = vectors(section(title))
    key = SigningKey(count(0, 32))
    domain = {(form.magic, form.version): form.domain for form in attestation._FORMS.values()}[stated[:4], stated[4]]
    for value in (stated[at], *wrong):
        content = stated[:at] + bytes((value,)) + stated[at + 1 : -64]
        signed = content + key.sign(domain + content).signature
        if value == stated[at]:
            assert attestation.verify(signed).door_key == bytes(key.verify_key)
            continue
        with pytest.raises(AttestationRefused):
            attestation.verify(signed)


def test_the_armour_of_the_page_is_that_of_the_receipt() -> None:
    (receipt,) = vectors(section("Receipt, 178 bytes"))
    assert f"```text\n{attestation.armour(receipt)}```" in section("Armour")
    assert attestation.read(section("Armour")).paper == PAPERS["Receipt, 178 bytes"]
    for form in attestation._FORMS.values():
        for line in (f"-----BEGIN DOORWARD {form.name}-----", f"-----END DOORWARD {form.name}-----"):
            assert f"`{line}`" in section("Armour")
    assert f"```regex\n{attestation._ARMOUR.pattern}\n```" in section("Armour")


@pytest.mark.parametrize(("text", "taken"), SPELLINGS, ids=range(len(SPELLINGS)))
def test_armour_is_read_as_the_page_says(text: str, taken: bool) -> None:
    if taken:
        assert attestation.read(text).paper == PAPERS["Receipt, 178 bytes"]
    else:
        with pytest.raises(AttestationRefused):
            attestation.read(text)


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


def test_the_notice_is_filled_in_as_the_page_says() -> None:
    text = section("The notice as it is shown")
    sentences, answers, table, worth, alive, rows = tables(text)
    assert f"`{consent.NOTICE_ID}`" in text
    assert all(f"`device/notices/{consent.NOTICE_ID}.{language}.txt`" in text for language in consent.LANGUAGES)
    columns = [row["about"] for row in sentences]
    for at, (language, column) in enumerate(zip(consent.LANGUAGES, ("English", "Chinese"), strict=True)):
        words = {row["answer"]: row[column].strip("`") for row in answers}
        for row in table:
            here = strength.describe(KeyPlace[row["place"]])
            said = [
                sentence[column].strip("`").replace("{}", words[row[about]])
                for sentence, about in zip(sentences, columns, strict=True)
            ]
            assert tuple(said) == here.sentences(language)
        assert {row["tier"]: row[column].strip("`").replace(LINE_BREAK, "\n  ") for row in worth} == {
            tier: texts[at] for tier, texts in consent._WORTH.items()
        }
        for liveness in Liveness:
            told = [
                row[column].strip("`").replace(LINE_BREAK, "\n  ") for row in alive if row["liveness"] == liveness.value
            ]
            assert tuple(told) == consent._ALIVE[liveness][at]
        assert consent.read_notice().texts[at].count("$") == 3
        assert consent.read_notice().texts[at].endswith("\n")
    kinds = [(alive, tier) for alive in Liveness for tier in consent._WORTH]
    kinds.remove((Liveness.TRIED, "face+pin"))
    made = {(place.name, *kind): notice_at(place, *kind) for place in KeyPlace for kind in kinds}
    stated = {(row["place of keys"], Liveness(row["liveness"]), row["tier"]): row["notice"] for row in rows}
    assert stated == made
    assert len(rows) == len(made) == 15


LINE_BREAK = "\N{DOWNWARDS ARROW WITH CORNER LEFTWARDS}"
LIGHTS = "".join(
    f'{side}_light_{strength}_pin = "GPIO{pin}"\n'
    for side, strength, pin in (
        ("left", "weak", 13),
        ("left", "strong", 19),
        ("right", "weak", 20),
        ("right", "strong", 21),
    )
)


def notice_at(place: KeyPlace, alive: Liveness, tier: str) -> str:
    """The hash of the notice as vault has it at a door of this place for keys, this test for live faces, this tier."""
    store, sealed = {
        KeyPlace.FILE_HOST_KEY: ("file", "host"),
        KeyPlace.FILE_TPM2_CREDENTIAL: ("file", "tpm2"),
        KeyPlace.TPM_NV: ("tpm-nv", "tpm2"),
    }[place]
    board = "gpiozero" if alive is Liveness.TRIED else "sim"
    pinned = '[camera]\npinned = "libcamera|imx708|/base/soc/i2c0mux|-"\n' if alive is Liveness.TRIED else ""
    door = config.parse(
        f'[door]\nid = "00112233445566aa"\n{pinned}[lock]\nboard = "{board}"\ntier = "{tier}"\n'
        f"{'' if alive is Liveness.NONE else LIGHTS}"
        f'[vault]\nkey_store = "{store}"\nroot_key_sealed_with = "{sealed}"\n'
    )
    return consent.terms_of(door, count(0, 32)).parts[0].hex()


# ---- what travels to the door


def test_the_envelope_has_the_layout_of_the_page_and_opens_with_the_key_of_the_page() -> None:
    text = section("Sealed to a door")
    rows, checked, known = tables(text)
    outside = [(place.offset, place.size, form_of(place.field), place.name) for place in places(document._Envelope)]
    assert [(int(row["offset"]), int(row["size"]), row["form"], row["field"]) for row in rows[:-1]] == outside
    assert int(rows[-1]["offset"]) == document._OUTSIDE.size
    assert rows[1]["meaning"] == str(document.ENVELOPE)
    assert checked[0]["what"].startswith(f"{document._OUTSIDE.size + document.SEAL_BYTES + 1} to {MAX_DOCUMENT} bytes")
    assert f"at most {MAX_DOCUMENT}" in text
    key = DocumentKey.of(count(0x40, 32))
    assert {row["what"]: row["is"] for row in known} == {
        "private key": bytes(key._private).hex(),
        "public key": key.public.hex(),
        "fingerprint": document.fingerprint(DOOR, key.public),
    }
    (stated,) = vectors(text)
    assert key.open(document.sealed_box(stated, DOOR)) == vectors(section("The signed document"))[0]


def test_what_lock_keeps_of_slots_has_the_layout_of_the_page() -> None:
    text = section("What lock keeps of it")
    _, rows = tables(text)
    for part, form in (("head", timetables._HEAD), ("entry", timetables._ENTRY)):
        assert layout([row for row in rows if row["part"] == part]) == of_struct(form.format)
    assert f"multiple of {timetables.PAGE_BYTES} bytes" in " ".join(text.split())
    assert f"`{bytes(DocumentKey.of(count(0x40, 32)).kept).hex()}`" in text


def test_what_lock_keeps_of_managers_has_the_layout_of_the_page(tmp_path: Path) -> None:
    text = section("Who signs for a door")
    (rows,), (stated,) = tables(text), vectors(text)
    assert layout(rows[:-1]) == of_struct(managers._HEAD.format)
    assert (rows[-1]["offset"], rows[-1]["size"]) == (str(managers._HEAD.size), f"{managers._LINK_BYTES} each")
    assert f"1 to {managers.MOST_LINKS}" in rows[2]["meaning"]
    key, root = DocumentKey.of(count(0x40, 32)), bytes(SigningKey(count(0, 32)).verify_key)
    (link,) = vectors(section("The manager's next key, the body of kind 5"))
    kept = managers.Managers(tmp_path, DOOR, root, key.kept)
    kept.apply(link, kept.parse(link))
    assert {key.kept.decrypt(path.read_bytes()) for path in kept.paths} == {stated}


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
        (lambda page: page.replace("c79f790a | no |", "c79f790a | yes |"), "signatures"),
        (
            lambda page: page.replace("| 13 | to the end | bytes | box |", "| 14 | to the end | bytes | box |"),
            "envelope",
        ),
        (lambda page: page.replace("4457445301001122", "4457445301001123"), "envelope"),
        (
            lambda page: page.replace("| entry | 8 | 1 | u8 | timetable |", "| entry | 8 | 2 | u16 | timetable |"),
            "kept",
        ),
        (lambda page: page.replace("[A-Za-z0-9+/=", "[A-Za-z0-9+/= "), "armour"),
        (lambda page: page.replace("| TPM_NV | light | face | ", "| TPM_NV | light | face | 0"), "notice"),
        (lambda page: page.replace("at most three times a second", "at most four times a second"), "notice"),
        (lambda page: page.replace("only for a child under 14", "only for a child under 16"), "notice"),
    ],
    ids=[
        "a form",
        "a byte",
        "a letter",
        "a list",
        "a key",
        "a hash",
        "a text",
        "a signature",
        "a place",
        "an envelope",
        "an entry",
        "an expression",
        "a notice",
        "how often lights change",
        "a sentence",
    ],
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
        "signatures": test_a_signature_counts_where_the_page_says_so,
        "envelope": test_the_envelope_has_the_layout_of_the_page_and_opens_with_the_key_of_the_page,
        "kept": test_what_lock_keeps_of_slots_has_the_layout_of_the_page,
        "notice": test_the_notice_is_filled_in_as_the_page_says,
    }
    with pytest.raises((AssertionError, DocumentRefused)):
        checks[check]()
