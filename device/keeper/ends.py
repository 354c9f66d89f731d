"""When a slot's tenancy is over, read from a wall clock that may be wrong.

Rules kept here:
- From its end on a slot opens, grants, redeems and sets nothing: whatever the clock did before, and at once.
- What stands in the record is destroyed only when the clock has said so at every look for a whole hour (`GRACE_S`),
  measured with the clock that cannot be set. A clock that jumped ahead and was set right costs nobody their PIN.
- A clock that reads before the offer was kept is wrong. It ends nothing, and nothing that was seen to end begins again;
  the hour begins anew. Only a clock that reads within the tenancy takes the end back.
- Pure: records and a `Moment` come in.

What this cannot do: a door that loses its power within that hour and comes back with a clock that is late has forgotten
what it saw. It believes its clock until that is set; what was destroyed before stays destroyed.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from device.keeper.record import Credential, Kind
from device.wire import NO_END

GRACE_S = 3600.0  # as `[vault] expiry_grace_s`, which a door gives to both
_INTERRUPTED_S = float("inf")  # it was over, and the clock does not say so at present
LOOK_S = 60.0  # a clock that is set wakes nobody: this is how soon it is noticed while nobody asks


@dataclass(frozen=True, slots=True)
class Moment:
    """Both clocks at once: CLOCK_MONOTONIC, and seconds since 1970 as the wall clock has them, right or wrong."""

    now_s: float
    unix_s: float


class Ends:
    """What the clock said about tenancies that end, since this process began."""

    def __init__(self, grace_s: float = GRACE_S) -> None:
        self._grace_s = grace_s
        self._over_since_s: dict[bytes, float] = {}  # by offer: a newer offer of the slot begins anew

    def over(self, held: Credential, at: Moment) -> bool:
        """Whether the tenancy of `held` is over. Every call is a look at the clock."""
        if held.kind is Kind.ENDED:
            return True
        if held.ends_unix == NO_END:
            return False
        since_s = self._over_since_s.get(held.offer_id)
        if at.unix_s >= held.ends_unix:
            self._over_since_s[held.offer_id] = at.now_s if since_s is None else min(since_s, at.now_s)
            return True
        if at.unix_s < held.kept_unix:
            if since_s is not None:
                self._over_since_s[held.offer_id] = _INTERRUPTED_S
            return since_s is not None
        self._over_since_s.pop(held.offer_id, None)
        return False

    def ripe(self, held: Credential, at: Moment) -> bool:
        """Whether what is in `held` is to be destroyed now."""
        if held.kind is Kind.ENDED or not self.over(held, at):
            return False
        return at.now_s >= self._ripe_s(held)

    def next_look_s(self, held: Iterable[Credential], at: Moment) -> float | None:
        """When to look again at `held` (CLOCK_MONOTONIC seconds); None if nothing in it can end."""
        return min((self._next_s(each, at) for each in held if _can_end(each)), default=None)

    def only(self, held: Iterable[Credential]) -> None:
        """Forget what was seen of any other offer than those in `held`."""
        names = {each.offer_id for each in held if _can_end(each)}
        self._over_since_s = {name: since_s for name, since_s in self._over_since_s.items() if name in names}

    def _next_s(self, held: Credential, at: Moment) -> float:
        if not self.over(held, at):
            return at.now_s + min(LOOK_S, held.ends_unix - at.unix_s)
        left_s = self._ripe_s(held) - at.now_s
        return at.now_s + (min(LOOK_S, left_s) if left_s > 0 else LOOK_S)

    def _ripe_s(self, held: Credential) -> float:
        return self._over_since_s[held.offer_id] + self._grace_s


def _can_end(held: Credential) -> bool:
    return held.kind is not Kind.ENDED and held.ends_unix != NO_END
