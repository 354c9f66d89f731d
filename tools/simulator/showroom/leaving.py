"""Everything that left the device: the bytes as a broker handed them on, and what a manager reads in them.

Rules kept here:
- The bytes come from a subscriber to everything (`tools.broker.Witness`), which knows nothing of the door; they are
  shown as they came.
- What they mean says `provisioning.watching`, the reader that `doorward watch` is made of, with the keys a manager has.
  What it can say nothing about is shown all the same.
- MQTT's own packets (connecting, acknowledging, pings) are no messages, and are not here: docs/egress.md listens to the
  wire itself.
"""

from __future__ import annotations

import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from nacl.public import PrivateKey

from provisioning.fleet import open_fleet
from provisioning.line import Heard
from provisioning.watching import Fact, Watch, in_words
from tools.broker import Seen

MEANS_NOTHING: Final = "nothing that a manager's reader knows"


@dataclass(frozen=True, slots=True)
class Left:
    """One message: where to, its bytes, and what they say to the fleet's manager."""

    number: int
    topic: str
    payload: bytes
    meaning: str

    def as_json(self) -> dict[str, Any]:
        """For the page."""
        return {
            "number": self.number,
            "topic": self.topic,
            "size": len(self.payload),
            "text": self.payload.decode("utf-8", "backslashreplace").rstrip(" "),
            "spaces": len(self.payload) - len(self.payload.rstrip(b" ")),
            "meaning": self.meaning,
        }


class Reader:
    """Reads as the manager of the fleet in `folder` does, with the private half of its alarm key, if there is one."""

    def __init__(self, folder: Path, alarm_key: PrivateKey | None = None) -> None:
        self._facts: list[Fact] = []
        self._watch = Watch(open_fleet(folder), self._facts.append, time.time, key=alarm_key)
        self._count = 0

    def read(self, seen: Seen) -> Left:
        """What `seen` says. Never raises for what is in it."""
        self._facts.clear()
        self._watch.take(Heard(seen.topic, seen.payload, seen.retain))
        self._count += 1
        meaning = "; ".join(in_words(fact) for fact in self._facts) or MEANS_NOTHING
        return Left(self._count, seen.topic, seen.payload, meaning)
