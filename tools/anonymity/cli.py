"""The command line: measure everything, print the tables.

Rules kept here:
- Exit code 0 if the promise of the building profile holds and every seeded leak was caught, 1 otherwise.
- The same seed prints the same numbers, with any number of processes.
"""

from __future__ import annotations

import os
import sys
from concurrent.futures import ProcessPoolExecutor

import click
from rich.console import Console
from rich.progress import track

from tools.anonymity import show
from tools.anonymity.measure import measure
from tools.anonymity.plan import SECTIONS, Section, size
from tools.anonymity.show import Measured


@click.command()
@click.option("--quick", is_flag=True, help="A few trials: shows how it works, and that leaks are caught.")
@click.option("--only", default="", help="Only lines in whose name this stands, such as 'home or holiday, 5 people'.")
@click.option("--json", "as_json", is_flag=True, help="One JSON object instead of tables.")
@click.option("--seed", default=1, show_default=True, help="The same seed is the same people on the same days.")
@click.option("--jobs", default=os.cpu_count() or 1, show_default="cores", help="How many processes.")
def main(seed: int, jobs: int, only: str, *, quick: bool, as_json: bool) -> None:
    """Measure what an attacker who knows all habits learns from everything a door says.

    \b
    Example: python -m tools.anonymity --quick
    """
    if not any(only in line.name for section in SECTIONS for line in section.lines):
        msg = f"there is no line with {only!r} in its name; nothing was measured"
        raise click.BadParameter(msg, param_hint="--only")
    measured = run(SECTIONS, seed=seed, jobs=jobs, quick=quick, only=only)
    verdict = show.judge(measured, quick=quick)
    print(show.as_json(measured, verdict, seed=seed) if as_json else show.markdown(measured, verdict))
    sys.exit(0 if verdict.well else 1)


def run(sections: tuple[Section, ...], *, seed: int, jobs: int, quick: bool, only: str = "") -> list[Measured]:
    """Every line of `sections` in whose name `only` stands; on stderr progress, and each line once it is measured."""
    wanted = [(section, [line for line in section.lines if only in line.name]) for section in sections]
    todo = [(line, size(section, line, quick=quick), seed) for section, lines in wanted for line in lines]
    console, found = Console(stderr=True, soft_wrap=True), {}
    with ProcessPoolExecutor(max(jobs, 1)) as pool:
        waiting = [pool.submit(measure, *each) for each in todo]
        shown = track(waiting, "attacks", console=console, total=len(todo))
        for (line, _, _), each in zip(todo, shown, strict=True):
            found[line.name] = each.result()
            console.print(*map(show.row, found[line.name]), sep="\n", markup=False, highlight=False)
    return [
        Measured(section, tuple(result for line in lines for result in found[line.name]))
        for section, lines in wanted
        if lines
    ]
