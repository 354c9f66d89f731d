"""What the door signs: every byte of it counts, and nothing else of ours passes for it."""

from __future__ import annotations

import base64
import re
import string
from dataclasses import fields, replace
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from nacl.signing import SigningKey

from device import attestation, document, wire
from device.attestation import (
    NO_CONSENT_ID,
    SIZES,
    ConsentRecord,
    CoveredConsent,
    EndOfDoor,
    Paper,
    Receipt,
    armour,
    read,
    sign,
    verify,
)
from device.codec import Schema
from device.consent import Notice, Terms
from device.errors import AttestationRefused, Refusal
from device.strength import KeyPlace
from tests.unit.shared.strategies import places, values

KEY = SigningKey(bytes(range(32)))
OTHER = SigningKey(bytes(range(1, 33)))
DOOR = bytes.fromhex("00112233445566aa")
TERMS = Terms(Notice("notice-0", ("in one", "in another")), "purpose", "retention", bytes(range(32)), "class")
CONSENT = ConsentRecord(DOOR, bytes(range(16)), 20_000, False, *TERMS.parts)
COVERED = CoveredConsent(DOOR, bytes(range(16)), 20_000, False, *TERMS.parts)
RECEIPT = Receipt(DOOR, bytes(range(16)), bytes(range(32)), bytes(range(16)), 20_001, KeyPlace.TPM_NV)
END = EndOfDoor(DOOR, 20_002, KeyPlace.TPM_NV, KeyPlace.FILE_HOST_KEY)
PAPERS: tuple[Paper, ...] = (CONSENT, COVERED, RECEIPT, END)
DOMAINS = {
    ConsentRecord: b"doorward consent record\0",
    CoveredConsent: b"doorward covered consent\0",
    Receipt: b"doorward receipt of erasure\0",
    EndOfDoor: b"doorward end of a door\0",
}
VERSIONS = {ConsentRecord: 1, CoveredConsent: 2, Receipt: 1, EndOfDoor: 1}
NAMES = {ConsentRecord: "CONSENT", CoveredConsent: "CONSENT", Receipt: "RECEIPT", EndOfDoor: "END OF DOOR"}

each = pytest.mark.parametrize("paper", PAPERS, ids=lambda paper: type(paper).__name__)
papers = st.sampled_from([ConsentRecord, CoveredConsent, Receipt, EndOfDoor]).flatmap(
    lambda kind: st.builds(kind, **{place.name: values(place.field) for place in places(kind)})
)


def altered(paper: Any, name: str, value: object) -> Any:
    """`paper` with another value in the field `name`, of whatever type."""
    return replace(paper, **{name: value})


def refused(data: bytes) -> str:
    with pytest.raises(AttestationRefused) as refusal:
        verify(data)
    sentence = str(refusal.value)
    assert sentence
    assert "\n" not in sentence
    return sentence


def unreadable(text: str) -> str:
    with pytest.raises(AttestationRefused) as refusal:
        read(text)
    return str(refusal.value)


def signed_by_hand(magic: bytes, version: int, body: bytes, domain: bytes, key: SigningKey = KEY) -> bytes:
    """Anything at all in the form of a paper, truly signed."""
    content = magic + bytes((version,)) + body + bytes(key.verify_key)
    return content + key.sign(domain + content).signature


# ---- what is signed is what comes back


@pytest.mark.slow
@given(papers, st.binary(min_size=32, max_size=32))
@settings(max_examples=150)
def test_every_paper_comes_back_as_it_was_signed(paper: Paper, seed: bytes) -> None:
    key = SigningKey(seed)
    data = sign(paper, key)
    assert len(data) == SIZES[type(paper)] <= wire.MAX_ATTESTATION
    assert verify(data) == attestation.Verified(paper, bytes(key.verify_key))
    assert read(armour(data)) == verify(data)
    assert sign(paper, key) == data, "one byte form, and one signature of it"


def test_the_sizes_are_those_the_page_states() -> None:
    assert [SIZES[kind] for kind in (ConsentRecord, Receipt)] == [290, 178]


def test_a_consent_record_has_the_hash_of_the_terms_it_names() -> None:
    assert CONSENT.terms_hash == TERMS.hash
    for at, name in enumerate(("notice", "purpose", "retention", "model", "threshold_class")):
        assert getattr(CONSENT, name) == TERMS.parts[at]
        assert altered(CONSENT, name, bytes(32)).terms_hash != TERMS.hash
    assert replace(CONSENT, day=1, under_14=True, consent_id=bytes(16)).terms_hash == TERMS.hash


@each
def test_a_paper_names_nobody(paper: Paper) -> None:
    names = {field.name for field in fields(paper)}
    assert not names & {"slot", "claim", "name", "template", "embedding", "digits", "time", "at_unix"}


# ---- every byte counts


@pytest.mark.exhaustive(2)
@each
def test_every_flipped_bit_is_refused(paper: Paper) -> None:
    data = sign(paper, KEY)
    for at in range(len(data)):
        for bit in range(8):
            refused(data[:at] + bytes((data[at] ^ (1 << bit),)) + data[at + 1 :])


@pytest.mark.exhaustive(1)
@each
def test_every_byte_set_to_anything_else_is_refused(paper: Paper) -> None:
    """Above all the signature: a number in it has one form, and no key of small order signs."""
    data = sign(paper, KEY)
    for at in (*range(5), *range(5, len(data), 13), len(data) - 65, len(data) - 64, len(data) - 33, len(data) - 1):
        for value in set(range(256)) - {data[at]}:
            refused(data[:at] + bytes((value,)) + data[at + 1 :])


def test_without_the_signature_a_flipped_bit_would_pass(monkeypatch: pytest.MonkeyPatch) -> None:
    class Credulous:
        def __init__(self, key: bytes) -> None: ...

        def verify(self, *_signed: bytes) -> None: ...

    monkeypatch.setattr(attestation, "VerifyKey", Credulous)
    with pytest.raises(pytest.fail.Exception):
        test_every_flipped_bit_is_refused(CONSENT)


@each
def test_every_truncation_and_every_extension_is_refused(paper: Paper) -> None:
    data = sign(paper, KEY)
    for length in range(len(data)):
        refused(data[:length])
        refused(data[length + 1 :])
    for more in (b"\0", b"\xff", b"\n", bytes(64), data):
        refused(data + more)
        refused(more + data)


@given(st.binary(max_size=400))
def test_arbitrary_bytes_are_no_paper(data: bytes) -> None:
    refused(data)
    for magic in (b"DWCS\x01", b"DWRT\x01"):
        refused(magic + data)


@each
def test_every_other_version_is_refused_in_words_of_its_own_even_signed(paper: Paper) -> None:
    data, kind = sign(paper, KEY), type(paper)
    known = {1, 2} if isinstance(paper, ConsentRecord) else {1}
    for version in set(range(256)) - known:
        again = signed_by_hand(data[:4], version, data[5:-96], DOMAINS[kind])
        assert "version" in refused(again)
    assert signed_by_hand(data[:4], VERSIONS[kind], data[5:-96], DOMAINS[kind]) == data


def test_no_consent_becomes_a_covered_one_or_a_bare_one_by_its_version() -> None:
    for paper in (CONSENT, COVERED):
        data, kind = sign(paper, KEY), type(paper)
        other = 3 - VERSIONS[kind]
        assert "changed" in refused(data[:4] + bytes((other,)) + data[5:])
        assert "changed" in refused(signed_by_hand(data[:4], other, data[5:-96], DOMAINS[kind]))


def test_a_consent_that_says_nothing_of_a_cover_is_that_of_a_bare_face() -> None:
    assert not CONSENT.covered
    assert COVERED.covered
    assert sign(CONSENT, KEY)[4] == 1
    assert verify(sign(COVERED, KEY)).paper != CONSENT
    assert COVERED.terms_hash == CONSENT.terms_hash == TERMS.hash


# ---- one thing never passes for another


def test_a_receipt_is_no_consent_and_a_consent_no_receipt() -> None:
    consent, receipt = sign(CONSENT, KEY), sign(RECEIPT, KEY)
    refused(b"DWCS" + receipt[4:])
    refused(b"DWRT" + consent[4:])
    refused(b"DWCS" + receipt[4:] + bytes(290 - 178))
    refused(consent[:82] + receipt[82:])


def test_a_consent_signed_as_a_receipt_is_refused_for_its_prefix_alone() -> None:
    """Even the whole right bytes, signed by the right key, under the other kind's prefix or under none."""
    for paper in PAPERS:
        data = sign(paper, KEY)
        for domain in (*(DOMAINS[kind] for kind in DOMAINS if kind is not type(paper)), b"", document._DOMAIN):
            refused(signed_by_hand(data[:4], VERSIONS[type(paper)], data[5:-96], domain))


def test_no_prefix_begins_another() -> None:
    prefixes = [*DOMAINS.values(), document._DOMAIN]
    assert [form.domain for form in attestation._FORMS.values()] == list(DOMAINS.values())
    assert not [(one, two) for one in prefixes for two in prefixes if one is not two and one.startswith(two)]


def test_prefixes_that_are_the_same_would_let_one_pass_for_the_other(monkeypatch: pytest.MonkeyPatch) -> None:
    same = {kind: replace(form, domain=b"doorward\0") for kind, form in attestation._FORMS.items()}
    monkeypatch.setattr(attestation, "_FORMS", same)
    data = sign(CONSENT, KEY)
    with pytest.raises(pytest.fail.Exception):
        refused(signed_by_hand(data[:4], 1, data[5:-96], b"doorward\0"))


def test_a_signature_of_another_paper_or_of_another_door_is_refused() -> None:
    for paper in PAPERS:
        mine, changed, theirs = sign(paper, KEY), sign(replace(paper, day=1), KEY), sign(paper, OTHER)
        refused(mine[:-64] + changed[-64:])
        refused(mine[:-64] + theirs[-64:])
        refused(mine[:-96] + theirs[-96:-64] + mine[-64:])
        assert verify(mine[:-96] + theirs[-96:]).door_key == bytes(OTHER.verify_key), "whole, and by another door"


@pytest.mark.parametrize(
    "key",
    [bytes(32), b"\x01" + bytes(31), b"\xec" + b"\xff" * 30 + b"\x7f", b"\xff" * 32],
    ids=["order 4", "order 1", "order 2", "no point"],
)
def test_a_key_that_any_signature_fits_is_no_key(key: bytes) -> None:
    """Points of small order (RFC 8032, 8.9; SafeCurves): some verifiers take them, and then everything is signed."""
    for paper in PAPERS:
        content = sign(paper, KEY)[:-96] + key
        for signature in (bytes(64), b"\x01" + bytes(63), key + bytes(32)):
            refused(content + signature)


# ---- what a field may hold


@pytest.mark.parametrize("value", [2, 3, 0x80, 0xFF])
def test_a_signed_consent_that_is_neither_for_a_child_nor_not_is_refused(value: int) -> None:
    body = bytearray(sign(CONSENT, KEY)[5:-96])
    body[28] = value
    refused(signed_by_hand(b"DWCS", 1, bytes(body), DOMAINS[ConsentRecord]))
    body[28] = 1
    assert verify(signed_by_hand(b"DWCS", 1, bytes(body), DOMAINS[ConsentRecord])).paper == replace(
        CONSENT, under_14=True
    )


def test_a_signed_receipt_that_names_no_place_for_keys_is_refused() -> None:
    body = bytearray(sign(RECEIPT, KEY)[5:-96])
    for value in range(256):
        body[-1] = value
        data = signed_by_hand(b"DWRT", 1, bytes(body), DOMAINS[Receipt])
        if value in set(KeyPlace):
            assert verify(data).paper == replace(RECEIPT, key_place=KeyPlace(value))
        else:
            refused(data)


@each
def test_what_does_not_fit_is_never_signed(paper: Paper) -> None:
    for place in places(type(paper)):
        for wrong in (b"", bytes(place.size - 1), bytes(place.size + 1), -1, 2**32):
            if isinstance(getattr(paper, place.name), bool):
                continue  # every value is taken for yes or no
            if isinstance(getattr(paper, place.name), bytes) is isinstance(wrong, bytes):
                with pytest.raises(AttestationRefused, match="does not fit"):
                    sign(altered(paper, place.name, wrong), KEY)


def test_a_receipt_for_a_file_that_was_gone_is_whole() -> None:
    gone = replace(RECEIPT, mark=bytes(32), consent_id=NO_CONSENT_ID)
    assert verify(sign(gone, KEY)).paper == gone


# ---- the armour

PROSE = "Dear resident,\n\n{}\nKeep this. -----BEGIN THE BEST----- of wishes\n"


@each
def test_the_armour_has_short_lines_of_plain_letters(paper: Paper) -> None:
    text = armour(sign(paper, KEY))
    first, *middle, last, end = text.split("\n")
    assert (first, last, end) == (
        f"-----BEGIN DOORWARD {NAMES[type(paper)]}-----",
        f"-----END DOORWARD {NAMES[type(paper)]}-----",
        "",
    )
    assert [len(line) for line in middle[:-1]] == [64] * (len(middle) - 1)
    assert 0 < len(middle[-1]) <= 64
    assert base64.b64decode("".join(middle)) == sign(paper, KEY)


@each
def test_the_armour_is_found_in_a_letter_and_with_the_line_ends_of_mail(paper: Paper) -> None:
    data = sign(paper, KEY)
    for text in (armour(data), PROSE.format(armour(data)), armour(data).rstrip("\n")):
        assert read(text) == verify(data)
        assert read(text.replace("\n", "\r\n")) == verify(data)


def test_of_two_papers_in_one_letter_the_first_is_read() -> None:
    both = armour(sign(CONSENT, KEY)) + armour(sign(RECEIPT, KEY))
    assert read(both).paper == CONSENT


def body_at(text: str) -> range:
    """Where the letters of the armour's middle stand."""
    return range(text.index("\n") + 1, text.rindex("\n-----END"))


@pytest.mark.exhaustive(1)
@each
def test_every_letter_of_the_armour_counts(paper: Paper) -> None:
    """One letter in place of another, wherever it is: never read, not even as the same paper in another spelling."""
    text = armour(sign(paper, KEY))
    for at in body_at(text):
        if text[at] == "\n":
            continue
        for letter in "ABZaz09+/=- _\u0410\0":
            if letter != text[at]:
                unreadable(text[:at] + letter + text[at + 1 :])


@each
def test_the_last_letter_has_one_spelling(paper: Paper) -> None:
    """Base64 leaves bits of the last letter unused (RFC 4648, 3.5): whoever ignores them reads 4 or 16 spellings."""
    text = armour(sign(paper, KEY))
    at = text.index("=") - 1
    whole = base64.b64decode("".join(text[slice(body_at(text).start, body_at(text).stop)].split()))
    spellings = [
        letter
        for letter in string.ascii_letters + string.digits + "+/"
        if base64.b64decode((text[:at] + letter + text[at + 1 :])[body_at(text).start : body_at(text).stop]) == whole
    ]
    assert len(spellings) in (4, 16), "the fault that the refusal is there for"
    for letter in set(spellings) - {text[at]}:
        assert "damaged" in unreadable(text[:at] + letter + text[at + 1 :])


@each
def test_a_letter_lost_or_doubled_is_noticed(paper: Paper) -> None:
    text = armour(sign(paper, KEY))
    for at in body_at(text):
        if text[at] != "\n":
            unreadable(text[:at] + text[at + 1 :])
            unreadable(text[:at] + text[at] + text[at:])


@each
def test_a_line_lost_doubled_or_exchanged_is_noticed(paper: Paper) -> None:
    lines = armour(sign(paper, KEY)).splitlines()
    for at in range(len(lines)):
        unreadable("\n".join(lines[:at] + lines[at + 1 :]))
    for at in range(1, len(lines) - 1):
        unreadable("\n".join(lines[: at + 1] + lines[at:]))
    for at in range(1, len(lines) - 2):
        unreadable("\n".join([*lines[:at], lines[at + 1], lines[at], *lines[at + 2 :]]))


def test_an_armour_that_calls_its_paper_something_else_is_refused() -> None:
    receipt, consent = armour(sign(RECEIPT, KEY)), armour(sign(CONSENT, KEY))
    assert "something else" in unreadable(receipt.replace("RECEIPT", "CONSENT"))
    assert "something else" in unreadable(consent.replace("CONSENT", "RECEIPT"))
    assert "something else" in unreadable(consent.replace("CONSENT", "KEY"))
    unreadable(consent.replace("BEGIN DOORWARD CONSENT", "BEGIN DOORWARD RECEIPT"))


@given(st.text(max_size=200))
def test_any_text_without_a_paper_is_refused(text: str) -> None:
    assert "there is no" in unreadable(text)
    unreadable(f"-----BEGIN DOORWARD RECEIPT-----\n{text}\n-----END DOORWARD RECEIPT-----\n")


def test_a_letter_full_of_beginnings_is_read_at_once() -> None:
    """A reader that starts anew at every beginning and looks to the end of the text would take minutes."""
    start = "-----BEGIN DOORWARD CONSENT-----\n"
    unreadable(start * 20_000)
    unreadable(start + "A" * 1_000_000)
    unreadable((start + "A\n" * 100) * 2_000)


def test_only_what_verifies_gets_an_armour() -> None:
    data = sign(CONSENT, KEY)
    with pytest.raises(AttestationRefused):
        armour(data[:-1] + bytes((data[-1] ^ 1,)))
    with pytest.raises(AttestationRefused):
        armour(b"")


def test_every_refusal_is_one_that_a_program_can_tell_a_person() -> None:
    assert issubclass(AttestationRefused, Refusal)
    for data in (b"", b"DWCS", b"DWRT\x02", sign(CONSENT, KEY)[:-1], sign(RECEIPT, KEY) + b"\0"):
        assert re.fullmatch(r"[a-z][^\n]+[a-z0-9]", refused(data))


def test_the_schema_of_a_paper_has_the_sizes_of_its_fields() -> None:
    for kind, size in SIZES.items():
        assert Schema(kind).size == sum(place.size for place in places(kind)) == size - 5 - 32 - 64
