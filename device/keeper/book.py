"""What every slot holds: the sealed records of keeper, unpacked, and changed one at a time.

Rules kept here:
- What the book says is what the disk says: a change is durable before it is seen here, and after a fault the book reads
  back what the store says is there, the old or the new.
- A record that does not open or makes no sense is nobody's: its slot has no credential until a newer offer.
- There are never more slots than attempts can be counted for.
"""

from __future__ import annotations

from typing import Protocol

from device.errors import Fault, RecordRefused, StoreFault
from device.keeper import record
from device.keeper.attempts import MAX_SLOTS
from device.keeper.cards import registered
from device.keeper.cards.registered import Registered
from device.keeper.record import Credential, Kind


class Records(Protocol):
    """The part of `sealing.store.SealedStore` that keeper uses."""

    def records(self) -> dict[int, bytes]:
        """The payload of every record that opens, by slot."""

    def put(self, slot: int, payload: bytes) -> None:
        """Let `slot` hold `payload`; durable on return. Raises StoreFault, KeyFault."""


class Book:
    """The credentials of this door by slot."""

    def __init__(self, store: Records) -> None:
        self._store = store
        self._held: dict[int, Credential] = {}
        self._cards: dict[
            bytes, tuple[int, Registered]
        ] = {}  # by UID, so that a big house answers as fast as a small one
        self.unreadable = 0  # records that opened and made no sense
        self._read()

    def held(self, slot: int) -> Credential | None:
        """What `slot` holds."""
        return self._held.get(slot)

    def everything(self) -> dict[int, Credential]:
        """What every slot holds; a copy."""
        return dict(self._held)

    def slots(self) -> tuple[int, ...]:
        """All slots that hold something."""
        return tuple(self._held)

    @property
    def residents(self) -> int:
        """How many slots hold a PIN."""
        return sum(held.kind is Kind.PIN for held in self._held.values())

    def card(self, uid: bytes) -> tuple[int, Registered] | None:
        """Whose card `uid` is: the slot, and the card as it holds it."""
        return self._cards.get(uid)

    def keep(self, slot: int, credential: Credential) -> None:
        """Let `slot` hold `credential`; durable on return. Raises StoreFault, KeyFault; `held` then tells what is."""
        if slot not in self._held and len(self._held) >= MAX_SLOTS:
            msg = f"this door is full: it keeps at most {MAX_SLOTS} slots"
            raise StoreFault(msg)
        try:
            self._store.put(slot, record.pack(credential))
        except Fault:
            self._read()
            raise
        self._take(slot, credential)

    def _take(self, slot: int, credential: Credential) -> None:
        before = self._held.get(slot)
        if before is None or before.cards != credential.cards:
            self._cards = {uid: found for uid, found in self._cards.items() if found[0] != slot}
            self._cards |= {card.uid: (slot, card) for card in registered.unpack(credential.cards)}
        self._held[slot] = credential

    def _read(self) -> None:
        self._held, self._cards, self.unreadable = {}, {}, 0
        for slot, payload in self._store.records().items():
            try:
                self._take(slot, record.unpack(payload))
            except RecordRefused:
                self.unreadable += 1
