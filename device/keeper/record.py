"""What a slot holds, as the fixed-size payload of a sealed record.

Rules kept here:
- A slot holds an open invitation, a PIN, or what is left of either when the tenancy has ended; never two of them.
  Setting a PIN burns the invitation, a newer offer cancels whatever is there.
- All kinds have the same size, so that a file's length does not tell who has moved in or out.
- The newest offer is remembered after it was redeemed or ended: it can never be redeemed again, nor an older one be
  stored. What has ended holds nothing that any digits match.
- Every byte is checked; a payload of another version or kind is refused, not guessed at.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from enum import IntEnum, unique
from typing import Annotated

from device.codec import Exactly, Number, Schema
from device.errors import MessageRefused, RecordRefused
from device.keeper.pin import SALT_BYTES, VERIFIER_BYTES
from device.wire import NO_END

RECORD_VERSION = 2
OFFER_ID_BYTES = 16


@unique
class Kind(IntEnum):
    """What can be shown for a slot; nothing for one that has ended."""

    INVITATION = 1
    PIN = 2
    ENDED = 3


@dataclass(frozen=True, slots=True)
class Credential:
    """One slot's record. Times are seconds of the (untrusted) wall clock.

    `expires_unix` ends the invitation, `ends_unix` the tenancy that begins with it (NO_END: it has none).
    """

    kind: Kind
    serial: Annotated[int, Number("I")]
    offer_id: Annotated[bytes, Exactly(OFFER_ID_BYTES)]
    kept_unix: Annotated[int, Number("q")]
    expires_unix: Annotated[int, Number("q")]
    ends_unix: Annotated[int, Number("q")]
    salt: Annotated[bytes, Exactly(SALT_BYTES)]
    verifier: Annotated[bytes, Exactly(VERIFIER_BYTES)]

    def with_pin(self, salt: bytes, verifier: bytes) -> Credential:
        """The same slot with a PIN instead of what it held."""
        return replace(self, kind=Kind.PIN, salt=salt, verifier=verifier)

    def ended(self) -> Credential:
        """What stays of it when the tenancy is over: which offer it was, and nothing to match digits with."""
        return replace(self, kind=Kind.ENDED, salt=bytes(SALT_BYTES), verifier=bytes(VERIFIER_BYTES))


_SCHEMA = Schema(Credential)
PAYLOAD_BYTES = 1 + _SCHEMA.size


def pack(credential: Credential) -> bytes:
    """The payload of `credential`: version byte, then the fields in order, little-endian; PAYLOAD_BYTES long."""
    return bytes((RECORD_VERSION,)) + _SCHEMA.pack(credential)


def unpack(payload: bytes) -> Credential:
    """The credential in `payload`. Raises RecordRefused."""
    if payload[:1] != bytes((RECORD_VERSION,)):
        msg = "a record of keeper is of a version this door does not read"
        raise RecordRefused(msg)
    try:
        credential: Credential = _SCHEMA.unpack(payload[1:])
    except MessageRefused as cause:
        msg = "a record of keeper holds something that is no credential"
        raise RecordRefused(msg) from cause
    if credential.ends_unix < NO_END or (credential.kind is Kind.ENDED and credential != credential.ended()):
        msg = "a record of keeper has an end that makes no sense"
        raise RecordRefused(msg)
    return credential
