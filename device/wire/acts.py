"""Messages about personal acts: desk and vault, doorctl and desk. The grant names the slot, to vault alone.

Rules kept here:
- No message here holds a slot, a PIN or an embedding.
"""

from __future__ import annotations

from dataclasses import dataclass, field

from device.wire.base import (
    U8,
    AttestationBytes,
    Hash,
    Message,
    Nonce,
    RecordId,
    TermsId,
    message,
)
from device.wire.values import Hint, Purpose, Result


@message(0x50)
@dataclass(frozen=True, slots=True)
class Enrol(Message):
    """desk -> vault: the resident consented to the terms with this hash; the next enrolment window is theirs.

    `under_14`: a parent or guardian says that the face is a child's; it then never opens without the PIN.
    `covered`: the resident says that they enrol with mouth and nose covered; that face does not open without it either.
    `again`: another sitting of the face that is kept; both say of it what was declared when it was enrolled.
    """

    grant: Nonce
    consent: Hash
    under_14: bool
    covered: bool = False
    again: bool = False


@message(0x51)
@dataclass(frozen=True, slots=True)
class Erase(Message):
    """desk -> vault: destroy the face of the granted slot."""

    grant: Nonce


@message(0x52)
@dataclass(frozen=True, slots=True)
class Pause(Message):
    """desk -> vault: the granted slot's face does not open until resumed."""

    grant: Nonce


@message(0x53)
@dataclass(frozen=True, slots=True)
class Resume(Message):
    """desk -> vault: the granted slot's face opens again."""

    grant: Nonce


@message(0x54)
@dataclass(frozen=True, slots=True)
class Done(Message):
    """vault -> desk: how the act with this grant ended. Enrol is answered when its window ended."""

    grant: Nonce
    result: Result


@message(0x55)
@dataclass(frozen=True, slots=True)
class EnrolHint(Message):
    """vault -> desk -> doorctl: a hint for whoever enrols now; nothing else of eye's ever reaches desk."""

    hint: Hint


@message(0x56)
@dataclass(frozen=True, slots=True)
class Renew(Message):
    """desk -> vault: the resident consented to the terms with this hash; the granted slot's face stays under them."""

    grant: Nonce
    consent: Hash


@message(0x57)
@dataclass(frozen=True, slots=True)
class Attestation(Message):
    """vault -> desk, before Done: what the door signed about this act, for the resident to keep (docs/formats.md)."""

    grant: Nonce
    content: AttestationBytes = field(repr=False)


@message(0x58)
@dataclass(frozen=True, slots=True)
class Rekey(Message):
    """desk -> vault: renew all keys and the rotation of all templates. `nonce` is desk's, for Done."""

    nonce: Nonce


@message(0x59)
@dataclass(frozen=True, slots=True)
class AskRecord(Message):
    """desk -> vault: does the ring in force name this record? Nobody can guess an id: it is 16 random bytes."""

    record: RecordId


@message(0x5A)
@dataclass(frozen=True, slots=True)
class RecordAnswer(Message):
    """vault -> desk -> doorctl: the reply, and what this door is known by.

    `key_place` is a `device.strength.KeyPlace`, `door_key` the public key (Ed25519) of what this door signs, `terms`
    the beginning of the hash of the terms that vault holds people's consents against.
    """

    named: bool
    key_place: U8
    door_key: Hash
    terms: TermsId


@message(0x64)
@dataclass(frozen=True, slots=True)
class Act(Message):
    """doorctl -> desk: do `purpose` with the grant that was just earned at the keypad.

    `consent` is 0 unless ENROL or RENEW; `under_14`, `covered` and `again` are false unless ENROL.
    """

    purpose: Purpose
    consent: Hash
    under_14: bool
    covered: bool = False
    again: bool = False


@message(0x65)
@dataclass(frozen=True, slots=True)
class Ended(Message):
    """desk -> doorctl: how the act ended."""

    result: Result


@message(0x66)
@dataclass(frozen=True, slots=True)
class AttestationCopy(Message):
    """desk -> doorctl, before Ended: what the door signed about this act."""

    content: AttestationBytes = field(repr=False)


@message(0x67)
@dataclass(frozen=True, slots=True)
class AskRekey(Message):
    """doorctl -> desk: renew every key of the stored faces. Answered by Ended."""


@message(0x68)
@dataclass(frozen=True, slots=True)
class QueryRecord(Message):
    """doorctl -> desk: AskRecord, answered by a RecordAnswer, or by Ended if vault is away."""

    record: RecordId
