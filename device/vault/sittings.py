"""Sittings at the resident's page, as vault keeps them: which slot, and until when.

Rules kept here:
- A sitting stands for the slot that keeper named with it, and for no other; whoever names another nonce gets nothing.
- It ends after ten minutes at most, whatever its grant says, and at once when it is ended: by desk, when its slot opens
  another, or when nobody lives there any more. What has ended is not begun again.
- Only a few stand at once; the oldest gives way. Whichever ended without desk's word is told to desk (`ended`).

Pure: times are CLOCK_MONOTONIC nanoseconds, given as arguments.
"""

from __future__ import annotations

from dataclasses import dataclass, field

from device.vault.credentials import UNTAKEN, Place
from device.wire import Grant

LONGEST_NS = 600_000_000_000
MOST = 4


@dataclass(slots=True)
class Sitting:
    """Whose it is, until when (CLOCK_MONOTONIC), and what keeper first said of that place."""

    slot: int = field(repr=False)
    ends_ns: int
    place: Place = field(default=UNTAKEN, repr=False)  # until keeper was heard


@dataclass(slots=True)
class Sittings:
    """The sittings that stand, oldest first, by the nonces of their grants."""

    _open: dict[bytes, Sitting] = field(default_factory=dict, repr=False)
    _ended: list[bytes] = field(default_factory=list, repr=False)

    def __contains__(self, nonce: bytes) -> bool:
        """Whether there is one of that name."""
        return nonce in self._open

    def open(self, grant: Grant, now_ns: int) -> None:
        """Begin the sitting of `grant`; another one of the same slot ends, and the oldest of too many."""
        self._forget(now_ns)
        self.end_slot(grant.slot)
        while len(self._open) >= MOST:
            self._end(next(iter(self._open)))
        self._open[grant.nonce] = Sitting(grant.slot, min(grant.expires_ns, now_ns + LONGEST_NS))

    def standing(self, nonce: bytes, now_ns: int) -> Sitting | None:
        """The sitting `nonce`; None if it is over or was never there."""
        self._forget(now_ns)
        return self._open.get(nonce)

    def slots(self) -> list[int]:
        """Whose they are."""
        return [sitting.slot for sitting in self._open.values()]

    def leave(self, nonce: bytes) -> None:
        """Desk ended it."""
        self._open.pop(nonce, None)

    def end_slot(self, slot: int) -> None:
        """Nobody sits for `slot` any more."""
        for nonce in [nonce for nonce, sitting in self._open.items() if sitting.slot == slot]:
            self._end(nonce)

    def heard(self, slot: int, place: Place) -> None:
        """Keeper's word on `slot`: without a PIN or card, or under another offer, whoever sits there has moved out."""
        for sitting in [each for each in self._open.values() if each.slot == slot]:
            if not place.taken or (sitting.place.taken and sitting.place.tenancy != place.tenancy):
                self.end_slot(slot)
            sitting.place = place

    def ended(self) -> list[bytes]:
        """Those that ended without desk's word since this was asked last."""
        ended, self._ended = self._ended, []
        return ended

    def _end(self, nonce: bytes) -> None:
        del self._open[nonce]
        self._ended.append(nonce)

    def _forget(self, now_ns: int) -> None:
        # Desk has the same clock, and knows.
        self._open = {nonce: held for nonce, held in self._open.items() if now_ns < held.ends_ns}
