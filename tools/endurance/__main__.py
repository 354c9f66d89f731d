"""`make long`: hours of what runs with the tests in a small share. `python -m tools.endurance PART --help`: one part.

Rules kept here:
- Exit code 0 if everything held; 1 if anything was found, with what is needed to see it again. Surviving mutants are
  listed for people to judge and fail nothing: some change nothing that anybody could see.
"""

from __future__ import annotations

import signal
import sys
import time
from contextlib import closing
from pathlib import Path

import click

from tools.endurance.faults import FAULTS
from tools.endurance.fuzz import fuzz
from tools.endurance.lives import LONG, run
from tools.endurance.locks import Lock
from tools.endurance.log import Log, digest
from tools.endurance.mutation_run import ROOT, copy_of, read, report
from tools.endurance.mutation_run import run as run_mutants
from tools.endurance.mutation_since import Unknown, everywhere, since
from tools.endurance.mutation_suite import SUITES
from tools.endurance.scratch import folder_in_memory
from tools.endurance.targets import targets

_LIVES = 1_000_000
_INPUTS = 1_000_000
_STEP = 50_000


def _sources() -> list[Path]:
    return [path for path in (ROOT / "device").rglob("*.py") if path.is_file()]


@click.group(invoke_without_command=True)
@click.option("--log", type=click.Path(path_type=Path), help="Also write every line to this file.")
@click.option("--work", type=click.Path(path_type=Path), help="Where mutation results are kept.")
@click.pass_context
def main(context: click.Context, log: Path | None, work: Path | None) -> None:
    """Run everything, which takes hours, or one part; exit code 1 if anything was found.

    \b
    Example: python -m tools.endurance traces --count 1000
    """
    context.obj = Log(log, _sources()), work or ROOT / ".cache" / "endurance"
    if context.invoked_subcommand is None:
        for part in (faults, traces, parsers, mutations):
            context.invoke(part)


@main.command()
@click.option("--count", default=_LIVES, show_default=True)
@click.option("--first", default=0, show_default=True, help="The number of the first life.")
@click.pass_obj
def traces(told: tuple[Log, Path], count: int, first: int) -> None:
    """Random lives of a door, watched by the oracle."""
    log, lock = told[0], Lock()
    began, lives, events, decisions, windows = time.monotonic(), 0, 0, 0, 0
    while lives < count:
        start = first + lives
        part = run(lock, range(start, start + min(_STEP, count - lives)), LONG)
        lives, events = lives + part.lives, events + part.events
        decisions, windows = decisions + part.decisions, windows + part.windows
        if part.found:
            log.line(f"traces: life {part.found[0]} breaks a rule: {part.found[1]}")
            sys.exit(1)
        print(f"traces: {lives} of {count} lives, {time.monotonic() - began:.0f} s", file=sys.stderr)
    log.line(
        f"traces: lives {first} to {first + lives - 1}, {lives} lives of {events / lives:.1f} events on average, with "
        f"{decisions} authorised decisions and {windows} windows, in {time.monotonic() - began:.0f} s: every rule held"
    )


@main.command()
@click.pass_obj
def faults(told: tuple[Log, Path]) -> None:
    """Locks with a guard taken out: lives must find each."""
    missed = 0
    for fault in FAULTS:
        found = run(Lock(fault.edits), range(fault.within), LONG)
        missed += found.found is None
        after = f"found after {found.lives} lives ({found.found[1]})" if found.found else "NOT FOUND"
        told[0].line(f"fault: {fault.name}: {after}, limit {fault.within}")
    told[0].line(f"faults: {len(FAULTS) - missed} of {len(FAULTS)} found")
    if missed:
        sys.exit(1)


@main.command()
@click.option("--count", default=_INPUTS, show_default=True, help="Inputs a parser.")
@click.option("--seed", default=0, show_default=True)
@click.option("--after", type=click.IntRange(0), default=0, show_default=True, help="Leave out so many parsers.")
@click.pass_obj
def parsers(told: tuple[Log, Path], count: int, seed: int, after: int) -> None:
    """Feed every parser what nobody would send. What one is fed does not depend on those before it."""
    found = False
    with folder_in_memory() as folder:
        for target in targets(folder)[after:]:
            fed = fuzz(target, count, seed)
            what = f"{fed.inputs} inputs in {fed.seconds:.0f} s, {fed.taken} taken"
            told[0].line(
                f"fuzz: {fed.name}: seed {seed}, {what}" + (f", the last: {fed.found[1]}" if fed.found else "")
            )
            found = found or fed.found is not None
    if found:
        sys.exit(1)


@main.command()
@click.option(
    "--share", type=click.FloatRange(0, 1), default=1.0, show_default=True, help="Only so many, drawn evenly."
)
@click.option("--suite", "only", type=click.Choice([suite.name for suite in SUITES]), help="One suite instead of all.")
@click.option("--workers", type=click.IntRange(1), default=1, show_default=True, help="So many mutants side by side.")
@click.option("--since", "commit", help="Only what is not as it was in this commit.")
@click.pass_obj
def mutations(told: tuple[Log, Path], share: float, only: str | None, workers: int, commit: str | None) -> None:
    """The tests against mutated sources of lock and keeper; taken up where it was ended."""
    log, work = told
    try:
        places = since(commit, ROOT) if commit else everywhere
    except Unknown as error:
        raise click.ClickException(str(error)) from None
    work.mkdir(parents=True, exist_ok=True)
    of = digest([*_sources(), *(path for path in (ROOT / "tests").rglob("*.py") if path.is_file())])[:16]
    results = work / f"mutants-{of}.jsonl"
    signal.signal(signal.SIGTERM, lambda *_: sys.exit("mutations: ended; the same command takes it up again"))
    began = time.monotonic()
    for suite in SUITES:
        if only in {None, suite.name}:
            copies = [copy_of(ROOT, work / f"tree-{number}") for number in range(workers)]
            reach = work / f"reach-{suite.name}-{of}.json"
            found = run_mutants(suite, copies, results, reach, print, share, places)
            with closing(found):
                for number, verdict in enumerate(found, 1):
                    print(f"{suite.name} {number}: {verdict.fate} {verdict.path}:{verdict.name}", file=sys.stderr)
    for line in report(read(results), ROOT):
        log.line(line)
    if commit:
        log.line(f"mutations: only in what is not as it was in {commit}")
    log.line(
        f"mutations: {len(read(results))} mutants tried; this part of the run took {time.monotonic() - began:.0f} s"
    )


if __name__ == "__main__":
    main(prog_name="python -m tools.endurance")
