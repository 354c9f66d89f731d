"""Messages about the end of a door: what lock decides, what vault and keeper destroy, what is left on paper.

Rules kept here:
- lock alone decides that a door ends; the other rooms are told, and say when nothing is left.
- No message here holds a slot, a PIN or a number of anybody. What is asked of keeper says who stands there only by the
  flat they typed, as every question about a PIN does.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Annotated

from device.codec import Exactly
from device.wire.base import U32, Digits, Message, Nonce, message

DOOR_BYTES = 8


@message(0x80)
@dataclass(frozen=True, slots=True)
class ProveResident(Message):
    """lock -> keeper: does this PIN open? Nothing follows from it but the Answer: no grant, and no opening."""

    nonce: Nonce
    claim: U32 = field(repr=False)
    digits: Digits = field(repr=False)


@message(0x81)
@dataclass(frozen=True, slots=True)
class Retire(Message):
    """lock -> keeper, vault: this door has ended; destroy everything. `all_gone`: the others have: sign the receipt."""

    all_gone: bool


@message(0x82)
@dataclass(frozen=True, slots=True)
class Retired(Message):
    """keeper, vault -> lock: nothing is left here. `attested`: and the receipt is signed, which vault alone does."""

    attested: bool


@message(0x83)
@dataclass(frozen=True, slots=True)
class RetireDoor(Message):
    """doorctl -> desk -> lock: end the door with this id now; lock asks for a proof of its own. Answered by Ended."""

    door: Annotated[bytes, Exactly(DOOR_BYTES)]


@message(0x84)
@dataclass(frozen=True, slots=True)
class AskRetirement(Message):
    """doorctl -> desk -> vault: the receipt of this door's end. Answered by AttestationCopy; empty if there is none."""
