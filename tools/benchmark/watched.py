"""keeper: what a watch at the keypad tells about an attempt, as a table with a verdict (`alike` measures).

Rules kept here:
- The limit is none: no kind of attempt may be told from a right PIN by how long it takes, and no kind of invitation
  from a wrong one.
- A kind that was not told apart is not shown to be alike: beside each stands the smallest difference that would have
  been seen, and it grows with what else the machine does.
- Every round is a keeper of its own, with files, salts and keys of its own.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

from tools.benchmark.alike import (
    LEVEL,
    MARKED,
    MEASURES,
    REDEEMED,
    RIGHT,
    USED_INVITATION,
    WRONG_INVITATION,
    Difference,
    Samples,
    compare,
    measure_of,
    samples,
)
from tools.benchmark.figures import Figure, Plan, Rows, Section, Spread

OF_A_ROUND = 12  # attempts of each kind; with the default of 5 rounds, 60
ROUNDS_QUICK = 1
_NONE = 0.0


def measure(plan: Plan, tell: Callable[[str], None]) -> Section:
    """Every kind against its measure. Raises NotMeasured."""
    rounds = ROUNDS_QUICK if plan.quick else plan.rounds
    found = []
    for number in range(rounds):
        tell(f"watched: round {number + 1} of {rounds}")
        found.append(samples(OF_A_ROUND, seed=number))
    together = {kind: np.concatenate([one[kind] for one in found]) for kind in found[0]}
    return section(together, compare(together))


def section(taken: Samples, differences: list[Difference]) -> Section:
    """The verdict, how sharp it is, and the table. A right PIN is among `taken`."""
    attempts = taken[RIGHT].size
    seen_ms = max(each.seen_ms for each in differences)
    figures = tuple(figure for measure in MEASURES if measure in taken for figure in _told(measure, taken, differences))
    figures += tuple(
        Figure(
            f"{kind} / {WRONG_INVITATION}, medians",
            Spread.of([_median(taken, kind) / _median(taken, WRONG_INVITATION)]),
        )
        for kind in (USED_INVITATION, REDEEMED)
        if kind in taken
    )
    by_kind = {each.kind: each for each in differences}
    rows = tuple(_row(kind, times, by_kind.get(kind)) for kind, times in taken.items())
    head = ("attempt", "p10", "p50", "p90", "median differs", "slower of two", "chance", "would be seen", "verdict")
    notes = (
        f"{attempts} attempts of each kind. Told apart: by chance alone that is said in less than {LEVEL:.0%} of runs.",
        f"What differs by less than {seen_ms:.1f} ms would not have been seen here; on a quiet machine less is.",
        f"A right {MARKED} and a {REDEEMED} are not compared: they write once more, and then everybody hears.",
    )
    return Section(
        "keeper: right, wrong, under duress, a guest's, nobody's; invitations",
        figures,
        notes,
        (Rows("ms", head, rows),),
    )


def _told(measure: str, taken: Samples, differences: list[Difference]) -> tuple[Figure, Figure]:
    mine = [each for each in differences if measure_of(each.kind) == measure]
    seen_ms = max(each.seen_ms for each in mine)
    apart = Spread.of([sum(each.told_apart for each in mine)])
    sharp = Spread.of([seen_ms / _median(taken, measure)])
    return (
        Figure(f"kinds told from a {measure}, of {len(mine)}", apart, "", limit=_NONE),
        Figure(f"smallest difference that would have been seen / a {measure}'s time", sharp),
    )


def _median(taken: Samples, kind: str) -> float:
    return float(np.median(taken[kind]))


def _row(kind: str, times: NDArray[np.float64], found: Difference | None) -> tuple[str, ...]:
    spread = tuple(f"{np.percentile(times, percent):.1f}" for percent in (10, 50, 90))
    if found is None:
        return (kind, *spread, "", "", "", "", "the measure" if kind in MEASURES else "not compared")
    facts = (f"{found.median_ms:+.2f}", f"{found.slower:.2f}", f"{found.chance:.2f}", f"{found.seen_ms:.2f}")
    return (kind, *spread, *facts, "TOLD APART" if found.told_apart else "not told apart")
