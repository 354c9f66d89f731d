"""How a rate is written, and a table of them."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from tools.evaluate.accuracy.rates import Point, Rate


def rate(found: Rate | None) -> str:
    """In per cent with its interval: "1.23 % (0.80 to 1.90)"; with a star if few errors are behind it."""
    if found is None:
        return ""
    if found.value == 0:
        return f"0 % (at most {found.high:.2%})"
    star = " *" if found.few else ""
    return f"{found.value * 100:.2f} % ({found.low * 100:.2f} to {found.high * 100:.2f}){star}"


def small(found: Rate | None) -> str:
    """A rate of false matches, as a power of ten."""
    if found is None:
        return ""
    if found.value == 0:
        return f"0 (at most {found.high:.1e})"
    star = " *" if found.few else ""
    return f"{found.value:.1e} ({found.low:.1e} to {found.high:.1e}){star}"


def points(found: Iterable[Point]) -> list[str]:
    """FNMR with its interval and threshold, for each."""
    return [
        "too few comparisons" if at.fnmr is None or at.threshold is None else f"{rate(at.fnmr)} at {at.threshold:.3f}"
        for at in found
    ]


def table(head: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    """A Markdown table."""
    lines = ["| " + " | ".join(head) + " |", "|" + "---|" * len(head)]
    return "\n".join([*lines, *("| " + " | ".join(row) + " |" for row in rows)])
