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

from device.wire import NO_TENANCY

_IN_FLIGHT = 16  # a socket's buffer holds them many times over; 10,000 at once would cost the connection


@dataclass(slots=True)
class Credentials:
    """What keeper said about each slot, and what it has still to be asked."""

    _tenancies: dict[int, bytes] = field(default_factory=dict, repr=False)
    _to_ask: dict[int, None] = field(default_factory=dict, repr=False)  # a set that keeps its order
    _asked: set[int] = field(default_factory=set, repr=False)

    def present(self, slot: int) -> bool | None:
        """Whether `slot` has a working PIN or card; None if keeper was not heard on it yet."""
        tenancy = self._tenancies.get(slot)
        return None if tenancy is None else tenancy != NO_TENANCY

    def tenancy(self, slot: int) -> bytes:
        """The offer under which `slot` is taken; NO_TENANCY if it is not, or keeper was not heard on it yet."""
        return self._tenancies.get(slot, NO_TENANCY)

    def ask_anew(self, slots: Iterable[int]) -> None:
        """Keeper is (again) there: everything is to be asked, nothing is under way."""
        self._asked.clear()
        self._to_ask = dict.fromkeys(slots)

    def ask(self, slot: int) -> None:
        """`slot` is to be asked about; an older answer, which may have missed a change, counts no more."""
        self._tenancies.pop(slot, None)
        self._to_ask[slot] = None

    def questions(self) -> tuple[int, ...]:
        """The slots to ask about now; they then count as asked."""
        room = _IN_FLIGHT - len(self._asked)
        due = tuple(slot for slot in islice(self._to_ask, max(0, room)) if slot not in self._asked)
        for slot in due:
            del self._to_ask[slot]
        self._asked.update(due)
        return due

    def answered(self, slot: int, tenancy: bytes) -> None:
        """Keeper's word on `slot`."""
        self._asked.discard(slot)
        self._tenancies[slot] = tenancy
