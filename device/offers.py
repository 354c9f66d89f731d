"""The body of a signed document that offers places: each slot once, in ascending order, and what an offer may say.

Rules kept here:
- A body has exactly one byte form: whole offers and nothing after them.
- A place ends after the document that offers it was issued, or not at all. It may end before the invitation does: a
  cleaner's place of one day is no mistake, and an invitation is worth nothing once its place has ended.
- An offer to nobody (`SlotOffer.withdrawal`) withdraws a place; it has one form, which says nothing else.

`device.document` signs and verifies what holds them.
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise
from typing import Final

from device.codec import Schema
from device.errors import DocumentRefused
from device.wire import NO_END, SlotOffer

FIRST_SLOT = 1
LAST_SLOT = 9999  # what a person can type as a flat number: four digits
# The year 5138. A later time is a mistake of units (milliseconds, nanoseconds), and an end then would never come.
LATEST_UNIX = 10**11

_OFFER = Schema(SlotOffer)
OFFER_BYTES: Final = _OFFER.size


@dataclass(frozen=True, slots=True)
class SlotOffers:
    """The body of Kind.SLOT_OFFERS: one offer or more, each slot once, ascending."""

    offers: tuple[SlotOffer, ...]


def pack(body: SlotOffers) -> bytes:
    """The bytes of `body`. Raises MessageRefused for what has no room in its field."""
    return b"".join(_OFFER.pack(offer) for offer in body.offers)


def unpack(body: bytes) -> SlotOffers:
    """What `body` says; `refuse` has still to look at it. Raises DocumentRefused or MessageRefused."""
    if len(body) % _OFFER.size:
        msg = "the document ends in the middle of an offer"
        raise DocumentRefused(msg)
    offers: tuple[SlotOffer, ...] = tuple(
        _OFFER.unpack(body[at : at + _OFFER.size]) for at in range(0, len(body), _OFFER.size)
    )
    return SlotOffers(offers)


def refuse(offers: tuple[SlotOffer, ...], most: int, issued_unix: int) -> None:
    """Raise DocumentRefused unless a document issued then may hold these offers, `most` of them at most."""
    _refuse_offers(offers, most)
    _refuse_times(offers, issued_unix)


def _refuse_offers(offers: tuple[SlotOffer, ...], most: int) -> None:
    if not 1 <= len(offers) <= most:
        msg = f"a document holds 1 to {most} offers, not {len(offers)}"
        raise DocumentRefused(msg)
    slots = [offer.slot for offer in offers]
    if any(low >= high for low, high in pairwise(slots)):
        msg = "a document names each slot once, in ascending order"
        raise DocumentRefused(msg)
    if not (slots[0] >= FIRST_SLOT and slots[-1] <= LAST_SLOT):
        msg = f"a slot is a number from {FIRST_SLOT} to {LAST_SLOT}"
        raise DocumentRefused(msg)
    if any(offer.serial < 1 or (offer.expires_unix < 1 and not offer.withdraws) for offer in offers):
        msg = "an offer's serial and its expiry start at 1; only one that withdraws a place has no expiry, and no more"
        raise DocumentRefused(msg)


def _refuse_times(offers: tuple[SlotOffer, ...], issued_unix: int) -> None:
    if any(max(offer.expires_unix, offer.ends_unix) > LATEST_UNIX for offer in offers):
        msg = "an offer ends before the year 5138; times in a document are seconds since 1970"
        raise DocumentRefused(msg)
    if any(offer.ends_unix != NO_END and offer.ends_unix <= issued_unix for offer in offers):
        msg = "a place cannot have ended before it was offered"
        raise DocumentRefused(msg)
