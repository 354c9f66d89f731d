"""The guess budget: who may try a PIN now. Pure; time is CLOCK_MONOTONIC seconds, given by the caller.

Rules kept here:
- An attempt is charged when it is admitted, and given back only when it turned out right.
- Per slot: three wrong tries are free, then each next one waits 30 s, 60 s, ... up to an hour. Trying during the wait
  is refused without a look and does not lengthen it: mischief at a neighbour's slot is over an hour after it stops.
- Per door: 60 wrong tries, of which one comes back every half hour. When they are spent, a slot at which nothing wrong
  was typed since its last right entry still has its first try: guessing at other slots keeps no resident out.
- Only a guess that is looked at costs anything. Digits that nothing could match (a flat that is not there, that holds
  nothing of this kind, or that waits) are refused for free: whoever types junk at numbers without a tenant spends
  nobody's budget. That it was free is seen by nobody at the keypad; somebody with a PIN of their own can only find out
  by spending the whole budget first.
- A restart makes nothing better: counts are what was saved, the wait of each count begins anew, nothing has come back.

The arithmetic, of digits that are looked at. One slot: n wrong tries in a row take at least 30 + 60 + ... s (3810 s for
eleven), then an hour each. One door: at most 60 + T / 1800 s + one per slot and per right entry. Against six random
digits somebody at the keypad day and night has, apart from those first tries, 108 guesses in a day (0.011 %) and 17 580
in a year (1.8 %) at *any* PIN of the door; against an invitation of twelve digits nothing worth a number. Chosen PINs
are less random: `choice`. To spend the budget takes 60 guesses at slots that are taken, three at each before it waits:
twenty neighbours, or hours.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

_NEVER_S = float("-inf")


@dataclass(frozen=True, slots=True)
class Budget:
    """The numbers; the arithmetic stands in the module's docstring."""

    free_tries: int = 3
    first_wait_s: float = 30.0
    longest_wait_s: float = 3600.0
    door_guesses: int = 60
    door_refill_s: float = 1800.0

    def wait_s(self, count: int) -> float:
        """How long the next try waits after `count` wrong ones in a row."""
        if count < self.free_tries:
            return 0.0
        # Doubling a float more than a thousand times overflows; forty doublings are beyond any longest wait.
        return min(self.longest_wait_s, self.first_wait_s * 2.0 ** min(count - self.free_tries, 40))

    @property
    def spent_count(self) -> int:
        """The smallest count with the longest wait."""
        return next(count for count in range(self.free_tries, 1000) if self.wait_s(count) >= self.longest_wait_s)


BUDGET = Budget()


@dataclass(frozen=True, slots=True)
class Counts:
    """What has to survive a power cut: wrong tries of the door, and per slot since its last right one."""

    door: int
    slots: Mapping[int, int]

    @classmethod
    def worst(cls, slots: Iterable[int], budget: Budget = BUDGET) -> Counts:
        """What is assumed when nobody knows any more: everything is spent."""
        return cls(budget.door_guesses, dict.fromkeys(slots, budget.spent_count))


@dataclass(frozen=True, slots=True)
class Admission:
    """One charged attempt. `admitted`: the digits may be looked at; `paid`: the door was charged for it."""

    admitted: bool
    paid: bool


class Throttle:
    """The budget of one door in the present run of the process."""

    def __init__(self, counts: Counts, now_s: float, budget: Budget = BUDGET) -> None:
        self._budget = budget
        self._door = min(counts.door, budget.door_guesses)
        self._slots = dict(counts.slots)
        self._opens_s = {slot: now_s + budget.wait_s(count) for slot, count in self._slots.items()}
        self._refilled_s = now_s
        self._now_s = now_s

    def charge(self, slot: int, now_s: float, *, known: bool) -> Admission:
        """Charge one attempt at `slot`. Save `counts` durably before looking at a digit.

        `known`: whether the slot holds anything that the digits could match.
        """
        now_s = self._advance(now_s)
        count = self._slots.get(slot, 0)
        spent = self._door >= self._budget.door_guesses
        waiting = now_s < self._opens_s.get(slot, _NEVER_S)
        if not known or waiting or (spent and count > 0):
            return Admission(admitted=False, paid=False)
        if self._door == 0:
            self._refilled_s = now_s
        if not spent:
            self._door += 1
        self._slots[slot] = count + 1
        self._opens_s[slot] = now_s + self._budget.wait_s(count + 1)
        return Admission(admitted=True, paid=not spent)

    def settle(self, slot: int, admission: Admission) -> None:
        """The attempt `admission` at `slot` was right: it was no guess, and the slot begins anew."""
        if not admission.admitted:
            return
        self._slots.pop(slot, None)
        self._opens_s.pop(slot, None)
        if admission.paid:
            self._door = max(0, self._door - 1)

    def counts(self) -> Counts:
        """What to save."""
        return Counts(self._door, dict(self._slots))

    def _advance(self, now_s: float) -> float:
        # A clock that goes back must neither lengthen a wait nor hand the same half hour out twice.
        self._now_s = max(self._now_s, now_s)
        back = int((self._now_s - self._refilled_s) // self._budget.door_refill_s)
        self._door = max(0, self._door - back)
        self._refilled_s += back * self._budget.door_refill_s
        return self._now_s
