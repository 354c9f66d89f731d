"""The guess budget: who may try a PIN now. Pure; time is CLOCK_MONOTONIC seconds, given by the caller.

Rules kept here:
- An attempt is charged when it is admitted, and given back only when it turned out right.
- A guest's code gives back what it cost itself and forgives nothing else: or whoever has one could try two PINs of
  their host after each opening, as often as the door as a whole allows.
- Per slot: three wrong tries are free, then each next one waits 30 s, 60 s, ... up to an hour. Trying during the wait
  is refused without a look and does not lengthen it: mischief at a neighbour's slot is over an hour after it stops.
- Per door: 60 wrong tries, of which one comes back every half hour, for up to twenty residents (slots with a PIN); for
  more, three a resident, and they come back that much faster. When they are spent, a slot at which nothing wrong was
  typed since its last right entry still has its first try: guessing at other slots keeps no resident out.
- What is counted is wrong tries, not what is left of the budget: a count means the same in a house of any size. Who
  moves in brings three tries along; who moves out takes three, unspent ones first.
- Only a guess that is looked at costs anything. Digits that nothing could match (a flat that is not there, that holds
  nothing of this kind, or that waits) are refused for free: whoever types junk at numbers without a tenant spends
  nobody's budget. That it was free is seen by nobody at the keypad; somebody with a PIN of their own can only find out
  by spending the whole budget first.
- A restart makes nothing better: counts are what was saved, the wait of each count begins anew, nothing has come back.

The arithmetic, of digits that are looked at; N residents, or 20 if there are fewer. One slot: n wrong tries in a row
take at least 30 + 60 + ... s (3810 s for ten), then an hour each, in a house of any size. One door: at most 3 N + T x
N / 36 000 s + one per slot and per right entry, and three for each who moves in meanwhile. Against six random digits
somebody at the keypad day and night has, apart from those first tries, 5.4 N guesses in a day and 879 N in a year at
*any* PIN of the door. One resident's share is 5.4 in a day (0.0005 %) and 879 in a year (0.09 %), as with twenty; that
somebody's PIN is found is likelier where more live behind one keypad: 1.7 % in a year with 20 residents, 8.4 % with
100. A slot with a duress PIN has two PINs that open, so a guess there is right twice as often: if everybody had one,
3.5 % and 16 %, half of them with an alarm. In exchange a house of 200 whose residents come home four times a day and
mistype one entry in ten makes 80 wrong tries a day; 480 come back, where a budget for twenty would give back 48 and be
spent within two days. Against an invitation of twelve digits, or a guest's code (`device.codes`), nothing of this is
worth a number. Chosen PINs are less random: `choice`. To spend the budget takes 3 N guesses at slots that are taken,
three at each before it waits: the whole house, or hours.
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
    door_residents: int = 20  # for whom the two above are reckoned; fewer have the same

    def wait_s(self, count: int) -> float:
        """How long the next try waits after `count` wrong ones in a row."""
        if count < self.free_tries:
            return 0.0
        # Doubling a float more than a thousand times overflows; forty doublings are beyond any longest wait.
        return min(self.longest_wait_s, self.first_wait_s * 2.0 ** min(count - self.free_tries, 40))

    def guesses(self, residents: int) -> int:
        """How many wrong tries a door of so many residents has."""
        return self.door_guesses * max(residents, self.door_residents) // self.door_residents

    def refill_s(self, residents: int) -> float:
        """After how long one of them comes back."""
        return self.door_refill_s * self.door_residents / max(residents, self.door_residents)

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
        known = tuple(slots)
        return cls(budget.guesses(len(known)), dict.fromkeys(known, budget.spent_count))


@dataclass(frozen=True, slots=True)
class Admission:
    """One charged attempt. `admitted`: the digits may be looked at; `paid`: the door was charged for it."""

    admitted: bool
    paid: bool


class Throttle:
    """The budget of one door in the present run of the process."""

    def __init__(self, counts: Counts, now_s: float, budget: Budget = BUDGET) -> None:
        self._budget = budget
        self._door = counts.door
        self._slots = dict(counts.slots)
        self._opens_s = {slot: now_s + budget.wait_s(count) for slot, count in self._slots.items()}
        self._refilled_s = now_s
        self._now_s = now_s

    def charge(self, slot: int, now_s: float, *, known: bool, residents: int) -> Admission:
        """Charge one attempt at `slot`. Save `counts` durably before looking at a digit.

        `known`: whether the slot holds anything that the digits could match. `residents`: how many slots hold a PIN.
        """
        now_s = self._advance(now_s, self._budget.refill_s(residents))
        guesses = self._budget.guesses(residents)
        self._door = min(self._door, guesses)  # who moved out took theirs along
        count = self._slots.get(slot, 0)
        spent = self._door >= guesses
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

    def take_back(self, slot: int, admission: Admission) -> None:
        """The attempt `admission` at `slot` was a guest's and right: it is as if it had not been made."""
        if not admission.admitted:
            return
        self._slots[slot] -= 1
        self._opens_s[slot] = self._now_s  # it was admitted, so whatever was to be waited for is over
        if not self._slots[slot]:
            del self._slots[slot], self._opens_s[slot]
        if admission.paid:
            self._door = max(0, self._door - 1)

    def counts(self) -> Counts:
        """What to save."""
        return Counts(self._door, dict(self._slots))

    def _advance(self, now_s: float, refill_s: float) -> float:
        # A clock that goes back must neither lengthen a wait nor hand the same half hour out twice. Nobody moves in but
        # by an attempt, which comes here first: no time is given back at the pace of a house that was smaller then.
        self._now_s = max(self._now_s, now_s)
        back = int((self._now_s - self._refilled_s) // refill_s)
        self._door = max(0, self._door - back)
        self._refilled_s += back * refill_s
        return self._now_s
