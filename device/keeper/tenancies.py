"""Who has a working PIN: for vault, which lets faces sleep without one, and until a tenancy's end.

Rules kept here:
- What vault is told is what the book and the clock say at that moment, at the first second after a start as later.
- vault is told of the slots it has asked about since it came, and of no others: who takes no part in faces is not its
  business. Of those it hears whenever a PIN comes, goes, ends, or belongs to another tenant.
- What the manager offered anew or withdrew is over for good, and vault hears it as that (`PlaceEnded`), also if it was
  away at that moment. What ended by the clock is not: vault has a clock too.
- What has been over for long enough (`ends`) is replaced by a record without a PIN. It keeps serial and offer, so that
  the offer can never be kept or redeemed again; only a newer one begins anew.
- The PIN that an offer cancelled, by which its resident is known again (`offers`), is forgotten when the invitation is
  over, whoever asks. A clock that is wrong costs a hint, so there is no grace.
- One record and a few messages a look: a house that moves out on one day keeps nobody waiting at the keypad.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from device import wire
from device.errors import Fault
from device.journal import log
from device.keeper import offers
from device.keeper.attempt import Guard
from device.keeper.attempts import MAX_SLOTS
from device.keeper.ends import LOOK_S, Moment
from device.keeper.record import Credential, Kind

MOST_ASKED_ABOUT = 2 * MAX_SLOTS  # more than a door has faces; a vault gone mad must not fill keeper's memory
NEWS_AT_ONCE = 64  # a socket's buffer holds them a few times over
SOON_S = 0.1  # until the next look while there is more to do


@dataclass(frozen=True, slots=True)
class Tenancy:
    """What vault may know of a slot: the offer under which it was taken, and its end.

    `NONE`: no PIN works; `OVER`: nor will one of those who had one until now.
    """

    name: bytes
    ends_unix: int
    over: bool = False


NONE = Tenancy(wire.NO_TENANCY, wire.NO_END)
OVER = Tenancy(wire.NO_TENANCY, wire.NO_END, over=True)


class Tenancies:
    """The tenancies of one door; `tell` sends to vault if it is there."""

    def __init__(self, guard: Guard, tell: Callable[[wire.Message], object]) -> None:
        self._guard = guard
        self._tell = tell
        self._told: dict[int, Tenancy] = {}
        self._failing = False
        self._look_s: float | None = guard.clock.now_s()

    def of(self, slot: int) -> Tenancy:
        """What is so now."""
        return self._at(slot, self._guard.clock.read())

    def taken(self) -> int:
        """How many slots have a PIN that works now."""
        guard, at = self._guard, self._guard.clock.read()
        held = guard.book.everything().values()
        return sum(each.kind is Kind.PIN and not guard.ends.over(each, at) for each in held)

    def asked(self, slot: int) -> None:
        """Vault asks about `slot`: answer, and remember that it did."""
        now = self.of(slot)
        if slot in self._told or len(self._told) < MOST_ASKED_ABOUT:
            self._told[slot] = now
        self._tell(wire.PlaceEnded(slot) if now.over else wire.CredentialAnswer(slot, now.name, now.ends_unix))

    def forget(self) -> None:
        """Vault is gone, and so is what it was told."""
        self._told.clear()

    def keep(self, slot: int, fresh: Credential) -> bool:
        """Store, and tell vault what changed by it, even if the change was only half acknowledged by the disk."""
        try:
            self._guard.book.keep(slot, fresh)
            kept = True
        except Fault as fault:
            log(f"keeper: {fault}")
            kept = False
        at = self._guard.clock.read()
        if slot in self._told:
            self._news(slot, at)
        self._look_s = at.now_s
        return kept

    def deadline(self) -> float | None:
        """When `look` is due (CLOCK_MONOTONIC seconds); None if nothing here can end."""
        return self._look_s

    def look(self) -> None:
        """Notice what ended or began again, tell vault, and destroy what has been over for long enough."""
        guard, at = self._guard, self._guard.clock.read()
        held = guard.book.everything()
        guard.ends.only(held.values())
        later_s = guard.ends.next_look_s(held.values(), at)
        waits_s = {
            slot: left_s for slot, each in held.items() if (left_s := offers.over_s(each, at.unix_s)) is not None
        }
        if waits_s:
            # One that a full disk keeps from being forgotten is tried again with the next look, not without a pause.
            look_s = at.now_s + min(LOOK_S, *(left_s or LOOK_S for left_s in waits_s.values()))
            later_s = look_s if later_s is None else min(later_s, look_s)
        ripe = {slot: each.ended() for slot, each in held.items() if guard.ends.ripe(each, at)}
        ripe |= {slot: held[slot].forgetting() for slot, left_s in waits_s.items() if not left_s and slot not in ripe}
        slot, left = next(iter(ripe.items()), (wire.NOBODY, None))
        more = left is not None and self._destroy(slot, left)
        news = [slot for slot in self._told if self._at(slot, at) != self._told[slot]]
        for slot in news[:NEWS_AT_ONCE]:
            self._news(slot, at)
        if more or len(news) > NEWS_AT_ONCE:
            later_s = at.now_s + SOON_S
        # A look that is due at the very end would otherwise turn in circles until the clock gets there.
        self._look_s = None if later_s is None else max(later_s, at.now_s + SOON_S)

    def _destroy(self, slot: int, left: Credential) -> bool:
        try:
            self._guard.book.keep(slot, left)
        except Fault as fault:
            if not self._failing:
                log(f"keeper: what has ended is refused but still on the disk, and tried again: {fault}")
            self._failing = True
            return False
        self._failing = False
        return True

    def _news(self, slot: int, at: Moment) -> None:
        before, now = self._told[slot], self._at(slot, at)
        self._told[slot] = now
        if now == before:
            return
        if now == NONE:
            self._tell(wire.LastCredentialGone(slot))
        elif now.over:
            self._tell(wire.PlaceEnded(slot))
        else:
            self._tell(wire.CredentialAnswer(slot, now.name, now.ends_unix))

    def _at(self, slot: int, at: Moment) -> Tenancy:
        held = self._guard.book.held(slot)
        if held is not None and held.over_for_good:
            return OVER
        if held is None or held.kind is not Kind.PIN or self._guard.ends.over(held, at):
            return NONE
        return Tenancy(held.offer_id, held.ends_unix)
