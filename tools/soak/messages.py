"""What the door says to its manager, looked at as it comes.

Rules kept here:
- Every report and every alarm has the one size. Its run and number are used once, and numbers of a run never go back;
  the broker may deliver the same message twice.
- Payloads are kept: they are searched for what no message may hold.
"""

from __future__ import annotations

import json
import threading
from dataclasses import dataclass, field
from typing import Any

from device.report.envelope import SIZE


@dataclass(slots=True)
class Messages:
    """All of a day; `wrong` is what should not have come. `heard` may be called from any thread."""

    reports: int = 0
    wrong: list[str] = field(default_factory=list)
    payloads: set[bytes] = field(default_factory=set, repr=False)
    _newest: dict[str, int] = field(default_factory=dict)
    _known: dict[tuple[str, int], bytes] = field(default_factory=dict)
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def heard(self, topic: str, payload: bytes) -> None:
        """One message as the broker delivered it."""
        if not topic.endswith(("/report", "/alarm")):
            return
        with self._lock:
            self.reports += 1
            self.payloads.add(payload)
            if len(payload) != SIZE:
                self.wrong.append(f"a message of {len(payload)} bytes instead of {SIZE}")
                return
            said: dict[str, Any] = json.loads(payload)
            run, number = str(said["run"]), int(said["seq"])
            new = (run, number) not in self._known
            if self._known.setdefault((run, number), payload) != payload:
                self.wrong.append("two messages with one number")
            elif new and number < self._newest.get(run, 0):
                self.wrong.append("the numbers of one run went back")
            self._newest[run] = max(number, self._newest.get(run, 0))

    def seen(self) -> tuple[int, frozenset[bytes], tuple[str, ...]]:
        """How many there were, what they said, and what should not have come, all of one moment."""
        with self._lock:
            return self.reports, frozenset(self.payloads), tuple(self.wrong)
