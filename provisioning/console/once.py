"""A form that makes something is taken once: whoever sends it again by looking anew makes nothing twice.

Rules kept here:
- Each such form has a number of its own. A number that was drawn by nobody here is taken too: a restart of the console
  spoils no form that somebody has in front of them.
- What was refused can be sent again.
"""

from __future__ import annotations

import secrets
import threading
from collections import OrderedDict
from dataclasses import dataclass, field

from provisioning.errors import FleetRefused

MOST_KEPT = 10_000


@dataclass(slots=True)
class Once:
    """The numbers that were used."""

    _used: OrderedDict[str, None] = field(default_factory=OrderedDict)
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def new(self) -> str:
        """A number for a form."""
        return secrets.token_hex(16)

    def use(self, number: str) -> None:
        """Use a number up. Raises FleetRefused if it was used."""
        with self._lock:
            if not number or number in self._used:
                msg = "this form was sent already, and counts once; what came of it stands in the list of acts"
                raise FleetRefused(msg)
            self._used[number[:64]] = None
            while len(self._used) > MOST_KEPT:
                self._used.popitem(last=False)

    def give_back(self, number: str) -> None:
        """What the form asked for was refused."""
        with self._lock:
            self._used.pop(number[:64], None)
