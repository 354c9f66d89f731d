"""Memory, descriptors and threads of each room, sampled over each of its lives; and what they say.

Rules kept here:
- A life is one process: whoever was killed begins anew. Approaches are counted from its first sample.
- The slope is of anonymous memory: what a process took for itself. PSS stands beside it; it moves with how many other
  processes share a page, so a neighbour that starts or dies changes it.
- Only root may read either of a room (it forbids being looked into); who is not root gets RSS, and the log says so.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from tools.benchmark import processes
from tools.soak import slope
from tools.soak.slope import Slope, Verdict


@dataclass(frozen=True, slots=True)
class Sample:
    """Of one process after so many approaches of its life, kB and counts."""

    approaches: int
    anonymous_kb: int
    pss_kb: int
    descriptors: int
    threads: int


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
        return tuple(name for name, values in counts.items() if slope.climbs(at, values))

    @property
    def verdict(self) -> Verdict:
        """Of all three."""
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
    folder = Path(f"/proc/{pid}")
    try:
        descriptors = len(list((folder / "fd").iterdir()))
    except PermissionError:
        descriptors = 0
    threads = len(list((folder / "task").iterdir()))
    return Sample(approaches, own, memory.counted_kb, descriptors, threads)
