"""What a slot holds, as the fixed-size payload of a sealed record.

Rules kept here:
- A slot holds an open invitation, a PIN, or what is left of either when the tenancy has ended; never two of them.
  Setting a PIN burns the invitation, a newer offer cancels whatever is there.
- Duress PIN, guests' secret and cards stand beside a PIN and never without one: they go when it goes.
- What was right here before is known again, and sets and opens nothing (`former`, see `match`). Beside a PIN that is
  the invitation it was set with, and goes with the PIN. Beside an open invitation it is the PIN that its offer
  cancelled, and goes when somebody moves in, when the invitation is over, with a withdrawal, or with an end.
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
from device.keeper.cards import registered
from device.keeper.cards.registered import CARDS_BYTES
from device.keeper.pin import SALT_BYTES, VERIFIER_BYTES
from device.sealing.box import OVERHEAD_BYTES
from device.wire import NO_END

RECORD_VERSION = 4
OFFER_ID_BYTES = 16
DURESS_DIGITS_BYTES = 16
DURESS_BOX_BYTES = DURESS_DIGITS_BYTES + OVERHEAD_BYTES

NOTHING = bytes(VERIFIER_BYTES)  # no duress PIN, no guests' secret, nothing that was right before
NO_SALT = bytes(SALT_BYTES)
NO_BOX = bytes(DURESS_BOX_BYTES)
NO_CARDS = bytes(CARDS_BYTES)


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
    duress: Annotated[bytes, Exactly(VERIFIER_BYTES)] = NOTHING  # of the duress PIN under the same salt
    duress_box: Annotated[bytes, Exactly(DURESS_BOX_BYTES)] = NO_BOX  # its digits, for who shows the PIN (`changes`)
    guest_key: Annotated[bytes, Exactly(VERIFIER_BYTES)] = NOTHING  # from which guests' codes follow
    guest_used: Annotated[int, Number("Q")] = 0  # bit n: the one-time code n has been used
    cards: Annotated[bytes, Exactly(CARDS_BYTES)] = NO_CARDS
    former_salt: Annotated[bytes, Exactly(SALT_BYTES)] = NO_SALT  # of what was right here before: see the rules
    former: Annotated[bytes, Exactly(VERIFIER_BYTES)] = NOTHING  # its verifier

    @property
    def over_for_good(self) -> bool:
        """Whether nobody has a PIN here by the manager's word, which no clock takes back: an offer, or a withdrawal."""
        return self.kind is Kind.INVITATION or (self.kind is Kind.ENDED and self.expires_unix == 0)

    def used(self, number: int) -> bool:
        """Whether the one-time code `number` has been used."""
        return bool(self.guest_used >> number & 1)

    def using(self, number: int) -> Credential:
        """The same slot after its one-time code `number`."""
        return replace(self, guest_used=self.guest_used | 1 << number)

    def with_pin(self, salt: bytes, verifier: bytes) -> Credential:
        """The same slot with a PIN instead of what it held; an invitation stays beside it as what was right before."""
        with_pin = replace(self, kind=Kind.PIN, salt=salt, verifier=verifier)
        if self.kind is not Kind.INVITATION:
            return with_pin
        return replace(with_pin, former_salt=self.salt, former=self.verifier)

    def forgetting(self) -> Credential:
        """The same slot without what was right before."""
        return replace(self, former_salt=NO_SALT, former=NOTHING)

    def ended(self) -> Credential:
        """What stays of it when the tenancy is over: which offer it was, and nothing to match anything with."""
        return Credential(
            kind=Kind.ENDED,
            serial=self.serial,
            offer_id=self.offer_id,
            kept_unix=self.kept_unix,
            expires_unix=self.expires_unix,
            ends_unix=self.ends_unix,
            salt=NO_SALT,
            verifier=NOTHING,
        )


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
    registered.unpack(credential.cards)
    if not _belongs_together(credential):
        msg = "a record of keeper holds something beside a PIN without what it belongs to"
        raise RecordRefused(msg)
    return credential


def _belongs_together(credential: Credential) -> bool:
    beside = (credential.duress, credential.duress_box, credential.guest_key, credential.cards)
    if credential.kind is not Kind.PIN and (any(map(any, beside)) or credential.guest_used):
        return False
    # What has ended has nothing before it either: `unpack` compares it with `ended`.
    orphan_box = any(credential.duress_box) and not any(credential.duress)
    orphan_marks = credential.guest_used != 0 and not any(credential.guest_key)
    orphan_salt = any(credential.former_salt) and not any(credential.former)
    return not (orphan_box or orphan_marks or orphan_salt)
