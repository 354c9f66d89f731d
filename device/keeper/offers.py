"""Invitations: which offers are kept, and until when they can be redeemed.

Rules kept here:
- Per slot only a greater serial is kept; the very same offer again is answered as if for the first time and changes
  nothing, so lock may repeat a document after a power cut without throwing anybody out.
- A kept offer replaces whatever the slot held: this is how a lost PIN is cancelled, without anybody seeing it. Nothing
  passes to whoever redeems it. One that withdraws the place leaves nothing there that any digits match, and no older
  offer comes back.
- Whoever lived there must not be left to guess: the PIN that an offer cancelled is known again, and opens nothing,
  while the invitation can be redeemed (`over_s`). A PIN whose tenancy had ended by itself is not, and no duress PIN or
  code.
- An invitation can be redeemed from the moment it was kept until it expires, or until the tenancy ends (`ends`), which
  may be sooner. If the clock says that it was not kept
  yet, the clock is wrong and the invitation has to wait.
- Pure: the offer, what is held, and the time come in; the answer and what to keep go out.
"""

from __future__ import annotations

from dataclasses import replace

from nacl import bindings

from device import wire
from device.keeper.pin import Verifiers
from device.keeper.record import NO_SALT, NOTHING, OFFER_ID_BYTES, Credential, Kind
from device.wire import Result, SlotOffer

# The year 5138, as in `device.document`, which keeper has no use for. What ends later is a mistake of units.
LATEST_UNIX = 10**11


def offer_id(offer: SlotOffer) -> bytes:
    """16 bytes that name exactly this offer, whatever became of it."""
    return bytes(
        bindings.crypto_generichash_blake2b_salt_personal(wire.pack(offer), OFFER_ID_BYTES, person=b"doorward offer")
    )


def weigh(
    offer: SlotOffer, held: Credential | None, verifiers: Verifiers, now_unix: int
) -> tuple[Result, Credential | None]:
    """What to answer, and what to keep instead of `held` (None: nothing changes)."""
    dated = 0 < offer.expires_unix <= LATEST_UNIX and wire.NO_END <= offer.ends_unix <= LATEST_UNIX
    if offer.slot == wire.NOBODY or not (dated or offer.withdraws):
        return Result.REFUSED, None
    name = offer_id(offer)
    if held and name == held.offer_id:
        return Result.DONE, None
    if held and offer.serial <= held.serial:
        return Result.STALE, None
    if offer.withdraws:
        return Result.DONE, Credential(
            kind=Kind.ENDED,
            serial=offer.serial,
            offer_id=name,
            kept_unix=now_unix,
            expires_unix=offer.expires_unix,
            ends_unix=wire.NO_END,
            salt=NO_SALT,
            verifier=NOTHING,
        )
    invited = Credential(
        kind=Kind.INVITATION,
        serial=offer.serial,
        offer_id=name,
        kept_unix=now_unix,
        expires_unix=offer.expires_unix,
        ends_unix=offer.ends_unix,
        salt=offer.salt,
        verifier=verifiers.verifier(offer.slot, offer.verifier),
    )
    return Result.DONE, _remembering(invited, held, now_unix)


def over_s(held: Credential, now_unix: float) -> float | None:
    """In how many seconds the PIN that the invitation in `held` cancelled is to be forgotten; None if there is none."""
    if held.kind is not Kind.INVITATION or held.former == NOTHING:
        return None
    return max(0.0, held.expires_unix - now_unix)


def _remembering(invited: Credential, held: Credential | None, now_unix: int) -> Credential:
    """`invited` beside the PIN that it cancels, or that the open invitation before it had cancelled."""
    if held is None or wire.NO_END < held.ends_unix <= now_unix:
        return invited
    if held.kind is Kind.PIN:
        return replace(invited, former_salt=held.salt, former=held.verifier)
    return replace(invited, former_salt=held.former_salt, former=held.former)


def redeemable(held: Credential, now_unix: int) -> bool:
    """Whether the invitation in `held` can be redeemed now."""
    return held.kind is Kind.INVITATION and held.kept_unix <= now_unix < held.expires_unix
