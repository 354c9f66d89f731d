"""docs/formats.md against the code: messages, documents, and what leaves the door; no number on it can drift.

`test_formats_sealed.py` and `test_formats_signed.py` do the same for what lies on the disk and for what the door signs.
"""

from __future__ import annotations

import base64
import json
import re
import struct
import zlib
from collections.abc import Callable
from dataclasses import fields, replace
from enum import IntEnum

import pytest
from nacl.public import PrivateKey, SealedBox
from nacl.signing import SigningKey

from device import bodies, document, motion, offers, wire
from device.codec import Blob, Member
from device.edges import EDGES
from device.errors import DocumentRefused
from device.eye import lamps, scene
from device.lock import daily_count
from device.report import alarm_tests, envelope, seal, state
from device.report.envelope import Envelope
from device.report.health import Health
from device.strength import KeyPlace
from tests.unit import formats_page
from tests.unit.formats_page import DOOR, PAGE, count, form_of, layout, of_struct, section, tables, vectors
from tests.unit.shared.strategies import TYPES, example, places

# ---- the wire

HEADINGS = re.findall(r"^#### 0x([0-9a-f]{2}) (\w+), body (\d+) bytes$", PAGE, re.MULTILINE)


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
        "blob": "2 + as many as stated",
        "a list's name": "1",
    }
    assert f"version byte ({wire.WIRE_VERSION})" in PAGE
    for cls in TYPES:
        for place in places(cls):
            if isinstance(place.field, Blob) and cls is not wire.AttestationCopy:  # "as in Attestation"
                assert f"of at most {place.field.size} bytes" in section(f"0x{cls.code:02x} {cls.__name__}")


def test_how_much_of_a_window_a_motion_challenge_needs_is_what_the_page_says() -> None:
    needed_s = (motion.LEAD_MS + motion.PROMPTS * motion.PROMPT_MS + motion.MARGIN_MS) / 1000
    assert f"and {needed_s:.1f} s\nof the window are left" in section("0x06 MotionRequest")


VECTORS = {
    "Look": wire.Look(count(0, 16), wire.LookMode.RECOGNISE),
    "Close": wire.Close(),
    "ChallengeRequest": wire.ChallengeRequest(count(0, 16)),
    "ChallengeLog": wire.ChallengeLog(
        nonce=count(0, 16),
        began_ns=1_000_000_000,
        left_0=1,
        right_0=1,
        at_1_ns=1_100_000_000,
        left_1=3,
        right_1=1,
        at_2_ns=1_320_000_000,
        left_2=1,
        right_2=2,
        at_3_ns=1_620_000_000,
        left_3=2,
        right_3=3,
        ended_ns=1_880_000_000,
    ),
    "MotionRequest": wire.MotionRequest(count(0, 16)),
    "MotionLog": wire.MotionLog(
        nonce=count(0, 16),
        facing_0=wire.Facing.RIGHT,
        facing_1=wire.Facing.MIDDLE,
        facing_2=wire.Facing.LEFT,
        began_0_ns=1_000_000_000,
        began_1_ns=2_500_000_000,
        began_2_ns=4_000_000_000,
        ended_ns=5_500_000_000,
    ),
    "Verdict": wire.Verdict(count(0, 16), 1_000_000_000, wire.Outcome.ACCEPTED, 12),
    "FaceReady": wire.FaceReady(recognise=False, enrol=True, claim_first=True, covered=True),
    "Window": wire.Window(count(0, 16), wire.LookMode.RECOGNISE, 12),
    "AskClaim": wire.AskClaim(count(0, 16), 12),
    "ClaimAnswer": wire.ClaimAnswer(count(0, 16), awake=True),
    "CheckPin": wire.CheckPin(count(0, 16), 12, "482913", 20_779),
    "SetPin": wire.SetPin(count(0, 16), wire.Proof.INVITATION, wire.Secret.PIN, 12, "10203040", "482913"),
    "SlotOffer": wire.SlotOffer(12, 1, 2_000_000_000, 2_100_000_000, 3, count(0, 16), count(0, 32)),
    "CardShown": wire.CardShown(count(0, 16)),
    "CardCommand": wire.CardCommand(count(0, 16), bytes.fromhex("905a00000300000000")),
    "CardAnswer": wire.CardAnswer(count(0, 16), bytes.fromhex("9100")),
    "Occupied": wire.Occupied(many=True, some=True),
    "LockedOut": wire.LockedOut(),
    "ProvePin": wire.ProvePin(count(0, 16), wire.Purpose.PAGE, 12, "482913", 739_105),
    "GrantTicket": wire.GrantTicket(count(0, 16), wire.Purpose.PAGE, 60_000_000_000, 739_105),
    "CredentialAnswer": wire.CredentialAnswer(12, count(0, 16), 2_100_000_000),
    "PlaceEnded": wire.PlaceEnded(12),
    "Enrol": wire.Enrol(count(0, 16), count(0, 32), under_14=True, covered=True, again=True),
    "Done": wire.Done(count(0, 16), wire.Result.OTHER_TERMS),
    "RecordAnswer": wire.RecordAnswer(
        named=True, key_place=KeyPlace.TPM_NV, door_key=count(0, 32), terms=count(32, 16)
    ),
    "Ack": wire.Ack(7, wire.Result.STALE),
    "DoorStatus": wire.DoorStatus(
        eye=True,
        vault=True,
        keeper=True,
        report=False,
        camera_well=True,
        alarms=wire.AlarmBits.TAMPER,
        policy_version=7,
        document_key=count(0, 32),
        ending=wire.Ending.ANNOUNCED,
        ends_in_s=7200,
    ),
    "Act": wire.Act(wire.Purpose.ENROL, count(0, 32), under_14=True, covered=True, again=True),
    "QueryRecord": wire.QueryRecord(count(0, 16)),
    "Occurrence": wire.Occurrence(wire.OccurrenceKind.TAMPER),
    "Reporting": wire.Reporting(wire.Profile.HOME, count(0, 32)),
    "DoorKeys": wire.DoorKeys(7, count(0, 32)),
    "DoorState": wire.DoorState(granted=True, open=False),
    "DailyCount": wire.DailyCount(-3),
    "ProveResident": wire.ProveResident(count(0, 16), 12, "482913"),
    "Retire": wire.Retire(all_gone=True),
    "Retired": wire.Retired(attested=True),
    "RetireDoor": wire.RetireDoor(DOOR),
    "AskRetirement": wire.AskRetirement(),
    "TryFaces": wire.TryFaces(on=True),
    "TryStands": wire.TryStands(on=False, asked=True),
    "Tried": wire.Tried(wire.Attack.PRESENTATION),
    "PageArmed": wire.PageArmed(),
    "AskHeld": wire.AskHeld(count(0, 16)),
    "Held": wire.Held(
        count(0, 16),
        wire.HeldFace.PAUSED,
        20_779,
        5,
        True,
        2_100_000_000,
        count(32, 16),
        covered=True,
        sittings=2,
    ),
    "SittingOver": wire.SittingOver(count(0, 16)),
}


def test_the_vectors_are_these_messages() -> None:
    stated = dict(re.findall(r"^(\w+) +([0-9a-f]+)$", section("Vectors"), re.MULTILINE))
    assert stated == {name: wire.pack(msg).hex() for name, msg in VECTORS.items()}
    for name, digits in stated.items():
        assert wire.unpack(bytes.fromhex(digits)) == VECTORS[name]


# ---- the signed document


def test_the_document_has_the_layout_of_the_page() -> None:
    rows, checked = tables(section("The signed document"))
    head = [(place.offset, place.size, form_of(place.field), place.name) for place in places(document._Head)]
    stated = [(row["offset"], row["size"], row["form"], row["field"]) for row in rows]
    assert [(int(offset), int(size), form, name) for offset, size, form, name in stated[: len(head)]] == head
    assert stated[len(head) :] == [
        (str(document._HEAD.size), f"{offers.OFFER_BYTES} each", "SlotOffer", "offers"),
        (f"end \N{MINUS SIGN} {document.SIGNATURE_BYTES}", str(document.SIGNATURE_BYTES), "bytes", "signature"),
    ]
    assert stated[1][3] == "format"
    assert rows[1]["meaning"] == str(document.FORMAT)
    text = section("The signed document")
    assert f"at most {document.MAX_SIGNED} bytes, so at most {document.MAX_OFFERS}" in text
    assert f"Slots are {document.FIRST_SLOT} to {document.LAST_SLOT}" in text
    assert f"ends after {document.LATEST_UNIX}" in " ".join(text.split())
    assert rows[5]["meaning"].endswith(f", 0 to {document.LATEST_UNIX}")
    assert f"{document._HEAD.size + document.SIGNATURE_BYTES + 1} to {document.MAX_SIGNED} bytes" in checked[0]["what"]
    assert f"1 to {document.MAX_OFFERS} whole offers" in checked[4]["what"]
    assert len(document._DOMAIN) == 25
    assert document._DOMAIN == b"doorward signed document\0"


def test_the_document_of_the_page_is_what_sign_makes_and_parse_takes() -> None:
    key = SigningKey(count(0, 32))
    (stated,) = vectors(section("The signed document"))
    offer = wire.SlotOffer(12, 1, 2_000_000_000, 2_100_000_000, 3, bytes(16), count(0, 32))
    body = document.SlotOffers((offer,))
    assert stated == document.sign(body, door_id=DOOR, version=7, issued_unix=1_900_000_000, key=key)
    assert document.parse(stated, DOOR, bytes(key.verify_key)).body == body
    assert bytes(key.verify_key).hex() in section("The signed document")


def test_what_the_door_may_tell_is_what_sign_makes_and_parse_takes() -> None:
    text, key = section("What the door may tell, the body of kind 3"), SigningKey(count(0, 32))
    (rows,), (stated,) = tables(text), vectors(text)
    assert [(int(row["offset"]), int(row["size"]), row["form"], row["field"]) for row in rows] == [
        (place.offset, place.size, form_of(place.field), place.name) for place in places(document.Telling)
    ]
    alarm_key = bytes(PrivateKey(count(0, 32)).public_key)
    body = document.Telling(wire.Profile.BUILDING, 500, alarm_key)
    assert stated == document.sign(body, door_id=DOOR, version=8, issued_unix=1_900_000_000, key=key)
    assert document.parse(stated, DOOR, bytes(key.verify_key)).body == body
    assert alarm_key.hex() in text
    assert f"{document.LEAST_EPSILON_MILLI} to {document.MOST_EPSILON_MILLI}" in rows[1]["meaning"]


def test_the_managers_next_key_is_what_sign_makes_and_parse_takes() -> None:
    text, key = section("The manager's next key, the body of kind 5"), SigningKey(count(0, 32))
    (rows,), (stated,) = tables(text), vectors(text)
    assert [(int(row["offset"]), int(row["size"]), row["form"], row["field"]) for row in rows] == [
        (place.offset, place.size, form_of(place.field), place.name) for place in places(document.Successor)
    ]
    body = document.Successor(bytes(SigningKey(count(0x20, 32)).verify_key))
    assert stated == document.sign(body, door_id=DOOR, version=9, issued_unix=1_900_000_000, key=key)
    assert document.parse(stated, DOOR, bytes(key.verify_key)).body == body
    assert body.manager_key.hex() in text
    assert f"has {len(stated)} bytes" in text


def test_the_end_of_a_door_is_what_sign_makes_and_parse_takes() -> None:
    text, key = section("When the door ends, the body of kind 4"), SigningKey(count(0, 32))
    (rows,), (stated,) = tables(text), vectors(text)
    assert [(int(row["offset"]), int(row["size"]), row["form"], row["field"]) for row in rows] == [
        (place.offset, place.size, form_of(place.field), place.name) for place in places(document.Retirement)
    ]
    body = document.Retirement(72)
    assert stated == document.sign(body, door_id=DOOR, version=9, issued_unix=1_900_000_000, key=key)
    assert document.parse(stated, DOOR, bytes(key.verify_key)).body == body
    assert f"has {len(stated)} bytes" in text
    assert rows[0]["meaning"].startswith(f"{bodies.LEAST_NOTICE_HOURS} to {bodies.MOST_NOTICE_HOURS}; {bodies.RECALL}:")


def refusals_of(data: bytes, key: bytes) -> str:
    """What the door answers to a document, as lock does; "DONE" if it takes it."""
    try:
        document.parse(data, DOOR, key)
    except document.DocumentUnsigned:
        return "UNSIGNED"
    except document.DocumentForeign:
        return "WRONG_DOOR"
    except DocumentRefused:
        return "MALFORMED"
    return "DONE"


def test_a_document_is_checked_in_the_order_of_the_page() -> None:
    """Each of these is wrong in one thing and in everything that is checked behind it."""
    _, checked = tables(section("The signed document"))
    key = SigningKey(count(0, 32))
    (stated,) = vectors(section("The signed document"))
    content = stated[: -document.SIGNATURE_BYTES]

    def signed(changed: bytes) -> bytes:
        return changed + key.sign(document._DOMAIN + changed).signature

    old, elsewhere, wrong = content[:4] + b"\1", content[:5] + bytes(8), content[:13] + b"\x09"
    nothing = content[:26] + b"\1"
    each = [
        b"DWDX" + old[4:] + bytes(64),
        old + bytes(9) + nothing[14:] + bytes(64),
        signed(old + bytes(8) + nothing[13:]),
        signed(elsewhere + b"\x09" + nothing[14:]),
        signed(wrong + nothing[14:]),
    ]
    assert [refusals_of(data, bytes(key.verify_key)) for data in each] == [row["otherwise"] for row in checked[:-1]]
    assert refusals_of(stated, b"") == "UNSIGNED"
    assert refusals_of(stated, bytes(key.verify_key)) == "DONE"
    assert checked[-1]["otherwise"] == wire.Result.STALE.name


# ---- what leaves, and the simulated camera


def test_the_report_and_the_alarm_of_the_page_are_what_is_sent() -> None:
    text = section("What leaves the door")
    (report, at_home, alarm, live) = re.findall(r"^\{.*\}$", text, re.MULTILINE)
    ill = Health(lock=True, camera=False, lockout=True, documents=8, count=41)
    sealed = json.loads(report)["sealed"]
    base = Envelope("00112233445566aa", "0badcafe", 1, "0.1.0", 0, ill, sealed)
    openly = replace(base, health=Health(lock=True, documents=8), sealed="")
    reason = json.loads(alarm)["reason"]
    of_alarm = Envelope(base.door, base.run, 2, base.software, 0, None, reason)
    assert envelope.encode(base) == report.encode().ljust(envelope.SIZE)
    assert envelope.encode(openly) == at_home.encode().ljust(envelope.SIZE)
    assert envelope.encode(of_alarm) == alarm.encode().ljust(384)
    opened = SealedBox(PrivateKey(count(0, 32))).decrypt(base64.b64decode(sealed))
    assert opened == seal.flags(ill) == bytes((wire.SEALED_FLAGS, 0, 1)).ljust(16, b"\0")
    opened = SealedBox(PrivateKey(count(0, 32))).decrypt(base64.b64decode(reason))
    assert opened == bytes((wire.OccurrenceKind.TAMPER,)).ljust(16, b"\0")
    (tested,) = re.findall(r"^`([0-9A-Za-z+/=]{88})`$", text, re.MULTILINE)
    opened = SealedBox(PrivateKey(count(0, 32))).decrypt(base64.b64decode(tested))
    assert opened == bytes((wire.TEST_ALARM,)).ljust(16, b"\0")
    assert f"the kind {wire.TEST_ALARM} says that this is a test" in text
    assert state.encode(wire.DoorState(granted=True, open=False)) == live.encode().ljust(state.SIZE)
    assert f"`{state.topic('<door>')}`, retained: {state.SIZE} bytes" in text
    rows, of_sealed = tables(text)
    for said, where in (
        (report, {"both", "report", "report, BUILDING"}),
        (at_home, {"both", "report", "report, HOME"}),
        (alarm, {"both", "alarm"}),
    ):
        assert [row["key"] for row in rows if row["in"] in where] == list(json.loads(said))
    assert len(reason) == len(sealed) == seal.LETTERS
    assert all(row["holds"].endswith(f"{seal.LETTERS} letters of base64 (below)") for row in rows[-2:])
    assert of_sealed[0]["holds"].startswith(f"{wire.SEALED_FLAGS}, ")
    assert [row["holds"].split(":")[0] for row in of_sealed[1:]] == ["camera", "lockout", "zeros"]
    assert f"about {alarm_tests.A_DAY:g} a day" in text
    least = f"\N{MINUS SIGN}{-envelope.LEAST_COUNT} to {envelope.MOST_COUNT}"
    assert least in next(row["holds"] for row in rows if row["key"] == "count")
    assert (daily_count.LEAST, daily_count.MOST) == (envelope.LEAST_COUNT, envelope.MOST_COUNT)
    assert f"exactly {envelope.SIZE} bytes" in text
    assert f"at most {envelope.MAX_DROPPED}" in text
    assert f"from 1, at most {envelope.MAX_SEQUENCE}, where it stays" in text
    longest = Envelope(base.door, base.run, 2**40, "0" * 17, 2**40, None, reason)
    assert json.loads(envelope.encode(longest)) == json.loads(alarm) | {
        "seq": envelope.MAX_SEQUENCE,
        "sw": "unknown",
        "dropped": envelope.MAX_DROPPED,
    }
    for kind in envelope.Kind:
        assert f"`{envelope.topic(kind, '<door>')}`" in text
    assert f"`{envelope.availability_topic('<door>')}`" in text


def test_the_scene_and_the_meter_are_those_of_the_page() -> None:
    keys_of_scene, meter, lights, change = tables(section("The simulated camera"))
    assert [row["key"] for row in keys_of_scene] == [field.name for field in fields(scene.Scene)]
    for row, bounds in zip(keys_of_scene[1:], (scene._FPS, scene._SCALE), strict=True):
        assert f"{bounds[0]:g} to {bounds[1]:g}" in row["holds"]
    default = scene.Scene(None)
    assert [float(row["default"]) for row in keys_of_scene[1:]] == [default.fps, default.scale]
    assert layout(meter) == of_struct(scene._METER.format)
    assert layout(lights) == [*of_struct(lamps._HEAD.format), (lamps._HEAD.size, lamps.SIZE - lamps._HEAD.size)]
    assert layout(change) == of_struct(lamps._CHANGE.format)
    assert f"`lights.meter`, {lamps.SIZE} bytes" in section("The simulated camera")
    assert f"the last {lamps.KEPT} of them" in lights[2]["meaning"]
    changes = struct.pack("<qBB6x", 7, 1, 2) + struct.pack("<qBB6x", 9, 3, 0)
    written = struct.pack("<I", 2) + bytes(256 - len(changes)) + changes
    told = [lamps.LightChange(7, 1, 2), lamps.LightChange(9, 3, 0)]
    assert lamps.packed(told, 2) == struct.pack("<I", zlib.crc32(written)) + written


# ---- the check itself


@pytest.mark.parametrize(
    ("spoil", "noticed_by"),
    [
        (lambda page: page.replace("| 16 | 1 | LookMode |", "| 16 | 2 | LookMode |"), "fields"),
        (lambda page: page.replace("| 24 | 1 | Outcome |", "| 24 | 1 | bool |"), "fields"),
        (lambda page: page.replace("3 TOO_DARK", "4 TOO_DARK").replace("4 TOO_DARK", "3 TOO_DARK"), "lists"),
        (lambda page: page.replace("0x71 Breach", "0x76 Breach"), "headings"),
    ],
    ids=["a size", "a form", "a value", "a type byte"],
)
def test_a_page_that_drifted_is_noticed(
    monkeypatch: pytest.MonkeyPatch, spoil: Callable[[str], str], noticed_by: str
) -> None:
    spoiled = spoil(PAGE)
    assert spoiled != PAGE
    monkeypatch.setattr(formats_page, "PAGE", spoiled)
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
