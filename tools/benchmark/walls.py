"""walls: what messages between rooms, lock's checks and its policy take of one unlock, everything else taken out.

Rules kept here:
- From the last message in (eye's Probe at vault's socket; a PIN's last key on lock's line) to the coil, with the whole
  way in between: frames, sockets, edges, permits, machine, a signed policy with hours, the bolt. No network, no
  comparing, no Argon2id, no disk: vault and keeper say yes at once (`one_lock`, `stand_in`).
- Beside each sample one round trip between two processes that do nothing else, in datagrams of the same sizes; and one
  way through two processes that only pass on: what as many hops and wake-ups as a face's way has cost this machine.
- Everybody sleeps before a sample begins, as at a door: a loop that is kept busy would be faster than any unlock is.
- The board comes first, as the simulated board does (`tools/simulator/daemon.py`); lock and keeper do so by themselves.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress

from tools.benchmark.figures import Figure, Plan, Rows, Section, Spread, percentile, ratios
from tools.benchmark.one_lock import OneLock, one_lock

LIMIT_MS = 1.0
SAMPLES = 200  # in a round: p99 is the third highest
SAMPLES_QUICK = 100
WARM = 10
FACE, PIN, BARE = "eye's Probe to coil", "a PIN's last key to coil", "bare round trip"
CHAIN = "three hops of processes that only pass on"
KINDS = (FACE, PIN, BARE, CHAIN)


def measure(plan: Plan, tell: Callable[[str], None]) -> Section:
    """p99 of both ways in milliseconds, and over a bare round trip. Raises NotMeasured."""
    rounds: list[dict[str, list[float]]] = []
    with one_lock() as lock, _as_a_chip() as first:
        for _ in range(WARM):
            _sample(lock)
        for number in range(plan.rounds):
            tell(f"walls: round {number + 1} of {plan.rounds}")
            taken = [_sample(lock) for _ in range(SAMPLES_QUICK if plan.quick else SAMPLES)]
            rounds.append({kind: [one[kind] for one in taken] for kind in KINDS})
    return section(rounds, first=first)


def section(rounds: list[dict[str, list[float]]], *, first: bool = True) -> Section:
    """What the milliseconds of each round say; `first`: the board came before other work."""

    def by_round(kind: str, percent: float) -> list[float]:
        return [percentile(one[kind], percent) for one in rounds]

    pooled = {kind: [value for one in rounds for value in one[kind]] for kind in KINDS}
    figures: list[Figure] = []
    for kind in (FACE, PIN):
        figures += [
            Figure(f"{kind}, messages and policy alone, p99", Spread.of(by_round(kind, 99)), "ms", LIMIT_MS),
            Figure(
                "the same over the samples of all rounds", Spread.of([percentile(pooled[kind], 99)]), "ms", LIMIT_MS
            ),
            Figure("the same / bare round trip, p99", ratios(by_round(kind, 99), by_round(BARE, 99))),
            Figure("the same / bare round trip, medians", ratios(by_round(kind, 50), by_round(BARE, 50))),
        ]
    figures.append(Figure(f"{CHAIN}, p99", Spread.of(by_round(CHAIN, 99)), "ms"))
    rows = tuple(
        (kind, str(len(pooled[kind])), *(f"{percentile(pooled[kind], percent):.3f}" for percent in (50, 90, 99, 100)))
        for kind in pooled
    )
    notes = (
        "By face: eye to vault, vault to lock, lock to board. By PIN: board to lock, to keeper, to lock, and to board.",
        "A bare round trip is two datagrams, of a Probe's and a Verdict's size, between two processes without frames.",
        *(() if first else ("This system let the board come before nothing: its waits are in the figures.",)),
    )
    table = Rows("milliseconds", ("what", "samples", "p50", "p90", "p99", "highest"), rows)
    return Section("walls: messages and policy of one unlock", tuple(figures), notes, (table,))


def _sample(lock: OneLock) -> dict[str, float]:
    taken = (lock.by_face_ns(), lock.by_pin_ns(), lock.bare_ns(), lock.three_hops_ns())
    return dict(zip(KINDS, (took_ns / 1e6 for took_ns in taken), strict=True))


@contextmanager
def _as_a_chip() -> Iterator[bool]:
    """This process comes before ordinary work meanwhile, for it is the board; whether that is permitted."""
    first = False
    with suppress(OSError):
        os.sched_setscheduler(0, os.SCHED_RR | os.SCHED_RESET_ON_FORK, os.sched_param(1))
        first = True
    try:
        yield first
    finally:
        if first:
            os.sched_setscheduler(0, os.SCHED_OTHER, os.sched_param(0))
