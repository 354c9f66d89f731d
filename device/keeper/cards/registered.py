"""Which cards open for a slot, as a fixed-size field of its sealed record.

Rules kept here:
- Two places, always both there, so that the length of a record does not tell who has a card.
- The number of a card (`uid`) finds it among others and proves nothing; its `serial` is drawn anew each time a card is
  added, is part of its key and names its counter.
- Reading accepts exactly what writing makes: used places first, nothing in the rest, no card twice.

Byte form, little-endian, 40 bytes: two places of kind (u8) | length of the UID (u8) | UID (10, zeros after it) |
serial (u32) | zeros (4). An unused place is zeros.
"""

from __future__ import annotations

import struct
from dataclasses import dataclass
from enum import IntEnum, unique

from device.errors import RecordRefused

MOST_CARDS = 2
CARD_BYTES = 20
CARDS_BYTES = MOST_CARDS * CARD_BYTES
UID_SIZES = (4, 7, 10)  # single, double and triple size: ISO/IEC 14443-3
NO_SERIAL = 0
_CARD = struct.Struct("<BB10sI4x")


@unique
class CardKind(IntEnum):
    """How a card is spoken to."""

    DESFIRE_EV1 = 1
    DESFIRE_EV2 = 2  # and EV3, which speaks the same
    NTAG_424 = 3


@dataclass(frozen=True, slots=True)
class Registered:
    """One card of a slot: how it is spoken to, its UID (4, 7 or 10 bytes), and its serial (from 1, u32)."""

    kind: CardKind
    uid: bytes
    serial: int


def pack(cards: tuple[Registered, ...]) -> bytes:
    """The field that holds `cards`, at most MOST_CARDS; CARDS_BYTES long. Raises RecordRefused."""
    if len(cards) > MOST_CARDS:
        raise RecordRefused(f"a slot has at most {MOST_CARDS} cards")
    if len({card.uid for card in cards}) < len(cards) or len({card.serial for card in cards}) < len(cards):
        raise RecordRefused("a slot holds a card twice")
    return b"".join(map(_packed, cards)).ljust(CARDS_BYTES, b"\0")


def unpack(data: bytes) -> tuple[Registered, ...]:
    """The cards in `data`. Raises RecordRefused for whatever `pack` does not write."""
    if len(data) != CARDS_BYTES:
        raise RecordRefused("the cards of a slot have the wrong length")
    places = [data[at : at + CARD_BYTES] for at in range(0, CARDS_BYTES, CARD_BYTES)]
    cards = tuple(_card(place) for place in places if any(place))
    if pack(cards) != data:
        raise RecordRefused("the cards of a slot make no sense")
    return cards


def _packed(card: Registered) -> bytes:
    if len(card.uid) not in UID_SIZES or not NO_SERIAL < card.serial < 1 << 32:
        raise RecordRefused("a card has a number that no card has")
    return _CARD.pack(card.kind, len(card.uid), card.uid, card.serial)


def _card(place: bytes) -> Registered:
    kind, size, uid, serial = _CARD.unpack(place)
    try:
        return Registered(CardKind(kind), uid[:size], serial)
    except ValueError as cause:
        raise RecordRefused("a card is of a kind this door does not know") from cause
