"""The tickets that people earned at the keypad and have not used yet.

Rules kept here:
- A ticket is good for one act of its purpose, before its end, and never longer than 60 s whatever its end says.
- A ticket that was taken never comes back, not even if keeper sends the same one again.
- Of several tickets for the same purpose the newest is used: it belongs to whoever stands at the keypad now.
- Their number is bounded; the oldest make room. Vault keeps the same rule for the grants themselves, and decides.

Pure: times are CLOCK_MONOTONIC nanoseconds, given as arguments.
"""

from __future__ import annotations

from dataclasses import dataclass, field

from device.wire import GrantTicket, Purpose

LONGEST_LIFE_NS = 60_000_000_000
MOST_TICKETS = 16


@dataclass(frozen=True, slots=True)
class _Ticket:
    nonce: bytes
    purpose: Purpose
    ends_ns: int


@dataclass(slots=True)
class Tickets:
    """The unused tickets, oldest first, and what was taken lately."""

    _unused: list[_Ticket] = field(default_factory=list)
    _taken: dict[bytes, int] = field(default_factory=dict)

    def add(self, ticket: GrantTicket, now_ns: int) -> None:
        """Keep `ticket` until its end, or for 60 s if that is sooner. One that was taken before is ignored."""
        self._forget(now_ns)
        known = ticket.nonce in self._taken or any(held.nonce == ticket.nonce for held in self._unused)
        ends_ns = min(ticket.expires_ns, now_ns + LONGEST_LIFE_NS)
        if known or ends_ns <= now_ns:
            return
        self._unused = [*self._unused, _Ticket(ticket.nonce, ticket.purpose, ends_ns)][-MOST_TICKETS:]

    def take(self, purpose: Purpose, now_ns: int) -> bytes | None:
        """The nonce of the newest ticket for `purpose`, which is used up by this; None if there is none."""
        self._forget(now_ns)
        for ticket in reversed(self._unused):
            if ticket.purpose is purpose:
                self._unused.remove(ticket)
                self._taken[ticket.nonce] = now_ns + LONGEST_LIFE_NS
                return ticket.nonce
        return None

    def _forget(self, now_ns: int) -> None:
        self._unused = [ticket for ticket in self._unused if now_ns < ticket.ends_ns]
        self._taken = {nonce: ends_ns for nonce, ends_ns in self._taken.items() if now_ns < ends_ns}
