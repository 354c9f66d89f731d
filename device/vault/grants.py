"""Grants: the permissions that keeper gives after somebody showed a PIN, a card or an invitation.

Rules kept here:
- A grant is good for one act, of the purpose it was given for, before it expires, and then never again. One for a
  sitting at the page (PAGE) stands for every act of its slot until it ends (`sittings`), and for nobody else's.
- Naming a grant uses it up, whether or not it fits: a wrong purpose costs a new proof at the keypad.
- No grant lives longer than 60 s, whatever it says, and only a few live at once; the oldest gives way.
- The same PIN shown twice for the same act, with nothing in between, is that act: it needs no other surface. An
  enrolment is not among these acts, nor a renewal: both need a notice to be read.
- An unknown, used, expired or misused grant all end in the same None.
"""

from __future__ import annotations

from dataclasses import dataclass, field

from device.vault.sittings import Sittings
from device.wire import NOBODY, Grant, Purpose

MAX_LIFE_NS = 60_000_000_000  # device.wire: single use, at most 60 s
MAX_LIVE = 8


@dataclass(frozen=True, slots=True)
class Allowed:
    """What a grant allowed: one act for `slot`, to be finished before `expires_ns` (CLOCK_MONOTONIC)."""

    slot: int
    expires_ns: int


@dataclass(slots=True)
class Grants:
    """The live grants, oldest first, and the sittings."""

    sittings: Sittings = field(default_factory=Sittings, repr=False)
    _live: dict[bytes, tuple[Purpose, Allowed]] = field(default_factory=dict, repr=False)

    def add(self, grant: Grant, now_ns: int) -> bool:
        """Remember `grant`; False if it is of no use (expired, for nobody, or its nonce is already live)."""
        self._forget_expired(now_ns)
        expires_ns = min(grant.expires_ns, now_ns + MAX_LIFE_NS)
        if expires_ns <= now_ns or grant.slot == NOBODY or grant.nonce in self._live or grant.nonce in self.sittings:
            return False
        if grant.purpose is Purpose.PAGE:
            self.sittings.open(grant, now_ns)
            return True
        while len(self._live) >= MAX_LIVE:
            del self._live[next(iter(self._live))]
        self._live[grant.nonce] = (grant.purpose, Allowed(grant.slot, expires_ns))
        return True

    def take(self, nonce: bytes, purpose: Purpose, now_ns: int) -> Allowed | None:
        """Use up the grant `nonce`; what it allows, or None. A sitting is not used up: each act has a grant's time."""
        self._forget_expired(now_ns)
        sitting = self.sittings.standing(nonce, now_ns)
        if sitting is not None:
            return Allowed(sitting.slot, min(sitting.ends_ns, now_ns + MAX_LIFE_NS))
        granted_for, allowed = self._live.pop(nonce, (None, None))
        return allowed if granted_for is purpose else None

    def repeats(self, grant: Grant, now_ns: int) -> bool:
        """Whether `grant` is the second proof for one act: its PIN was shown for the same before, and nothing was done.

        Both are used up by that.
        """
        self._forget_expired(now_ns)
        wanted = (grant.purpose, grant.slot)
        first = next((nonce for nonce, (what, who) in self._live.items() if (what, who.slot) == wanted), None)
        if first is None or first == grant.nonce or grant.expires_ns <= now_ns:
            return False
        del self._live[first]
        return True

    def _forget_expired(self, now_ns: int) -> None:
        self._live = {nonce: live for nonce, live in self._live.items() if live[1].expires_ns > now_ns}
