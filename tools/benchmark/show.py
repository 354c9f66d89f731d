"""Figures on a terminal: tables as they come, one line of progress below them.

Rules kept here:
- Tables go to stdout, progress to stderr and only if that is a terminal; with --json nothing but the object is printed.
- Progress is drawn when something happens, not by a thread: nothing runs beside what is measured.
- What was missed is said again at the end, in red on a terminal and in words everywhere.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from rich.console import Console
from rich.live import Live
from rich.table import Table
from rich.text import Text

from tools.benchmark.figures import Figure, Rows, Section

PLAIN_WIDTH = 150  # where there is no terminal to ask


class Show:
    """Prints as the sections come in."""

    def __init__(self, *, as_json: bool) -> None:
        self._quiet = as_json
        self._out = Console(width=None if sys.stdout.isatty() else PLAIN_WIDTH, highlight=False)
        self._progress = Console(stderr=True, highlight=False)

    @contextmanager
    def progress(self) -> Iterator[Callable[[str], None]]:
        """Gives a function that says what is being done now."""
        if not self._progress.is_terminal:
            yield lambda _text: None
            return
        with Live(Text(""), console=self._progress, auto_refresh=False, transient=True) as live:
            yield lambda text: live.update(Text(f"… {text}", style="dim"), refresh=True)

    def facts(self, facts: dict[str, str]) -> None:
        """What it is measured on."""
        if not self._quiet:
            self._out.print(", ".join(f"{name} {value}" for name, value in facts.items()))

    def section(self, section: Section) -> None:
        """One section's figures, tables and notes."""
        if self._quiet:
            return
        table = Table(title=section.title, title_justify="left", title_style="bold")
        table.add_column("figure")
        for head in ("median", "min to max", "limit"):
            table.add_column(head, justify="right")
        table.add_column("")
        for figure in section.figures:
            low, high = _number(figure, figure.value.low), _number(figure, figure.value.high)
            extent = f"{low} to {high}" if len(figure.value.values) > 1 else "one reading"
            limit = "" if figure.limit is None else f"{figure.limit:g}"
            verdict = Text(figure.verdict, style="" if figure.met is None else "green" if figure.met else "bold red")
            table.add_row(figure.name, f"{_number(figure, figure.value.median)} {figure.unit}", extent, limit, verdict)
        self._out.print()
        self._out.print(table)
        for rows in section.tables:
            self._out.print(_table(rows))
        for note in section.notes:
            self._out.print(f"  {note}")

    def summary(self, found: list[Section], missing: dict[str, str], seconds: float) -> None:
        """What was met, what was missed, and what was not measured."""
        judged = [(section, figure) for section in found for figure in section.figures if figure.met is not None]
        missed = [(section, figure) for section, figure in judged if not figure.met]
        self._out.print(f"\n{len(judged) - len(missed)} of {len(judged)} stated limits were met, in {seconds:.0f} s.")
        for section, figure in missed:
            measured = f"{_number(figure, figure.value.median)} {figure.unit}, limit {figure.limit:g}"
            self._out.print(Text(f"MISSED  {section.title}: {figure.name}: {measured}", style="bold red"))
        for name, reason in missing.items():
            self._out.print(Text(f"NOT MEASURED  {name}: {reason}", style="bold red"))


def _number(figure: Figure, value: float) -> str:
    return f"{value:.1f}" if figure.unit == "MB" else f"{value:.2f}" if value < 100 else f"{value:.0f}"


def _table(rows: Rows) -> Table:
    table = Table(title=rows.title, title_justify="left", title_style="dim", style="dim")
    for index, head in enumerate(rows.head):
        table.add_column(head, justify="right" if index else "left")
    for row in rows.rows:
        table.add_row(*row)
    return table
