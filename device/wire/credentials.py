"""Messages about PINs, codes, cards, invitations and what they earn: between keeper and lock, vault and desk.

Rules kept here:
- Digits travel from lock to keeper and nowhere else.
- Of a card lock carries what keeper says to it and what it answers, and understands neither.
- A grant names its slot to vault alone.
"""

from __future__ import annotations

from dataclasses import dataclass, field

from device.wire.base import (
    NO_END,
    NO_PAGE_CODE,
    NO_TIMETABLE,
    U8,
    U32,
    Apdu,
    Day,
    Digits,
    Hash,
    Message,
    Nonce,
    Salt,
    Tenancy,
    TimeNs,
    UnixSeconds,
    message,
)
from device.wire.values import CardChange, Outcome, Proof, Purpose, Result, Secret

_NO_SALT, _NO_VERIFIER = bytes(16), bytes(32)  # of an offer to nobody: no digits are known to have this verifier


@message(0x30)
@dataclass(frozen=True, slots=True)
class CheckPin(Message):
    """lock -> keeper: may `claim` (a slot somebody typed) open with these digits? Answered by a Verdict.

    The digits are a PIN or a guest's code. `day`: the date at the door, NO_DAY while its clock is not believed.
    """

    nonce: Nonce
    claim: U32 = field(repr=False)
    digits: Digits = field(repr=False)
    day: Day


@message(0x31)
@dataclass(frozen=True, slots=True)
class ProvePin(Message):
    """lock -> keeper: the same check for a personal act instead of the door. Answered by an Answer, and a Grant.

    `page_code`: what the page showed to whoever wants to sit down at it, NO_PAGE_CODE for every other purpose.
    """

    nonce: Nonce
    purpose: Purpose
    claim: U32 = field(repr=False)
    digits: Digits = field(repr=False)
    page_code: U32 = field(default=NO_PAGE_CODE, repr=False)


@message(0x32)
@dataclass(frozen=True, slots=True)
class SetPin(Message):
    """lock -> keeper: set a secret of the claim to `new`, shown an invitation or the PIN. Answered by an Answer.

    `new` is a single "0" where a duress PIN or the guests' secret is to be forgotten.
    """

    nonce: Nonce
    proof: Proof
    secret: Secret
    claim: U32 = field(repr=False)
    shown: Digits = field(repr=False)
    new: Digits = field(repr=False)


@message(0x33)
@dataclass(frozen=True, slots=True)
class Answer(Message):
    """keeper -> lock: how ProvePin, SetPin, or the adding of a card ended. It never opens anything."""

    nonce: Nonce
    outcome: Outcome


@message(0x34)
@dataclass(frozen=True, slots=True)
class SlotOffer(Message):
    """lock -> keeper: out of a verified document: `slot` may be taken by whoever shows the invitation.

    `verifier` is Argon2id(invitation digits, `salt`, ops 2, 64 MiB, 32 bytes); `serial` only ever grows per slot.
    `expires_unix` ends the invitation, `ends_unix` the tenancy that begins with it (NO_END: it has none). `timetable`:
    hours of the policy that hold for this slot besides those of the door (NO_TIMETABLE: no others); lock's business.

    A `withdrawal` is an offer to nobody: whatever the slot held ends, and there is no invitation.
    """

    slot: U32 = field(repr=False)
    serial: U32
    expires_unix: UnixSeconds
    ends_unix: UnixSeconds
    timetable: U8
    salt: Salt
    verifier: Hash = field(repr=False)

    @classmethod
    def withdrawal(cls, slot: int, serial: int) -> SlotOffer:
        """The one form of it: all zeros but for slot and serial."""
        return cls(slot, serial, 0, NO_END, NO_TIMETABLE, _NO_SALT, _NO_VERIFIER)

    @property
    def withdraws(self) -> bool:
        """Whether this is a withdrawal."""
        return self == SlotOffer.withdrawal(self.slot, self.serial)


@message(0x35)
@dataclass(frozen=True, slots=True)
class OfferKept(Message):
    """keeper -> lock: the offer is durably stored (DONE) or not newer than the one that is (STALE)."""

    slot: U32 = field(repr=False)
    serial: U32
    result: Result


@message(0x36)
@dataclass(frozen=True, slots=True)
class CardShown(Message):
    """lock -> keeper: a card is in front of the reader. keeper talks to it until it sends a Verdict or an Answer."""

    nonce: Nonce


@message(0x37)
@dataclass(frozen=True, slots=True)
class CardCommand(Message):
    """keeper -> lock -> card: one command APDU of the exchange `nonce` (ISO/IEC 7816-4)."""

    nonce: Nonce
    apdu: Apdu = field(repr=False)


@message(0x38)
@dataclass(frozen=True, slots=True)
class CardAnswer(Message):
    """card -> lock -> keeper: the card's answer, with its two status bytes."""

    nonce: Nonce
    apdu: Apdu = field(repr=False)


@message(0x39)
@dataclass(frozen=True, slots=True)
class CardGone(Message):
    """lock -> keeper: the card or its reader left in the middle; the exchange is over, and answered like any other."""

    nonce: Nonce


@message(0x3A)
@dataclass(frozen=True, slots=True)
class ChangeCards(Message):
    """lock -> keeper: the same check as CheckPin, to add a card or to cancel them all. Answered by an Answer."""

    nonce: Nonce
    change: CardChange
    claim: U32 = field(repr=False)
    digits: Digits = field(repr=False)


@message(0x3B)
@dataclass(frozen=True, slots=True)
class Occupied(Message):
    """keeper -> lock: whether so many places are taken that a day's count names nobody; at connection and on change.

    `some`: whether any is. Where none is, nobody could show a PIN to end the door.
    """

    many: bool
    some: bool


@message(0x3C)
@dataclass(frozen=True, slots=True)
class LockedOut(Message):
    """keeper -> lock: after a wrong attempt somebody has to wait; nobody at the door is told, and nobody learns who."""


@message(0x40)
@dataclass(frozen=True, slots=True)
class Grant(Message):
    """keeper -> vault: whoever names `nonce` before `expires_ns` may do `purpose` once, for `slot`.

    PAGE alone stands for every other act, as often as somebody likes until then.
    """

    nonce: Nonce
    purpose: Purpose
    expires_ns: TimeNs
    slot: U32 = field(repr=False)


@message(0x41)
@dataclass(frozen=True, slots=True)
class GrantTicket(Message):
    """keeper -> desk: the same grant without the slot; desk never learns whose it is.

    `page_code`: which browser it is for, where `purpose` is PAGE; NO_PAGE_CODE for every other.
    """

    nonce: Nonce
    purpose: Purpose
    expires_ns: TimeNs
    page_code: U32 = field(default=NO_PAGE_CODE, repr=False)


@message(0x42)
@dataclass(frozen=True, slots=True)
class HasCredential(Message):
    """vault -> keeper: has `slot` a working PIN or card? No face without one."""

    slot: U32 = field(repr=False)


@message(0x43)
@dataclass(frozen=True, slots=True)
class CredentialAnswer(Message):
    """keeper -> vault: the reply to HasCredential, and every change of it that follows.

    `tenancy` names the offer under which the slot was taken, NO_TENANCY if no PIN or card works: a face that was
    enrolled under another one belongs to somebody who has moved out. `ends_unix`: when that tenancy ends, NO_END if it
    does not; vault keeps it beside the face, which ends with it.
    """

    slot: U32 = field(repr=False)
    tenancy: Tenancy = field(repr=False)
    ends_unix: UnixSeconds


@message(0x44)
@dataclass(frozen=True, slots=True)
class LastCredentialGone(Message):
    """keeper -> vault: `slot` lost its last PIN or card; its face sleeps from now on."""

    slot: U32 = field(repr=False)


@message(0x45)
@dataclass(frozen=True, slots=True)
class PlaceEnded(Message):
    """keeper -> vault: as a reply, or as news: no PIN or card works for `slot`, and whoever had one has it no more.

    The manager has offered the place anew or withdrawn it: a face that is there can never wake again, and is erased.
    """

    slot: U32 = field(repr=False)
