"""What somebody who showed the right digits may set, and what the slot holds afterwards.

Rules kept here:
- What is wrong with the digits themselves is said before anything is charged (`refuse_unfit`): it tells nothing of what
  the door holds. What is wrong because of what it holds is one refusal like any other, whichever rule it was.
- An invitation sets the PIN and nothing else.
- A PIN never comes to be the duress PIN, nor one mistyped digit away from it, whichever of the two is set later.
- Whoever shows the duress PIN meets a door for which it is the PIN. A PIN set like that takes the duress PIN's place:
  the digits shown open no more, the new ones open and call for help, and the resident's own PIN stays. A duress PIN set
  or forgotten like that changes nothing. The disk is written all the same, and the answer looks the same.
- A new guests' secret ends every code of the old one. The same secret again changes nothing: what was used stays used.
- Pure but for the nonce of a sealed box.

What this cannot do: after a PIN was set under duress, the door does not know those digits when the resident sets a PIN
again; it then refuses the very same ones only.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace

from device import codes
from device.errors import CredentialRefused
from device.keeper import choice
from device.keeper.match import By, Fresh
from device.keeper.pin import Verifiers, alike
from device.keeper.record import DURESS_DIGITS_BYTES, NO_BOX, NOTHING, Credential
from device.sealing import box
from device.wire import Proof, Secret

FORGET = "0"


@dataclass(frozen=True, slots=True)
class Proven:
    """What an accepted attempt is worth: what the slot holds, by what it was matched, and what was stretched.

    `new_salt` and `new_stretched` belong to the secret that is to be set (empty if there is none).
    """

    held: Credential
    by: By
    stretched: bytes = field(default=b"", repr=False)
    new_salt: bytes = b""
    new_stretched: bytes = field(default=b"", repr=False)


def refuse_unfit(proof: Proof, fresh: Fresh, shown: str) -> None:
    """Refuse what may be set by nobody who showed `shown`. Raises CredentialRefused."""
    if fresh.secret is Secret.PIN:
        choice.refuse_weak(fresh.digits, shown)
        return
    if proof is Proof.INVITATION:
        msg = "an invitation sets the PIN and nothing else"
        raise CredentialRefused(msg)
    if fresh.digits == FORGET:
        return
    if fresh.secret is Secret.DURESS:
        choice.refuse_weak(fresh.digits, shown)
        choice.refuse_near(fresh.digits, shown)
    elif not codes.is_secret(fresh.digits):
        msg = f"the guests' secret has {codes.SECRET_DIGITS} digits, and one of these is mistyped"
        raise CredentialRefused(msg)


def changed(slot: int, fresh: Fresh, proven: Proven, verifiers: Verifiers) -> Credential | None:
    """What `slot` holds when `fresh` is set; None if it may not be set."""
    if fresh.secret is Secret.GUESTS:
        return _guests(fresh, proven)
    verifier = verifiers.verifier(slot, proven.new_stretched)
    if proven.by is By.DURESS:
        under_duress = replace(proven.held, duress=verifier, duress_box=NO_BOX)
        return under_duress if fresh.secret is Secret.PIN else proven.held
    if fresh.secret is Secret.PIN:
        return _pin(slot, fresh, proven, verifier, verifiers)
    if fresh.digits == FORGET:
        return replace(proven.held, duress=NOTHING, duress_box=NO_BOX)
    sealed = _seal(slot, fresh.digits, proven.stretched, verifiers)
    return replace(proven.held, duress=verifier, duress_box=sealed)


def _pin(slot: int, fresh: Fresh, proven: Proven, verifier: bytes, verifiers: Verifiers) -> Credential | None:
    duress = _open(slot, proven, verifiers)
    if alike(verifier, proven.held.duress) or choice.near(fresh.digits, duress):
        return None
    following = proven.held.with_pin(proven.new_salt, verifier)
    sealed = _seal(slot, duress, proven.new_stretched, verifiers) if duress else NO_BOX
    return replace(following, duress_box=sealed)


def _guests(fresh: Fresh, proven: Proven) -> Credential:
    held = proven.held
    if fresh.digits == FORGET:
        return replace(held, guest_key=NOTHING, guest_used=0)
    again = alike(proven.new_stretched, held.guest_key)
    return replace(held, guest_key=proven.new_stretched, guest_used=held.guest_used if again else 0)


def _seal(slot: int, digits: str, stretched: bytes, verifiers: Verifiers) -> bytes:
    plain = digits.encode("ascii").ljust(DURESS_DIGITS_BYTES, b"\0")
    return box.seal(verifiers.box_key(slot, stretched), plain, slot.to_bytes(4, "little"))


def _open(slot: int, proven: Proven, verifiers: Verifiers) -> str:
    """The digits of the duress PIN, "" if there is none or they are not known."""
    sealed = proven.held.duress_box
    plain = box.unseal(verifiers.box_key(slot, proven.stretched), sealed, slot.to_bytes(4, "little"))
    return plain.rstrip(b"\0").decode("ascii") if plain else ""
