"""Memory, descriptors and threads of each room, sampled over each of its lives; and what they say.

Rules kept here:
- A life is one process: whoever was killed begins anew. Approaches are counted from its first sample.
- The slope is of anonymous memory: what a process took for itself. PSS stands beside it; it moves with how many other
  processes share a page, so a neighbour that starts or dies changes it.
- A connection to the broker comes and goes with the broker: it is no part of `descriptors`, and counted beside them. A
  life that begins while the broker is away and ends while it is there has grown by nothing; one is a room's right.
- Only root may read either of a room (it forbids being looked into); who is not root gets RSS, and the log says so.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

from tools.benchmark import processes
from tools.soak import slope
from tools.soak.slope import Slope, Verdict

CONNECTIONS: Final = 1  # report's, to the broker; a lost one is closed before the next is made


@dataclass(frozen=True, slots=True)
class Sample:
    """Of one process after so many approaches of its life, kB and counts. `connections`: to other machines, by TCP."""

    approaches: int
    anonymous_kb: int
    pss_kb: int
    descriptors: int
    threads: int
    connections: int = 0


@dataclass(slots=True)
class Life:
    """One process of `room`. `began`: how many approaches there had been at the door."""

    room: str
    pid: int
    began: int
    samples: list[Sample] = field(default_factory=list)

    @property
    def slope(self) -> Slope | None:
        """Of its anonymous memory."""
        return slope.slope([each.approaches for each in self.samples], [each.anonymous_kb for each in self.samples])

    @property
    def pss(self) -> Slope | None:
        """Of its PSS."""
        return slope.slope([each.approaches for each in self.samples], [each.pss_kb for each in self.samples])

    @property
    def climbing(self) -> tuple[str, ...]:
        """Which of its counts grow."""
        at = [each.approaches for each in self.samples]
        counts = {
            "descriptors": [each.descriptors for each in self.samples],
            "threads": [each.threads for each in self.samples],
        }
        climbing = tuple(name for name, values in counts.items() if slope.climbs(at, values))
        connections = [each.connections for each in self.samples]
        return (*climbing, "connections") if slope.climbs(at, connections, rightful=CONNECTIONS) else climbing

    @property
    def verdict(self) -> Verdict:
        """Of its memory and its counts."""
        if self.climbing:
            return Verdict.GROWS
        found = self.slope
        return Verdict.UNDECIDED if found is None else found.verdict


@dataclass(slots=True)
class Watch:
    """All lives so far."""

    lives: list[Life] = field(default_factory=list)
    _now: dict[str, Life] = field(default_factory=dict)

    def look(self, pids: Mapping[str, int], approaches: int) -> None:
        """A sample of each process that runs."""
        for room, pid in pids.items():
            if not pid:
                continue
            life = self._now.get(room)
            if life is None or life.pid != pid:
                life = self._now[room] = Life(room, pid, approaches)
                self.lives.append(life)
            try:
                life.samples.append(_sample(pid, approaches - life.began))
            except OSError:
                continue  # it ends just now

    def longest(self) -> Iterator[Life]:
        """The longest life of each room."""
        for room in dict.fromkeys(life.room for life in self.lives):
            yield max(
                (life for life in self.lives if life.room == room),
                key=lambda life: life.samples[-1].approaches if life.samples else 0,
            )


def _sample(pid: int, approaches: int) -> Sample:
    memory = processes.memory(pid)
    own = memory.rss_kb if memory.anonymous_kb is None else memory.anonymous_kb
    threads = len(list(Path(f"/proc/{pid}/task").iterdir()))
    try:
        found = processes.descriptors(pid)
    except PermissionError:
        found = processes.Descriptors(0, 0)
    return Sample(approaches, own, memory.counted_kb, found.open - found.abroad, threads, found.abroad)
