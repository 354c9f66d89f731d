"""The counts as a table that fits a page.

Rules kept here:
- Millions of instructions, one digit behind the point; a row that was refused says so and is not left out.
- No time stands here: how many instructions a processor does in a second depends on which, and on its memory.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from tools.arm64.counts import Counted
from tools.arm64.kinds import Kind
from tools.arm64.plan import Asked

HEADER = ("network", "numbers", "XNNPACK", "threads", "all", "busiest", "spread", *(str(kind) for kind in Kind))
_LEFT = 3  # columns of words


def lines(rows: Sequence[Asked], counted: Mapping[int, Counted]) -> list[str]:
    """The table of one processor and one runtime; `counted` by the row's place."""
    cells = [HEADER, *(_row(row, counted.get(place)) for place, row in enumerate(rows))]
    widths = [max(len(row[column]) for row in cells) for column in range(len(HEADER))]
    return [
        "  ".join(
            cell.ljust(width) if column < _LEFT else cell.rjust(width)
            for column, (cell, width) in enumerate(zip(row, widths, strict=True))
        ).rstrip()
        for row in cells
    ]


def _row(row: Asked, found: Counted | None) -> tuple[str, ...]:
    numbers = f"{row.numbers}, ships" if row.ships else row.numbers
    words = (row.network, numbers, "on" if row.xnnpack else "off", str(row.threads))
    if found is None:
        return (*words, "refused", *("-" for _ in range(len(HEADER) - len(words) - 1)))
    figures = (found.total, found.busiest, found.spread, *(found.kinds[kind] for kind in Kind))
    return (*words, *(_millions(figure) for figure in figures))


def _millions(number: int) -> str:
    return f"{number / 1e6:.1f}" if number >= 50_000 or number == 0 else f"{number / 1e6:.3f}"
