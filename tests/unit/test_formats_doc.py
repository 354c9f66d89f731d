"""docs/formats.md against the code: every table, every number and every vector, so that the page cannot drift."""

from __future__ import annotations

import hashlib
import json
import re
import struct
from collections.abc import Callable
from dataclasses import fields
from enum import IntEnum
from pathlib import Path

import pytest
from nacl.signing import SigningKey

from device import document, wire
from device.codec import Blob, DigitText, Exactly, Field, Member, Number, YesNo
from device.edges import EDGES
from device.eye import scene
from device.keeper import attempts, offers, pin
from device.keeper import record as pin_record
from device.keeper.throttle import Counts
from device.report import envelope
from device.report.envelope import Envelope
from device.report.health import Health
from device.sealing import box, keys, record, ring
from device.sealing.binding import Binding
from device.vault import record as face_record
from tests.unit.shared.strategies import TYPES, example, places

PAGE = (Path(__file__).parents[2] / "docs" / "formats.md").read_text(encoding="utf-8")
DOOR = bytes.fromhex("00112233445566aa")
Row = dict[str, str]


def count(start: int, size: int) -> bytes:
    """`size` bytes that count up from `start`."""
    return bytes(range(start, start + size))


# ---- reading the page


def section(title: str) -> str:
    """The text below a heading, up to the next heading of any level."""
    found = re.search(rf"^#+ {re.escape(title)}[^\n]*\n(.*?)(?=^#+ |\Z)", PAGE, re.MULTILINE | re.DOTALL)
    assert found, f"the page has no section {title}"
    return found[1]


def tables(text: str) -> list[list[Row]]:
    """Every table of `text`, its rows by the names of the columns."""
    found = []
    for block in re.findall(r"(?:^\|[^\n]*\n)+", text, re.MULTILINE):
        lines = [[cell.strip() for cell in line.strip().strip("|").split("|")] for line in block.splitlines()]
        found.append([dict(zip(lines[0], line, strict=True)) for line in lines[2:]])
    return found


def vectors(text: str) -> list[bytes]:
    """Every block of hexadecimal digits in `text`."""
    return [bytes.fromhex("".join(block.split())) for block in re.findall(r"```text\n([0-9a-f\n]+)```", text)]


def layout(rows: list[Row]) -> list[tuple[int, int]]:
    return [(int(row["offset"]), int(row["size"])) for row in rows if row["size"]]


def of_struct(form: str) -> list[tuple[int, int]]:
    """Offset and size of each item of a little-endian struct format, pad bytes included."""
    found, offset = [], 0
    for item in re.findall(r"\d*[a-zA-Z]", form.lstrip("<")):
        size = struct.calcsize("<" + item)
        found.append((offset, size))
        offset += size
    return found


# ---- the wire

HEADINGS = re.findall(r"^#### 0x([0-9a-f]{2}) (\w+), body (\d+) bytes$", PAGE, re.MULTILINE)
FORMS = {"B": "u8", "H": "u16", "I": "u32", "q": "i64"}


def form_of(field: Field) -> str:
    match field:
        case Number(code):
            return FORMS[code]
        case Exactly():
            return "bytes"
        case DigitText():
            return "digits"
        case Blob():
            return "blob"
        case Member(enum):
            return enum.__name__
        case YesNo():
            return "bool"
    raise AssertionError(field)


def test_the_page_lists_every_message_in_order_with_its_type_byte_and_size() -> None:
    assert [(int(code, 16), name, int(size)) for code, name, size in HEADINGS] == [
        (cls.code, cls.__name__, wire.body_size(cls)) for cls in TYPES
    ]


@pytest.mark.parametrize("cls", TYPES, ids=lambda cls: cls.__name__)
def test_a_message_has_the_fields_that_the_page_states(cls: type[wire.Message]) -> None:
    stated = tables(section(f"0x{cls.code:02x} {cls.__name__}"))
    rows = stated[0] if stated else []
    assert [(int(row["offset"]), int(row["size"]), row["form"], row["field"]) for row in rows] == [
        (place.offset, place.size, form_of(place.field), place.name) for place in places(cls)
    ]
    assert all(row["meaning"] for row in rows)


@pytest.mark.parametrize("cls", TYPES, ids=lambda cls: cls.__name__)
def test_a_message_travels_where_the_page_says(cls: type[wire.Message]) -> None:
    stated = re.findall(r"(\w+) → (\w+)", section(f"0x{cls.code:02x} {cls.__name__}"))
    up = [(str(edge.connector), str(edge.listener)) for edge in EDGES if cls in edge.to_listener]
    down = [(str(edge.listener), str(edge.connector)) for edge in EDGES if cls in edge.to_connector]
    assert sorted(stated) == sorted(up + down)


def test_the_edges_are_those_of_the_page() -> None:
    (rows,) = tables(section("The edges"))
    stated = [
        (row["connector"].removesuffix(" (several)"), row["listener"], "(several)" in row["connector"]) for row in rows
    ]
    assert stated == [(str(edge.connector), str(edge.listener), edge.many) for edge in EDGES]
    for row, edge in zip(rows, EDGES, strict=True):
        for column, carried in (("to the listener", edge.to_listener), ("to the connector", edge.to_connector)):
            assert row[column] == (", ".join(sorted(cls.__name__ for cls in carried)) or "–")


def test_every_list_of_values_is_that_of_the_page() -> None:
    (rows,) = tables(section("Lists of values"))
    used = {place.field.enum for cls in TYPES for place in places(cls) if isinstance(place.field, Member)}
    assert {row["list"]: row["values"] for row in rows} == {
        enum.__name__: ", ".join(f"{member.value} {member.name}" for member in enum) for enum in used
    }
    assert all(issubclass(enum, IntEnum) for enum in used)


def test_the_forms_have_the_sizes_of_the_page() -> None:
    (rows,) = tables(section("The wire between the processes"))
    assert {row["form"]: row["bytes"] for row in rows} == {
        "u8": "1",
        "u16": "2",
        "u32": "4",
        "i64": "8",
        "bytes": "as many as stated",
        "bool": "1",
        "digits": str(wire.MAX_DIGITS),
        "blob": f"2 + {wire.MAX_DOCUMENT}",
        "a list's name": "1",
    }
    assert f"version byte ({wire.WIRE_VERSION})" in PAGE


VECTORS = {
    "Look": wire.Look(count(0, 16), wire.LookMode.RECOGNISE),
    "Close": wire.Close(),
    "Verdict": wire.Verdict(count(0, 16), 1_000_000_000, wire.Outcome.ACCEPTED, 12),
    "CheckPin": wire.CheckPin(count(0, 16), 12, "482913"),
    "SetPin": wire.SetPin(count(0, 16), wire.Proof.INVITATION, 12, "10203040", "482913"),
    "SlotOffer": wire.SlotOffer(12, 1, 2_000_000_000, count(0, 16), count(0, 32)),
    "GrantTicket": wire.GrantTicket(count(0, 16), wire.Purpose.ERASE, 60_000_000_000),
    "DoorStatus": wire.DoorStatus(
        eye=True,
        vault=True,
        keeper=True,
        report=False,
        camera_well=True,
        alarms=wire.AlarmBits.TAMPER,
        policy_version=7,
    ),
    "Ack": wire.Ack(7, wire.Result.STALE),
    "Occurrence": wire.Occurrence(wire.OccurrenceKind.TAMPER),
}


def test_the_vectors_are_these_messages() -> None:
    stated = dict(re.findall(r"^(\w+) +([0-9a-f]+)$", section("Vectors"), re.MULTILINE))
    assert stated == {name: wire.pack(msg).hex() for name, msg in VECTORS.items()}
    for name, digits in stated.items():
        assert wire.unpack(bytes.fromhex(digits)) == VECTORS[name]


# ---- the signed document


def test_the_document_has_the_layout_of_the_page() -> None:
    (rows,) = tables(section("The signed document"))
    head = [(place.offset, place.size, form_of(place.field), place.name) for place in places(document._Head)]
    stated = [(row["offset"], row["size"], row["form"], row["field"]) for row in rows]
    assert [(int(offset), int(size), form, name) for offset, size, form, name in stated[: len(head)]] == head
    assert stated[len(head) :] == [
        (str(document._HEAD.size), f"{document._OFFER.size} each", "SlotOffer", "offers"),
        (f"end \N{MINUS SIGN} {document.SIGNATURE_BYTES}", str(document.SIGNATURE_BYTES), "bytes", "signature"),
    ]
    text = section("The signed document")
    assert f"at most {wire.MAX_DOCUMENT} bytes, so at most {document.MAX_OFFERS}" in text
    assert f"Slots are {document.FIRST_SLOT} to {document.LAST_SLOT}" in text
    assert len(document._DOMAIN) == 25
    assert document._DOMAIN == b"doorward signed document\0"


def test_the_document_of_the_page_is_what_sign_makes_and_parse_takes() -> None:
    key = SigningKey(count(0, 32))
    (stated,) = vectors(section("The signed document"))
    offer = wire.SlotOffer(12, 1, 2_000_000_000, bytes(16), count(0, 32))
    body = document.SlotOffers((offer,))
    assert stated == document.sign(body, door_id=DOOR, version=7, issued_unix=1_900_000_000, key=key)
    assert document.parse(stated, DOOR, bytes(key.verify_key)).body == body
    assert bytes(key.verify_key).hex() in section("The signed document")


# ---- sealed files


ENTRY = ring.Entry(12, 3, count(0, 16), count(0, 32))
PINS = Binding(DOOR, "pin")
CREDENTIAL = pin_record.Credential(
    pin_record.Kind.PIN, 1, count(0, 16), 1_900_000_000, 2_000_000_000, count(0, 16), count(0, 32)
)


def test_the_box_is_as_large_as_the_page_says() -> None:
    assert box.OVERHEAD_BYTES == 24 + 16
    assert "nonce (24 random bytes), ciphertext (as long as the plaintext), tag (16)" in " ".join(PAGE.split())


def test_the_epoch_key_of_the_page_opens() -> None:
    text = section("Epoch key, 80 bytes")
    (rows,), (stated,) = tables(text), vectors(text)
    assert layout(rows) == [(0, 4), (4, 1), (5, 3), (8, 72)]
    assert len(stated) == 80
    assert stated[:8] == keys._HEADER == b"DWEK\x01\0\0\0"
    assert box.unseal(count(0x40, 32), stated[8:], stated[:8]) == count(0x20, 32)


def test_the_ring_of_the_page_opens_and_has_its_layout() -> None:
    text = section("Ring")
    (outer, head, entry), (stated,) = tables(text), vectors(text)
    assert layout(outer) == [(0, 4), (4, 1), (5, 1), (6, 2)]
    assert layout(head) == of_struct("QI")
    assert layout(entry) == of_struct("IQ16s32s")
    assert (ring._HEAD.format, ring._ENTRY.format) == ("<QI", "<IQ16s32s")
    assert stated[:8] == b"DWRG\x01\x02\0\0"
    assert ring.unseal(stated, count(0x20, 32), PINS) == ring.Ring(3, (ENTRY,))
    assert box.unseal(count(0x20, 32), stated[8:], stated[:8] + DOOR), "by nothing but the page"


def test_the_record_of_the_page_opens_and_is_bound_as_it_says() -> None:
    text = section("Record")
    (outer, bound), (stated,) = tables(text), vectors(text)
    assert layout(outer) == [(0, 4), (4, 1), (5, 1), (6, 2)]
    assert layout(bound) == of_struct(record._AAD.format)
    assert record._AAD.size == 112
    (payload,) = vectors(section("Payload of a PIN or an invitation"))
    assert record.unseal(stated, ENTRY, PINS) == payload
    written_anew = b"".join(
        (stated[:8], DOOR, (12).to_bytes(4, "little"), bytes(4), (3).to_bytes(8, "little"), count(0, 16), bytes(64))
    )
    assert box.unseal(count(0, 32), stated[8:], written_anew) == payload
    assert box.unseal(count(0, 32), stated[8:], written_anew[:-1] + b"\1") is None


def test_the_face_payload_has_the_layout_of_the_page() -> None:
    text = section("Payload of a face, 568 bytes")
    (rows,), (stated,) = tables(text), vectors(text)
    assert layout(rows) == of_struct(face_record._FORM.format)
    assert face_record.RECORD_BYTES == 568
    first = struct.pack("<f", 1.0)
    face = face_record.FaceRecord(first.ljust(512, b"\0"), 5, count(0, 32), count(0, 16), 20_000, paused=True)
    assert stated == face_record.pack(face)[:64]


def test_the_pin_payload_has_the_layout_of_the_page() -> None:
    text = section("Payload of a PIN or an invitation")
    (rows,), (stated,) = tables(text), vectors(text)
    fields_of_page = [(row["field"], int(row["offset"]), int(row["size"])) for row in rows]
    written = [(place.name, place.offset + 1, place.size) for place in places(pin_record.Credential)]
    assert fields_of_page == [("version", 0, 1), *[("kind", 1, 1), *written[1:]]]
    assert pin_record.PAYLOAD_BYTES == 86
    assert stated == pin_record.pack(CREDENTIAL)
    assert pin_record.unpack(stated) == CREDENTIAL


def personal(data: bytes, size: int, person: bytes, key: bytes = b"") -> bytes:
    return hashlib.blake2b(data, digest_size=size, key=key, person=person.ljust(16, b"\0")).digest()


def test_the_hashes_are_made_as_the_page_says() -> None:
    """Written anew with hashlib instead of libsodium."""
    root, stretched = count(0x40, 32), count(0x80, 32)
    for purpose in ("doorward pepper", "doorward ring", "doorward tries"):
        assert f"`{purpose}`" in PAGE
        assert pin.derive(root, purpose.encode()) == personal(b"", 32, purpose.encode(), root)
    pepper = pin.derive(root, b"doorward pepper")
    verifier = personal((12).to_bytes(4, "little") + stretched, 32, b"doorward pin v1", pepper)
    assert pin.Verifiers.of_door(root).verifier(12, stretched) == verifier
    offer = VECTORS["SlotOffer"]
    assert isinstance(offer, wire.SlotOffer)
    assert offers.offer_id(offer) == personal(wire.pack(offer), 16, b"doorward offer")
    assert (pin.PRODUCTION.passes, pin.PRODUCTION.memory_bytes) == (2, 64 << 20)


def test_the_counts_of_the_page_are_read_and_written() -> None:
    text = section("Wrong attempts")
    (outer, head, slot), (begins,) = tables(text), vectors(text)
    assert layout(outer) == [(0, 4), (4, 1), (5, 1), (6, 2), (8, attempts.PAGE_BYTES - 8)]
    assert layout(head) == of_struct(attempts._HEAD.format)
    assert layout(slot) == of_struct(attempts._SLOT.format)
    key, bound, counts = count(0, 32), b"DWAT\x02\x01\0\0", Counts(2, {12: 1, 40: 5})
    inside = begins.ljust(attempts._INSIDE_BYTES, b"\0")
    assert attempts._parse(bound + box.seal(key, inside, bound), 1, key) == (9, counts)
    page = attempts._pack(9, counts, key)
    assert len(page) == attempts.PAGE_BYTES
    assert page[:8] == bound
    assert box.unseal(key, page[8:], bound) == inside
    assert f"Two pages of {attempts.PAGE_BYTES} bytes" in text
    assert f"Inside the box, {attempts._INSIDE_BYTES} bytes" in text


# ---- what leaves, and the simulated camera


def test_the_report_and_the_alarm_of_the_page_are_what_is_sent() -> None:
    text = section("What leaves the door")
    (report, alarm) = re.findall(r"^\{.*\}$", text, re.MULTILINE)
    base = Envelope("00112233445566aa", "0badcafe", 1, "0.1.0", 0, Health(lock=True))
    assert envelope.encode(base) == report.encode().ljust(envelope.SIZE)
    assert envelope.encode(Envelope(base.door, base.run, 2, base.software, 0, None)) == alarm.encode().ljust(384)
    (rows,) = tables(text)
    assert [row["key"] for row in rows] == list(json.loads(report))
    assert [row["key"] for row in rows if row["in"] == "both"] == list(json.loads(alarm))
    assert f"exactly {envelope.SIZE} bytes" in text
    assert f"at most {envelope.MAX_DROPPED}" in text
    for kind in envelope.Kind:
        assert f"`{envelope.topic(kind, '<door>')}`" in text
    assert f"`{envelope.availability_topic('<door>')}`" in text


def test_the_scene_and_the_meter_are_those_of_the_page() -> None:
    keys_of_scene, meter = tables(section("The simulated camera"))
    assert [row["key"] for row in keys_of_scene] == [field.name for field in fields(scene.Scene)]
    for row, bounds in zip(keys_of_scene[1:], (scene._FPS, scene._SCALE), strict=True):
        assert f"{bounds[0]:g} to {bounds[1]:g}" in row["holds"]
    default = scene.Scene(None)
    assert [float(row["default"]) for row in keys_of_scene[1:]] == [default.fps, default.scale]
    assert layout(meter) == of_struct(scene._METER.format)


# ---- the check itself


@pytest.mark.parametrize(
    ("spoil", "noticed_by"),
    [
        (lambda page: page.replace("| 16 | 1 | LookMode |", "| 16 | 2 | LookMode |"), "fields"),
        (lambda page: page.replace("| 24 | 1 | Outcome |", "| 24 | 1 | bool |"), "fields"),
        (lambda page: page.replace("3 TOO_DARK", "4 TOO_DARK").replace("4 TOO_DARK", "3 TOO_DARK"), "lists"),
        (lambda page: page.replace("0x71 Breach", "0x72 Breach"), "headings"),
    ],
    ids=["a size", "a form", "a value", "a type byte"],
)
def test_a_page_that_drifted_is_noticed(
    monkeypatch: pytest.MonkeyPatch, spoil: Callable[[str], str], noticed_by: str
) -> None:
    spoiled = spoil(PAGE)
    assert spoiled != PAGE
    monkeypatch.setitem(globals(), "PAGE", spoiled)
    monkeypatch.setitem(
        globals(), "HEADINGS", re.findall(r"^#### 0x([0-9a-f]{2}) (\w+), body (\d+) bytes$", spoiled, re.MULTILINE)
    )
    check = {
        "fields": lambda: [test_a_message_has_the_fields_that_the_page_states(cls) for cls in TYPES],
        "lists": test_every_list_of_values_is_that_of_the_page,
        "headings": test_the_page_lists_every_message_in_order_with_its_type_byte_and_size,
    }[noticed_by]
    with pytest.raises(AssertionError):
        check()


def test_every_example_message_is_of_the_size_the_page_states() -> None:
    for cls, (_, _, size) in zip(TYPES, HEADINGS, strict=True):
        assert len(wire.pack(example(cls))) == 2 + int(size)
