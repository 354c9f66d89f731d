"""Who has a PIN or card to fall back on: without one, a face sleeps.

Rules kept here:
- At boot nobody is awake; keeper is asked about every record, a few questions at a time.
- What keeper said last stays valid while it is away (it restarts within a second), and is asked again afterwards.
- "Gone" counts at once; "present" counts from the answer on.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from itertools import islice

from device.wire import NO_END, NO_TENANCY

_IN_FLIGHT = 16  # a socket's buffer holds them many times over; 10,000 at once would cost the connection


@dataclass(frozen=True, slots=True)
class Place:
    """What keeper says of a slot: the offer it was taken under (16 bytes), and when that ends (seconds since 1970)."""

    tenancy: bytes = NO_TENANCY
    ends_unix: int = NO_END

    @property
    def taken(self) -> bool:
        """Whether a PIN or card works."""
        return self.tenancy != NO_TENANCY


UNTAKEN = Place()


@dataclass(slots=True)
class Credentials:
    """What keeper said about each slot, and what it has still to be asked."""

    _places: dict[int, Place] = field(default_factory=dict, repr=False)
    _to_ask: dict[int, None] = field(default_factory=dict, repr=False)  # a set that keeps its order
    _asked: set[int] = field(default_factory=set, repr=False)

    def place(self, slot: int) -> Place | None:
        """What keeper said of `slot`; None if it was not heard on it yet."""
        return self._places.get(slot)

    def ask_anew(self, slots: Iterable[int]) -> None:
        """Keeper is (again) there: everything is to be asked, nothing is under way."""
        self._asked.clear()
        self._to_ask = dict.fromkeys(slots)

    def ask(self, slot: int) -> None:
        """`slot` is to be asked about; an older answer, which may have missed a change, counts no more."""
        self._places.pop(slot, None)
        self._to_ask[slot] = None

    def questions(self) -> tuple[int, ...]:
        """The slots to ask about now; they then count as asked."""
        room = _IN_FLIGHT - len(self._asked)
        due = tuple(slot for slot in islice(self._to_ask, max(0, room)) if slot not in self._asked)
        for slot in due:
            del self._to_ask[slot]
        self._asked.update(due)
        return due

    def answered(self, slot: int, place: Place) -> None:
        """Keeper's word on `slot`."""
        self._asked.discard(slot)
        self._places[slot] = place
