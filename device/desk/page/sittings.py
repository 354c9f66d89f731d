"""Which browser waits with which code, and which one sits: a pure table.

Rules kept here:
- A ticket opens the sitting of the one browser that shows its code, and of no other, however new. A code is good once,
  for three minutes.
- No code is a slip of the finger, or two digits swapped, away from another that is shown: such a slip opens nothing.
- A sitting ends with its ticket, after ten minutes at most; what has ended is as if it had never been.
- So many browsers may wait, and so many of one address; beyond that an address with more gives way to one with less
  (`shares`), and so does the oldest code to one who shows none, after half of its time. Who finds no place is told so.
  Whoever shows a PIN at the keypad can have all of them begin anew
  (`ROOM`). Of those who sit, who all have shown a PIN, the first gives way.

Pure but for what is drawn: times are CLOCK_MONOTONIC seconds, given as arguments.
"""

from __future__ import annotations

import secrets
from collections.abc import Callable
from dataclasses import dataclass, field

from device.desk.page.counter import Phase, Sitting
from device.desk.page.shares import place_for
from device.wire import GrantTicket

MOST_WAITING = 32
MOST_EACH = 8  # of one address: a household behind one router has one
MOST_OPEN = 4
CODE_S = 180.0  # from the telephone to the keypad and once back
SURE_S = 90.0  # nobody else's wish ends a code before, unless its address has others
SITTING_S = 600.0
LEAST_CODE, MOST_CODE = 100_000, 999_999  # six digits, and none of them a leading zero that somebody leaves out
ROOM = "100000"  # nobody's code: whoever types it with a PIN has everybody who waits begin anew
_APART = 3  # digits in which two codes differ: a slip changes one, a swap two
_ID_BYTES = 32


@dataclass(frozen=True, slots=True)
class Waiting:
    """A browser that waits, and the address it called from."""

    sitting: Sitting
    address: str = field(repr=False)


@dataclass(frozen=True, slots=True)
class Open:
    """A browser that sits: `grant` names the sitting to vault."""

    id: str = field(repr=False)
    grant: bytes = field(repr=False)
    ends_s: float


def draw_code() -> int:
    """Six digits that nobody can guess."""
    return LEAST_CODE + secrets.randbelow(MOST_CODE - LEAST_CODE + 1)


@dataclass(slots=True)
class Sittings:
    """All of them, oldest first. `draw`: the next code to try."""

    draw: Callable[[], int] = draw_code
    _waiting: list[Waiting] = field(default_factory=list, repr=False)
    _open: list[Open] = field(default_factory=list, repr=False)

    def begin(self, now_s: float, address: str = "") -> Sitting | None:
        """A sitting for a browser at `address` that waits for its code; None if there is no place for it."""
        self.forget(now_s)
        if not self._room_for(address, now_s):
            return None
        code = str(self.draw())
        while any(_alike(code, other) for other in (ROOM, *(each.sitting.code for each in self._waiting))):
            code = str(self.draw())
        sitting = Sitting(secrets.token_urlsafe(_ID_BYTES), code, now_s + CODE_S)
        self._waiting.append(Waiting(sitting, address))
        return sitting

    def bind(self, ticket: GrantTicket, now_s: float) -> list[bytes]:
        """Open the sitting whose code was typed. Returns the grants that stand for nothing (any more)."""
        self.forget(now_s)
        ends_s = min(ticket.expires_ns / 1e9, now_s + SITTING_S)
        if any(each.grant == ticket.nonce for each in self._open):
            return []
        if str(ticket.page_code) == ROOM:
            self._waiting.clear()
        chosen = self._shows(str(ticket.page_code))
        if chosen is None or ends_s <= now_s:
            return [ticket.nonce]
        self._waiting.remove(chosen)
        self._open.append(Open(chosen.sitting.id, ticket.nonce, ends_s))
        gone, self._open = self._open[:-MOST_OPEN], self._open[-MOST_OPEN:]
        return [each.grant for each in gone]

    def phase(self, sitting_id: str, now_s: float) -> Phase:
        """Where the sitting of that name stands."""
        self.forget(now_s)
        if any(each.sitting.id == sitting_id for each in self._waiting):
            return Phase.WAITING
        return Phase.ENDED if self.sits(sitting_id, now_s) is None else Phase.OPEN

    def sits(self, sitting_id: str, now_s: float) -> Open | None:
        """The open sitting of that name; None if it waits, is over, or never was."""
        self.forget(now_s)
        return next((each for each in self._open if each.id == sitting_id), None)

    def leave(self, sitting_id: str) -> bytes | None:
        """End the sitting of that name; its grant, if it was open."""
        self._waiting = [each for each in self._waiting if each.sitting.id != sitting_id]
        left = next((each for each in self._open if each.id == sitting_id), None)
        return self.over(left.grant) if left else None

    def over(self, grant: bytes) -> bytes:
        """End the sitting with this grant, if there is one."""
        self._open = [each for each in self._open if each.grant != grant]
        return grant

    def last_end_s(self, now_s: float) -> float | None:
        """When the last of those who sit has to leave; None if nobody sits."""
        self.forget(now_s)
        return max((each.ends_s for each in self._open), default=None)

    def forget(self, now_s: float) -> None:
        """Whatever has ended."""
        self._waiting = [each for each in self._waiting if now_s < each.sitting.ends_s]
        self._open = [each for each in self._open if now_s < each.ends_s]

    def _room_for(self, address: str, now_s: float) -> bool:
        """Whether one more of `address` has a place; the oldest of who has to give way loses theirs for it."""
        if sum(each.address == address for each in self._waiting) >= MOST_EACH:
            return False
        if len(self._waiting) < MOST_WAITING:
            return True
        shown = ((each.address, now_s - (each.sitting.ends_s - CODE_S)) for each in self._waiting)
        number = place_for(address, shown, SURE_S)
        if number is None:
            return False
        del self._waiting[number]
        return True

    def _shows(self, code: str) -> Waiting | None:
        return next((each for each in self._waiting if each.sitting.code == code), None)


def _alike(one: str, other: str) -> bool:
    return sum(a != b for a, b in zip(one, other, strict=True)) < _APART
