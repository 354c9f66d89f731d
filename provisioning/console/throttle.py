"""How often somebody may try to sign in.

Rules kept here:
- A try is charged before anything is compared, and given back if it was right: tries at the same moment count too.
- Strangers share a budget for each account and one for each address. A browser in which the user has signed in before
  has its own: whoever types ten thousand passwords for an account locks out strangers, and never its user at home.
- An unknown account has a budget as a known one has: what is refused tells nobody which accounts there are.
- Memory is bounded. All of it is forgotten with the program, whose start nobody outside can cause.
"""

from __future__ import annotations

import ipaddress
import threading
from collections import OrderedDict, deque
from dataclasses import dataclass, field
from enum import Enum, unique

WINDOW_S = 900.0
MOST_KEPT = 20_000


@unique
class Kind(Enum):
    """Whose budget it is; the value is how many tries it has in WINDOW_S."""

    ACCOUNT = 10
    DEVICE = 12
    ADDRESS = 40


Key = tuple[Kind, str]


@dataclass(frozen=True, slots=True)
class Charged:
    """What became of a try: for how many seconds it has to wait (0: it may be made), and which budgets it used up."""

    wait_s: float
    used_up: tuple[Key, ...] = ()


@dataclass(slots=True)
class Throttle:
    """All budgets; times are seconds of one clock. May be used by many threads."""

    _tries: OrderedDict[Key, deque[float]] = field(default_factory=OrderedDict)
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def charge(self, keys: tuple[Key, ...], now_s: float) -> Charged:
        """Charge a try to all of `keys`, if each has one left."""
        with self._lock:
            found = [(key, self._recent(key, now_s)) for key in keys]
            waits = [tries[0] + WINDOW_S - now_s for key, tries in found if len(tries) >= key[0].value]
            if waits:
                return Charged(max(waits))
            for _key, tries in found:
                tries.append(now_s)
            return Charged(0.0, tuple(key for key, tries in found if len(tries) == key[0].value))

    def refund(self, keys: tuple[Key, ...]) -> None:
        """The last try was right."""
        with self._lock:
            for key in keys:
                if tries := self._tries.get(key):
                    tries.pop()

    def _recent(self, key: Key, now_s: float) -> deque[float]:
        tries = self._tries.setdefault(key, deque())
        self._tries.move_to_end(key)
        while tries and not 0 <= now_s - tries[0] < WINDOW_S:
            tries.popleft()
        while len(self._tries) > MOST_KEPT:
            self._tries.popitem(last=False)
        return tries


def network(address: str) -> str:
    """What counts as one address: of IPv6 the half that a customer gets (RFC 6177)."""
    try:
        found = ipaddress.ip_address(address)
    except ValueError:
        return "unknown"
    if isinstance(found, ipaddress.IPv6Address) and found.ipv4_mapped is None:
        return str(ipaddress.ip_network((found, 64), strict=False))
    return str(found)
