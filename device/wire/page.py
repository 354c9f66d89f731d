"""Messages about the resident's page: who opened it at the keypad, and what it may show to whoever sits there (ADR 30).

Rules kept here:
- No message here holds a slot, a PIN or an embedding. A sitting is named by the nonce of its grant, which keeper told
  vault and desk and nobody else; which slot it is, desk never learns.
- What is told of a face is what its own resident may know of it, and nothing of anybody else's.
"""

from __future__ import annotations

from dataclasses import dataclass

from device.wire.base import U8, Day, Message, Nonce, TermsId, UnixSeconds, message
from device.wire.values import HeldFace


@message(0xA0)
@dataclass(frozen=True, slots=True)
class PageArmed(Message):
    """lock -> desk: somebody typed 012 # at the keypad: the page may be served for a while."""


@message(0xA1)
@dataclass(frozen=True, slots=True)
class AskHeld(Message):
    """desk -> vault: what is held of the face of whoever opened this sitting? Answered by Held or SittingOver."""

    grant: Nonce


@message(0xA2)
@dataclass(frozen=True, slots=True)
class Held(Message):
    """vault -> desk: the reply. Where `face` is NONE or UNREADABLE, everything behind it is zero.

    `enrolled`: a day, NO_DAY if the clock was not believed then. `pictures`: how many were averaged into the template.
    `ends_unix`: when the place ends, NO_END if it does not. `terms`: the beginning of the hash of the terms agreed to.
    `covered`: it was enrolled with mouth and nose covered. `sittings`: in how many.
    """

    grant: Nonce
    face: HeldFace
    enrolled: Day
    pictures: U8
    under_14: bool
    ends_unix: UnixSeconds
    terms: TermsId
    covered: bool = False
    sittings: U8 = 0


@message(0xA3)
@dataclass(frozen=True, slots=True)
class SittingOver(Message):
    """desk -> vault, vault -> desk: nothing is done any more in the sitting with this grant."""

    grant: Nonce
