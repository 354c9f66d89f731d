"""A second reader for what a door seals and signs, written from docs/formats.md alone.

It keeps these rules:

- It knows the page and nothing of the door's code: it imports none of it, and whoever changes the page changes this.
- It shares no cryptography with the door: pycryptodome for sealed boxes and Ed25519, hashlib for BLAKE2b and SHAKE-256,
  numpy for the rotation, and X25519, HSalsa20 and Poly1305 written out here.
- It reads and never writes. Bytes come in, frozen values go out, or `Refused` is raised with a sentence.
- What the page does not allow is refused: another version, a zero that is none, a byte too many.
"""

import base64
import binascii
import hashlib
import json
import math
import re
import struct
from collections.abc import Mapping
from dataclasses import dataclass
from enum import Enum
from typing import Final

import numpy as np
import numpy.typing as npt
from Crypto.Cipher import ChaCha20_Poly1305, Salsa20
from Crypto.PublicKey.ECC import EccKey
from Crypto.Signature import eddsa

FACE: Final = 1
PIN: Final = 2

CONSENT_PREFIX: Final = b"doorward consent record\0"
COVERED_PREFIX: Final = b"doorward covered consent\0"
RECEIPT_PREFIX: Final = b"doorward receipt of erasure\0"
END_PREFIX: Final = b"doorward end of a door\0"
DOCUMENT_PREFIX: Final = b"doorward signed document\0"

DIMENSIONS: Final = 128
LATEST_END: Final = 100_000_000_000
HIGHEST_SLOT: Final = 9999
LEAST_NOTICE: Final = 72
LONGEST_NOTICE: Final = 8784
HIGHEST_DROPPED: Final = 65535
ENVELOPE_SIZE: Final = 384

_NONCE = 24
_TAG = 16
_HEADER = 8
_CONSENT_SIZE = 290
_RECEIPT_SIZE = 178
_END_SIZE = 115
_PAGE_SIZE = 16384
_PAGE_PLAIN = 16336
_COFACTOR = 8
_POINT = 32
_BASE = bytes.fromhex("58" + "66" * 31)
_ORDER = 2**252 + 27742317777372353535851937790883648493
_OFFER_DATAGRAM = 75
_DOCUMENT_LOWEST = 91
_DOCUMENT_HIGHEST = 4035
_ENVELOPE_LOWEST = 62
_ENVELOPE_HIGHEST = 4096
_BOX_OVERHEAD = 48
_TIMETABLES_PAGE = 4096
_LENGTH_TOLERANCE = 1e-3
_HIGHEST_SEQ = 2**32 - 1

_RING_HEAD = struct.Struct("<QI4s32s")
_RING_ENTRY = struct.Struct("<IQ16s32s32s")
_FACE_HEAD = struct.Struct("<4BI8s16sq290sH512s")
_PIN_PAYLOAD = struct.Struct("<BBI16sqqq16s32s32s56s32sQ40s16s32s")
_CONSENT = struct.Struct("<4sB8s16sIB32s32s32s32s32s32s64s")
_RECEIPT = struct.Struct("<4sB8s16s32s16sIB32s64s")
_END = struct.Struct("<4sB8sIBB32s64s")
_DOCUMENT_HEAD = struct.Struct("<4sB8sBIq")
_OFFER = struct.Struct("<IIqqB16s32s")
_NOTICE = struct.Struct("<H")
_ENVELOPE = struct.Struct("<4sB8s")
_TIMETABLES_HEAD = struct.Struct("<4sB3sI")
_TIMETABLES_ENTRY = struct.Struct("<IIB")
_ATTEMPTS_HEAD = struct.Struct("<QHH")
_ATTEMPTS_SLOT = struct.Struct("<IH")

Vector = npt.NDArray[np.float32]
Matrix = npt.NDArray[np.float64]


class Refused(Exception):
    """These bytes are not what the page describes, or not what they were sealed or signed as."""


class DocumentRefused(Refused):
    """A signed document that does not count, with the name of the Result that the page gives for it."""

    def __init__(self, result: str, why: str) -> None:
        super().__init__(f"{result}: {why}")
        self.result = result


def _demand(fulfilled: bool, otherwise: str) -> None:
    if not fulfilled:
        raise Refused(otherwise)


def _is_zero(data: bytes) -> bool:
    return not any(data)


# Hashes and keys


def blake2b(personal: str, data: bytes = b"", key: bytes = b"", size: int = 32) -> bytes:
    """Hash with a personalisation that is filled up to 16 bytes with NUL; 32 bytes unless said otherwise."""
    person = personal.encode("ascii").ljust(16, b"\0")
    return hashlib.blake2b(data, digest_size=size, key=key, person=person).digest()


def signing_seed(root_key: bytes) -> bytes:
    """Derive the Ed25519 seed of what a door signs from the root key of its vault."""
    return blake2b("doorward signing", key=root_key)


def public_key(seed: bytes) -> bytes:
    """Derive the Ed25519 public key of a seed."""
    point = eddsa.import_private_key(seed).pointQ
    return (int(point.y) | (int(point.x) & 1) << 255).to_bytes(32, "little")


def pepper(keeper_root_key: bytes) -> bytes:
    """Derive the key that PIN verifiers are hashed with."""
    return blake2b("doorward pepper", key=keeper_root_key)


def keeper_ring_key(keeper_root_key: bytes) -> bytes:
    """Derive what keeper's epoch key is sealed under, in the place of vault's root key."""
    return blake2b("doorward ring", key=keeper_root_key)


def attempts_key(keeper_root_key: bytes) -> bytes:
    """Derive what the count of wrong attempts is sealed under."""
    return blake2b("doorward tries", key=keeper_root_key)


def counts_key(keeper_root_key: bytes) -> bytes:
    """What the counters of cards are sealed under."""
    return blake2b("doorward counts", key=keeper_root_key)


def cards_key(keeper_root_key: bytes) -> bytes:
    """Of which the first 16 bytes are the master key of cards."""
    return blake2b("doorward cards", key=keeper_root_key)


# Sealed boxes


def open_box(key: bytes, box: bytes, additional: bytes) -> bytes:
    """Open XChaCha20-Poly1305-IETF: nonce, ciphertext, tag."""
    _demand(len(box) >= _NONCE + _TAG, "too short for a sealed box")
    cipher = ChaCha20_Poly1305.new(key=key, nonce=box[:_NONCE])
    cipher.update(additional)
    try:
        return cipher.decrypt_and_verify(box[_NONCE:-_TAG], box[-_TAG:])
    except ValueError as wrong:
        raise Refused("the box does not open: another key, other additional data, or other bytes") from wrong


def epoch_key(file: bytes, root_key: bytes) -> bytes:
    """Open `epoch.key`; keeper's with `keeper_ring_key` instead of a root key."""
    _demand(len(file) == _HEADER + _NONCE + 32 + _TAG, "an epoch key file has 80 bytes")
    _demand(file[:_HEADER] == b"DWEK\x01\0\0\0", "no epoch key file of version 1")
    return open_box(root_key, file[_HEADER:], file[:_HEADER])


def epoch_key_of_index(contents: bytes, handle: int, root_key: bytes) -> bytes:
    """Open the contents of a TPM's NV index; keeper's with `keeper_ring_key` instead of a root key."""
    _demand(len(contents) == _HEADER + _NONCE + 32 + _TAG, "an epoch key in a TPM has 80 bytes")
    _demand(contents[:_HEADER] == b"DWNV\x01\0\0\0", "no epoch key in a TPM of version 1")
    name = handle.to_bytes(4, "big")
    return open_box(blake2b("doorward nv seal", name, key=root_key), contents[_HEADER:], contents[:_HEADER] + name)


def index_authorisation(handle: int, root_key: bytes) -> str:
    """Derive the value that authorises a TPM's NV index: 32 characters."""
    value = blake2b("doorward nv auth", handle.to_bytes(4, "big"), key=root_key, size=24)
    return base64.urlsafe_b64encode(value).decode("ascii")


# Ring and records


@dataclass(frozen=True)
class Entry:
    """What a ring says of one record."""

    slot: int
    generation: int
    file_id: bytes
    key: bytes
    consent: bytes

    @property
    def file_name(self) -> str:
        """How the record's file is called."""
        return f"{self.file_id.hex()}.rec"


@dataclass(frozen=True)
class Ring:
    """Which records there are."""

    generation: int
    secret: bytes
    records: tuple[Entry, ...]


def read_ring(file: bytes, key: bytes, door: bytes, kind: int) -> Ring:
    """Open a ring of this door under an epoch key, and read it."""
    return parse_ring(open_ring(file, key, door, kind))


def open_ring(file: bytes, key: bytes, door: bytes, kind: int) -> bytes:
    """Open the box of a ring."""
    _demand(file[:_HEADER] == struct.pack("<4sBBH", b"DWRG", 2, kind, 0), "no ring of version 2 and this kind")
    return open_box(key, file[_HEADER:], file[:_HEADER] + door)


def parse_ring(plain: bytes) -> Ring:
    """Read what the box of a ring holds."""
    _demand(len(plain) >= _RING_HEAD.size, "the ring has no head")
    generation, count, zeros, secret = _RING_HEAD.unpack_from(plain)
    _demand(_is_zero(zeros), "the ring's zeros are none")
    _demand(len(plain) == _RING_HEAD.size + count * _RING_ENTRY.size, "the ring holds another number of records")
    entries = tuple(Entry(*fields) for fields in _RING_ENTRY.iter_unpack(plain[_RING_HEAD.size :]))
    slots = [entry.slot for entry in entries]
    _demand(slots == sorted(set(slots)), "slots do not ascend")
    _demand(len({entry.file_id for entry in entries}) == count, "one file twice")
    _demand(all(entry.generation <= generation for entry in entries), "a record is newer than its ring")
    return Ring(generation, secret, entries)


def open_record(file: bytes, entry: Entry, door: bytes, kind: int, model: bytes) -> bytes:
    """Open the record that a ring's entry names, and return its payload; `model` is zeros for PINs."""
    _demand(entry.slot != 0, "slot 0 is nobody")
    header = file[:_HEADER]
    _demand(header == struct.pack("<4sBBH", b"DWRC", 2, kind, 0), "no record of version 2 and this kind")
    named = struct.pack("<8s8sI4xQ16s", header, door, entry.slot, entry.generation, entry.file_id)
    return open_box(entry.key, file[_HEADER:], named + model + entry.consent)


@dataclass(frozen=True)
class Opened:
    """A store from its epoch key to its payloads."""

    epoch_key: bytes
    ring: Ring
    payloads: Mapping[int, bytes]
    """By slot, of every record that opened."""
    refused: Mapping[int, str]
    """By slot, why a record did not open; the others count all the same."""


def open_store(files: Mapping[str, bytes], sealing_key: bytes, door: bytes, kind: int, model: bytes) -> Opened:
    """Open a folder, given as the contents of its files by name.

    `sealing_key` is what the epoch key is sealed under. Files that the ring does not name are nobody's; a record that
    it names and whose file is missing or does not open is refused alone.
    """
    _demand("epoch.key" in files, "there is no epoch key")
    epoch = epoch_key(files["epoch.key"], sealing_key)
    ring = ring_in_force(files, epoch, door, kind)
    payloads, refused = {}, {}
    for entry in ring.records:
        try:
            _demand(entry.file_name in files, "a record that the ring names is not there")
            payloads[entry.slot] = open_record(files[entry.file_name], entry, door, kind, model)
        except Refused as why:
            refused[entry.slot] = str(why)
    return Opened(epoch, ring, payloads, refused)


def ring_in_force(files: Mapping[str, bytes], epoch: bytes, door: bytes, kind: int) -> Ring:
    """Open the first of `ring.a` and `ring.b` that opens under the epoch key; then it must make sense."""
    for name in ("ring.a", "ring.b"):
        try:
            plain = open_ring(files.get(name, b""), epoch, door, kind)
        except Refused:
            continue
        return parse_ring(plain)
    raise Refused("no ring opens under the epoch key")


# Signatures


def verify(key: bytes, prefix: bytes, content: bytes, signature: bytes) -> None:
    """Verify Ed25519 over the prefix and the content, as the page says: without the cofactor.

    pycryptodome decodes and adds the points; its own verifier multiplies by the cofactor, and takes more.
    """
    _demand(len(signature) == 2 * _POINT, "a signature has 64 bytes")
    nonce, number = signature[:_POINT], int.from_bytes(signature[_POINT:], "little")
    _demand(number < _ORDER, "the number in the signature is not reduced")
    signer, random, base = (_point(spelled).pointQ for spelled in (key, nonce, _BASE))
    challenge = int.from_bytes(hashlib.sha512(nonce + key + prefix + content).digest(), "little") % _ORDER
    _demand(
        base * number == random + signer * challenge,
        "the signature is not that of this key over these bytes",
    )


def _point(spelled: bytes) -> EccKey:
    """Decode a point that is on the curve, in its one spelling, and not of small order."""
    _demand(len(spelled) == _POINT, "a point of Ed25519 has 32 bytes")
    try:
        point = eddsa.import_public_key(spelled)
    except ValueError as wrong:
        raise Refused("no point, or not in its one spelling") from wrong
    _demand(not (point.pointQ * _COFACTOR).is_point_at_infinity(), "a point of small order")
    return point


class KeyPlace(Enum):
    """Where an epoch key lived."""

    FILE_HOST_KEY = 1
    FILE_TPM2_CREDENTIAL = 2
    TPM_NV = 3


@dataclass(frozen=True)
class Terms:
    """The five parts of what somebody agreed to, as hashes."""

    notice: bytes
    purpose: bytes
    retention: bytes
    model: bytes
    threshold_class: bytes

    @property
    def hash(self) -> bytes:
        """The hash of the terms."""
        parts = (self.notice, self.purpose, self.retention, self.model, self.threshold_class)
        return blake2b("doorward-terms", b"".join(parts))


def hash_part(*pieces: bytes) -> bytes:
    """Hash one part of the terms over all its pieces."""
    return blake2b("doorward-consent", b"".join(struct.pack("<I", len(piece)) + piece for piece in pieces))


@dataclass(frozen=True)
class Consent:
    """That somebody agreed at this door to these terms."""

    door: bytes
    consent_id: bytes
    day: int
    under_14: bool
    terms: Terms
    door_key: bytes
    covered: bool = False


def read_consent(paper: bytes) -> Consent:
    """Verify a consent record; that its key is the door's is for the caller to compare."""
    _demand(len(paper) == _CONSENT_SIZE, "a consent record has 290 bytes")
    magic, version, door, consent_id, day, under_14, *hashes, door_key, signature = _CONSENT.unpack(paper)
    _demand(magic == b"DWCS" and version in (1, 2), "no consent record of version 1 or 2")
    _demand(under_14 in (0, 1), "neither yes nor no")
    prefix = CONSENT_PREFIX if version == 1 else COVERED_PREFIX
    verify(door_key, prefix, paper[: -len(signature)], signature)
    return Consent(door, consent_id, day, under_14 == 1, Terms(*hashes), door_key, version == 2)


@dataclass(frozen=True)
class Receipt:
    """That a record was erased at this door."""

    door: bytes
    record_id: bytes
    mark: bytes
    consent_id: bytes
    day: int
    key_place: KeyPlace
    door_key: bytes


def read_receipt(paper: bytes) -> Receipt:
    """Verify a receipt; that its key is the door's is for the caller to compare."""
    _demand(len(paper) == _RECEIPT_SIZE, "a receipt has 178 bytes")
    magic, version, door, record_id, mark, consent_id, day, place, door_key, signature = _RECEIPT.unpack(paper)
    _demand((magic, version) == (b"DWRT", 1), "no receipt of version 1")
    _demand(place in {known.value for known in KeyPlace}, "no place for keys has this number")
    verify(door_key, RECEIPT_PREFIX, paper[: -len(signature)], signature)
    return Receipt(door, record_id, mark, consent_id, day, KeyPlace(place), door_key)


@dataclass(frozen=True)
class End:
    """That everything of its residents was destroyed at this door, for good."""

    door: bytes
    day: int
    faces: KeyPlace
    pins: KeyPlace
    door_key: bytes


def read_end(paper: bytes) -> End:
    """Verify the receipt for the end of a door; that its key is the door's is for the caller to compare."""
    _demand(len(paper) == _END_SIZE, "a receipt for the end of a door has 115 bytes")
    magic, version, door, day, faces, pins, door_key, signature = _END.unpack(paper)
    _demand((magic, version) == (b"DWED", 1), "no receipt of version 1 for the end of a door")
    _demand({faces, pins} <= {known.value for known in KeyPlace}, "no place for keys has this number")
    verify(door_key, END_PREFIX, paper[: -len(signature)], signature)
    return End(door, day, KeyPlace(faces), KeyPlace(pins), door_key)


def mark_of(record: bytes) -> bytes:
    """What a receipt's mark must be for this record's file."""
    return record[8:40]


# Armour

_WORDS = {b"DWCS": "CONSENT", b"DWRT": "RECEIPT", b"DWED": "END OF DOOR"}
_ARMOUR = re.compile(r"-----BEGIN DOORWARD ([A-Z ]+)-----\n([A-Za-z0-9+/=\n]+)-----END DOORWARD \1-----\n?")


def armour(paper: bytes) -> str:
    """Write a paper as it is printed or mailed."""
    word = _WORDS[paper[:4]]
    letters = base64.b64encode(paper).decode("ascii")
    lines = [letters[at : at + 64] for at in range(0, len(letters), 64)]
    return "\n".join([f"-----BEGIN DOORWARD {word}-----", *lines, f"-----END DOORWARD {word}-----", ""])


def unarmour(text: str) -> bytes:
    """Take the first paper out of a text; it is not verified by this."""
    found = _ARMOUR.search(text.replace("\r\n", "\n"))
    if found is None:
        raise Refused("there is no paper in this text")
    letters = found[2].replace("\n", "")
    try:
        paper = base64.b64decode(letters, validate=True)
    except binascii.Error as wrong:
        raise Refused("the letters are no base64") from wrong
    _demand(base64.b64encode(paper).decode("ascii") == letters, "another spelling of the same bytes")
    _demand(_WORDS.get(paper[:4]) == found[1], "the lines name another paper than the one between them")
    return paper


# Payloads


@dataclass(frozen=True)
class Face:
    """What a face's record holds, the consent record verified."""

    paused: bool
    under_14: bool
    covered: bool
    frames: int
    worth: int
    mean: int
    sittings: int
    enrolled_day: int
    rotation: bytes
    tenancy: bytes
    ends_unix: int
    consent: Consent
    template: tuple[float, ...]


def read_face(payload: bytes) -> Face:
    """Read the payload of a face and verify the consent record in it."""
    _demand(len(payload) == _FACE_HEAD.size, "the payload of a face has 844 bytes")
    fields = _FACE_HEAD.unpack(payload)
    version, flags, frames, worth, day, rotation, tenancy, ends_unix, consent, mean, template = fields
    _demand(version == 2, "no payload of version 2")
    sittings = 1 + (flags >> 3)
    _demand(sittings <= 3, "a flag that nobody knows, or a fourth sitting")
    _demand(worth <= frames, "it counts for more pictures than were averaged")
    _demand(sittings == 1 or (sittings <= frames and mean > 0), "sittings that cannot be")
    _demand(not _is_zero(tenancy), "no tenancy")
    _demand(ends_unix >= 0, "an end before 1970")
    numbers = struct.unpack(f"<{DIMENSIONS}f", template)
    length = math.sqrt(math.fsum(number * number for number in numbers))
    _demand(abs(length - 1) <= _LENGTH_TOLERANCE, "the template's length is not 1")
    agreed = read_consent(consent)
    paused, under_14, covered = (bool(flags & bit) for bit in (1, 2, 4))
    return Face(
        paused, under_14, covered, frames, worth, mean, sittings, day, rotation, tenancy, ends_unix, agreed, numbers
    )


def check_face(face: Face, entry: Entry, secret: bytes, door: bytes, door_key: bytes) -> None:
    """Refuse a face that does not agree with itself, its ring or its door in all that the page names."""
    consent = face.consent
    _demand(face.rotation == rotation_tag(secret), "the face was turned with another secret")
    _demand(consent.terms.hash == entry.consent, "the ring binds the face to other terms than were agreed to")
    _demand((consent.door, consent.door_key) == (door, door_key), "somebody agreed at another door")
    _demand(consent.under_14 == face.under_14, "the face is a child's, or the agreement is for one, but not both")
    _demand(consent.covered == face.covered, "the face is a covered one, or the agreement is for one, but not both")
    _demand(consent.day >= face.enrolled_day, "the face was enrolled before anybody agreed")


class PinKind(Enum):
    """What a PIN's record holds."""

    INVITATION = 1
    PIN = 2
    ENDED = 3


@dataclass(frozen=True)
class Pin:
    """The payload of a PIN or an invitation."""

    kind: PinKind
    serial: int
    offer_id: bytes
    kept_unix: int
    expires_unix: int
    ends_unix: int
    salt: bytes
    verifier: bytes
    duress: bytes
    duress_box: bytes
    guest_key: bytes
    guest_used: frozenset[int]
    cards: bytes
    former_salt: bytes
    former: bytes


def read_pin(payload: bytes) -> Pin:
    """Read the payload of a PIN or an invitation."""
    _demand(len(payload) == _PIN_PAYLOAD.size, "the payload of a PIN has 310 bytes")
    version, kind, serial, offer_id, kept, expires, ends, *secrets = _PIN_PAYLOAD.unpack(payload)
    salt, verifier, duress, duress_box, guest_key, guest_used, cards, former_salt, former = secrets
    _demand(version == 4, "no payload of version 4")
    _demand(kind in {known.value for known in PinKind}, "no such kind of payload")
    _demand(PinKind(kind) is not PinKind.ENDED or _is_zero(salt + verifier), "ended, and yet there is something left")
    beside = _is_zero(duress + duress_box + guest_key + cards) and guest_used == 0
    _demand(PinKind(kind) is PinKind.PIN or beside, "something stands beside what is no PIN")
    _demand(_is_zero(duress_box) or not _is_zero(duress), "digits of a duress PIN, and no duress PIN")
    _demand(guest_used == 0 or not _is_zero(guest_key), "used codes of no key")
    before = _is_zero(former_salt + former)
    _demand(PinKind(kind) is not PinKind.ENDED or before, "ended, and yet something is known of what was before")
    _demand(_is_zero(former_salt) or not _is_zero(former), "the salt of nothing that was right before")
    _demand(ends >= 0, "an end before 1970")
    used = frozenset(number for number in range(64) if guest_used >> number & 1)
    return Pin(
        PinKind(kind),
        serial,
        offer_id,
        kept,
        expires,
        ends,
        salt,
        verifier,
        duress,
        duress_box,
        guest_key,
        used,
        cards,
        former_salt,
        former,
    )


def duress_digits(pin: Pin, slot: int, keeper_pepper: bytes, argon2id: bytes) -> str:
    """Open the digits of a duress PIN with the Argon2id of the PIN."""
    place = struct.pack("<I", slot)
    key = blake2b("doorward beside", place + argon2id, key=keeper_pepper)
    plain = open_box(key, pin.duress_box, place)
    _demand(len(plain) == 16, "the box holds 16 bytes")
    digits = plain.rstrip(b"\0")
    _demand(digits.isdigit(), "something else than digits")
    return digits.decode("ascii")


def offer_id(datagram: bytes) -> bytes:
    """Name an offer by its datagram, message 0x34; a face calls this its tenancy."""
    _demand(len(datagram) == _OFFER_DATAGRAM and datagram[:2] == b"\x03\x34", "no datagram of an offer")
    return blake2b("doorward offer", datagram, size=16)


def pin_verifier(keeper_pepper: bytes, slot: int, argon2id: bytes) -> bytes:
    """Derive what a PIN's payload holds from the Argon2id of its digits."""
    return blake2b("doorward pin v1", struct.pack("<I", slot) + argon2id, key=keeper_pepper)


# Rotation


def normal_numbers(secret: bytes) -> Matrix:
    """Draw the matrix N from a ring's secret."""
    count = DIMENSIONS * DIMENSIONS
    drawn = np.frombuffer(draw(secret, 8 * count), dtype="<u8")
    uniform = ((drawn >> np.uint64(11)) + np.uint64(1)).astype(np.float64) / 2.0**53
    radius = np.sqrt(-2.0 * np.log(uniform[: count // 2]))
    angle = 2.0 * np.pi * uniform[count // 2 :]
    normal = np.concatenate([radius * np.cos(angle), radius * np.sin(angle)])
    matrix: Matrix = normal.reshape(DIMENSIONS, DIMENSIONS)
    return matrix


def draw(secret: bytes, size: int) -> bytes:
    """Draw the bytes that the matrix is made of."""
    return hashlib.shake_256(b"doorward/template-rotation/matrix/1" + secret).digest(size)


def rotation(secret: bytes) -> Matrix:
    """Make the orthogonal matrix Q of a ring's secret."""
    orthogonal, upper = np.linalg.qr(normal_numbers(secret))
    turned: Matrix = orthogonal * np.sign(np.diag(upper))
    return turned


def rotation_tag(secret: bytes) -> bytes:
    """Name the rotation of a ring's secret."""
    return hashlib.shake_256(b"doorward/template-rotation/tag/1///" + secret).digest(8)


def _unit(vector: Matrix) -> Vector:
    return (vector / np.linalg.norm(vector)).astype(np.float32)


def turn(matrix: Matrix, vector: Matrix | Vector) -> Vector:
    """Turn a vector as a door turns its templates and probes."""
    return _unit(matrix @ vector.astype(np.float64))


def turn_back(matrix: Matrix, turned: Matrix | Vector) -> Vector:
    """Undo `turn`."""
    return _unit(matrix.T @ turned.astype(np.float64))


def template_of(face: Face, secret: bytes) -> Vector:
    """Turn the template of a face back; a face of another rotation is refused."""
    _demand(face.rotation == rotation_tag(secret), "the face was turned with another secret")
    return turn_back(rotation(secret), np.array(face.template, dtype=np.float32))


# The signed document


@dataclass(frozen=True)
class Offer:
    """A slot that may be taken by whoever shows the invitation."""

    slot: int
    serial: int
    expires_unix: int
    ends_unix: int
    timetable: int
    salt: bytes
    verifier: bytes


@dataclass(frozen=True)
class Document:
    """What a property manager says to a door."""

    door: bytes
    version: int
    issued_unix: int
    offers: tuple[Offer, ...]


@dataclass(frozen=True)
class Retirement:
    """For how many hours of its running time the door announces its end; 0: it does not end."""

    door: bytes
    version: int
    issued_unix: int
    notice_hours: int


def read_document(paper: bytes, key: bytes, door: bytes, newest: int = 0) -> Document:
    """Verify a signed document of offers for this door; `newest` is the version applied last, 0 if none was."""
    kind, version, issued, body = _verified(paper, key, door)
    if kind != 1 or version == 0 or not 0 <= issued <= LATEST_END or len(body) % _OFFER.size:
        raise DocumentRefused("MALFORMED", "not a list of offers")
    offers = tuple(Offer(*fields) for fields in _OFFER.iter_unpack(body))
    slots = [offer.slot for offer in offers]
    if slots != sorted(set(slots)) or not all(_offer_is_sound(offer, issued) for offer in offers):
        raise DocumentRefused("MALFORMED", "an offer out of order or out of bounds")
    if version <= newest:
        raise DocumentRefused("STALE", "not newer than what is applied")
    return Document(door, version, issued, offers)


def read_retirement(paper: bytes, key: bytes, door: bytes, newest: int = 0) -> Retirement:
    """Verify the document that announces this door's end, or takes that back; `newest` as in `read_document`."""
    kind, version, issued, body = _verified(paper, key, door)
    if kind != 4 or version == 0 or not 0 <= issued <= LATEST_END or len(body) != _NOTICE.size:
        raise DocumentRefused("MALFORMED", "not about the end of a door")
    (hours,) = _NOTICE.unpack(body)
    if hours != 0 and not LEAST_NOTICE <= hours <= LONGEST_NOTICE:
        raise DocumentRefused("MALFORMED", "announced for too short or too long")
    if version <= newest:
        raise DocumentRefused("STALE", "not newer than what is applied")
    return Retirement(door, version, issued, hours)


def _verified(paper: bytes, key: bytes, door: bytes) -> tuple[int, int, int, bytes]:
    """Verify what every kind of document has in common; its kind, version and date, and its body."""
    if not _DOCUMENT_LOWEST <= len(paper) <= _DOCUMENT_HIGHEST or paper[:4] != b"DWDC":
        raise DocumentRefused("MALFORMED", "no signed document")
    try:
        verify(key, DOCUMENT_PREFIX, paper[:-64], paper[-64:])
    except Refused as refused:
        raise DocumentRefused("UNSIGNED", str(refused)) from refused
    _, form, door_id, kind, version, issued = _DOCUMENT_HEAD.unpack_from(paper)
    if form != 3:
        raise DocumentRefused("MALFORMED", "no document of format 3")
    if door_id != door:
        raise DocumentRefused("WRONG_DOOR", "for another door")
    return kind, version, issued, paper[_DOCUMENT_HEAD.size : -64]


def _withdraws(offer: Offer) -> bool:
    beyond = (offer.expires_unix, offer.ends_unix, offer.timetable, *offer.salt, *offer.verifier)
    return not any(beyond)


def _offer_is_sound(offer: Offer, issued: int) -> bool:
    endless = offer.ends_unix == 0
    return (
        1 <= offer.slot <= HIGHEST_SLOT
        and offer.serial >= 1
        and (1 <= offer.expires_unix <= LATEST_END or _withdraws(offer))
        and (endless or issued < offer.ends_unix <= LATEST_END)
    )


# What hides a document on its way, and what lock keeps

_FIELD = 2**255 - 19


def document_private_key(lock_root_key: bytes) -> bytes:
    """Derive the X25519 private key that a door's documents are sealed to."""
    return blake2b("doorward sealed", key=lock_root_key)


def timetables_key(lock_root_key: bytes) -> bytes:
    """Derive the key under which lock keeps which slots have a timetable."""
    return blake2b("doorward hours", key=lock_root_key)


def door_fingerprint(door: bytes, document_key: bytes) -> str:
    """What two people compare of a door's public key."""
    digits = blake2b("doorward finger", door + document_key)[:10].hex()
    return " ".join(digits[at : at + 4] for at in range(0, 20, 4))


def x25519(scalar: bytes, point: bytes = bytes([9]) + bytes(31)) -> bytes:
    """Multiply a point of curve25519 by a clamped scalar: the ladder of RFC 7748, section 5."""
    clamped = (int.from_bytes(scalar, "little") & ~7 & (1 << 255) - 1) | 1 << 254
    base = int.from_bytes(point, "little") & (1 << 255) - 1
    x2, z2, x3, z3 = 1, 0, base, 1
    swap = 0
    for place in reversed(range(255)):
        bit = clamped >> place & 1
        if swap ^ bit:
            x2, z2, x3, z3 = x3, z3, x2, z2
        swap = bit
        plus, minus = x2 + z2, x2 - z2
        crossed, straight = (x3 - z3) * plus, (x3 + z3) * minus
        difference = plus * plus - minus * minus
        x3, z3 = (crossed + straight) ** 2 % _FIELD, base * (crossed - straight) ** 2 % _FIELD
        x2 = plus * plus * minus * minus % _FIELD
        z2 = difference * (plus * plus + 121665 * difference) % _FIELD
    if swap:
        x2, z2 = x3, z3
    return (x2 * pow(z2, _FIELD - 2, _FIELD) % _FIELD).to_bytes(32, "little")


def hsalsa20(key: bytes, sixteen: bytes) -> bytes:
    """Derive a key from a key and 16 bytes: Salsa20's rounds without the last addition."""
    constants = struct.unpack("<4I", b"expand 32-byte k")
    keys, words = struct.unpack("<8I", key), struct.unpack("<4I", sixteen)
    state = [constants[0], *keys[:4], constants[1], *words, constants[2], *keys[4:], constants[3]]
    columns = [(0, 4, 8, 12), (5, 9, 13, 1), (10, 14, 2, 6), (15, 3, 7, 11)]
    rows = [(0, 1, 2, 3), (5, 6, 7, 4), (10, 11, 8, 9), (15, 12, 13, 14)]
    for _ in range(10):
        for a, b, c, d in columns + rows:
            for target, one, other, turn_by in ((b, a, d, 7), (c, b, a, 9), (d, c, b, 13), (a, d, c, 18)):
                total = (state[one] + state[other]) & 0xFFFFFFFF
                state[target] ^= (total << turn_by | total >> 32 - turn_by) & 0xFFFFFFFF
    return struct.pack("<8I", *(state[at] for at in (0, 5, 10, 15, 6, 7, 8, 9)))


def open_secretbox(key: bytes, nonce: bytes, box: bytes) -> bytes:
    """Open XSalsa20-Poly1305: tag, ciphertext, under a nonce of 24 bytes."""
    _demand(len(box) >= _TAG, "too short for a secret box")
    stream = Salsa20.new(key=hsalsa20(key, nonce[:16]), nonce=nonce[16:])
    once = stream.encrypt(bytes(32))
    clamp = 0x0FFFFFFC0FFFFFFC0FFFFFFC0FFFFFFF
    factor, added = int.from_bytes(once[:16], "little") & clamp, int.from_bytes(once[16:], "little")
    total = 0
    for at in range(_TAG, len(box), 16):
        total = (total + int.from_bytes(box[at : at + 16] + b"\1", "little")) * factor % (2**130 - 5)
    tag = ((total + added) % 2**128).to_bytes(16, "little")
    _demand(tag == box[:_TAG], "the box does not open: another key, or other bytes")
    return stream.decrypt(box[_TAG:])


def open_sealed_box(private_key: bytes, box: bytes) -> bytes:
    """Open what was sealed to the public key of `private_key` by somebody who stays nameless."""
    _demand(len(box) >= _BOX_OVERHEAD, "too short for a sealed box")
    sender = box[:32]
    shared = x25519(private_key, sender)
    _demand(not _is_zero(shared), "a key with which nothing can be sealed")
    nonce = blake2b("", sender + x25519(private_key), size=24)
    return open_secretbox(hsalsa20(shared, bytes(16)), nonce, box[32:])


def open_envelope(paper: bytes, private_key: bytes, door: bytes) -> bytes:
    """Open an envelope to this door; the signed document in it, not verified yet."""
    if not _ENVELOPE_LOWEST <= len(paper) <= _ENVELOPE_HIGHEST or paper[:5] != b"DWDS\1":
        raise DocumentRefused("MALFORMED", "no envelope")
    if _ENVELOPE.unpack_from(paper)[2] != door:
        raise DocumentRefused("WRONG_DOOR", "for another door")
    try:
        return open_sealed_box(private_key, paper[_ENVELOPE.size :])
    except Refused as refused:
        raise DocumentRefused("UNSIGNED", str(refused)) from refused


def read_timetables(file: bytes, key: bytes) -> tuple[tuple[int, int, int], ...]:
    """Read slot, serial and timetable of each entry of `timetables.a` or `timetables.b`."""
    plain = open_secretbox(key, file[:_NONCE], file[_NONCE:])
    _demand(len(plain) % _TIMETABLES_PAGE == 0, "not whole pages")
    content, mark, rest = plain.rpartition(b"\x80")
    _demand(mark != b"" and _is_zero(rest), "no end of the entries")
    magic, version, zeros, count = _TIMETABLES_HEAD.unpack_from(content)
    _demand((magic, version, zeros) == (b"DWLT", 1, bytes(3)), "no timetables of version 1")
    _demand(len(content) == _TIMETABLES_HEAD.size + count * _TIMETABLES_ENTRY.size, "another number of entries")
    entries = tuple(_TIMETABLES_ENTRY.iter_unpack(content[_TIMETABLES_HEAD.size :]))
    _demand(list(entries) == sorted(set(entries)), "entries out of order")
    return entries


# Wrong attempts


@dataclass(frozen=True)
class Attempts:
    """How often somebody was wrong."""

    sequence: int
    door: int
    slots: Mapping[int, int]


def read_attempts(file: bytes, key: bytes) -> Attempts | None:
    """Read the page that counts; None means that every count is taken for spent."""
    whole = []
    for place in (0, 1):
        try:
            whole.append(_read_page(file[place * _PAGE_SIZE : (place + 1) * _PAGE_SIZE], place, key))
        except Refused:
            continue
    return max(whole, key=lambda attempts: attempts.sequence, default=None)


def _read_page(page: bytes, place: int, key: bytes) -> Attempts:
    _demand(len(page) == _PAGE_SIZE, "half a page")
    _demand(page[:_HEADER] == struct.pack("<4sBBH", b"DWAT", 2, place, 0), "no page of version 2 for this place")
    return read_page_plain(open_box(key, page[_HEADER:], page[:_HEADER]), place)


def read_page_plain(plain: bytes, place: int) -> Attempts:
    """Read what the box of a page holds."""
    _demand(len(plain) == _PAGE_PLAIN, "a page holds 16336 bytes")
    sequence, door, count = _ATTEMPTS_HEAD.unpack_from(plain)
    end = _ATTEMPTS_HEAD.size + count * _ATTEMPTS_SLOT.size
    _demand(end <= len(plain), "more slots than fit into a page")
    _demand(_is_zero(plain[end:]), "something behind the last slot")
    _demand(sequence % 2 == place, "a sequence in the place of the other")
    pairs = list(_ATTEMPTS_SLOT.iter_unpack(plain[_ATTEMPTS_HEAD.size : end]))
    slots = [slot for slot, _ in pairs]
    _demand(slots == sorted(set(slots)) and 0 not in slots, "slots do not ascend from 1")
    _demand(all(number > 0 for _, number in pairs), "a count of nothing")
    return Attempts(sequence, door, dict(pairs))


# What leaves the door


@dataclass(frozen=True)
class Envelope:
    """A report, or an alarm, which has no health. `sealed`: a reason, or two flags of the health; nothing at home."""

    kind: str
    door: bytes
    run: bytes
    seq: int
    sw: str
    dropped: int
    health: Mapping[str, bool] | None
    docs: int = 0
    count: int | None = None
    sealed: bytes = b""


_BOTH = ("v", "kind", "door", "run", "seq", "sw", "dropped")
_SOFTWARE = re.compile(r"[0-9A-Za-z.+]{1,16}")
_HEALTH = ("lock", "vault", "keeper", "bolt", "alarm", "storage", "cert", "retired")
_AT_HOME = ("camera", "lockout")
_NUMBERS = ("docs", "count")
_SEALED_SIZE = 64  # a sealed box of 16 bytes
_BOX_SIZE = 48  # what a sealed box adds
_LAST_KIND, _TWO_FLAGS, _A_TEST = 16, 254, 255


def read_envelope(message: bytes) -> Envelope:
    """Read a report or an alarm."""
    _demand(len(message) == ENVELOPE_SIZE, "a message has 384 bytes")
    written = message.rstrip(b" ")
    _demand(written[:1] == b"{" and written[-1:] == b"}", "not one JSON object and then spaces")
    try:
        said = json.loads(written.decode("utf-8"), object_pairs_hook=_distinct)
    except ValueError as wrong:
        raise Refused("not one JSON object and then spaces") from wrong
    kind = said.get("kind")
    _demand(kind in ("report", "alarm"), "neither a report nor an alarm")
    letters = "reason" if kind == "alarm" else "sealed"
    openly = () if letters in said else _AT_HOME
    health = (*_HEALTH, *openly) if kind == "report" else ()
    beside = (*_NUMBERS, *(() if openly else ("sealed",))) if kind == "report" else ("reason",)
    _demand(set(said) == {*_BOTH, *health, *beside}, "other keys than a message of this kind has")
    _demand(type(said["v"]) is int and said["v"] == 2, "no message of version 2")
    _demand(all(type(said[key]) is bool for key in health), "neither true nor false")
    _demand(type(said["seq"]) is int and 1 <= said["seq"] <= _HIGHEST_SEQ, "messages count from 1")
    _demand(type(said["dropped"]) is int and 0 <= said["dropped"] <= HIGHEST_DROPPED, "no such number was dropped")
    _demand(isinstance(said["sw"], str) and _SOFTWARE.fullmatch(said["sw"]) is not None, "no version of the software")
    docs, count = said.get("docs", 0), said.get("count")
    _demand(type(docs) is int and 0 <= docs <= _HIGHEST_SEQ, "no version of a document")
    _demand(count is None or (type(count) is int and -9999 <= count <= 99999), "no number of a day")
    return Envelope(
        str(kind),
        _hexadecimal(said["door"], 8),
        _hexadecimal(said["run"], 4),
        said["seq"],
        said["sw"],
        said["dropped"],
        {key: said[key] for key in health} if health else None,
        docs,
        count,
        _sealed(said[letters]) if letters in said else b"",
    )


def read_reason(opened: bytes) -> int | None:
    """Read a reason that the holder of the key has opened: the kind of occurrence, None for a test."""
    _demand(len(opened) == _SEALED_SIZE - _BOX_SIZE and not any(opened[1:]), "a reason is a kind and then zeros")
    _demand(opened[0] == _A_TEST or 1 <= opened[0] <= _LAST_KIND, "a kind that is none")
    return opened[0] if opened[0] != _A_TEST else None


def read_flags(opened: bytes) -> tuple[bool, bool]:
    """Read what a report has sealed and the holder of the key has opened: camera and lockout."""
    _demand(len(opened) == _SEALED_SIZE - _BOX_SIZE and not any(opened[3:]), "flags are three bytes and then zeros")
    _demand(opened[0] == _TWO_FLAGS and max(opened[1:3]) <= 1, "not the flags of a report")
    return opened[1] == 1, opened[2] == 1


def _sealed(text: object) -> bytes:
    try:
        sealed = base64.b64decode(str(text), validate=True)
    except ValueError as wrong:
        raise Refused("what is sealed is no base64") from wrong
    _demand(isinstance(text, str) and len(sealed) == _SEALED_SIZE, "what is sealed is 88 letters of base64")
    return sealed


def _distinct(pairs: list[tuple[str, object]]) -> dict[str, object]:
    _demand(len({key for key, _ in pairs}) == len(pairs), "one key twice")
    return dict(pairs)


def _hexadecimal(text: object, size: int) -> bytes:
    if not isinstance(text, str) or re.fullmatch(rf"[0-9a-f]{{{2 * size}}}", text) is None:
        raise Refused(f"not {2 * size} hexadecimal digits")
    return bytes.fromhex(text)
