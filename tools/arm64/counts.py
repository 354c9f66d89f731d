"""What the plugin counted, read and added up.

Rules kept here:
- What the marks themselves cost (a run of nothing, before each run) is taken away.
- The first run of a network is counted but not averaged: buffers are touched for the first time in it.
- A line that is none of ours is an error: a count that is half read is worse than none.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from statistics import median

from tools.arm64.guest import FIRST_RUN, LOADED, NOTHING
from tools.arm64.kinds import ENCODINGS, Kind
from tools.vm.say import VmFault


@dataclass(frozen=True, slots=True)
class Run:
    """One run of a network: instructions of all threads, of its busiest thread, and of each kind (all threads)."""

    total: int
    busiest: int
    kinds: dict[Kind, int]


@dataclass(frozen=True, slots=True)
class Counted:
    """A network's runs after the first. `total`, `busiest`: median; `spread`: largest less least total."""

    total: int
    busiest: int
    spread: int
    kinds: dict[Kind, int]
    runs: int


def read(lines: Iterable[str]) -> dict[int, list[Run]]:
    """Runs by the number of their job, in order. Raises VmFault."""
    found: dict[int, list[Run]] = {}
    nothing = 0
    for line in lines:
        try:
            number, *threads = line.split()
            mark, run = int(number), _run(threads)
        except ValueError as cause:
            raise VmFault(f"the counter wrote a line that is not understood: {line[:80]!r}") from cause
        if mark == NOTHING:
            nothing = run.total
        elif mark >= FIRST_RUN:
            marked = Run(run.total - nothing, run.busiest - nothing, run.kinds)
            found.setdefault(mark - FIRST_RUN, []).append(marked)
        elif mark != LOADED:
            raise VmFault(f"the counter met a mark nobody makes: {mark}")
    return found


def middle(runs: list[Run]) -> Counted:
    """What a network costs once it is warm. Raises VmFault if it ran less than twice."""
    if len(runs) < 2:
        raise VmFault("a network has to run at least twice: the first run is not counted")
    warm = runs[1:]
    totals = [run.total for run in warm]
    kinds = {kind: int(median(run.kinds.get(kind, 0) for run in warm)) for kind in Kind}
    busiest = int(median(run.busiest for run in warm))
    return Counted(int(median(totals)), busiest, max(totals) - min(totals), kinds, len(warm))


def _run(threads: list[str]) -> Run:
    kinds: Counter[Kind] = Counter()
    every = []
    for thread in threads:
        _, _, text = thread.partition(":")
        total, *by_encoding = (int(number) for number in text.split(","))
        every.append(total)
        for encoding, number in zip(ENCODINGS, by_encoding, strict=True):
            kinds[encoding.kind] += number
    return Run(sum(every), max(every), dict(kinds))
