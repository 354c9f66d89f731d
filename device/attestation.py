"""What the door signs for a resident to keep: that they consented, and that their face was erased.

Rules kept here:
- One byte form each, of fixed size; what `sign` would not make is not accepted by `verify`. Their letters have one
  spelling too: only where the lines break is free, because mail breaks them anew.
- Nothing in it names a person, a slot or a template: it names a record by a random id that lived on the door alone.
- Anybody can verify it offline. It carries the door's public key; whether that key is the door's is for the reader to
  compare with the consent record of the same door, or with what the door says of itself.
- Each kind is signed under a prefix of its own, so that no signed thing of ours can be passed off as another.
- Version 2 of the consent record says one thing more than version 1: that mouth and nose were covered. A bare face is
  still agreed to in version 1, so every paper of before is verified as it was.

Byte forms: docs/formats.md, "Consent record" and "Receipt". Ed25519 is RFC 8032.
"""

from __future__ import annotations

import base64
import binascii
import re
from dataclasses import dataclass
from typing import Annotated, ClassVar

from nacl.exceptions import CryptoError
from nacl.signing import SigningKey, VerifyKey

from device.codec import Exactly, Schema
from device.consent import hash_of
from device.errors import AttestationRefused, MessageRefused
from device.strength import KeyPlace
from device.wire import MAX_ATTESTATION, U8, U32, Hash, RecordId

VERSION = 1
DOOR_BYTES = 8
SIGNATURE_BYTES = 64
MARK_BYTES = 32
NO_CONSENT_ID = bytes(16)

_LINE = 64
_ARMOUR = re.compile(r"-----BEGIN DOORWARD ([A-Z ]+)-----\n([A-Za-z0-9+/=\n]+)-----END DOORWARD \1-----\n?")


@dataclass(frozen=True, slots=True)
class ConsentRecord:
    """That somebody agreed at this door, on `day` (days since 1970-01-01 UTC), to the terms with these five hashes.

    `consent_id`: 16 random bytes. `under_14`: a parent or guardian agreed, for a child.
    """

    door: Annotated[bytes, Exactly(DOOR_BYTES)]
    consent_id: Annotated[bytes, Exactly(16)]
    day: U32
    under_14: bool
    notice: Hash
    purpose: Hash
    retention: Hash
    model: Hash
    threshold_class: Hash

    covered: ClassVar[bool] = False

    @property
    def terms_hash(self) -> bytes:
        """The hash of the terms (32 bytes), as `device.consent.Terms.hash` makes it."""
        return hash_of((self.notice, self.purpose, self.retention, self.model, self.threshold_class))


@dataclass(frozen=True, slots=True)
class CoveredConsent(ConsentRecord):
    """The same, for a face that was enrolled with mouth and nose covered."""

    covered: ClassVar[bool] = True


@dataclass(frozen=True, slots=True)
class Receipt:
    """That the record `record_id` was erased at this door on `day` (days since 1970-01-01 UTC).

    `mark`: the first 32 bytes of its sealed box, random to everybody; whoever searches a disk for the record searches
    for them. Zeros if its file could not be read any more. `consent_id`: of its consent record, zeros likewise.
    """

    door: Annotated[bytes, Exactly(DOOR_BYTES)]
    record_id: RecordId
    mark: Annotated[bytes, Exactly(MARK_BYTES)]
    consent_id: Annotated[bytes, Exactly(16)]
    day: U32
    key_place: KeyPlace


@dataclass(frozen=True, slots=True)
class EndOfDoor:
    """That on `day` (days since 1970-01-01 UTC) everything of its residents was destroyed at this door, for good.

    `faces`, `pins`: where the epoch keys were that were replaced, of the faces and of PINs, cards and codes. It says of
    nobody how many there were.
    """

    door: Annotated[bytes, Exactly(DOOR_BYTES)]
    day: U32
    faces: KeyPlace
    pins: KeyPlace


Paper = ConsentRecord | Receipt | EndOfDoor


@dataclass(frozen=True, slots=True)
class Verified:
    """An attestation whose signature is right, and the public key (32 bytes) that says so."""

    paper: Paper
    door_key: bytes


@dataclass(frozen=True, slots=True)
class _Head:
    magic: Annotated[bytes, Exactly(4)]
    version: U8


@dataclass(frozen=True, slots=True)
class _Form:
    magic: bytes
    name: str  # in the armour
    domain: bytes
    schema: Schema
    version: int = VERSION


_HEAD = Schema(_Head)
_FORMS: dict[type[Paper], _Form] = {
    ConsentRecord: _Form(b"DWCS", "CONSENT", b"doorward consent record\x00", Schema(ConsentRecord)),
    CoveredConsent: _Form(b"DWCS", "CONSENT", b"doorward covered consent\x00", Schema(CoveredConsent), VERSION + 1),
    Receipt: _Form(b"DWRT", "RECEIPT", b"doorward receipt of erasure\x00", Schema(Receipt)),
    EndOfDoor: _Form(b"DWED", "END OF DOOR", b"doorward end of a door\x00", Schema(EndOfDoor)),
}


def sign(paper: Paper, key: SigningKey) -> bytes:
    """The signed bytes of `paper`. Raises AttestationRefused if a field does not fit."""
    form = _FORMS[type(paper)]
    try:
        content = _HEAD.pack(_Head(form.magic, form.version)) + form.schema.pack(paper) + bytes(key.verify_key)
    except MessageRefused as cause:
        msg = f"what the door wanted to sign does not fit its form: {cause}"
        raise AttestationRefused(msg) from cause
    return content + key.sign(form.domain + content).signature


def verify(data: bytes) -> Verified:
    """The attestation in `data`, with the key it names. Raises AttestationRefused with one sentence."""
    forms = [form for form in _FORMS.values() if data[: len(form.magic)] == form.magic]
    if not forms:
        msg = "this is no consent record and no receipt of a door"
        raise AttestationRefused(msg)
    form = next((form for form in forms if data[len(form.magic) : _HEAD.size] == bytes((form.version,))), None)
    if form is None:
        form = forms[0]
        msg = f"this {form.name.lower()} is of a version that this program does not read"
        raise AttestationRefused(msg)
    key_at = _HEAD.size + form.schema.size
    signed_to = key_at + 32
    if len(data) != signed_to + SIGNATURE_BYTES:
        msg = f"a {form.name.lower()} holds {signed_to + SIGNATURE_BYTES} bytes, not {len(data)}"
        raise AttestationRefused(msg)
    content, door_key = data[:signed_to], data[key_at:signed_to]
    try:
        VerifyKey(door_key).verify(form.domain + content, data[signed_to:])
        paper: Paper = form.schema.unpack(data[_HEAD.size : key_at])
    except (
        CryptoError,
        ValueError,
    ) as cause:  # ValueError: a key that is none, or a field that holds no value of its own
        msg = f"this {form.name.lower()} was changed after the door signed it, or no door signed it"
        raise AttestationRefused(msg) from cause
    return Verified(paper, door_key)


def armour(data: bytes) -> str:
    """`data` as lines of text that survive printing and mail. Raises AttestationRefused if it is no attestation."""
    name = _FORMS[type(verify(data).paper)].name
    text = base64.b64encode(data).decode("ascii")
    lines = [text[at : at + _LINE] for at in range(0, len(text), _LINE)]
    return "\n".join([f"-----BEGIN DOORWARD {name}-----", *lines, f"-----END DOORWARD {name}-----", ""])


def read(text: str) -> Verified:
    """The first attestation in `text`, whatever stands around it. Raises AttestationRefused."""
    found = _ARMOUR.search(text.replace("\r\n", "\n"))
    if found is None:
        msg = "there is no consent record and no receipt of a door in this"
        raise AttestationRefused(msg)
    data = _from_letters(found[2].replace("\n", ""))
    if data is None:
        msg = f"the {found[1].lower()} in this is damaged"
        raise AttestationRefused(msg)
    verified = verify(data)
    if _FORMS[type(verified.paper)].name != found[1]:
        msg = f"what calls itself a {found[1].lower()} is something else"
        raise AttestationRefused(msg)
    return verified


def _from_letters(letters: str) -> bytes | None:
    """The bytes that `letters` are the base64 of; None if there are none, or if they have another spelling."""
    try:
        data = base64.b64decode(letters, validate=True)
    except binascii.Error:
        return None
    return data if base64.b64encode(data).decode("ascii") == letters else None


SIZES = {kind: _HEAD.size + form.schema.size + 32 + SIGNATURE_BYTES for kind, form in _FORMS.items()}
assert max(SIZES.values()) <= MAX_ATTESTATION  # noqa: S101 - a message must be able to carry each
