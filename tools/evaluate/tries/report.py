"""The rows of the bench as Markdown: what each try costs, what it refuses, and whether the difference is one.

Rules kept here:
- A rate stands with its interval, a difference with its own; "fewer" is a gain. Nothing is rounded to look better.
- What was chosen on one half of the people is shown on the other beside it.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np

from tools.evaluate.tries import measures
from tools.evaluate.tries.measures import Counts, Names, Rate, Scorer, Way, cosine

KINDS: Final = ("pooled 1e-4", "pooled 1e-5", "worst group 1e-2", "median group 1e-3", "worst group 1e-3")


@dataclass(frozen=True)
class Sets:
    """Whose pictures the rows are: people of the faces; cells, and who is whom, of the groups (`measures.persons`)."""

    names: Names
    cells: Names
    person: Counts


@dataclass(frozen=True)
class Row:
    """What one try does: a Rate for each of KINDS, of all people, of the odd and of the even half (of nobody: none)."""

    name: str
    cost: str
    whole: tuple[Rate, ...]
    odd: tuple[Rate, ...]
    even: tuple[Rate, ...]
    door: measures.Door | None


def row(
    name: str, cost: str, people: Way, groups: Way, sets: Sets, scorer: Scorer = cosine, *, draws: int = measures.DRAWS
) -> Row:
    """Measured. The door's own rule is measured for cosines alone: a normalised score has another scale."""
    marks = measures.group_marks(groups, sets.cells, sets.person, scorer)
    odd = measures.half(sets.names, odd=True)
    found: list[tuple[Rate, ...]] = []
    for chosen in (np.ones(len(odd), bool), odd, ~odd):
        if not chosen.any():  # everybody is of the other half
            found.append(())
            continue
        drawn = measures.drawn(people.of(chosen), sets.names[chosen], draws, scorer=scorer)
        rates = [drawn.pooled(fmr) for fmr in measures.POOLED]
        found.append((*rates, drawn.at(marks.worst), drawn.at(marks.median), drawn.at(marks.door)))
    door = measures.door(people, sets.names, marks.door, draws) if scorer is cosine else None
    return Row(name, cost, found[0], found[1], found[2], door)


def table(rows: list[Row]) -> str:
    """All people: rates with their 95 % intervals."""
    lines = [f"| try | a look costs more | {' | '.join(KINDS)} | the door (5 + 3) |", "|---" * (3 + len(KINDS)) + "|"]
    for each in rows:
        rates = [with_interval(rate) for rate in each.whole]
        door = "" if each.door is None else f"{with_interval(each.door.rate)} at {each.door.threshold:.3f}"
        lines.append(f"| {each.name} | {each.cost} | {' | '.join(rates)} | {door} |")
    return "\n".join(lines)


def against(rows: list[Row], *, halves: bool = True) -> str:
    """Every row but the first against the first: how many points fewer are refused; then the halves alone."""
    head = f"| points fewer than {rows[0].name} | {' | '.join(KINDS)} |"
    lines = (
        [head + " odd half | even half |", "|---" * (3 + len(KINDS)) + "|"]
        if halves
        else [head, "|---" * (1 + len(KINDS)) + "|"]
    )
    for each in rows[1:]:
        less = [points(*rate.less_than(base)) for rate, base in zip(each.whole, rows[0].whole, strict=True)]
        parts = [
            " ".join(f"{100 * (b.value - r.value):+.2f}" for r, b in zip(mine, base, strict=True))
            for mine, base in ((each.odd, rows[0].odd), (each.even, rows[0].even))
        ]
        lines.append(f"| {each.name} | {' | '.join(less)} |" + (f" {' | '.join(parts)} |" if halves else ""))
    return "\n".join(lines)


def with_interval(rate: Rate) -> str:
    """Percent, with its 95 % interval."""
    low, high = rate.interval()
    return f"{100 * rate.value:.2f} ({100 * low:.2f}-{100 * high:.2f})"


def points(less: float, low: float, high: float) -> str:
    """A difference in points, with its 95 % interval."""
    return f"{100 * less:+.2f} ({100 * low:+.2f} to {100 * high:+.2f})"
