"""The account: every message that a door handed out, against every one that somebody heard.

Rules kept here:
- A message is its door, its run and its sequence, as the envelope carries them; nothing else identifies it.
- What was handed out and never heard is lost. What was heard and never handed out is strange, and as bad.
- QoS 1 may bring a message twice; the second is counted and is no loss. One that came late is not lost, and is told.
- Pure: moments are seconds of one clock, and arguments.
"""

from __future__ import annotations

import json
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import NamedTuple


class Name(NamedTuple):
    """One message: the door's id, the run's eight digits, the number within the run."""

    door: str
    run: str
    sequence: int


@dataclass(frozen=True, slots=True)
class Notes:
    """What doors do, with its moment: messages handed out, attempts to connect, and those that came to a connection."""

    handed: list[tuple[Name, float]] = field(default_factory=list)
    tried: list[float] = field(default_factory=list)
    came: list[float] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class Judgement:
    """What became of all messages. `slowest_s`: the longest that a message took from its door to whoever listens."""

    handed: int
    heard: int  # different ones
    lost: tuple[Name, ...]
    strange: tuple[Name, ...]
    twice: int  # arrivals beyond the first of each
    late: tuple[Name, ...]
    slowest_s: float
    dropped: int  # by outboxes that were full

    @property
    def faults(self) -> tuple[str, ...]:
        """Each thing that must not be, in a sentence; empty if all is well."""
        found = (
            (len(self.lost), "messages were handed out and never heard"),
            (len(self.strange), "messages were heard that nobody handed out"),
            (len(self.late), "messages came later than is allowed"),
            (self.dropped, "messages were dropped by an outbox that was full"),
        )
        return tuple(f"{count} {what}" for count, what in found if count)


@dataclass(slots=True)
class Account:
    """Both sides of the book."""

    handed: dict[Name, float] = field(default_factory=dict)
    heard: dict[Name, float] = field(default_factory=dict)  # the first arrival of each
    twice: int = 0

    def hand(self, entries: Iterable[tuple[Name, float]]) -> None:
        """Messages that doors handed out, each with its moment. Raises ValueError if one was handed out before."""
        for name, at_s in entries:
            if name in self.handed:
                message = f"message {name.sequence} of run {name.run} was handed out twice: a door counts wrongly"
                raise ValueError(message)
            self.handed[name] = at_s

    def hear(self, name: Name, at_s: float) -> None:
        """One arrival."""
        if name in self.heard:
            self.twice += 1
        else:
            self.heard[name] = at_s

    def judged(self, late_s: float, dropped: int = 0) -> Judgement:
        """The balance; a message is late if it took longer than `late_s`."""
        took = {name: at_s - self.handed[name] for name, at_s in self.heard.items() if name in self.handed}
        return Judgement(
            handed=len(self.handed),
            heard=len(self.heard),
            lost=tuple(sorted(self.handed.keys() - self.heard.keys())),
            strange=tuple(sorted(self.heard.keys() - self.handed.keys())),
            twice=self.twice,
            late=tuple(sorted(name for name, s in took.items() if s > late_s)),
            slowest_s=max(took.values(), default=0.0),
            dropped=dropped,
        )


def named(payload: bytes) -> Name:
    """Which message a payload is. Raises ValueError if it is none of ours."""
    try:
        said = json.loads(payload)
        return Name(str(said["door"]), str(said["run"]), int(said["seq"]))
    except (ValueError, TypeError, KeyError) as cause:
        message = "a payload is no report and no alarm"
        raise ValueError(message) from cause
