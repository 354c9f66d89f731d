"""The wire: every message comes back as it went, and everything that is not exactly a message is refused."""

from __future__ import annotations

import inspect
import struct
from dataclasses import dataclass, replace
from enum import IntEnum, IntFlag

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from device import wire
from device.codec import Blob, DigitText, Member, Number, YesNo
from device.errors import MessageRefused
from device.wire import Message
from tests.unit.shared.strategies import RANGES, TYPES, example, instances, messages, places

HEAD = 2  # version byte, type byte

# Pinned by hand: a type byte that was given away once never means anything else.
TYPE_BYTES = {
    0x01: "Look",
    0x02: "Close",
    0x03: "CameraState",
    0x04: "ChallengeRequest",
    0x05: "ChallengeLog",
    0x06: "MotionRequest",
    0x07: "MotionLog",
    0x10: "Probe",
    0x11: "Sample",
    0x12: "Guidance",
    0x20: "Verdict",
    0x21: "FaceReady",
    0x22: "EnrolmentEnded",
    0x23: "Window",
    0x24: "AskClaim",
    0x25: "ClaimAnswer",
    0x26: "ActEnded",
    0x30: "CheckPin",
    0x31: "ProvePin",
    0x32: "SetPin",
    0x33: "Answer",
    0x34: "SlotOffer",
    0x35: "OfferKept",
    0x36: "CardShown",
    0x37: "CardCommand",
    0x38: "CardAnswer",
    0x39: "CardGone",
    0x3A: "ChangeCards",
    0x3B: "Occupied",
    0x3C: "LockedOut",
    0x40: "Grant",
    0x41: "GrantTicket",
    0x42: "HasCredential",
    0x43: "CredentialAnswer",
    0x44: "LastCredentialGone",
    0x45: "PlaceEnded",
    0x50: "Enrol",
    0x51: "Erase",
    0x52: "Pause",
    0x53: "Resume",
    0x54: "Done",
    0x55: "EnrolHint",
    0x56: "Renew",
    0x57: "Attestation",
    0x58: "Rekey",
    0x59: "AskRecord",
    0x5A: "RecordAnswer",
    0x60: "Document",
    0x61: "Ack",
    0x62: "AskStatus",
    0x63: "DoorStatus",
    0x64: "Act",
    0x65: "Ended",
    0x66: "AttestationCopy",
    0x67: "AskRekey",
    0x68: "QueryRecord",
    0x70: "Occurrence",
    0x71: "Breach",
    0x72: "Reporting",
    0x73: "DoorKeys",
    0x74: "DoorState",
    0x75: "DailyCount",
    0x80: "ProveResident",
    0x81: "Retire",
    0x82: "Retired",
    0x83: "RetireDoor",
    0x84: "AskRetirement",
    0x90: "TryFaces",
    0x91: "TryStands",
    0x92: "Tried",
    0xA0: "PageArmed",
    0xA1: "AskHeld",
    0xA2: "Held",
    0xA3: "SittingOver",
}
SIZES = {
    "Look": 17,
    "ChallengeRequest": 16,
    "ChallengeLog": 64,
    "MotionRequest": 16,
    "MotionLog": 51,
    "Probe": 547,
    "Sample": 547,
    "Verdict": 29,
    "Window": 21,
    "CheckPin": 38,
    "SlotOffer": 73,
    "CardCommand": 114,
    "CredentialAnswer": 28,
    "Enrol": 51,
    "Attestation": 402,
    "AttestationCopy": 386,
    "Document": 4098,
}

every_type = pytest.mark.parametrize("cls", TYPES, ids=lambda cls: cls.__name__)


def of_form(form: type) -> list[object]:
    """Every (message type, place) whose field has this byte form."""
    return [
        pytest.param(cls, place, id=f"{cls.__name__}.{place.name}")
        for cls in TYPES
        for place in places(cls)
        if isinstance(place.field, form)
    ]


@given(messages)
@settings(max_examples=400)
def test_every_message_comes_back_as_it_went(msg: Message) -> None:
    assert wire.unpack(wire.pack(msg)) == msg


@given(st.sampled_from(TYPES), st.data())
@settings(max_examples=400)
def test_what_is_accepted_has_no_other_byte_form(cls: type[Message], data: st.DataObject) -> None:
    """A valid message with some bytes changed: either refused, or these very bytes are its one form."""
    raw = bytearray(wire.pack(data.draw(instances(cls))))
    for _ in range(data.draw(st.integers(1, 4))):
        raw[data.draw(st.integers(0, len(raw) - 1))] = data.draw(st.integers(0, 255))
    try:
        msg = wire.unpack(bytes(raw))
    except MessageRefused:
        return
    assert wire.pack(msg) == bytes(raw)


@given(st.binary(max_size=700))
def test_arbitrary_bytes_are_refused_or_are_exactly_a_message(data: bytes) -> None:
    try:
        msg = wire.unpack(data)
    except MessageRefused:
        return
    assert wire.pack(msg) == data


@every_type
def test_every_truncation_is_refused(cls: type[Message]) -> None:
    whole = wire.pack(example(cls))
    assert wire.unpack(whole) == example(cls)
    for length in range(len(whole)):
        with pytest.raises(MessageRefused):
            wire.unpack(whole[:length])


@every_type
def test_every_extension_is_refused(cls: type[Message]) -> None:
    whole = wire.pack(example(cls))
    for more in (1, 2, 16, 511, wire.MAX_DATAGRAM - len(whole)):
        for filler in (b"\0", b"\xff"):
            with pytest.raises(MessageRefused):
                wire.unpack(whole + filler * more)


def test_every_other_version_is_refused_above_all_the_one_before() -> None:
    whole = wire.pack(wire.Close())
    assert whole == b"\x03\x02"
    for version in set(range(256)) - {wire.WIRE_VERSION}:
        with pytest.raises(MessageRefused, match="version"):
            wire.unpack(bytes((version,)) + whole[1:])


def test_every_unknown_type_is_refused_with_any_body() -> None:
    for code in set(range(256)) - set(TYPE_BYTES):
        for body in (b"", b"\0" * 17, b"\0" * 546):
            with pytest.raises(MessageRefused, match="unknown"):
                wire.unpack(bytes((wire.WIRE_VERSION, code)) + body)


@pytest.mark.parametrize(("cls", "place"), of_form(Member))
def test_only_members_of_an_enum_are_accepted(cls: type[Message], place: object) -> None:
    where = next(one for one in places(cls) if one == place)
    assert isinstance(where.field, Member)
    whole, at = wire.pack(example(cls)), HEAD + where.offset
    for value in range(256):
        changed = whole[:at] + bytes((value,)) + whole[at + 1 :]
        if value in set(where.field.enum):
            assert getattr(wire.unpack(changed), where.name) == value
        else:
            with pytest.raises(MessageRefused, match=where.name):
                wire.unpack(changed)


@pytest.mark.parametrize(("cls", "place"), of_form(YesNo))
def test_a_boolean_is_0_or_1_and_nothing_that_struct_would_call_true(cls: type[Message], place: object) -> None:
    where = next(one for one in places(cls) if one == place)
    whole, at = wire.pack(example(cls)), HEAD + where.offset
    for value in range(2, 256):
        with pytest.raises(MessageRefused, match="neither yes nor no"):
            wire.unpack(whole[:at] + bytes((value,)) + whole[at + 1 :])
        assert struct.unpack("?", bytes((value,))) == (True,), "the fault that this refusal is there for"


BAD_DIGITS = [b"12\x0034", b"\x0012", b"12\0\0\0\0\0\0\0\0\0\0\0\0\0x", b"12a", b"-1", b" 12", b"\xb2", b"\xff" * 16]


@pytest.mark.parametrize(("cls", "place"), of_form(DigitText))
@pytest.mark.parametrize("digits", BAD_DIGITS)
def test_digits_with_a_hole_a_letter_or_dirty_padding_are_refused(
    cls: type[Message], place: object, digits: bytes
) -> None:
    where = next(one for one in places(cls) if one == place)
    whole, at = wire.pack(example(cls)), HEAD + where.offset
    with pytest.raises(MessageRefused, match=where.name):
        wire.unpack(whole[:at] + digits.ljust(where.size, b"\0") + whole[at + where.size :])


@pytest.mark.parametrize(("cls", "place"), of_form(DigitText))
@pytest.mark.parametrize("digits", ["1" * 17, "1\u0663", "²", "12\0", " 12", "1.5", "\uff10"])
def test_what_is_no_row_of_digits_is_never_sent(cls: type[Message], place: object, digits: str) -> None:
    where = next(one for one in places(cls) if one == place)
    with pytest.raises(MessageRefused, match=where.name):
        wire.pack(replace(example(cls), **{where.name: digits}))


@pytest.mark.parametrize(("cls", "place"), of_form(DigitText))
def test_a_refusal_does_not_repeat_the_digits(cls: type[Message], place: object) -> None:
    where = next(one for one in places(cls) if one == place)
    with pytest.raises(MessageRefused) as refused:
        wire.pack(replace(example(cls), **{where.name: "48291348291348291"}))
    assert "482913" not in str(refused.value)


@pytest.mark.parametrize(("cls", "place"), of_form(Blob))
def test_papers_with_dirty_padding_or_a_lying_length_are_refused(cls: type[Message], place: object) -> None:
    where = next(one for one in places(cls) if one == place)
    assert isinstance(where.field, Blob)
    most = where.field.size
    apdus = {"CardCommand": wire.MAX_APDU, "CardAnswer": wire.MAX_APDU}
    assert most == ({"Document": wire.MAX_DOCUMENT} | apdus).get(cls.__name__, wire.MAX_ATTESTATION)
    whole, at = wire.pack(example(cls)), HEAD + where.offset
    for length, last in ((5, 0), (most + 1, 0), (0xFFFF, 0), (6, 1)):
        body = bytearray(whole)
        body[at : at + 2] = length.to_bytes(2, "little")
        body[-1] = last
        with pytest.raises(MessageRefused, match=where.name):
            wire.unpack(bytes(body))
    with pytest.raises(MessageRefused, match="at most"):
        wire.pack(replace(example(cls), **{where.name: bytes(most + 1)}))
    largest = replace(example(cls), **{where.name: bytes(most)})
    assert wire.unpack(wire.pack(largest)) == largest


@pytest.mark.parametrize(("cls", "place"), of_form(Number))
def test_a_number_out_of_range_is_refused_and_not_cut(cls: type[Message], place: object) -> None:
    where = next(one for one in places(cls) if one == place)
    assert isinstance(where.field, Number)
    low, high = RANGES[where.field.code]
    for value in (low, high):
        msg = replace(example(cls), **{where.name: value})
        assert wire.unpack(wire.pack(msg)) == msg
    for wrong in (low - 1, high + 1, 1.5):
        with pytest.raises(MessageRefused, match="out of range"):
            wire.pack(replace(example(cls), **{where.name: wrong}))


@pytest.mark.parametrize("length", [0, 15, 17])
def test_a_nonce_of_another_length_is_neither_padded_nor_cut(length: int) -> None:
    with pytest.raises(MessageRefused, match=f"exactly 16 bytes, not {length}"):
        wire.pack(wire.Erase(bytes(length)))


def test_nobody_renumbers_a_type_silently() -> None:
    assert {code: cls.__name__ for code, cls in wire.message_types().items()} == TYPE_BYTES
    assert all(cls.code == code for code, cls in wire.message_types().items())


def test_a_type_byte_is_given_away_once() -> None:
    @dataclass(frozen=True, slots=True)
    class Second(Message):
        """Wants the byte of Look."""

    with pytest.raises(TypeError, match="taken by Look"):
        wire.message(0x01)(Second)
    assert wire.message_types()[0x01] is wire.Look


def numbers_used_twice(enum: type[IntEnum]) -> set[int]:
    """Numbers of `enum` that have two names."""
    found = [int(member) for member in enum.__members__.values()]
    return {number for number in found if found.count(number) > 1}


LISTS = sorted(
    {place.field.enum for cls in TYPES for place in places(cls) if isinstance(place.field, Member)},
    key=lambda enum: enum.__name__,
)


@pytest.mark.parametrize("enum", LISTS, ids=lambda enum: enum.__name__)
def test_a_number_in_a_list_has_one_meaning_and_fits_its_byte(enum: type[IntEnum]) -> None:
    assert numbers_used_twice(enum) == set()
    assert all(0 <= int(member) <= 255 for member in enum)


def test_a_number_with_two_meanings_is_seen() -> None:
    class Sloppy(IntEnum):
        OPEN = 1
        SHUT = 1

    assert numbers_used_twice(Sloppy) == {1}


def test_the_values_a_message_can_hold_are_those_of_the_package() -> None:
    assert {enum.__name__ for enum in LISTS} == {
        name
        for name, value in inspect.getmembers(wire.values, inspect.isclass)
        if issubclass(value, IntEnum) and value.__module__ == wire.values.__name__ and not issubclass(value, IntFlag)
    }
    assert {enum.__name__ for enum in LISTS} <= set(wire.__all__)


def test_everything_the_package_offers_is_there_and_every_message_is_offered() -> None:
    assert all(hasattr(wire, name) for name in wire.__all__)
    assert {cls.__name__ for cls in TYPES} <= set(wire.__all__)


@every_type
def test_the_schema_has_the_size_of_its_fields_and_fits_a_datagram(cls: type[Message]) -> None:
    fields = places(cls)
    assert wire.body_size(cls) == sum(place.size for place in fields)
    assert len(wire.pack(example(cls))) == HEAD + wire.body_size(cls) < wire.MAX_DATAGRAM


@pytest.mark.parametrize(("name", "size"), SIZES.items())
def test_sizes_that_the_documents_state(name: str, size: int) -> None:
    assert wire.body_size(getattr(wire, name)) == size


def test_an_occurrence_is_one_byte_and_too_small_for_a_slot() -> None:
    assert wire.body_size(wire.Occurrence) == 1
    assert len(wire.OccurrenceKind) < 256


def test_an_unlock_is_not_among_the_occurrences() -> None:
    assert {kind.name for kind in wire.OccurrenceKind} == {
        "STARTED",
        "CAMERA_FAULT",
        "CAMERA_WELL",
        "VAULT_GONE",
        "VAULT_BACK",
        "KEEPER_GONE",
        "KEEPER_BACK",
        "FORCED_OPEN",
        "HELD_OPEN",
        "TAMPER",
        "BREACH",
        "BOLT_FAULT",
        "ALARM_CLEARED",
        "DURESS",  # the resident's own call for help (ADR 0015)
        "LOCKOUT",  # somebody has to wait after wrong attempts; it waits for the report (ADR 0017)
        "RETIRED",
    }


# ---- what a log line could hold

SECRETS = {
    "slot": 987654321,
    "claim": 987654321,
    "digits": "48291377",
    "shown": "48291377",
    "new": "48291377",
    "page_code": 987654321,
    "embedding": b"\xc3" * wire.EMBEDDING_BYTES,
    "verifier": b"\xc3" * 32,
    "tenancy": b"\xc3" * 16,
}
SHOWN = ("987654321", "48291377", "\\xc3")
told = [
    pytest.param(cls, place.name, id=f"{cls.__name__}.{place.name}")
    for cls in TYPES
    for place in places(cls)
    if place.name in SECRETS
]


@pytest.mark.parametrize(("cls", "name"), told)
def test_a_repr_tells_nothing_about_anybody(cls: type[Message], name: str) -> None:
    said = repr(replace(example(cls), **{name: SECRETS[name]}))
    assert not [secret for secret in SHOWN if secret in said]


def test_a_field_that_tells_in_its_repr_is_seen() -> None:
    """The same look at a class that hides nothing."""

    @dataclass(frozen=True, slots=True)
    class Careless:
        slot: int

    assert SHOWN[0] in repr(Careless(int(SHOWN[0])))
