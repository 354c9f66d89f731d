"""Keeper's twin of the counter on each card.

Rules kept here:
- `keep` is durable when it returns, or raises and changes nothing. Before a card is told to count, keeper has counted.
- A counter that cannot be read is no counter, never zero: its card is refused until it is added again.
- A card is named by its serial, which is drawn anew whenever a card is added: what is left of an older card of the same
  number is never taken for the counter of the newer.
- What is forgotten is gone from both pages when `retain` returns.
- What a thief sees of the file is its size, which is the same with no card and with all of them (`pages`).

Byte form: the pages of `pages` with magic "DWCT" | version (1), 40960 bytes each. Payload, little-endian: number of
cards (u32), then per card, ascending: serial (u32) | counter (u32) | pending (u8: 0 or 1).
"""

from __future__ import annotations

import struct
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from itertools import pairwise
from pathlib import Path

from device.errors import StoreFault
from device.keeper.attempts import MAX_SLOTS
from device.keeper.cards.registered import MOST_CARDS, NO_SERIAL
from device.keeper.cards.steps import Draw
from device.keeper.pages import Form, TwinPages

PAGE_BYTES = 40960
ROOM = MOST_CARDS * MAX_SLOTS + 64  # a card that is added again has two for a moment
_SERIAL_BYTES = 4
_COUNT = struct.Struct("<I")
_CARD = struct.Struct("<IIB")


@dataclass(frozen=True, slots=True)
class Kept:
    """The counter keeper expects on a card; `pending`: it may not have reached the card, so one less is right too."""

    counter: int
    pending: bool


class Counters:
    """The file at `path`. `key`: 32 bytes that seal nothing else. Not to be used by two threads at once."""

    def __init__(self, path: Path, key: bytes) -> None:
        self._pages: TwinPages[Mapping[int, Kept]] = TwinPages(path, key, replace(FORM, pack=self._packed))
        self._cards: dict[int, Kept] = {}
        self._told: dict[int, bytes] = {}  # each card as it is written, ascending, so that one use packs one card
        self.damaged = False  # whether nothing could be read of a file that was there

    def load(self) -> None:
        """Read the file; made on a new door. Raises StoreFault."""
        told = self._pages.load({})
        self.damaged = told is None
        self._cards = dict(told or {})
        self._told = {serial: _card(serial, kept) for serial, kept in sorted(self._cards.items())}

    def get(self, serial: int) -> Kept | None:
        """The counter of the card `serial`, None if it is not known."""
        return self._cards.get(serial)

    def keep(self, serial: int, kept: Kept) -> None:
        """Make `kept` the counter of the card `serial`. Raises StoreFault; then the one before still holds."""
        told = {**self._told, serial: _card(serial, kept)}
        if serial not in self._told:
            told = dict(sorted(told.items()))
        self._save({**self._cards, serial: kept}, told)

    def retain(self, serials: Iterable[int]) -> None:
        """Forget every card but these. Raises StoreFault. Writes nothing if nothing is to be forgotten."""
        wanted = set(serials)
        rest = {serial: kept for serial, kept in self._cards.items() if serial in wanted}
        if len(rest) < len(self._cards):
            told = {serial: card for serial, card in self._told.items() if serial in wanted}
            self._save(rest, told)
            self._save(rest, told)  # the other page, which still has them

    def fresh_serial(self, draw: Draw) -> int:
        """A serial for a new card: random, so that it counts nothing, and no card's of this file."""
        while True:
            serial = int.from_bytes(draw(_SERIAL_BYTES), "little")
            if serial != NO_SERIAL and serial not in self._cards:
                return serial

    def close(self) -> None:
        """Let go of the file."""
        self._pages.close()

    def _save(self, cards: dict[int, Kept], told: dict[int, bytes]) -> None:
        before, self._told = self._told, told
        try:
            self._pages.save(cards)
        except StoreFault:
            self._told = before
            raise
        self._cards = cards

    def _packed(self, cards: Mapping[int, Kept]) -> bytes:
        return _joined(self._told) if len(cards) == len(self._told) else _pack(cards)


def _pack(cards: Mapping[int, Kept]) -> bytes:
    return _joined({serial: _card(serial, kept) for serial, kept in sorted(cards.items())})


def _card(serial: int, kept: Kept) -> bytes:
    return _CARD.pack(serial, kept.counter, kept.pending)


def _joined(cards: Mapping[int, bytes]) -> bytes:
    if len(cards) > ROOM:
        msg = f"a door counts the uses of at most {ROOM} cards"
        raise StoreFault(msg)
    return _COUNT.pack(len(cards)) + b"".join(cards.values())


def _parse(payload: bytes) -> Mapping[int, Kept] | None:
    (count,) = _COUNT.unpack_from(payload)
    end = _COUNT.size + count * _CARD.size
    if count > ROOM or any(payload[end:]):
        return None
    told: list[tuple[int, int, int]] = list(_CARD.iter_unpack(payload[_COUNT.size : end]))
    serials = [NO_SERIAL, *(serial for serial, _, _ in told)]
    if any(low >= high for low, high in pairwise(serials)) or any(pending > 1 for _, _, pending in told):
        return None
    return {serial: Kept(counter, bool(pending)) for serial, counter, pending in told}


FORM: Form[Mapping[int, Kept]] = Form(b"DWCT\x01", PAGE_BYTES, "the counters of cards", _pack, _parse)
