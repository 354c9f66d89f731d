"""The manager's signed document, and the envelope it travels in: what it may say to a door, byte by byte.

Rules kept here:
- Nothing is believed before the Ed25519 signature over every other byte is verified with the door's manager key. The
  signature covers a prefix of its own, so that no other signed thing of ours can be passed off as a document.
- A document is for one door and has exactly one byte form: fixed sizes, no trailing bytes. What would not be
  produced by `sign` is not accepted by `parse`.
- A document offers slots, or says which methods open in which hours, what the door tells by itself, when it ends, or
  which key signs from now on. No kind exists that opens a door, sets a PIN or names a person.
- A key is never replaced by itself. What else bodies may say stands in `bodies` and `offers`.
- A policy in which some minute opens by face but not by PIN and card is neither signed nor believed (`policy.prover`).
- What travels is an envelope: the signed document, sealed to the key of the one door it is for. Whoever carries it
  reads which door, and nothing else. It convinces nobody: anybody can seal, and only the signature inside counts.
- Whether a document is newer than the last one applied is the caller's question: it holds the version, this module
  holds no state.

Layout: head (magic, format, door id, kind, version, issued), body, signature of 64 bytes; little-endian throughout.
Ed25519 is RFC 8032; what libsodium refuses beyond it stands in docs/formats.md, "Signatures". The envelope: magic,
version, door id, and libsodium's sealed box (crypto_box_seal: X25519, XSalsa20-Poly1305) of the signed document.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import IntEnum, unique
from typing import Annotated

from nacl import bindings
from nacl.exceptions import CryptoError
from nacl.public import PublicKey, SealedBox
from nacl.signing import SigningKey, VerifyKey

from device import bodies, offers
from device.bodies import (
    LEAST_EPSILON_MILLI,
    MOST_EPSILON_MILLI,
    NO_COUNT,
    Fixed,
    Retirement,
    Successor,
    Telling,
    pack_telling,
    unpack_telling,
)
from device.codec import Exactly, Number, Schema
from device.errors import DocumentRefused, MessageRefused
from device.offers import FIRST_SLOT, LAST_SLOT, LATEST_UNIX, SlotOffers
from device.policy import table
from device.policy.prover import refuse_unequal
from device.policy.schedule import DoorPolicy
from device.wire import MAX_DOCUMENT, U8, U32

# With the bodies of `bodies` and `offers`: whoever reads documents imports them from one place.
__all__ = [
    "FIRST_SLOT",
    "LAST_SLOT",
    "LATEST_UNIX",
    "LEAST_EPSILON_MILLI",
    "MOST_EPSILON_MILLI",
    "NO_COUNT",
    "Body",
    "DocumentForeign",
    "DocumentUnsigned",
    "Kind",
    "Parsed",
    "Retirement",
    "SlotOffers",
    "Successor",
    "Telling",
    "fingerprint",
    "kind_of",
    "pack_telling",
    "parse",
    "seal",
    "sealed_box",
    "sign",
    "unpack_telling",
]

FORMAT = 3
ENVELOPE = 1
DOOR_ID_BYTES = 8
KEY_BYTES = 32
SIGNATURE_BYTES = 64
_MAGIC = b"DWDC"
_DOMAIN = b"doorward signed document\x00"  # no other signature of the project begins with these bytes
_ENVELOPE_MAGIC = b"DWDS"
_FINGERPRINT_PERSON = b"doorward finger"
_FINGERPRINT_BYTES = 10  # 80 bits: nobody makes a second key with the same ones


class DocumentUnsigned(DocumentRefused):
    """The signature is missing, damaged, or not by this door's manager."""


class DocumentForeign(DocumentRefused):
    """The manager signed it, but for another door."""


@unique
class Kind(IntEnum):
    """What a document is about; each kind has one body."""

    SLOT_OFFERS = 1
    POLICY = 2
    REPORTING = 3
    RETIRE = 4
    SUCCESSOR = 5


Body = SlotOffers | DoorPolicy | Fixed


@dataclass(frozen=True, slots=True)
class Parsed:
    """A verified document. `version` (from 1) strictly grows per door; `issued_unix` is in seconds."""

    kind: Kind
    version: int
    issued_unix: int
    body: Body


@dataclass(frozen=True, slots=True)
class _Head:
    magic: Annotated[bytes, Exactly(len(_MAGIC))]
    format: U8
    door_id: Annotated[bytes, Exactly(DOOR_ID_BYTES)]
    kind: U8  # not a Member: an unknown kind gets a sentence of its own
    version: U32
    issued_unix: Annotated[int, Number("q")]


@dataclass(frozen=True, slots=True)
class _Envelope:
    magic: Annotated[bytes, Exactly(len(_ENVELOPE_MAGIC))]
    version: U8
    door_id: Annotated[bytes, Exactly(DOOR_ID_BYTES)]


_HEAD = Schema(_Head)
_FIXED: dict[Kind, type[Fixed]] = {Kind.REPORTING: Telling, Kind.RETIRE: Retirement, Kind.SUCCESSOR: Successor}
_OUTSIDE = Schema(_Envelope)
SEAL_BYTES: int = bindings.crypto_box_SEALBYTES  # an X25519 key for this one message, and a tag of 16 bytes
MAX_SIGNED = MAX_DOCUMENT - _OUTSIDE.size - SEAL_BYTES
MAX_BODY = MAX_SIGNED - _HEAD.size - SIGNATURE_BYTES
MAX_OFFERS = MAX_BODY // offers.OFFER_BYTES


def sign(body: Body, *, door_id: bytes, version: int, issued_unix: int, key: SigningKey) -> bytes:
    """The signed document for the door `door_id` (8 bytes). Raises DocumentRefused if anything does not fit."""
    try:
        head = _HEAD.pack(_Head(_MAGIC, FORMAT, door_id, kind_of(body), version, issued_unix))
        packed = _packed(body)
    except MessageRefused as cause:
        msg = f"the document cannot be written: {cause}"
        raise DocumentRefused(msg) from cause
    _refuse_numbers(version, issued_unix)
    _refuse_body(body, issued_unix)
    _refuse_itself(body, bytes(key.verify_key))
    if len(packed) > MAX_BODY:
        msg = f"a document holds at most {MAX_SIGNED} bytes; give the policy fewer hours"
        raise DocumentRefused(msg)
    content = head + packed
    return content + key.sign(_DOMAIN + content).signature


def seal(signed: bytes, *, door_id: bytes, document_key: bytes) -> bytes:
    """What travels to the door `door_id`: `signed`, to be opened with its document key alone (X25519, 32 bytes).

    Raises DocumentRefused for what is no key.
    """
    try:
        box = SealedBox(PublicKey(document_key)).encrypt(signed)
    except (CryptoError, ValueError) as cause:
        msg = "the door's document key is none: nothing can be sealed to it"
        raise DocumentRefused(msg) from cause
    return _OUTSIDE.pack(_Envelope(_ENVELOPE_MAGIC, ENVELOPE, door_id)) + box


def sealed_box(content: bytes, door_id: bytes) -> bytes:
    """The sealed box in the envelope `content`. Raises DocumentForeign or DocumentRefused.

    Nothing of an envelope is signed: that it names this door is a courtesy to whoever mixed up two files.
    """
    if not _OUTSIDE.size + SEAL_BYTES < len(content) <= MAX_DOCUMENT:
        msg = f"a sealed document holds {_OUTSIDE.size + SEAL_BYTES + 1} to {MAX_DOCUMENT} bytes, not {len(content)}"
        raise DocumentRefused(msg)
    outside: _Envelope = _OUTSIDE.unpack(content[: _OUTSIDE.size])
    if outside.magic != _ENVELOPE_MAGIC:
        msg = "this is no document that was sealed to a door"
        raise DocumentRefused(msg)
    if outside.version != ENVELOPE:
        msg = f"the envelope has version {outside.version}; this door opens version {ENVELOPE}"
        raise DocumentRefused(msg)
    if outside.door_id != door_id:
        msg = "the document is for another door"
        raise DocumentForeign(msg)
    return content[_OUTSIDE.size :]


def fingerprint(door_id: bytes, document_key: bytes) -> str:
    """By what two people compare a door's document key, at the door and at the manager's: five groups of four digits.

    The first 10 bytes of BLAKE2b-256 of door id and key, personalisation `doorward finger`, in hexadecimal digits.
    """
    hashed = bindings.crypto_generichash_blake2b_salt_personal(door_id + document_key, 32, person=_FINGERPRINT_PERSON)
    digits = bytes(hashed)[:_FINGERPRINT_BYTES].hex()
    return " ".join(digits[at : at + 4] for at in range(0, len(digits), 4))


def kind_of(body: Body) -> Kind:
    """Which kind of document holds `body`."""
    match body:
        case DoorPolicy():
            return Kind.POLICY
        case Telling():
            return Kind.REPORTING
        case Retirement():
            return Kind.RETIRE
        case Successor():
            return Kind.SUCCESSOR
        case SlotOffers():
            return Kind.SLOT_OFFERS


def parse(data: bytes, door_id: bytes, manager_key: bytes) -> Parsed:
    """The verified document in `data`. `door_id` has 8 bytes; `manager_key` 32, or none before a manager is chosen.

    Raises DocumentUnsigned, DocumentForeign or DocumentRefused, each with one sentence.
    """
    if not _HEAD.size + SIGNATURE_BYTES < len(data) <= MAX_SIGNED:
        msg = f"a document holds {_HEAD.size + SIGNATURE_BYTES + 1} to {MAX_SIGNED} bytes, not {len(data)}"
        raise DocumentRefused(msg)
    if data[: len(_MAGIC)] != _MAGIC:
        msg = "this is no document of a property manager"
        raise DocumentRefused(msg)
    content, signature = data[:-SIGNATURE_BYTES], data[-SIGNATURE_BYTES:]
    _verify(content, signature, manager_key)
    head: _Head = _HEAD.unpack(content[: _HEAD.size])
    if head.format != FORMAT:
        msg = f"the document has format {head.format}; this door reads format {FORMAT}"
        raise DocumentRefused(msg)
    if head.door_id != door_id:
        msg = "the document is for another door"
        raise DocumentForeign(msg)
    if head.kind not in set(Kind):
        msg = f"documents of kind {head.kind} are unknown to this door"
        raise DocumentRefused(msg)
    _refuse_numbers(head.version, head.issued_unix)
    rest = content[_HEAD.size :]
    body = _unpacked(Kind(head.kind), rest)
    _refuse_body(body, head.issued_unix)
    _refuse_itself(body, manager_key)
    return Parsed(Kind(head.kind), head.version, head.issued_unix, body)


def _verify(content: bytes, signature: bytes, manager_key: bytes) -> None:
    if not manager_key:
        msg = "this door has no manager yet; manager_key is empty in door.toml"
        raise DocumentUnsigned(msg)
    try:
        VerifyKey(manager_key).verify(_DOMAIN + content, signature)
    except (CryptoError, ValueError) as cause:
        # ValueError: a manager_key that is no key of 32 bytes verifies nothing.
        msg = "the document is not signed by this door's manager"
        raise DocumentUnsigned(msg) from cause


def _packed(body: Body) -> bytes:
    if isinstance(body, DoorPolicy):
        return table.pack(body)
    if isinstance(body, SlotOffers):
        return offers.pack(body)
    return bodies.pack(body)


def _unpacked(kind: Kind, rest: bytes) -> Body:
    if kind is Kind.POLICY:
        return table.unpack(rest)
    return offers.unpack(rest) if kind is Kind.SLOT_OFFERS else bodies.unpack(_FIXED[kind], rest)


def _refuse_body(body: Body, issued_unix: int) -> None:
    if isinstance(body, DoorPolicy):
        refuse_unequal(body)
        return
    if isinstance(body, SlotOffers):
        offers.refuse(body.offers, MAX_OFFERS, issued_unix)
        return
    bodies.refuse(body)


def _refuse_itself(body: Body, manager_key: bytes) -> None:
    if isinstance(body, Successor) and body.manager_key == manager_key:
        msg = "a manager's key cannot follow itself"
        raise DocumentRefused(msg)


def _refuse_numbers(version: int, issued_unix: int) -> None:
    if version < 1:
        msg = "a document's version starts at 1"
        raise DocumentRefused(msg)
    if not 0 <= issued_unix <= LATEST_UNIX:
        msg = "a document is issued between 1970 and the year 5138; times in a document are seconds since 1970"
        raise DocumentRefused(msg)
