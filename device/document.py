"""The manager's signed document, and the envelope it travels in: what it may say to a door, byte by byte.

Rules kept here:
- Nothing is believed before the Ed25519 signature over every other byte is verified with the door's manager key. The
  signature covers a prefix of its own, so that no other signed thing of ours can be passed off as a document.
- A document is for one door and has exactly one byte form: fixed sizes, no trailing bytes, offers in ascending order of
  slot. What would not be produced by `sign` is not accepted by `parse`.
- A place ends after the document that offers it was issued, or not at all. It may end before the invitation does: a
  cleaner's place of one day is no mistake, and an invitation is worth nothing once its place has ended.
- A document offers slots, or says which methods open in which hours, what the door tells by itself, or which key signs
  from now on. No kind exists that opens a door, sets a PIN or names a person.
- A key is never replaced by itself, nor by what is no Ed25519 key: nobody could sign for the door any more.
- What is told has two profiles and one number. A live state and a count beside it are refused: the state says more.
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
from itertools import pairwise
from typing import Annotated

from nacl import bindings
from nacl.exceptions import CryptoError
from nacl.public import PublicKey, SealedBox
from nacl.signing import SigningKey, VerifyKey

from device.codec import Exactly, Number, Schema
from device.errors import DocumentRefused, MessageRefused
from device.policy import table
from device.policy.prover import refuse_unequal
from device.policy.schedule import DoorPolicy
from device.wire import MAX_DOCUMENT, NO_ALARM_KEY, NO_END, U8, U16, U32, Hash, Profile, SlotOffer

FORMAT = 3
ENVELOPE = 1
DOOR_ID_BYTES = 8
KEY_BYTES = 32
SIGNATURE_BYTES = 64
FIRST_SLOT = 1
LAST_SLOT = 9999  # what a person can type as a flat number: four digits
# The year 5138. A later time is a mistake of units (milliseconds, nanoseconds), and an end then would never come.
LATEST_UNIX = 10**11
NO_COUNT = 0
# The epsilon of a day's count, in thousandths. Below 0.1 the noise drowns a house; above 2 it hides nobody.
LEAST_EPSILON_MILLI = 100
MOST_EPSILON_MILLI = 2000

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
    SUCCESSOR = 5  # 4 is kept for the end of a door


@dataclass(frozen=True, slots=True)
class SlotOffers:
    """The body of Kind.SLOT_OFFERS: one offer or more, each slot once, ascending."""

    offers: tuple[SlotOffer, ...]


@dataclass(frozen=True, slots=True)
class Telling:
    """The body of Kind.REPORTING: what the door tells by itself. The default is that of a door without a document.

    `epsilon_milli`: of the noise of a day's count, in thousandths; NO_COUNT: there is none. `alarm_key`: the X25519 key
    of whoever may open the reasons of alarms; NO_ALARM_KEY: nobody.
    """

    profile: Profile = Profile.BUILDING
    epsilon_milli: U16 = NO_COUNT
    alarm_key: Hash = NO_ALARM_KEY


@dataclass(frozen=True, slots=True)
class Successor:
    """The body of Kind.SUCCESSOR: the Ed25519 key (32 bytes) of the door's manager from now on."""

    manager_key: Hash


Body = SlotOffers | DoorPolicy | Telling | Successor


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
_OFFER = Schema(SlotOffer)
_TELLING = Schema(Telling)
_SUCCESSOR = Schema(Successor)
_OUTSIDE = Schema(_Envelope)
SEAL_BYTES: int = bindings.crypto_box_SEALBYTES  # an X25519 key for this one message, and a tag of 16 bytes
MAX_SIGNED = MAX_DOCUMENT - _OUTSIDE.size - SEAL_BYTES
MAX_BODY = MAX_SIGNED - _HEAD.size - SIGNATURE_BYTES
MAX_OFFERS = MAX_BODY // _OFFER.size


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


def pack_telling(telling: Telling) -> bytes:
    """The body of a document of Kind.REPORTING. Raises DocumentRefused for what no door would believe."""
    _refuse_telling(telling)
    return _TELLING.pack(telling)


def unpack_telling(body: bytes) -> Telling:
    """What such a body says. Raises DocumentRefused."""
    try:
        telling: Telling = _TELLING.unpack(body)
    except MessageRefused as cause:
        msg = f"what the document lets the door tell is not understood: {cause}"
        raise DocumentRefused(msg) from cause
    _refuse_telling(telling)
    return telling


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
    if isinstance(body, Telling):
        return _TELLING.pack(body)
    if isinstance(body, Successor):
        return _SUCCESSOR.pack(body)
    return b"".join(_OFFER.pack(offer) for offer in body.offers)


def _unpacked(kind: Kind, rest: bytes) -> Body:
    if kind is Kind.POLICY:
        return table.unpack(rest)
    if kind is Kind.SUCCESSOR:
        return _successor(rest)
    return _slot_offers(rest) if kind is Kind.SLOT_OFFERS else unpack_telling(rest)


def _refuse_body(body: Body, issued_unix: int) -> None:
    if isinstance(body, DoorPolicy):
        refuse_unequal(body)
        return
    if isinstance(body, Telling):
        _refuse_telling(body)
        return
    if isinstance(body, Successor):
        _refuse_successor(body)
        return
    _refuse_offers(body.offers)
    _refuse_times(body.offers, issued_unix)


def _slot_offers(body: bytes) -> SlotOffers:
    if len(body) % _OFFER.size:
        msg = "the document ends in the middle of an offer"
        raise DocumentRefused(msg)
    offers: tuple[SlotOffer, ...] = tuple(
        _OFFER.unpack(body[at : at + _OFFER.size]) for at in range(0, len(body), _OFFER.size)
    )
    return SlotOffers(offers)


def _successor(body: bytes) -> Successor:
    try:
        successor: Successor = _SUCCESSOR.unpack(body)
    except MessageRefused as cause:
        msg = f"which key is the manager's from now on is not understood: {cause}"
        raise DocumentRefused(msg) from cause
    return successor


def _refuse_successor(successor: Successor) -> None:
    if not bindings.crypto_core_ed25519_is_valid_point(successor.manager_key):
        msg = "what is to be the manager's key is none: nothing could be verified with it"
        raise DocumentRefused(msg)


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


def _refuse_offers(offers: tuple[SlotOffer, ...]) -> None:
    if not 1 <= len(offers) <= MAX_OFFERS:
        msg = f"a document holds 1 to {MAX_OFFERS} offers, not {len(offers)}"
        raise DocumentRefused(msg)
    slots = [offer.slot for offer in offers]
    if any(low >= high for low, high in pairwise(slots)):
        msg = "a document names each slot once, in ascending order"
        raise DocumentRefused(msg)
    if not (slots[0] >= FIRST_SLOT and slots[-1] <= LAST_SLOT):
        msg = f"a slot is a number from {FIRST_SLOT} to {LAST_SLOT}"
        raise DocumentRefused(msg)
    if any(offer.serial < 1 or offer.expires_unix < 1 for offer in offers):
        msg = "an offer's serial and its expiry start at 1"
        raise DocumentRefused(msg)


def _refuse_telling(telling: Telling) -> None:
    counts = telling.epsilon_milli != NO_COUNT
    if counts and telling.profile is Profile.HOME:
        msg = "a door that shows its state live gives no daily count: the state says more"
        raise DocumentRefused(msg)
    if counts and not LEAST_EPSILON_MILLI <= telling.epsilon_milli <= MOST_EPSILON_MILLI:
        least, most = LEAST_EPSILON_MILLI / 1000, MOST_EPSILON_MILLI / 1000
        msg = f"the epsilon of a daily count is {least:g} to {most:g}, in thousandths"
        raise DocumentRefused(msg)
    if telling.alarm_key != NO_ALARM_KEY and not _opens_something(telling.alarm_key):
        msg = "the key for the reasons of alarms is none: nothing can be sealed to it"
        raise DocumentRefused(msg)


def _opens_something(key: bytes) -> bool:
    """Whether something can be sealed to an X25519 key: a point of low order has no secret (RFC 7748, section 6.1)."""
    try:
        SealedBox(PublicKey(key)).encrypt(b"")
    except CryptoError:
        return False
    return True


def _refuse_times(offers: tuple[SlotOffer, ...], issued_unix: int) -> None:
    if any(max(offer.expires_unix, offer.ends_unix) > LATEST_UNIX for offer in offers):
        msg = "an offer ends before the year 5138; times in a document are seconds since 1970"
        raise DocumentRefused(msg)
    if any(offer.ends_unix != NO_END and offer.ends_unix <= issued_unix for offer in offers):
        msg = "a place cannot have ended before it was offered"
        raise DocumentRefused(msg)
