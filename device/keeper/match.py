"""What shown digits match: PIN or invitation, what was right before, the duress PIN, a guest's code, or nothing.

Rules kept here:
- Every comparison is made for everybody: with what is not there it is made with a decoy, and counts for nothing. The
  digits themselves are the only thing that may change how much is compared: their number says what they could be.
- A duress PIN matches wherever the PIN does. Should both be the same digits, they are the PIN.
- A guest's code matches where somebody wants to open the door, and nowhere else: guests prove nothing and set nothing.
- Shown in the place of an invitation, digits match an open invitation or the one that was redeemed, and nothing else.
  Shown in the place of a PIN they match neither. Where a place was offered anew, they match the PIN which that offer
  cancelled, and nothing else. What was right before is worth nothing: it is only known again.
- A one-time code matches while its number is unused; what has to be kept before anybody hears of it is said with it. A
  window's matches on its days, by a clock that is believed.
- Pure: digits, what they were stretched to and what the slot holds come in.
"""

from __future__ import annotations

import os
from dataclasses import dataclass, field
from enum import Enum, auto

from device import codes, wire
from device.keeper.pin import SALT_BYTES, VERIFIER_BYTES, Verifiers, alike
from device.keeper.record import NOTHING, Credential, Kind


class By(Enum):
    """What the digits turned out to be."""

    RIGHT = auto()  # the PIN, or the invitation
    DURESS = auto()
    GUEST = auto()
    USED = auto()  # what was right before: the invitation behind a PIN, the PIN behind an invitation; it proves nothing


@dataclass(frozen=True, slots=True)
class Fresh:
    """What is to be set, and the digits somebody chose for it."""

    secret: wire.Secret
    digits: str = field(repr=False)


@dataclass(frozen=True, slots=True)
class Shown:
    """What somebody showed at the door.

    `fresh`: what they want to set. `day`: the date at the door where a guest's code may open (NO_DAY: not known), None
    where none counts.
    """

    claim: int = field(repr=False)
    kind: Kind
    digits: str = field(repr=False)
    fresh: Fresh | None = None
    day: int | None = None


@dataclass(frozen=True, slots=True)
class Match:
    """`held`: what the slot must hold before the answer is given, which differs after a one-time code."""

    by: By
    held: Credential


@dataclass(frozen=True, slots=True)
class Decoys:
    """Drawn at start: what is compared with where nothing is held. They belong to nobody."""

    salt: bytes = field(default_factory=lambda: os.urandom(SALT_BYTES))
    verifier: bytes = field(default_factory=lambda: os.urandom(VERIFIER_BYTES))
    duress: bytes = field(default_factory=lambda: os.urandom(VERIFIER_BYTES))
    guest_key: bytes = field(default_factory=lambda: os.urandom(codes.KEY_BYTES))
    former: bytes = field(default_factory=lambda: os.urandom(VERIFIER_BYTES))


def match(
    verifiers: Verifiers, shown: Shown, stretched: bytes, held: Credential | None, decoys: Decoys
) -> Match | None:
    """What `shown`, stretched with the slot's salt, matches of `held` (None: nothing that counts now)."""
    seen = verifiers.verifier(shown.claim, stretched)
    has_duress = held is not None and held.duress != NOTHING
    has_guests = held is not None and held.guest_key != NOTHING
    has_former = held is not None and held.former != NOTHING
    right = alike(seen, held.verifier if held else decoys.verifier)
    duress = alike(seen, held.duress if held and has_duress else decoys.duress)
    code = codes.read(held.guest_key if held and has_guests else decoys.guest_key, shown.digits)
    former = alike(seen, held.former if held and has_former else decoys.former)
    if held is None:
        return None
    if held.kind is not shown.kind:
        return Match(By.USED, held) if has_former and former else None
    if right:
        return Match(By.RIGHT, held)
    if duress and has_duress:
        return Match(By.DURESS, held)
    return _by_code(code, shown.day, held) if has_guests else None


def _by_code(code: codes.Code | None, day: int | None, held: Credential) -> Match | None:
    if code is None or day is None:
        return None
    if isinstance(code, codes.Once):
        return None if held.used(code.number) else Match(By.GUEST, held.using(code.number))
    return Match(By.GUEST, held) if day != wire.NO_DAY and code.holds(day) else None
