"""The signed document: round trip, and everything else refused."""

from __future__ import annotations

import hashlib
import re
import struct

import pytest
from hypothesis import given
from hypothesis import strategies as st
from nacl.exceptions import CryptoError
from nacl.public import PrivateKey, SealedBox
from nacl.signing import SigningKey

from device import bodies, document
from device.document import DocumentForeign, DocumentUnsigned, Kind, Retirement, SlotOffers, Successor, Telling
from device.errors import DocumentRefused
from device.wire import MAX_DOCUMENT, NO_ALARM_KEY, NO_END, NO_TIMETABLE, Profile, SlotOffer

DOOR = bytes.fromhex("00112233445566aa")
KEY = SigningKey(bytes(range(32)))
MANAGER = bytes(KEY.verify_key)
SIGNATURE = document.SIGNATURE_BYTES
SIGNED = (  # made with OpenSSL, not with libsodium
    "8d6ee7439442948d0fb2647843c431dc310b7ad33fcbaaa41e48499bc702ecf7"
    "4cea9c69efd1f746fa95639de7d8d459ec00421454f3f8a6063c7294c51ff404"
)

u32 = st.integers(1, 2**32 - 1)
offers = st.lists(
    st.builds(
        SlotOffer,
        slot=st.integers(1, 9999),
        serial=u32,
        expires_unix=st.integers(1, document.LATEST_UNIX),
        ends_unix=st.one_of(st.just(NO_END), st.integers(10**10 + 1, document.LATEST_UNIX)),
        timetable=st.integers(0, 255),
        salt=st.binary(min_size=16, max_size=16),
        verifier=st.binary(min_size=32, max_size=32),
    ),
    min_size=1,
    max_size=document.MAX_OFFERS,
    unique_by=lambda offer: offer.slot,
).map(lambda found: SlotOffers(tuple(sorted(found, key=lambda offer: offer.slot))))


def offer(
    slot: int = 12,
    serial: int = 1,
    expires_unix: int = 2_000_000_000,
    ends_unix: int = 2_100_000_000,
    timetable: int = NO_TIMETABLE,
) -> SlotOffer:
    return SlotOffer(slot, serial, expires_unix, ends_unix, timetable, bytes(16), bytes(range(32)))


def signed(*given_offers: SlotOffer, version: int = 7) -> bytes:
    body = SlotOffers(given_offers or (offer(),))
    return document.sign(body, door_id=DOOR, version=version, issued_unix=1_900_000_000, key=KEY)


def resigned(content: bytes) -> bytes:
    """Whatever the content, correctly signed by the manager: only the form can be refused."""
    return content + KEY.sign(document._DOMAIN + content).signature


@given(offers, u32, st.integers(0, 10**10))
def test_what_is_signed_is_parsed_back(body: SlotOffers, version: int, issued_unix: int) -> None:
    data = document.sign(body, door_id=DOOR, version=version, issued_unix=issued_unix, key=KEY)
    parsed = document.parse(data, DOOR, MANAGER)
    assert parsed == document.Parsed(Kind.SLOT_OFFERS, version, issued_unix, body)
    assert len(data) <= document.MAX_SIGNED


@given(offers, st.data())
def test_any_flipped_bit_is_refused(body: SlotOffers, data: st.DataObject) -> None:
    raw = bytearray(document.sign(body, door_id=DOOR, version=1, issued_unix=1, key=KEY))
    bit = data.draw(st.integers(0, len(raw) * 8 - 1))
    raw[bit // 8] ^= 1 << bit % 8
    with pytest.raises(DocumentRefused):
        document.parse(bytes(raw), DOOR, MANAGER)


def test_every_single_bit_of_one_document_counts() -> None:
    raw = signed()
    for bit in range(len(raw) * 8):
        flipped = bytearray(raw)
        flipped[bit // 8] ^= 1 << bit % 8
        with pytest.raises(DocumentRefused):
            document.parse(bytes(flipped), DOOR, MANAGER)


@given(st.binary(max_size=MAX_DOCUMENT + 64))
def test_arbitrary_bytes_are_refused(data: bytes) -> None:
    with pytest.raises(DocumentRefused):
        document.parse(data, DOOR, MANAGER)


@given(st.binary(max_size=300))
def test_content_signed_by_the_manager_is_still_refused_if_malformed(tail: bytes) -> None:
    head = signed()[:-SIGNATURE][:26]
    try:
        parsed = document.parse(resigned(head + tail), DOOR, MANAGER)
    except DocumentRefused:
        return
    again = document.sign(parsed.body, door_id=DOOR, version=7, issued_unix=parsed.issued_unix, key=KEY)
    assert again == resigned(head + tail), "two byte forms of one document"


@pytest.mark.parametrize("cut", [0, 1, 25, 26, 90, 91, 120, 153, 161])
def test_a_truncated_document_is_refused(cut: int) -> None:
    with pytest.raises(DocumentRefused):
        document.parse(signed()[:cut], DOOR, MANAGER)


def test_trailing_bytes_are_refused_signed_or_not() -> None:
    raw = signed()
    for longer in (raw + b"\0", resigned(raw[:-SIGNATURE] + b"\0"), resigned(raw)):
        with pytest.raises(DocumentRefused):
            document.parse(longer, DOOR, MANAGER)


def test_an_oversized_document_is_refused_even_if_signed() -> None:
    head = signed()[:26]
    body = b"".join(signed(offer(slot))[26:-SIGNATURE] for slot in range(1, document.MAX_OFFERS + 2))
    with pytest.raises(DocumentRefused, match="4035"):
        document.parse(resigned(head + body), DOOR, MANAGER)


def test_another_managers_signature_is_refused() -> None:
    with pytest.raises(DocumentUnsigned, match="not signed by this door's manager"):
        document.parse(signed(), DOOR, bytes(SigningKey.generate().verify_key))


def test_a_door_without_a_manager_believes_nobody() -> None:
    for key in (b"", b"short"):
        with pytest.raises(DocumentUnsigned):
            document.parse(signed(), DOOR, key)


def test_a_key_of_small_order_signs_nothing() -> None:
    # With the identity as public key, R = identity and S = 0 would verify any content in a careless library.
    identity = b"\x01" + bytes(31)
    with pytest.raises(DocumentRefused):
        document.parse(signed()[:-SIGNATURE] + identity + bytes(32), DOOR, identity)


def test_a_signature_with_an_unreduced_scalar_is_refused() -> None:
    # S and S + L satisfy the same equation; accepting both would give one document two byte forms (RFC 8032, 5.1.7).
    order = 2**252 + 27742317777372353535851937790883648493
    raw = signed()
    scalar = int.from_bytes(raw[-32:], "little") + order
    with pytest.raises(DocumentUnsigned):
        document.parse(raw[:-32] + scalar.to_bytes(32, "little"), DOOR, MANAGER)


def test_a_signature_without_the_documents_own_prefix_is_refused() -> None:
    content = signed()[:-SIGNATURE]
    with pytest.raises(DocumentUnsigned):
        document.parse(content + KEY.sign(content).signature, DOOR, MANAGER)


def test_a_document_for_another_door_is_refused() -> None:
    with pytest.raises(DocumentForeign, match="another door"):
        document.parse(signed(), bytes(8), MANAGER)


def test_an_unknown_kind_or_format_is_refused_in_a_sentence_of_its_own() -> None:
    content = bytearray(signed()[:-SIGNATURE])
    content[13] = 9
    with pytest.raises(DocumentRefused, match="kind 9"):
        document.parse(resigned(bytes(content)), DOOR, MANAGER)
    for other in (1, 2, 9):
        content[4] = other
        with pytest.raises(DocumentRefused, match=f"format {other}"):
            document.parse(resigned(bytes(content)), DOOR, MANAGER)


@pytest.mark.parametrize("ends_unix", [NO_END, 1_900_000_001, 1_950_000_000, document.LATEST_UNIX])
def test_a_place_may_end_before_its_invitation_or_long_after_or_never(ends_unix: int) -> None:
    parsed = document.parse(signed(offer(ends_unix=ends_unix)), DOOR, MANAGER)
    assert isinstance(parsed.body, SlotOffers)
    assert parsed.body.offers[0].ends_unix == ends_unix


def test_a_place_that_ended_before_it_was_offered_is_said_so() -> None:
    with pytest.raises(DocumentRefused, match="cannot have ended before it was offered"):
        signed(offer(ends_unix=1_900_000_000))


@pytest.mark.parametrize(
    "bad",
    [
        (),
        (offer(0),),
        (offer(10000),),
        (offer(2), offer(1)),
        (offer(1), offer(1)),
        (offer(serial=0),),
        (offer(expires_unix=0),),
        (offer(expires_unix=2**63),),
        (offer(expires_unix=document.LATEST_UNIX + 1),),
        (offer(ends_unix=-1),),
        (offer(ends_unix=1),),  # before the document was issued
        (offer(ends_unix=1_900_000_000),),
        (offer(ends_unix=document.LATEST_UNIX + 1),),
        (offer(ends_unix=2_100_000_000_000),),  # milliseconds
        (offer(1), offer(2, ends_unix=1), offer(3)),
        tuple(offer(slot) for slot in range(1, document.MAX_OFFERS + 2)),
    ],
)
def test_offers_that_make_no_sense_are_neither_signed_nor_believed(bad: tuple[SlotOffer, ...]) -> None:
    with pytest.raises(DocumentRefused):
        document.sign(SlotOffers(bad), door_id=DOOR, version=1, issued_unix=1_900_000_000, key=KEY)
    form = "<IIqqB16s32s"
    try:
        body = b"".join(
            struct.pack(form, o.slot, o.serial, o.expires_unix, o.ends_unix, o.timetable, o.salt, o.verifier)
            for o in bad
        )
    except struct.error:
        return
    with pytest.raises(DocumentRefused):
        document.parse(resigned(signed()[:26] + body), DOOR, MANAGER)


@pytest.mark.parametrize(
    ("version", "issued_unix"), [(0, 1), (-1, 1), (2**32, 1), (1, -1), (1, document.LATEST_UNIX + 1), (1, 2**63)]
)
def test_numbers_out_of_range_are_not_signed(version: int, issued_unix: int) -> None:
    with pytest.raises(DocumentRefused):
        document.sign(SlotOffers((offer(),)), door_id=DOOR, version=version, issued_unix=issued_unix, key=KEY)


def test_version_zero_is_refused_even_if_signed() -> None:
    content = bytearray(signed()[:-SIGNATURE])
    content[14:18] = bytes(4)
    with pytest.raises(DocumentRefused, match="starts at 1"):
        document.parse(resigned(bytes(content)), DOOR, MANAGER)


@pytest.mark.parametrize("issued_unix", [-1, -(2**63), document.LATEST_UNIX + 1, 1_900_000_000_000, 2**63 - 1])
def test_a_document_of_no_possible_time_is_refused_even_if_signed(issued_unix: int) -> None:
    content = bytearray(signed(offer(ends_unix=NO_END))[:-SIGNATURE])
    content[18:26] = struct.pack("<q", issued_unix)
    with pytest.raises(DocumentRefused, match="issued between 1970 and the year 5138"):
        document.parse(resigned(bytes(content)), DOOR, MANAGER)


@pytest.mark.parametrize("issued_unix", [0, document.LATEST_UNIX])
def test_the_first_and_the_last_time_of_a_document_are_taken(issued_unix: int) -> None:
    body = SlotOffers((offer(ends_unix=NO_END),))
    data = document.sign(body, door_id=DOOR, version=1, issued_unix=issued_unix, key=KEY)
    assert document.parse(data, DOOR, MANAGER).issued_unix == issued_unix


def test_the_signature_is_looked_at_before_the_number_of_offers() -> None:
    """The order that docs/formats.md states: whole offers are a question of their own, behind the signature."""
    for size in (91, 161, document.MAX_SIGNED):
        short = signed()[:26].ljust(size - SIGNATURE, b"\0")
        with pytest.raises(DocumentUnsigned):
            document.parse(short + bytes(SIGNATURE), DOOR, MANAGER)
        with pytest.raises(DocumentRefused, match="middle of an offer"):
            document.parse(resigned(short), DOOR, MANAGER)


def test_the_bytes_of_format_3_never_change() -> None:
    """A test vector for readers written from docs/formats.md: deterministic, because Ed25519 is."""
    fields = (
        "44574443",  # magic
        "03",  # format
        "00112233445566aa",  # door id
        "01",  # kind: slot offers
        "07000000",  # version 7
        "00b33f7100000000",  # issued at 1,900,000,000
        "0c000000",  # slot 12
        "01000000",  # serial 1
        "0094357700000000",  # expires at 2,000,000,000
        "00752b7d00000000",  # ends at 2,100,000,000
        "03",  # the hours of timetable 3
        "00" * 16,  # salt
        bytes(range(32)).hex(),  # verifier
    )
    known = signed(offer(timetable=3))
    assert known[:-SIGNATURE].hex() == "".join(fields)
    assert known[-SIGNATURE:].hex() == SIGNED
    # RFC 8032's algorithm applied to the seed 00 01 … 1f.
    assert MANAGER.hex() == "03a107bff3ce10be1d70dd18e74bc09967e4d6309ba50d5f1ddc8664125531b8"


# ---- the envelope

PRIVATE = PrivateKey(bytes(range(32, 64)))
PUBLIC = bytes(PRIVATE.public_key)


def sealed(content: bytes, door: bytes = DOOR) -> bytes:
    return document.seal(content, door_id=door, document_key=PUBLIC)


@given(st.binary(min_size=1, max_size=document.MAX_SIGNED))
def test_what_is_sealed_is_opened_with_the_door_s_key_alone_and_never_twice_the_same(content: bytes) -> None:
    envelope = sealed(content)
    assert len(envelope) == 13 + document.SEAL_BYTES + len(content) <= MAX_DOCUMENT
    box = document.sealed_box(envelope, DOOR)
    assert SealedBox(PRIVATE).decrypt(box) == content
    with pytest.raises(CryptoError):
        SealedBox(PrivateKey(bytes(range(1, 33)))).decrypt(box)
    assert sealed(content) != envelope


def test_nothing_of_a_document_can_be_read_on_its_way() -> None:
    content = signed(offer(1234), offer(5678))
    parts = [offer(1234).verifier, MANAGER, content[-64:], content[26:34], (1234).to_bytes(4, "little")]
    envelope = sealed(content)
    assert not any(part in envelope for part in parts)
    # The search finds what is there: a seeded leak is caught.
    assert all(part in content + MANAGER for part in parts)


def test_the_envelope_of_another_door_is_told_from_none() -> None:
    with pytest.raises(DocumentForeign):
        document.sealed_box(sealed(signed(), bytes(8)), DOOR)
    whole = sealed(signed())
    for bad in (b"", whole[:61], signed(), whole[:3] + b"?" + whole[4:], whole.ljust(MAX_DOCUMENT + 1, b"\0")):
        with pytest.raises(DocumentRefused):
            document.sealed_box(bad, DOOR)
    with pytest.raises(DocumentRefused, match="version 2"):
        document.sealed_box(whole[:4] + b"\2" + whole[5:], DOOR)


@given(st.binary(max_size=MAX_DOCUMENT + 64))
def test_arbitrary_bytes_are_no_envelope(data: bytes) -> None:
    with pytest.raises(DocumentRefused):
        document.sealed_box(data, DOOR)


@pytest.mark.parametrize("key", [b"", bytes(31), bytes(32), b"\1" + bytes(31)])
def test_nothing_is_sealed_to_what_is_no_key(key: bytes) -> None:
    """The points of small order are none either: what is sealed to them, everybody opens (RFC 7748, 6.1)."""
    with pytest.raises(DocumentRefused, match="document key is none"):
        document.seal(signed(), door_id=DOOR, document_key=key)


def test_a_fingerprint_is_of_this_key_and_this_door() -> None:
    shown = document.fingerprint(DOOR, PUBLIC)
    assert re.fullmatch(r"[0-9a-f]{4}( [0-9a-f]{4}){4}", shown)
    hashed = hashlib.blake2b(DOOR + PUBLIC, digest_size=32, person=b"doorward finger").hexdigest()
    assert shown.replace(" ", "") == hashed[:20]
    others = {document.fingerprint(DOOR, MANAGER), document.fingerprint(bytes(8), PUBLIC), shown}
    assert len(others) == 3


# ---- what the door may tell

ALARM_KEY = bytes(PrivateKey(bytes(range(32))).public_key)
tellings = st.one_of(
    st.builds(
        Telling,
        st.just(Profile.BUILDING),
        st.just(document.NO_COUNT) | st.integers(document.LEAST_EPSILON_MILLI, document.MOST_EPSILON_MILLI),
        st.sampled_from([NO_ALARM_KEY, ALARM_KEY]),
    ),
    st.builds(Telling, st.just(Profile.HOME), alarm_key=st.sampled_from([NO_ALARM_KEY, ALARM_KEY])),
)


def of_telling(body: bytes) -> bytes:
    """A document of kind 3 with these bytes as its body, signed by the manager."""
    head = signed()[:13] + bytes((Kind.REPORTING,)) + signed()[14:26]
    return head + body + KEY.sign(document._DOMAIN + head + body).signature


@given(tellings)
def test_what_the_door_may_tell_comes_back_as_it_went(telling: Telling) -> None:
    data = document.sign(telling, door_id=DOOR, version=7, issued_unix=1_900_000_000, key=KEY)
    assert document.parse(data, DOOR, MANAGER).body == telling
    assert document.parse(of_telling(data[26:-SIGNATURE]), DOOR, MANAGER).kind is Kind.REPORTING


@pytest.mark.parametrize(
    ("telling", "sentence"),
    [
        (Telling(Profile.HOME, 500), "gives no daily count"),
        (Telling(epsilon_milli=99), "epsilon"),
        (Telling(epsilon_milli=2001), "epsilon"),
        (Telling(alarm_key=b"\1" + bytes(31)), "nothing can be sealed"),
    ],
)
def test_a_choice_out_of_bounds_is_neither_signed_nor_believed(telling: Telling, sentence: str) -> None:
    with pytest.raises(DocumentRefused, match=sentence):
        document.sign(telling, door_id=DOOR, version=7, issued_unix=1_900_000_000, key=KEY)
    with pytest.raises(DocumentRefused, match=sentence):
        document.parse(of_telling(bodies.pack(telling)), DOOR, MANAGER)


@pytest.mark.parametrize("body", [b"", bytes(34), bytes(35), b"\3" + bytes(34), b"\1" + bytes(35)])
def test_a_choice_that_is_none_is_refused(body: bytes) -> None:
    with pytest.raises(DocumentRefused):
        document.parse(of_telling(body), DOOR, MANAGER)


# ---- the manager's next key

NEXT = bytes(SigningKey(bytes(range(32, 64))).verify_key)


@given(st.binary(min_size=32, max_size=32).map(lambda seed: bytes(SigningKey(seed).verify_key)), u32)
def test_the_managers_next_key_comes_back_as_it_went(key: bytes, version: int) -> None:
    data = document.sign(Successor(key), door_id=DOOR, version=version, issued_unix=1_900_000_000, key=KEY)
    parsed = document.parse(data, DOOR, MANAGER)
    assert (parsed.kind, parsed.version, parsed.body) == (Kind.SUCCESSOR, version, Successor(key))
    with pytest.raises(DocumentUnsigned):
        document.parse(data, DOOR, key)


@pytest.mark.parametrize("body", [b"", NEXT[:31], NEXT + b"\0", NEXT * 2, bytes(32), b"\1" + bytes(31), MANAGER])
def test_a_next_key_that_is_none_or_the_same_is_refused(body: bytes) -> None:
    head = signed()[:13] + bytes((Kind.SUCCESSOR,)) + signed()[14:26]
    assert document.parse(resigned(head + NEXT), DOOR, MANAGER).body == Successor(NEXT)
    with pytest.raises(DocumentRefused):
        document.parse(resigned(head + body), DOOR, MANAGER)


def test_a_key_of_which_nothing_could_be_verified_is_not_signed_either() -> None:
    for key in (bytes(32), MANAGER):
        with pytest.raises(DocumentRefused):
            document.sign(Successor(key), door_id=DOOR, version=7, issued_unix=1_900_000_000, key=KEY)


# ---- the end of a door


@pytest.mark.parametrize("hours", [0, 72, 8784])
def test_the_end_of_a_door_comes_back_as_it_was_announced(hours: int) -> None:
    data = document.sign(Retirement(hours), door_id=DOOR, version=7, issued_unix=1_900_000_000, key=KEY)
    parsed = document.parse(data, DOOR, MANAGER)
    assert (parsed.kind, parsed.body) == (Kind.RETIRE, Retirement(hours))


@pytest.mark.parametrize("body", [b"", b"\x48", b"\x48\0\0", b"\1\0", b"\x47\0", b"\x51\x22", b"\xff\xff"])
def test_an_end_that_comes_too_soon_or_makes_no_sense_is_not_believed_even_if_it_is_signed(body: bytes) -> None:
    head = signed()[:13] + bytes((Kind.RETIRE,)) + signed()[14:26]
    assert document.parse(resigned(head + b"\x48\0"), DOOR, MANAGER).body == Retirement(72)
    with pytest.raises(DocumentRefused):
        document.parse(resigned(head + body), DOOR, MANAGER)
