"""The report's table of goals, and of ways to count."""

from __future__ import annotations

from collections.abc import Sequence

from tools.evaluate.accuracy.counting import DESIGN, FMRS, Counted
from tools.evaluate.accuracy.goals import Goal
from tools.evaluate.accuracy.wording import points, rate, table


def goals(made: Sequence[Goal]) -> str:
    """A row each."""
    rows = [[each.name, f"{each.goal:.2%}", rate(each.measured), each.told, each.note] for each in made]
    lines = [
        "## Goals",
        "",
        "FNMR; what was measured stands with its interval, and with a star where fewer than 30 errors are behind it.",
        "",
        table(("FNMR", "goal", "measured", "", "how"), rows),
    ]
    return "\n".join(lines) + "\n"


def counted(made: Sequence[Counted]) -> str:
    """A row for each way to count."""
    head = ("counted", "residents", "probes", "most of one person", *(f"FMR {fmr:.0e}" for fmr in FMRS))
    rows = [[each.name, str(each.residents), f"{each.probes:,}", str(each.most), *points(each.points)] for each in made]
    lines = [
        "## What a way of counting is worth",
        "",
        f"FNMR with {DESIGN} pictures. Each row changes one thing of the row above it.",
        "",
        table(head, rows),
    ]
    return "\n".join(lines) + "\n"
