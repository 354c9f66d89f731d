"""Whoever has docs/formats.md can open what a door sealed and verify what it signed, and nothing else passes.

The reader in tests/independent shares no code with the door, and no cryptography either. It keeps these rules:

- The vectors are read out of the page, never copied: a vector that changes there is tried here.
- What is sealed opens only whole, in its place and under its own key; what is signed holds only as it was signed.
- The last tests let the door's own store write, and open what it wrote from the root key alone.
"""

import base64
import hashlib
import json
import math
import re
import struct
from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from Crypto.Cipher import ChaCha20_Poly1305
from Crypto.Signature import eddsa
from nacl.public import PrivateKey, SealedBox
from nacl.signing import SigningKey

from device import attestation
from device import document as documents
from device.document import seal as sealed_to
from device.errors import DocumentRefused as DocumentUnlike
from device.lock.identity import DocumentKey
from device.lock.timetables import Binding as SlotBinding
from device.lock.timetables import TimetableFiles
from device.sealing.keys import FileKeyStore
from device.sealing.store import Binding, SealedStore
from tests.independent import reader
from tests.independent.reader import FACE, PIN, DocumentRefused, KeyPlace, PinKind, Refused
from tests.unit.formats_page import SPELLINGS

PAGE = (Path(__file__).parents[2] / "docs" / "formats.md").read_text(encoding="utf-8")

DOOR = bytes.fromhex("00112233445566aa")
SEED = bytes(range(32))
ORDER = 2**252 + 27742317777372353535851937790883648493
ZEROS = bytes(32)

X = np.arange(1, 129, dtype=np.float64) / math.sqrt(707264)

SMALL_ORDER = [
    "0100000000000000000000000000000000000000000000000000000000000000",
    "ecffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
    "0000000000000000000000000000000000000000000000000000000000000000",
    "0000000000000000000000000000000000000000000000000000000000000080",
    "26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc05",
    "26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc85",
    "c7176a703d4dd84fba3c0b760d10670f2a2053fa2c39ccc64ec7fd7792ac037a",
    "c7176a703d4dd84fba3c0b760d10670f2a2053fa2c39ccc64ec7fd7792ac03fa",
]


# The page


def section(title: str) -> str:
    """What stands below a heading, up to the next one of the same rank or a higher one."""
    found = re.search(rf"^(#+) {re.escape(title)}\b.*\n", PAGE, re.MULTILINE)
    assert found is not None, f"no section {title} on the page"
    end = re.compile(rf"^#{{1,{len(found[1])}}} ", re.MULTILINE).search(PAGE, found.end())
    return PAGE[found.end() : end.start() if end else len(PAGE)]


def block(title: str) -> str:
    """The one vector of a section."""
    (text,) = re.findall(r"^```text\n(.*?)^```", section(title).split("\n### ")[0], re.MULTILINE | re.DOTALL)
    return str(text)


def vector(title: str) -> bytes:
    return bytes.fromhex(block(title))


def table(title: str) -> dict[str, str]:
    """The rows of a section's tables with two columns, what and is."""
    rows = re.findall(r"^\| ([^|]+) \| ([^|]+) \|$", section(title), re.MULTILINE)
    return {what: is_.replace("\N{MINUS SIGN}", "-") for what, is_ in rows}


# Writing, for the tests alone


def seal(key: bytes, plain: bytes, header: bytes, additional: bytes = b"") -> bytes:
    nonce = bytes(range(24))
    cipher = ChaCha20_Poly1305.new(key=key, nonce=nonce)
    cipher.update(header + additional)
    ciphertext, tag = cipher.encrypt_and_digest(plain)
    return header + nonce + ciphertext + tag


def sign(prefix: bytes, content: bytes, seed: bytes = SEED) -> bytes:
    return content + eddsa.new(eddsa.import_private_key(seed), "rfc8032").sign(prefix + content)


def flipped(data: bytes) -> Iterator[bytes]:
    """The data with each of its bytes changed, once in one bit and once in all."""
    for at, byte in enumerate(data):
        yield data[:at] + bytes([byte ^ 1 << at % 8]) + data[at + 1 :]
        yield data[:at] + bytes([byte ^ 0xFF]) + data[at + 1 :]


def resized(data: bytes) -> Iterator[bytes]:
    """The data at each shorter length, and longer at each end."""
    yield from (data[:length] for length in range(len(data)))
    yield from (data[at:] for at in (1, 8, 16))
    yield data + b"\0"
    yield b"\0" + data
    yield data + data


def exchanged(data: bytes) -> Iterator[bytes]:
    """The data with each two unequal neighbours exchanged, byte by byte and in blocks."""
    for size in (1, 8, 16, 24, 32):
        for at in range(0, len(data) - 2 * size + 1, size):
            one, other = data[at : at + size], data[at + size : at + 2 * size]
            if one != other:
                yield data[:at] + other + one + data[at + 2 * size :]


def refuses(read: Callable[[bytes], object], data: Iterator[bytes]) -> None:
    """Every one of these is refused."""
    for changed in data:
        with pytest.raises(Refused):
            read(changed)


# Keys, rings and records


PIN_RING_KEY = bytes(range(0x20, 0x40))


def pin_ring() -> reader.Ring:
    return reader.read_ring(vector("Ring"), PIN_RING_KEY, DOOR, PIN)


def test_the_epoch_key_opens_under_the_root_key() -> None:
    root = bytes(range(0x40, 0x60))
    assert reader.epoch_key(vector("Epoch key, 80 bytes"), root) == PIN_RING_KEY
    with pytest.raises(Refused):
        reader.epoch_key(vector("Epoch key, 80 bytes"), bytes(32))


def test_an_epoch_key_in_a_tpm_is_bound_to_its_index() -> None:
    root, handle = bytes(range(0x40, 0x60)), 0x01800D01
    contents = vector("Epoch key in a TPM")
    assert reader.epoch_key_of_index(contents, handle, root) == PIN_RING_KEY
    for other_handle, other_root in ((0x01800D02, root), (handle, SEED), (0x010D8001, root)):
        with pytest.raises(Refused):
            reader.epoch_key_of_index(contents, other_handle, other_root)
    refuses(lambda changed: reader.epoch_key_of_index(changed, handle, root), flipped(contents))


def test_the_keys_of_an_index_are_those_of_the_page() -> None:
    rows, root = table("Epoch key in a TPM"), bytes(range(0x40, 0x60))
    rooms = {"vault": (0x01800D01, root), "keeper": (0x01800D02, reader.keeper_ring_key(root))}
    for room, (handle, key) in rooms.items():
        assert reader.index_authorisation(handle, key) == rows[f"{room}: authorisation"]
        name = handle.to_bytes(4, "big")
        assert reader.blake2b("doorward nv seal", name, key=key).hex() == rows[f"{room}: key of the box"]
        longer = base64.urlsafe_b64encode(reader.blake2b("doorward nv auth", name, key=key)[:24]).decode()
        assert longer != rows[f"{room}: authorisation"], "not the beginning of a longer hash"


def test_the_ring_of_the_page_opens() -> None:
    entry = reader.Entry(12, 3, bytes(range(16)), bytes(range(32)), ZEROS)
    assert pin_ring() == reader.Ring(3, bytes(range(0x60, 0x80)), (entry,))
    assert entry.file_name == "000102030405060708090a0b0c0d0e0f.rec"


@pytest.mark.parametrize(
    "plain",
    [
        b"",
        struct.pack("<QII32s", 3, 0, 1, SEED),
        struct.pack("<QII32s", 3, 1, 0, SEED),
        struct.pack("<QII32s", 3, 0, 0, SEED) + b"\0",
        struct.pack("<QII32sIQ16s32s32s", 3, 1, 0, SEED, 12, 4, SEED[:16], SEED, ZEROS),
        struct.pack("<QII32s", 3, 2, 0, SEED) + 2 * struct.pack("<IQ16s32s32s", 12, 3, SEED[:16], SEED, ZEROS),
        struct.pack("<QII32s", 3, 2, 0, SEED)
        + struct.pack("<IQ16s32s32s", 13, 3, SEED[:16], SEED, ZEROS)
        + struct.pack("<IQ16s32s32s", 12, 3, SEED[16:], SEED, ZEROS),
        struct.pack("<QII32s", 3, 2, 0, SEED)
        + struct.pack("<IQ16s32s32s", 12, 3, SEED[:16], SEED, ZEROS)
        + struct.pack("<IQ16s32s32s", 13, 3, SEED[:16], SEED, ZEROS),
    ],
)
def test_a_ring_that_says_what_the_page_forbids_is_refused_even_if_it_opens(plain: bytes) -> None:
    with pytest.raises(Refused, match=r"ring|slot|file twice"):
        reader.read_ring(seal(SEED, plain, b"DWRG\x02\x02\0\0", DOOR), SEED, DOOR, PIN)


def test_another_version_or_another_zero_is_refused_even_if_it_opens() -> None:
    root, handle, name = SEED, 0x01800D01, bytes.fromhex("01800d01")
    index_key = reader.blake2b("doorward nv seal", name, key=root)
    nothing = struct.pack("<QII32s", 3, 0, 0, SEED)
    (entry,) = pin_ring().records
    named = struct.pack("<8sI4xQ16s32s32s", DOOR, 12, 3, entry.file_id, ZEROS, ZEROS)
    told = bytes(16336)
    refuses(
        lambda file: reader.epoch_key(file, root), (seal(root, SEED, header) for header in flipped(b"DWEK\x01\0\0\0"))
    )
    refuses(
        lambda file: reader.epoch_key_of_index(file, handle, root),
        (seal(index_key, SEED, header, name) for header in flipped(b"DWNV\x01\0\0\0")),
    )
    refuses(
        lambda file: reader.read_ring(file, root, DOOR, PIN),
        (seal(root, nothing, header, DOOR) for header in flipped(b"DWRG\x02\x02\0\0")),
    )
    refuses(
        lambda file: reader.open_record(file, entry, DOOR, PIN, ZEROS),
        (seal(entry.key, b"", header, named) for header in flipped(b"DWRC\x02\x02\0\0")),
    )
    for header in flipped(b"DWAT\x02\0\0\0"):
        assert reader.read_attempts(seal(reader.attempts_key(root), told, header), reader.attempts_key(root)) is None
    assert reader.read_ring(seal(root, nothing, b"DWRG\x02\x02\0\0", DOOR), root, DOOR, PIN).records == ()
    assert reader.open_record(seal(entry.key, b"", b"DWRC\x02\x02\0\0", named), entry, DOOR, PIN, ZEROS) == b""


@pytest.mark.parametrize("size", [0, 31, 33])
def test_an_epoch_key_of_another_size_is_refused_even_if_it_opens(size: int) -> None:
    name = bytes.fromhex("01800d01")
    with pytest.raises(Refused, match="80 bytes"):
        reader.epoch_key(seal(SEED, bytes(size), b"DWEK\x01\0\0\0"), SEED)
    index_key = reader.blake2b("doorward nv seal", name, key=SEED)
    with pytest.raises(Refused, match="80 bytes"):
        reader.epoch_key_of_index(seal(index_key, bytes(size), b"DWNV\x01\0\0\0", name), 0x01800D01, SEED)


def test_the_record_of_that_ring_holds_the_pin_of_the_page() -> None:
    (entry,) = pin_ring().records
    payload = reader.open_record(vector("Record"), entry, DOOR, PIN, ZEROS)
    assert payload == vector("Payload of a PIN or an invitation")


def test_a_record_opens_only_as_the_one_that_its_ring_names() -> None:
    (entry,) = pin_ring().records
    file = vector("Record")
    for other in (
        replace(entry, slot=13),
        replace(entry, generation=2),
        replace(entry, file_id=bytes(16)),
        replace(entry, key=bytes(32)),
        replace(entry, consent=SEED),
    ):
        with pytest.raises(Refused):
            reader.open_record(file, other, DOOR, PIN, ZEROS)
    for door, kind, model in ((bytes(8), PIN, ZEROS), (DOOR, FACE, ZEROS), (DOOR, PIN, SEED)):
        with pytest.raises(Refused):
            reader.open_record(file, entry, door, kind, model)


def sealed_ring(plain: bytes) -> bytes:
    return seal(PIN_RING_KEY, plain, b"DWRG\x02\x02\0\0", DOOR)


def test_the_first_ring_that_opens_is_in_force() -> None:
    ring, stale = vector("Ring"), seal(SEED, b"", b"DWRG\x02\x02\0\0")
    empty = sealed_ring(struct.pack("<QII32s", 4, 0, 0, SEED))
    for files in (
        {"ring.a": ring},
        {"ring.b": ring},
        {"ring.a": stale, "ring.b": ring},
        {"ring.a": ring, "ring.b": stale},
        {"ring.a": ring, "ring.b": empty},
    ):
        assert reader.ring_in_force(files, PIN_RING_KEY, DOOR, PIN) == pin_ring()
    for files in ({}, {"ring.a": stale}, {"ring.c": ring}):
        with pytest.raises(Refused, match="no ring opens"):
            reader.ring_in_force(files, PIN_RING_KEY, DOOR, PIN)


def test_a_ring_that_opens_and_makes_no_sense_refuses_the_whole_store() -> None:
    files = {"ring.a": sealed_ring(b"nonsense"), "ring.b": vector("Ring")}
    with pytest.raises(Refused, match="no head"):
        reader.ring_in_force(files, PIN_RING_KEY, DOOR, PIN)


def keepers_files(*entries: tuple[int, int, bytes, bytes]) -> dict[str, bytes]:
    """A folder of keeper's with the record of the page, and entries of slot, generation, file id and consent."""
    told = b"".join(struct.pack("<IQ16s32s32s", at, number, name, SEED, to) for at, number, name, to in entries)
    epoch = seal(SEED, PIN_RING_KEY, b"DWEK\x01\0\0\0")
    ring = sealed_ring(struct.pack("<QII32s", 3, len(entries), 0, SEED) + told)
    return {"epoch.key": epoch, "ring.a": ring, f"{SEED[:16].hex()}.rec": vector("Record")}


def test_a_record_that_is_missing_torn_or_nobodys_is_refused_alone() -> None:
    page, other = (12, 3, SEED[:16], ZEROS), (40, 3, SEED[16:], ZEROS)
    files = keepers_files(page, other)
    missing = reader.open_store(files, SEED, DOOR, PIN, ZEROS)
    assert set(missing.payloads) == {12}
    assert "is not there" in missing.refused[40]
    torn = reader.open_store(files | {f"{SEED[16:].hex()}.rec": b"DWRC"}, SEED, DOOR, PIN, ZEROS)
    assert (set(torn.payloads), set(torn.refused)) == ({12}, {40})
    named = struct.pack("<8sI4xQ16s64x", DOOR, 0, 3, SEED[16:])
    whole = {f"{SEED[16:].hex()}.rec": seal(SEED, b"payload", b"DWRC\x02\x02\0\0", named)}
    nobody = reader.open_store(keepers_files((0, 3, SEED[16:], ZEROS), page) | whole, SEED, DOOR, PIN, ZEROS)
    assert (set(nobody.payloads), set(nobody.refused)) == ({12}, {0})
    assert "nobody" in nobody.refused[0]


def test_what_the_page_says_needs_no_refusal_is_not_refused() -> None:
    ring = reader.ring_in_force(keepers_files((12, 0, SEED[:16], SEED)), PIN_RING_KEY, DOOR, PIN)
    assert [(entry.generation, entry.consent) for entry in ring.records] == [(0, SEED)]


# Payloads


def test_the_pin_of_the_page_is_read() -> None:
    counted = bytes(range(32))
    assert reader.read_pin(vector("Payload of a PIN or an invitation")) == reader.Pin(
        kind=PinKind.PIN,
        serial=1,
        offer_id=counted[:16],
        kept_unix=1900000000,
        expires_unix=2000000000,
        ends_unix=2100000000,
        salt=counted[:16],
        verifier=counted,
        duress=bytes(range(0x20, 0x40)),
        duress_box=vector("Payload of a PIN or an invitation")[126:182],
        guest_key=bytes(range(0x40, 0x60)),
        guest_used=frozenset({0, 2}),
        cards=bytes(40),
        former_salt=bytes(range(0x60, 0x70)),
        former=bytes(range(0x80, 0xA0)),
    )


def test_the_digits_of_the_duress_pin_are_read_by_whoever_has_the_pin() -> None:
    found = reader.read_pin(vector("Payload of a PIN or an invitation"))
    pepper = reader.pepper(bytes(range(0x40, 0x60)))
    stretched = bytes.fromhex(table("Keeper's keys")["Argon2id of the digits"])
    assert reader.duress_digits(found, 12, pepper, stretched) == "739105"
    for slot, key, argon2id in ((13, pepper, stretched), (12, ZEROS, stretched), (12, pepper, ZEROS)):
        with pytest.raises(Refused):
            reader.duress_digits(found, slot, key, argon2id)


def test_the_payload_of_a_pin_is_read_exactly_or_refused() -> None:
    payload = vector("Payload of a PIN or an invitation")
    ended = payload[:1] + b"\x03" + payload[2:46] + bytes(264)
    offered = payload[:1] + b"\x01" + payload[2:94] + bytes(216)
    assert reader.read_pin(ended).kind is PinKind.ENDED
    refuses(reader.read_pin, resized(payload))
    refuses(reader.read_pin, (payload[:1] + bytes([kind]) + payload[2:] for kind in (0, 4, 255)))
    refuses(reader.read_pin, (bytes([version]) + payload[1:] for version in (0, 1, 2, 3, 5)))
    refuses(reader.read_pin, (ended[:at] + b"\x01" + ended[at + 1 :] for at in range(46, 310)))
    refuses(reader.read_pin, (offered[:at] + b"\x01" + offered[at + 1 :] for at in range(94, 278)))
    before = reader.read_pin(offered[:262] + payload[262:])
    assert (before.kind, before.former_salt, before.former) == (PinKind.INVITATION, payload[262:278], payload[278:])
    refuses(
        reader.read_pin, iter([payload[:94] + bytes(32) + payload[126:], payload[:182] + bytes(32) + payload[214:]])
    )
    refuses(reader.read_pin, iter([payload[:278] + bytes(32)]))
    refuses(reader.read_pin, iter([payload[:38] + struct.pack("<q", -1) + payload[46:]]))
    for kind in (1, 2):
        assert reader.read_pin(payload[:1] + bytes([kind]) + payload[2:46] + bytes(264)).verifier == ZEROS


def offer_of_the_page() -> bytes:
    found = re.search(r"^SlotOffer +([0-9a-f]+)$", PAGE, re.MULTILINE)
    assert found is not None
    return bytes.fromhex(found[1])


def test_an_offer_is_named_by_its_datagram() -> None:
    datagram = offer_of_the_page()
    assert reader.offer_id(datagram) != reader.offer_id(datagram[:-1] + b"\0")
    refuses(reader.offer_id, resized(datagram))


def test_keepers_keys_and_what_is_made_with_them_are_those_of_the_page() -> None:
    rows, root = table("Keeper's keys"), bytes(range(0x40, 0x60))
    stretched = bytes.fromhex(rows["Argon2id of the digits"])
    assert {what: is_ for what, is_ in rows.items() if re.fullmatch("[0-9a-f]{32,}", is_)} == {
        "doorward pepper": reader.pepper(root).hex(),
        "doorward ring": reader.keeper_ring_key(root).hex(),
        "doorward tries": reader.attempts_key(root).hex(),
        "doorward counts": reader.counts_key(root).hex(),
        "doorward cards": reader.cards_key(root).hex(),
        "Argon2id of the digits": stretched.hex(),
        "verifier": reader.pin_verifier(reader.pepper(root), 12, stretched).hex(),
        "offer_id": reader.offer_id(offer_of_the_page()).hex(),
    }
    assert reader.pin_verifier(reader.pepper(root), 13, stretched).hex() != rows["verifier"]


def face_of_the_page() -> bytes:
    beginning = vector("Payload of a face")
    assert len(beginning) == 340
    return beginning + bytes(844 - 340)


def test_the_face_of_the_page_is_read() -> None:
    face = reader.read_face(face_of_the_page())
    assert face == reader.Face(
        paused=True,
        under_14=True,
        covered=False,
        frames=10,
        worth=3,
        mean=0xE000,
        sittings=2,
        enrolled_day=20000,
        rotation=bytes(range(8)),
        tenancy=bytes(range(16)),
        ends_unix=2100000000,
        consent=reader.read_consent(vector("Consent record")),
        template=(1.0, *[0.0] * 127),
    )


def test_the_payload_of_a_face_is_read_exactly_or_refused() -> None:
    payload = face_of_the_page()
    refuses(reader.read_face, (payload[:length] for length in (0, 340, 843)))
    refuses(reader.read_face, iter([payload + b"\0"]))
    refuses(reader.read_face, (bytes([version]) + payload[1:] for version in (0, 1, 3)))
    refuses(reader.read_face, (payload[:1] + bytes([flags]) + payload[2:] for flags in (0x18, 0x20, 0x40, 0x80)))
    refuses(reader.read_face, (payload[:3] + bytes([worth]) + payload[4:] for worth in (11, 255)))
    refuses(reader.read_face, iter([payload[:330] + bytes(2) + payload[332:]]))
    refuses(reader.read_face, iter([payload[:2] + b"\x01\x01" + payload[4:]]))
    refuses(reader.read_face, iter([payload[:16] + bytes(16) + payload[32:]]))
    refuses(reader.read_face, iter([payload[:32] + struct.pack("<q", -1) + payload[40:]]))
    for number in (0.9991, 1.0009):
        assert reader.read_face(payload[:332] + struct.pack("<f", number) + payload[336:]).template[0] != 1
    for number in (2.0, 0.0, 0.9985, 1.0015, math.nan, math.inf):
        refuses(reader.read_face, iter([payload[:332] + struct.pack("<f", number) + payload[336:]]))
    for at in range(40, 330, 17):
        refuses(reader.read_face, iter([payload[:at] + bytes([payload[at] ^ 1]) + payload[at + 1 :]]))


# Rotation


def test_the_rotation_of_the_page_is_made() -> None:
    rows = table("Rotation")
    made = {"N": reader.normal_numbers(SEED), "Q": reader.rotation(SEED)}
    assert reader.draw(SEED, 131072)[:16].hex() == rows["first 16 bytes drawn"]
    assert reader.rotation_tag(SEED).hex() == rows["tag"]
    turned = reader.turn(made["Q"], X)
    compared = 0
    for what, is_ in rows.items():
        if cell := re.fullmatch(r"([NQ]), row (\d+), column (\d+)", what):
            assert made[cell[1]][int(cell[2]), int(cell[3])] == pytest.approx(float(is_), abs=1e-11)
            compared += 1
        if number := re.fullmatch(r"x turned, its number (\d+)", what):
            assert turned[int(number[1]) - 1] == pytest.approx(float(is_), abs=1e-7)
            compared += 1
    assert compared == 17


def test_a_rotation_is_orthogonal_and_can_be_undone() -> None:
    matrix = reader.rotation(SEED)
    assert np.allclose(matrix @ matrix.T, np.eye(128), atol=1e-12)
    assert np.allclose(reader.turn_back(matrix, reader.turn(matrix, X)), X, atol=1e-7)


def test_another_secret_turns_to_somewhere_else_and_has_another_tag() -> None:
    other = bytes(reversed(SEED))
    assert reader.rotation_tag(other) != reader.rotation_tag(SEED)
    back = reader.turn_back(reader.rotation(other), reader.turn(reader.rotation(SEED), X))
    assert abs(float(back @ X)) < 0.5


# Signatures


SIGNATURES = re.findall(r"^\| ([^|]+) \| ([0-9a-f]{64}) \| ([0-9a-f]{128}) \| (yes|no) \|$", PAGE, re.MULTILINE)


def holds(key: bytes, signature: bytes, content: bytes = b"doorward") -> bool:
    try:
        reader.verify(key, b"", content, signature)
    except Refused:
        return False
    return True


@pytest.mark.parametrize(
    ("key", "signature", "counts"), [row[1:] for row in SIGNATURES], ids=[row[0] for row in SIGNATURES]
)
def test_a_signature_counts_where_the_page_says_so(key: str, signature: str, counts: str) -> None:
    assert len(SIGNATURES) == 7
    assert holds(bytes.fromhex(key), bytes.fromhex(signature)) == (counts == "yes")


def test_a_verifier_that_multiplies_by_the_cofactor_takes_what_the_page_refuses() -> None:
    """The seeded fault, and it is pycryptodome's own way: so the vectors tell the two apart."""
    taken = set()
    for case, key, signature, counts in SIGNATURES:
        try:
            eddsa.new(eddsa.import_public_key(bytes.fromhex(key)), "rfc8032").verify(
                b"doorward", bytes.fromhex(signature)
            )
        except ValueError:
            continue
        taken |= {case} if counts == "no" else set()
    assert {"R with T added: right only times 8", "A with T added, k no multiple of 8"} <= taken


def test_a_point_has_one_spelling() -> None:
    prime = 2**255 - 19
    (_, key, signature, _), *_ = SIGNATURES
    for y in range(19):
        for sign_of_x in (0, 1 << 255):
            spelled = (prime + y | sign_of_x).to_bytes(32, "little")
            with pytest.raises(Refused, match=r"one spelling|small order"):
                reader.verify(spelled, b"", b"doorward", bytes.fromhex(signature))
            with pytest.raises(Refused, match=r"one spelling|small order"):
                reader.verify(bytes.fromhex(key), b"", b"doorward", spelled + bytes.fromhex(signature)[32:])
    for short in (b"", bytes.fromhex(key)[:31], bytes.fromhex(key) + b"\0", bytes(57)):
        with pytest.raises(Refused, match="32 bytes"):
            reader.verify(short, b"", b"doorward", bytes.fromhex(signature))


# Papers


def test_the_signing_key_follows_from_the_root_key() -> None:
    rows = table("What the door signs")
    seed = reader.signing_seed(bytes(range(0x40, 0x60)))
    assert seed.hex() == rows["seed"]
    assert reader.public_key(seed).hex() == rows["public key"]


def test_the_consent_record_of_the_page_holds() -> None:
    counted = bytes(range(160))
    assert reader.read_consent(vector("Consent record")) == reader.Consent(
        door=DOOR,
        consent_id=counted[:16],
        day=20000,
        under_14=True,
        terms=reader.Terms(*(counted[at : at + 32] for at in range(0, 160, 32))),
        door_key=reader.public_key(SEED),
    )


def test_the_consent_to_a_covered_face_is_read_as_the_page_says() -> None:
    bare = vector("Consent record")[:-64]
    covered = bare[:4] + b"\x02" + bare[5:]
    signature = SigningKey(SEED).sign(b"doorward covered consent\0" + covered).signature
    assert reader.read_consent(covered + signature) == replace(
        reader.read_consent(vector("Consent record")), covered=True
    )
    assert isinstance(attestation.verify(covered + signature).paper, attestation.CoveredConsent)
    for other in (bare + signature, covered + vector("Consent record")[-64:]):
        with pytest.raises(Refused):
            reader.read_consent(other)


def test_the_receipt_of_the_page_holds() -> None:
    assert reader.read_receipt(vector("Receipt")) == reader.Receipt(
        door=DOOR,
        record_id=bytes(range(16)),
        mark=bytes(range(32)),
        consent_id=bytes(range(0x10, 0x20)),
        day=20001,
        key_place=KeyPlace.TPM_NV,
        door_key=reader.public_key(SEED),
    )


END = "Receipt for the end of a door"


def test_the_receipt_for_the_end_of_a_door_of_the_page_holds() -> None:
    assert reader.read_end(vector(END)) == reader.End(
        door=DOOR,
        day=20002,
        faces=KeyPlace.TPM_NV,
        pins=KeyPlace.FILE_HOST_KEY,
        door_key=reader.public_key(SEED),
    )
    assert reader.unarmour(reader.armour(vector(END))) == vector(END)


READERS = [
    pytest.param("Consent record", reader.read_consent, id="consent"),
    pytest.param("Receipt", reader.read_receipt, id="receipt"),
    pytest.param(END, reader.read_end, id="end"),
]
PAPERS = [
    pytest.param("Consent record", reader.read_consent, reader.CONSENT_PREFIX, id="consent"),
    pytest.param("Receipt", reader.read_receipt, reader.RECEIPT_PREFIX, id="receipt"),
    pytest.param(END, reader.read_end, reader.END_PREFIX, id="end"),
]


@pytest.mark.parametrize(("title", "read"), READERS)
def test_a_paper_with_any_byte_changed_is_refused(title: str, read: Callable[[bytes], object]) -> None:
    paper = vector(title)
    refuses(read, (paper[:at] + bytes([byte ^ 1 << at % 8]) + paper[at + 1 :] for at, byte in enumerate(paper)))
    refuses(read, resized(paper))


@pytest.mark.parametrize(("title", "read", "prefix"), PAPERS)
def test_a_forged_paper_is_refused(title: str, read: Callable[[bytes], object], prefix: bytes) -> None:
    paper = vector(title)
    content, number = paper[:-64], paper[-32:]
    assert sign(prefix, content) == paper
    unreduced = (int.from_bytes(number, "little") + ORDER).to_bytes(32, "little")
    forged = [
        content + bytes(64),
        sign(prefix, content, bytes(32)),
        sign(b"", content),
        sign(reader.CONSENT_PREFIX + reader.RECEIPT_PREFIX, content),
        sign(prefix[:-1], content),
        sign(reader.RECEIPT_PREFIX if prefix is reader.CONSENT_PREFIX else reader.CONSENT_PREFIX, content),
        paper[:-32] + unreduced,
    ]
    refuses(read, iter(forged))


@pytest.mark.parametrize(("title", "read"), READERS)
@pytest.mark.parametrize("key", SMALL_ORDER)
def test_a_key_that_signs_for_everybody_is_refused(title: str, read: Callable[[bytes], object], key: str) -> None:
    content = vector(title)[:-96] + bytes.fromhex(key)
    base = bytes.fromhex("58" + "66" * 31)
    with pytest.raises(Refused, match="small order"):
        read(content + base + (1).to_bytes(32, "little"))


@pytest.mark.parametrize(("title", "read", "prefix"), PAPERS)
def test_what_the_page_forbids_is_refused_even_if_it_is_signed(
    title: str, read: Callable[[bytes], object], prefix: bytes
) -> None:
    content = vector(title)[:-64]
    choices = {
        "Consent record": ((33, 2), (33, 255)),
        "Receipt": ((81, 4), (81, 0)),
        END: ((17, 0), (17, 4), (18, 0), (18, 4)),
    }[title]
    for at, value in ((0, 0), (4, 2), *choices):
        refuses(read, iter([sign(prefix, content[:at] + bytes([value]) + content[at + 1 :])]))


def test_a_receipt_marks_where_the_box_of_the_erased_record_begins() -> None:
    files, root, _, _ = whole_vault()
    (record,) = (content for name, content in files.items() if name.endswith(".rec"))
    seed = reader.signing_seed(root)
    told = struct.pack("<4sB8s16s32s16sIB", b"DWRT", 1, DOOR, bytes(16), record[8:][:32], bytes(16), 20200, 1)
    receipt = reader.read_receipt(sign(reader.RECEIPT_PREFIX, told + reader.public_key(seed), seed))
    assert receipt.mark == reader.mark_of(record)
    assert receipt.key_place is KeyPlace.FILE_HOST_KEY


def test_somebody_elses_paper_names_somebody_elses_key() -> None:
    other = bytes(range(1, 33))
    paper = sign(reader.CONSENT_PREFIX, vector("Consent record")[:-96] + reader.public_key(other), other)
    assert reader.read_consent(paper).door_key == reader.public_key(other) != reader.public_key(SEED)


def test_the_armour_of_the_page_holds_the_receipt() -> None:
    text = block("Armour")
    assert reader.unarmour(text) == vector("Receipt")
    assert reader.armour(vector("Receipt")) == text
    assert reader.unarmour(reader.armour(vector("Consent record"))) == vector("Consent record")


@pytest.mark.parametrize(("text", "taken"), SPELLINGS, ids=range(len(SPELLINGS)))
def test_armour_is_read_as_the_page_says(text: str, taken: bool) -> None:
    """The same texts that the door's own reader is given. A paper is verified by whoever takes it out."""
    if taken:
        assert reader.unarmour(text) == vector("Receipt")
    else:
        with pytest.raises(Refused):
            reader.read_receipt(reader.unarmour(text))


def terms_of_the_page(model: bytes) -> reader.Terms:
    """The terms of the page's example, with this model."""
    chinese = re.search(r"says `One\.` and `([^`]+)`", section("The hash of the terms"))
    assert chinese is not None
    return reader.Terms(
        reader.hash_part(b"notice-0", b"One.\n", f"{chinese[1]}\n".encode()),
        reader.hash_part(b"Opening this door."),
        reader.hash_part(b"Until you erase it."),
        reader.hash_part(model),
        reader.hash_part(b"at most 1 false opens a year at 5 strangers a day; face+pin"),
    )


def test_the_hash_of_the_terms_is_that_of_the_page() -> None:
    rows, terms = table("The hash of the terms"), terms_of_the_page(SEED)
    for part in ("notice", "purpose", "retention", "model", "threshold_class"):
        assert getattr(terms, part).hex() == rows[part]
    assert terms.hash.hex() == rows["terms"]


def rows_of(title: str) -> list[list[dict[str, str]]]:
    """Every table of a section, its rows by the names of the columns, without the marks of code."""
    found = []
    for lines in re.findall(r"(?:^\|.*\n)+", section(title), re.MULTILINE):
        head, _, *cells = [
            [cell.strip().strip("`") for cell in line.strip("|").split("|")] for line in lines.split("\n")[:-1]
        ]
        found.append([dict(zip(head, row, strict=True)) for row in cells])
    return found


def test_the_fifteen_notices_are_made_and_hashed_by_the_page_alone() -> None:
    sentences, answers, places, worth, alive, hashes = rows_of("The notice as it is shown")
    name, *files = re.findall(r"`(notice-\d+|device/notices/[\w.-]+)`", section("The notice as it is shown"))
    blanks = [(Path(__file__).parents[2] / file).read_bytes().decode() for file in files]
    words = {row["answer"]: row for row in answers}
    made = {}
    kinds = dict.fromkeys((row["liveness"], row["tier"]) for row in hashes)
    for place in places:
        for liveness, tier in kinds:
            (value,) = (row for row in worth if row["tier"] == tier)
            shown = []
            for blank, column in zip(blanks, ("English", "Chinese"), strict=True):
                lines = [f"- {row[column].replace('{}', words[place[row['about']]][column])}" for row in sentences]
                filled = blank.replace("$strength", "\n".join(lines))
                told = [f"- {row[column]}" for row in alive if row["liveness"] == liveness]
                filled = filled.replace("$liveness", "\n".join(told)).replace("$worth", value[column])
                shown.append(filled.replace(LINE_BREAK, "\n  ").encode())
            made[place["place"], liveness, tier] = reader.hash_part(name.encode(), *shown).hex()
    assert len(made) == 15
    assert {(row["place of keys"], row["liveness"], row["tier"]): row["notice"] for row in hashes} == made


LINE_BREAK = "\N{DOWNWARDS ARROW WITH CORNER LEFTWARDS}"


def test_pieces_of_terms_cannot_flow_into_each_other() -> None:
    assert reader.hash_part(b"ab", b"c") != reader.hash_part(b"a", b"bc") != reader.hash_part(b"abc")


# The signed document


def document(*offers: bytes, **changed: int) -> bytes:
    fields = {"form": 3, "kind": 1, "version": 7, "issued": 1900000000} | changed
    head = (b"DWDC", fields["form"], DOOR, fields["kind"], fields["version"], fields["issued"])
    return sign(reader.DOCUMENT_PREFIX, struct.pack("<4sB8sBIq", *head) + b"".join(offers))


def offer(
    slot: int = 12, serial: int = 1, expires: int = 2000000000, ends: int = 2100000000, timetable: int = 3
) -> bytes:
    return struct.pack("<IIqqB16s32s", slot, serial, expires, ends, timetable, bytes(16), SEED)


def result_of(paper: bytes, door: bytes = DOOR, newest: int = 0) -> str:
    try:
        reader.read_document(paper, reader.public_key(SEED), door, newest)
    except DocumentRefused as refused:
        return refused.result
    return "DONE"


def test_the_document_of_the_page_holds() -> None:
    paper = vector("The signed document")
    assert paper == document(offer())
    assert reader.read_document(paper, reader.public_key(SEED), DOOR, 6) == reader.Document(
        door=DOOR,
        version=7,
        issued_unix=1900000000,
        offers=(reader.Offer(12, 1, 2000000000, 2100000000, 3, bytes(16), SEED),),
    )


def test_a_document_with_any_byte_changed_is_refused() -> None:
    paper = vector("The signed document")
    changed = [paper[:at] + bytes([byte ^ 1 << at % 8]) + paper[at + 1 :] for at, byte in enumerate(paper)]
    assert {result_of(other) for other in changed[:4]} == {"MALFORMED"}
    assert {result_of(other) for other in changed[4:]} == {"UNSIGNED"}
    refuses(lambda other: reader.read_document(other, reader.public_key(SEED), DOOR), resized(paper))


def test_refusals_of_a_document_come_in_the_order_of_the_page() -> None:
    for paper, door, newest, result in (
        (document(), bytes(8), 7, "MALFORMED"),
        (document(*(offer(slot) for slot in range(1, 56))), bytes(8), 7, "MALFORMED"),
        (document(offer(), form=1)[:-1] + b"\xff", bytes(8), 7, "UNSIGNED"),
        (document(offer(), form=1), bytes(8), 7, "MALFORMED"),
        (document(offer(0)), bytes(8), 7, "WRONG_DOOR"),
        (document(offer(0)), DOOR, 7, "MALFORMED"),
        (document(offer()), DOOR, 7, "STALE"),
        (document(b"\0"), bytes(8), 7, "WRONG_DOOR"),
        (document(b"\0"), DOOR, 7, "MALFORMED"),
        (document(b"\0")[:-1] + b"\xff", DOOR, 7, "UNSIGNED"),
        (document()[:-1] + b"\xff", DOOR, 7, "MALFORMED"),
        (document(offer(ends=0), issued=0), DOOR, 6, "DONE"),
        (document(offer(ends=0), issued=100_000_000_000), DOOR, 6, "DONE"),
        (document(offer()), DOOR, 6, "DONE"),
        (document(*(offer(slot) for slot in range(1, 55))), DOOR, 6, "DONE"),
        (document(offer(ends=0)), DOOR, 6, "DONE"),
        (document(offer(9999, expires=1)), DOOR, 6, "DONE"),
    ):
        assert result_of(paper, door, newest) == result


@pytest.mark.parametrize(
    "paper",
    [
        document(offer(), kind=2),
        document(offer(), version=0),
        document(offer(), issued=-1),
        document(offer(ends=0), issued=100_000_000_001),
        document(offer(10000)),
        document(offer(serial=0)),
        document(offer(expires=0)),
        document(offer(expires=100_000_000_001)),
        document(offer(ends=100_000_000_001)),
        document(offer(ends=1900000000)),
        document(offer(ends=-1)),
        document(offer(12), offer(12)),
        document(offer(12), offer(11)),
        document(offer(12), b"\0"),
    ],
)
def test_a_signed_document_that_says_what_the_page_forbids_is_malformed(paper: bytes) -> None:
    assert result_of(paper) == "MALFORMED"


def ended_by(paper: bytes, door: bytes = DOOR, newest: int = 0) -> str:
    try:
        reader.read_retirement(paper, reader.public_key(SEED), door, newest)
    except DocumentRefused as refused:
        return refused.result
    return "DONE"


def end(hours: int, **changed: int) -> bytes:
    return document(struct.pack("<H", hours), **({"kind": 4, "version": 9} | changed))


def test_the_announced_end_of_the_page_is_read() -> None:
    paper = vector("When the door ends, the body of kind 4")
    assert paper == end(72)
    assert reader.read_retirement(paper, reader.public_key(SEED), DOOR, 8) == reader.Retirement(
        door=DOOR, version=9, issued_unix=1900000000, notice_hours=72
    )
    changed = [paper[:at] + bytes([byte ^ 1 << at % 8]) + paper[at + 1 :] for at, byte in enumerate(paper)]
    assert {ended_by(other) for other in changed[:4]} == {"MALFORMED"}
    assert {ended_by(other) for other in changed[4:]} == {"UNSIGNED"}
    refuses(lambda other: reader.read_retirement(other, reader.public_key(SEED), DOOR), resized(paper))


@pytest.mark.parametrize(
    ("paper", "newest", "result"),
    [
        (end(0), 8, "DONE"),
        (end(72), 8, "DONE"),
        (end(8784), 8, "DONE"),
        (end(72), 9, "STALE"),
        (end(1), 8, "MALFORMED"),
        (end(71), 9, "MALFORMED"),
        (end(8785), 8, "MALFORMED"),
        (end(72, kind=1), 8, "MALFORMED"),
        (end(72, version=0), 8, "MALFORMED"),
        (document(struct.pack("<HB", 72, 0), kind=4), 0, "MALFORMED"),
    ],
)
def test_a_door_and_the_page_alone_agree_on_what_ends_a_door(paper: bytes, newest: int, result: str) -> None:
    assert ended_by(paper, newest=newest) == result
    try:
        version = documents.parse(paper, DOOR, reader.public_key(SEED)).version
    except DocumentUnlike:
        believed = "MALFORMED"
    else:
        believed = "DONE" if version > newest else "STALE"
    assert believed == result


# What hides a document on its way, and what lock keeps

LOCK_ROOT = bytes(range(0x40, 0x60))


def envelope_of_the_page() -> bytes:
    return vector("Sealed to a door")


def sealed_result(paper: bytes, door: bytes = DOOR, root: bytes = LOCK_ROOT) -> str:
    try:
        inside = reader.open_envelope(paper, reader.document_private_key(root), door)
    except DocumentRefused as refused:
        return refused.result
    return result_of(inside, door)


def test_the_envelope_of_the_page_opens_and_holds_the_document_of_the_page() -> None:
    private = reader.document_private_key(LOCK_ROOT)
    assert reader.open_envelope(envelope_of_the_page(), private, DOOR) == vector("The signed document")
    stated, public = table("Sealed to a door"), reader.x25519(private)
    assert stated["private key"] == private.hex()
    assert stated["public key"] == public.hex()
    assert stated["fingerprint"] == reader.door_fingerprint(DOOR, public)


def test_an_envelope_with_any_byte_changed_is_refused_as_the_page_says() -> None:
    paper = envelope_of_the_page()
    changed = [paper[:at] + bytes([byte ^ 1 << at % 8]) + paper[at + 1 :] for at, byte in enumerate(paper)]
    assert [sealed_result(other) for other in changed[:13]] == ["MALFORMED"] * 5 + ["WRONG_DOOR"] * 8
    assert {sealed_result(other) for other in changed[13::7]} == {"UNSIGNED"}
    assert sealed_result(paper) == "DONE"
    assert sealed_result(paper, root=bytes(32)) == "UNSIGNED"
    assert sealed_result(paper[:61]) == sealed_result(paper.ljust(4097, b"\0")) == "MALFORMED"
    assert sealed_result(vector("The signed document")) == "MALFORMED"


def test_the_second_reader_opens_what_the_door_is_sent_and_what_lock_keeps(tmp_path: Path) -> None:
    key = DocumentKey.of(LOCK_ROOT)
    for content in (b"?", document(offer()), bytes(4035)):
        envelope = sealed_to(content, door_id=DOOR, document_key=key.public)
        assert reader.open_envelope(envelope, reader.document_private_key(LOCK_ROOT), DOOR) == content
    kept = TimetableFiles(tmp_path, key.kept)
    for number in (1, 500, 9999):
        kept.keep(frozenset(SlotBinding(slot, 7, slot % 255 + 1) for slot in range(1, number + 1)))
        for path in kept.paths:
            found = reader.read_timetables(path.read_bytes(), reader.timetables_key(LOCK_ROOT))
            assert found == tuple((slot, 7, slot % 255 + 1) for slot in range(1, number + 1))
    key_of_kept = reader.timetables_key(LOCK_ROOT)
    refuses(lambda file: reader.read_timetables(file, key_of_kept), resized(kept.paths[0].read_bytes()[:90]))
    assert f"`{reader.timetables_key(LOCK_ROOT).hex()}`" in section("What lock keeps of it")


def test_x25519_is_that_of_rfc_7748() -> None:
    """Section 5.2, the first vector."""
    scalar = bytes.fromhex("a546e36bf0527c9d3b16154b82465edd62144c0ac1fc5a18506a2244ba449ac4")
    point = bytes.fromhex("e6db6867583030db3594c1a424b15f7c726624ec26b3353b10a903a6d0ab1c4c")
    assert reader.x25519(scalar, point).hex() == "c3da55379de9c6908e94ea4df28d084f32eccf03491c71f754b4075577a28552"


# Wrong attempts


def attempts_page(sequence: int, *, place: int | None = None, door: int = 2) -> bytes:
    told = struct.pack("<QHH", sequence, door, 2) + struct.pack("<IHIH", 12, 1, 40, 5)
    header = struct.pack("<4sBBH", b"DWAT", 2, sequence % 2 if place is None else place, 0)
    return seal(reader.attempts_key(SEED), told.ljust(16336, b"\0"), header)


def read_attempts(file: bytes) -> reader.Attempts | None:
    return reader.read_attempts(file, reader.attempts_key(SEED))


def test_the_attempts_of_the_page_are_read() -> None:
    plain = vector("Wrong attempts").ljust(16336, b"\0")
    assert reader.read_page_plain(plain, 1) == reader.Attempts(9, 2, {12: 1, 40: 5})


@pytest.mark.parametrize(
    "told",
    [
        struct.pack("<QHH", 8, 0, 2721) + b"".join(struct.pack("<IH", slot, 1) for slot in range(1, 2721)),
        struct.pack("<QHHIH", 8, 0, 0, 12, 1),
        struct.pack("<QHHIHIH", 8, 0, 2, 40, 5, 12, 1),
        struct.pack("<QHHIHIH", 8, 0, 2, 12, 1, 12, 1),
        struct.pack("<QHHIH", 8, 0, 1, 0, 1),
        struct.pack("<QHHIH", 8, 0, 1, 12, 0),
        struct.pack("<QHH", 9, 0, 0),
        bytes(16337),
    ],
)
def test_attempts_that_say_what_the_page_forbids_are_refused_even_if_it_opens(told: bytes) -> None:
    with pytest.raises(Refused):
        reader.read_page_plain(told.ljust(16336, b"\0"), 0)


def test_the_whole_page_of_counts_is_the_one_of_the_page() -> None:
    rows, key = table("Wrong attempts"), reader.attempts_key(bytes(range(0x40, 0x60)))
    page = seal(key, vector("Wrong attempts").ljust(16336, b"\0"), b"DWAT\x02\x01\0\0")
    assert rows["first 64 bytes"] == page[:64].hex()
    assert rows["last 16 bytes"] == page[-16:].hex()
    assert rows["sha256 of all 16384"] == hashlib.sha256(page).hexdigest()
    assert reader.read_attempts(bytes(16384) + page + b"and more", key) == reader.Attempts(9, 2, {12: 1, 40: 5})
    assert reader.read_attempts(page + bytes(16384), key) is None


def test_the_whole_page_with_the_greater_sequence_counts() -> None:
    both = attempts_page(8) + attempts_page(9)
    assert len(both) == 2 * 16384
    torn = bytes([both[100] ^ 1])
    for file, sequence in (
        (both, 9),
        (attempts_page(10) + attempts_page(9), 10),
        (attempts_page(8) + bytes(16384), 8),
        (both[:100] + torn + both[101:], 9),
        (both[: 16384 + 100] + torn + both[16384 + 101 :], 8),
        (attempts_page(8) + attempts_page(10, place=1), 8),
    ):
        attempts = read_attempts(file)
        assert attempts is not None
        assert attempts.sequence == sequence


def test_without_a_whole_page_every_count_is_spent() -> None:
    for file in (b"", bytes(32768), attempts_page(9) + attempts_page(8), attempts_page(8)[:-1]):
        assert read_attempts(file) is None
    assert reader.read_attempts(attempts_page(8), reader.attempts_key(ZEROS)) is None


# What leaves the door


def messages() -> list[bytes]:
    (text,) = re.findall(r"^```json\n(.*?)^```", section("What leaves the door"), re.MULTILINE | re.DOTALL)
    return [line.encode().ljust(384) for line in str(text).splitlines()]


def test_the_report_and_the_alarm_of_the_page_are_read() -> None:
    report, at_home, alarm = map(reader.read_envelope, messages())
    well = ("lock", "vault", "keeper", "bolt", "storage", "cert")
    health = dict.fromkeys(well, True) | {"alarm": False, "retired": False}
    run = bytes.fromhex("0badcafe")
    assert report == reader.Envelope("report", DOOR, run, 1, "0.1.0", 0, health, 8, 41, report.sealed)
    openly = health | {"camera": True, "lockout": False}
    assert at_home == reader.Envelope("report", DOOR, run, 1, "0.1.0", 0, openly, docs=8)
    assert alarm == reader.Envelope("alarm", DOOR, run, 2, "0.1.0", 0, None, sealed=alarm.sealed)
    holder = SealedBox(PrivateKey(bytes(range(32))))
    assert reader.read_reason(holder.decrypt(alarm.sealed)) == 10
    assert reader.read_flags(holder.decrypt(report.sealed)) == (False, True)
    refuses(reader.read_flags, iter([holder.decrypt(alarm.sealed)]))
    refuses(reader.read_reason, iter([holder.decrypt(report.sealed)]))


def test_flags_that_the_page_does_not_know_are_refused() -> None:
    opened = bytes((254, 1, 0)).ljust(16, b"\0")
    assert reader.read_flags(opened) == (True, False)
    wrong = [opened[:-1], opened + b"\0", opened[:-1] + b"\1", bytes(16), b"\xfe\2" + bytes(14), b"\xff\1" + bytes(14)]
    refuses(reader.read_flags, iter(wrong))


def test_the_test_alarm_of_the_page_says_that_nothing_has_happened() -> None:
    (tested,) = re.findall(r"^`([0-9A-Za-z+/=]{88})`$", section("What leaves the door"), re.MULTILINE)
    opened = SealedBox(PrivateKey(bytes(range(32)))).decrypt(base64.b64decode(tested))
    assert reader.read_reason(opened) is None
    wrong = [opened[:-1], opened + b"\0", opened[:-1] + b"\1", bytes(16), bytes((17,)).ljust(16, b"\0")]
    refuses(reader.read_reason, iter(wrong))


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ('"v":2', '"v":1'),
        ('"v":2', '"v":true'),
        ('"v":2', '"v":2,"v":2'),
        ('"v":2', '"v":2,"time":1900000000'),
        ('"v":2,', ""),
        ('"docs":8', '"docs":-1'),
        ('"docs":8', '"docs":4294967296'),
        ('"count":41', '"count":-10000'),
        ('"count":41', '"count":100000'),
        ('"count":41', '"count":true'),
        ('"count":41,', ""),
        ('"storage":true', '"storage":1'),
        ('"sealed":"3H3', '"sealed":"3H'),
        ('"sealed":"3H3', '"sealed":"3\\u00e93'),
        ('"sealed":"3H3', '"reason":"3H3'),
        ('"sealed":"3H3', '"camera":true,"lockout":false,"sealed":"3H3'),
        ('"sealed":"3H3', '"camera":true,"sealed":"3H3'),
        ('"cert":true', '"cert":true,"reason":""'),
        ('"seq":1', '"seq":0'),
        ('"seq":1', '"seq":4294967296'),
        ('"sw":"0.1.0"', '"sw":""'),
        ('"sw":"0.1.0"', '"sw":"0.1.0-rc"'),
        ('"sw":"0.1.0"', '"sw":"00000000000000000"'),
        ('"dropped":0', '"dropped":65536'),
        ('"dropped":0', '"dropped":-1'),
        ('"lock":true', '"lock":1'),
        ('"kind":"report"', '"kind":"alarm"'),
        ('"kind":"report"', '"kind":"news"'),
        ('"sw":"0.1.0"', '"sw":1'),
        ("0badcafe", "0badcaf"),
        ("{", "[{"),
        ("}", "}{}"),
        ("}", "}\n"),
        ("{", ' {"'),
    ],
)
def test_a_message_says_exactly_what_the_page_lets_it_say(old: str, new: str) -> None:
    text = messages()[0].rstrip().decode()
    assert old in text
    refuses(reader.read_envelope, iter([text.replace(old, new).encode().ljust(384)]))


@pytest.mark.parametrize("new", ['"lockout":null', '"lockout":1', '"lock out":false'])
def test_a_home_says_exactly_what_the_page_lets_it_say(new: str) -> None:
    text = messages()[1].rstrip().decode()
    refuses(reader.read_envelope, iter([text.replace('"lockout":false', new).encode().ljust(384)]))


def test_the_order_of_a_message_and_its_blanks_mean_nothing() -> None:
    said = json.loads(messages()[1])
    written = json.dumps(dict(reversed(said.items())), separators=(" , ", " : ")).encode().ljust(384)
    assert reader.read_envelope(written) == reader.read_envelope(messages()[1])


def test_a_message_of_another_kind_is_refused() -> None:
    alarm = messages()[2]
    refuses(reader.read_envelope, iter([alarm.replace(b'"alarm"', b'"alert"'), alarm.replace(b'"alarm"', b"7      ")]))


def test_a_message_of_another_size_is_refused() -> None:
    refuses(reader.read_envelope, resized(messages()[0]))


# The whole vault of the page

WHOLE = "A whole vault, to try a reader on"


def whole_vault() -> tuple[dict[str, bytes], bytes, bytes, bytes]:
    """The files by name, the root key, the door and the model."""
    files = {}
    for name, size, text in re.findall(r"`([\w.]+)`, (\d+) bytes:\n\n```text\n(.*?)```", section(WHOLE), re.DOTALL):
        files[name] = bytes.fromhex(text)
        assert len(files[name]) == int(size)
    rows = table(WHOLE)
    root, door, model = (bytes.fromhex(rows[what]) for what in ("root key", "door", "model"))
    return files, root, door, model


def test_the_whole_vault_of_the_page_opens_from_the_root_key_to_the_template() -> None:
    files, root, door, model = whole_vault()
    must = table(WHOLE)
    opened = reader.open_store(files, root, door, FACE, model)
    (entry,) = opened.ring.records
    face = reader.read_face(opened.payloads[entry.slot])
    assert opened.refused == {}
    assert opened.epoch_key.hex() == must["epoch key"]
    assert opened.ring.generation == int(must["generation of the ring"])
    assert opened.ring.secret.hex() == must["secret"]
    assert entry.slot == int(must["slot"])
    assert entry.generation == int(must["generation of the record"])
    assert entry.key.hex() == must["key of the record"]
    assert entry.consent.hex() == must["consent in the ring"]
    assert set(files) == {"epoch.key", "ring.b", entry.file_name}
    yes_or_no = {True: "yes", False: "no"}
    assert f"{yes_or_no[face.paused]}, {yes_or_no[face.under_14]}" == must["paused, under 14"]
    assert face.frames == int(must["frames"])
    assert face.enrolled_day == int(must["enrolled_day"])
    assert face.rotation.hex() == must["rotation"]
    assert face.tenancy.hex() == must["tenancy"]
    assert face.ends_unix == int(must["ends_unix"])
    assert face.consent.door_key.hex() == must["consent record: door key"]
    assert face.consent.consent_id.hex() == must["consent record: consent id"]
    agreed = f"{face.consent.day}, {yes_or_no[face.consent.under_14]}"
    assert agreed == must["consent record: day, under 14"]
    stored = [float(number) for number in must["template as stored, numbers 1, 2, 3"].split(", ")]
    assert face.template[:3] == pytest.approx(stored, abs=5e-8)
    assert np.abs(reader.template_of(face, opened.ring.secret) - X).max() < 1e-7


def test_the_consent_in_the_whole_vault_is_the_doors_and_to_the_terms_of_the_page() -> None:
    files, root, door, model = whole_vault()
    opened = reader.open_store(files, root, door, FACE, model)
    (entry,) = opened.ring.records
    consent = reader.read_face(opened.payloads[entry.slot]).consent
    assert consent.door == door
    assert consent.door_key == reader.public_key(reader.signing_seed(root))
    assert consent.terms == terms_of_the_page(model)
    assert consent.terms.hash == entry.consent


def test_a_face_that_does_not_agree_with_its_ring_or_its_door_is_noticed() -> None:
    files, root, door, model = whole_vault()
    opened = reader.open_store(files, root, door, FACE, model)
    (entry,) = opened.ring.records
    face, secret = reader.read_face(opened.payloads[entry.slot]), opened.ring.secret
    key = reader.public_key(reader.signing_seed(root))
    reader.check_face(face, entry, secret, door, key)
    for wrong in (
        (replace(face, under_14=True), entry, secret, door, key),
        (replace(face, covered=True), entry, secret, door, key),
        (replace(face, enrolled_day=face.consent.day + 1), entry, secret, door, key),
        (face, replace(entry, consent=SEED), secret, door, key),
        (face, entry, SEED, door, key),
        (face, entry, secret, bytes(8), key),
        (face, entry, secret, door, reader.public_key(SEED)),
    ):
        with pytest.raises(Refused):
            reader.check_face(*wrong)


def open_wholly(files: Mapping[str, bytes], root: bytes, door: bytes, kind: int, model: bytes) -> reader.Opened:
    """Open a folder in which every record must open."""
    opened = reader.open_store(files, root, door, kind, model)
    if opened.refused:
        raise Refused("; ".join(opened.refused.values()))
    return opened


@pytest.mark.exhaustive(3)
@pytest.mark.parametrize("change", [flipped, resized, exchanged], ids=lambda change: str(change.__name__))
@pytest.mark.parametrize("name", sorted(whole_vault()[0]))
def test_the_whole_vault_with_any_byte_of_any_file_changed_is_refused(
    name: str, change: Callable[[bytes], Iterator[bytes]]
) -> None:
    files, root, door, model = whole_vault()
    tried = 0
    for changed in change(files[name]):
        with pytest.raises(Refused):
            open_wholly(files | {name: changed}, root, door, FACE, model)
        tried += 1
    assert tried >= len(files[name])


def test_the_whole_vault_with_two_files_exchanged_or_one_away_is_refused() -> None:
    files, root, door, model = whole_vault()
    names = sorted(files)
    for one, other in zip(names, names[1:] + names[:1], strict=True):
        wrong = [files | {one: files[other], other: files[one]}, files | {one: files[other]}]
        wrong.append({name: content for name, content in files.items() if name != one})
        for changed in wrong:
            with pytest.raises(Refused):
                open_wholly(changed, root, door, FACE, model)


def test_the_whole_vault_is_of_this_root_key_door_model_and_kind() -> None:
    files, root, door, model = whole_vault()
    for other in ((ZEROS, door, FACE, model), (root, bytes(8), FACE, model)):
        with pytest.raises(Refused):
            open_wholly(files, *other)
    for other in ((root, door, PIN, model), (root, door, FACE, ZEROS)):
        with pytest.raises(Refused):
            open_wholly(files, *other)


def test_a_face_of_another_secret_is_not_turned_back() -> None:
    files, root, door, model = whole_vault()
    opened = reader.open_store(files, root, door, FACE, model)
    face = reader.read_face(opened.payloads[307])
    with pytest.raises(Refused, match="another secret"):
        reader.template_of(face, SEED)


# A vault that the door's own code writes

ROOT = bytes(range(0x80, 0xA0))
MODEL = bytes(range(0xC0, 0xE0))
TERMS = reader.Terms(*(bytes([number]) * 32 for number in range(1, 6)))
FIRST, SECOND = X, X[::-1].copy()


def face_payload(vector_of_face: reader.Matrix, secret: bytes) -> bytes:
    agreed = struct.pack("<4sB8s16sIB", b"DWCS", 1, DOOR, SEED[:16], 20000, 0)
    parts = (TERMS.notice, TERMS.purpose, TERMS.retention, TERMS.model, TERMS.threshold_class)
    seed = reader.signing_seed(ROOT)
    consent = sign(reader.CONSENT_PREFIX, agreed + b"".join(parts) + reader.public_key(seed), seed)
    template = reader.turn(reader.rotation(secret), vector_of_face).tobytes()
    head = struct.pack("<4BI8s16sq", 2, 0, 4, 0, 20000, reader.rotation_tag(secret), SEED[16:], 0)
    return head + consent + bytes(2) + template


def turn_anew(payload: bytes, old_secret: bytes, new_secret: bytes) -> bytes:
    """What a rekey does to a face."""
    template = reader.template_of(reader.read_face(payload), old_secret)
    return face_payload(template.astype(np.float64), new_secret)


def contents(folder: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in folder.iterdir()}


def open_real(files: Mapping[str, bytes]) -> reader.Opened:
    return reader.open_store(files, ROOT, DOOR, FACE, MODEL)


def made_by_the_door(folder: Path) -> SealedStore:
    folder.mkdir(mode=0o700)
    return SealedStore.open(folder, FileKeyStore(folder / "epoch.key", ROOT), Binding(DOOR, "face", MODEL))


def test_what_the_doors_own_store_seals_opens_from_the_page_alone(tmp_path: Path) -> None:
    folder = tmp_path / "vault"
    store = made_by_the_door(folder)
    store.put(12, face_payload(FIRST, store.secret), TERMS.hash)
    store.put(40, face_payload(SECOND, store.secret), TERMS.hash)
    two = open_real(contents(folder))
    assert two.ring.secret == store.secret
    assert dict(two.payloads) == {
        12: face_payload(FIRST, store.secret),
        40: face_payload(SECOND, store.secret),
    }

    store.remove(12)
    one = open_real(contents(folder))
    assert dict(one.payloads) == {40: face_payload(SECOND, store.secret)}
    assert one.epoch_key != two.epoch_key

    store.rekey(turn_anew)
    files = contents(folder)
    last = open_real(files)
    (entry,) = last.ring.records
    assert (entry.slot, entry.consent) == (40, TERMS.hash)
    assert entry.generation == last.ring.generation > one.ring.generation > two.ring.generation
    assert last.ring.secret == store.secret != one.ring.secret
    face = reader.read_face(last.payloads[40])
    assert np.abs(reader.template_of(face, store.secret) - SECOND).max() < 2e-7
    assert face.consent.terms.hash == entry.consent
    assert face.consent.door_key == reader.public_key(reader.signing_seed(ROOT))
    rings = {"ring.a", "ring.b"} & set(files)
    assert len(rings) == 1
    assert set(files) == {"epoch.key", *rings, entry.file_name}


def test_what_the_doors_own_store_replaced_does_not_open_with_its_files_of_today(tmp_path: Path) -> None:
    folder = tmp_path / "vault"
    store = made_by_the_door(folder)
    store.put(12, face_payload(FIRST, store.secret), TERMS.hash)
    store.put(40, face_payload(SECOND, store.secret), TERMS.hash)
    before = contents(folder)
    entries = {entry.slot: entry.file_name for entry in open_real(before).ring.records}
    one, other = entries[12], entries[40]
    exchanged_files = open_real(before | {one: before[other], other: before[one]})
    assert (set(exchanged_files.payloads), set(exchanged_files.refused)) == (set(), {12, 40})
    store.remove(12)
    after = contents(folder)
    assert one not in after
    with_the_old_file = open_real(after | {one: before[one]})
    assert set(with_the_old_file.payloads) == {40}
    old_rings = {name: content for name, content in before.items() if name.startswith("ring.")}
    records = {name: content for name, content in (before | after).items() if name.endswith(".rec")}
    with pytest.raises(Refused, match="no ring opens"):
        open_real(records | old_rings | {"epoch.key": after["epoch.key"]})
    assert set(open_real(before).payloads) == {12, 40}
