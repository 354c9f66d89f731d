"""`python -m tools.attack_lab`: error rates of the light challenge against rendered people and rendered attacks.

Rules kept here:
- Progress goes to stderr, the report to stdout; whatever is printed says that it was rendered.
- A folder without pictures, or a record of other sources, is one sentence and exit code 2.
"""

from __future__ import annotations

import json
import sys
from dataclasses import replace
from pathlib import Path

import click

from tools.attack_lab.counts import Tally, halves, table
from tools.attack_lab.curves import AXES
from tools.attack_lab.faces import Faces
from tools.attack_lab.instruments import BEYOND, INSTRUMENTS, PEOPLE
from tools.attack_lab.record import OtherRecord, Record, in_folder, of_sources
from tools.attack_lab.run import Kind, recorded, tallied
from tools.portraits import portrait
from tools.samples import SampleMissingError

_SAMPLES = (("obama.jpg", 1.2), ("obama3.jpg", 1.3), ("biden.jpg", 1.0), ("astronaut.png", 1.0))
_NAMES = (PEOPLE, *INSTRUMENTS, *BEYOND)
_FAULTY = ("print flat, matt", "print bent, matt")


@click.command()
@click.option("--n", "windows", type=click.IntRange(1), default=30, show_default=True, help="Windows of each kind.")
@click.option("--people", "people", type=click.IntRange(1), help="Windows of people, if not as many as --n.")
@click.option(
    "--approaches",
    "most",
    type=click.IntRange(1, 5),
    default=1,
    show_default=True,
    help="Attempts in a window.",
)
@click.option(
    "--answers",
    type=click.IntRange(1, 2),
    default=1,
    show_default=True,
    help="Attempts of a window that have to pass: 2 where a face alone opens.",
)
@click.option("--only", multiple=True, type=click.Choice(_NAMES), help="These kinds alone.")
@click.option("--faces", type=click.Path(path_type=Path, exists=True, file_okay=False), help="DIR/person/picture.jpg")
@click.option("--curve", "axes", multiple=True, type=click.Choice(tuple(AXES)), help="Along one condition.")
@click.option("--along", multiple=True, type=click.Choice(_NAMES), default=(PEOPLE,), help="Who or what, along it.")
@click.option("--points", type=click.IntRange(1), help="Windows of each point of a curve, if not as many as --n.")
@click.option("--main/--no-main", "whole", default=True, show_default=True, help="The table of kinds, or curves alone.")
@click.option(
    "--faults/--no-faults", default=True, show_default=True, help="Prints before a judge without relief test."
)
@click.option(
    "--seed",
    "seeds",
    type=click.IntRange(0),
    multiple=True,
    default=(0,),
    show_default=True,
    help="Another one, other windows. Several: one after the other, counted together.",
)
@click.option("--workers", type=click.IntRange(1, 64), default=1, show_default=True, help="Processes.")
@click.option(
    "--record", "kept", type=click.Path(path_type=Path), help="File or folder; a run is kept there and taken up again."
)
@click.option("--counted", is_flag=True, help="Count what the record holds; nothing is run.")
@click.option("--json", "as_json", is_flag=True, help="One JSON object instead of tables.")
@click.option("--log", "as_log", is_flag=True, help="Tables, and the JSON object as the last line, for docs/logs.")
def main(  # noqa: PLR0913 - an option each
    *,
    windows: int,
    people: int | None,
    most: int,
    answers: int,
    only: tuple[str, ...],
    faces: Path | None,
    axes: tuple[str, ...],
    along: tuple[str, ...],
    points: int | None,
    whole: bool,
    faults: bool,
    seeds: tuple[int, ...],
    workers: int,
    kept: Path | None,
    counted: bool,
    as_json: bool,
    as_log: bool,
) -> None:
    """Count what passes the light challenge. Everything is rendered; nothing here switches anything on at a door.

    \b
    Example: python -m tools.attack_lab --n 100 --approaches 3 --faces lfw-dev --curve skin
    """
    known = _faces(faces)
    record = _record(kept, known, counted=counted, twice=answers > 1)

    def told(line: str) -> None:
        print(line, file=sys.stderr, flush=True)

    def of(name: str) -> int:
        return people if people and name == PEOPLE else windows

    kinds = [Kind(name, of(name), most, answers=answers) for name in (only or _NAMES)] if whole else []
    faulty = [Kind(name, windows, relief=False) for name in _FAULTY] if faults and whole and not only else []
    drawn = {
        axis: [Kind(name, points or windows, most, ((axis, value),)) for name in along for value in AXES[axis]]
        for axis in axes
    }

    def tallies(each: list[Kind]) -> list[Tally]:
        all_seeds = [[replace(kind, seed=seed) for kind in each] for seed in seeds]
        if not record or (len(seeds) == 1 and answers == 1):
            one_run = [kind for kinds_of in all_seeds for kind in kinds_of]
            return recorded(one_run, record) if counted and record else tallied(one_run, known, workers, told, record)
        for kinds_of in () if counted else all_seeds:
            tallied(kinds_of, known, workers, told, record)
        return _together(all_seeds, record)

    rows, seeded = tallies(kinds), tallies(faulty)
    along_all = {tally.name: tally for tally in tallies([kind for each in drawn.values() for kind in each])}
    curves = {axis: [along_all[kind.name] for kind in each if kind.name in along_all] for axis, each in drawn.items()}
    if not as_json:
        click.echo(_as_text(known, rows, seeded, curves))
    if as_json or as_log:
        click.echo(_as_json(rows, seeded, curves))


def _record(kept: Path | None, known: Faces, *, counted: bool, twice: bool) -> Record | None:
    """The record to use, None without one. Raises UsageError if it is not to be used, or missing where it is needed."""
    if counted and not kept:
        raise click.UsageError("--counted says what a --record holds, and none is named")
    if twice and not kept:
        raise click.UsageError("--answers 2 needs a --record, from which one answer and two are counted")
    try:
        sources = of_sources(known.digest)
        return Record(in_folder(kept, sources) if kept.is_dir() else kept, sources) if kept else None
    except OtherRecord as refused:
        raise click.UsageError(str(refused)) from refused


def _together(all_seeds: list[list[Kind]], record: Record) -> list[Tally]:
    """What the record holds of the same kinds in runs of several seeds."""
    found = []
    for kinds in zip(*all_seeds, strict=True):
        windows = [each for kind in kinds for each in sorted(record.of(kind.key).items())]
        seen = [(number, outcome) for number, outcome in windows if outcome is not None]
        found.append(Tally.of(kinds[0].name, seen, twice=kinds[0].answers > 1))
    return [tally for tally in found if tally.trials]


def _faces(folder: Path | None) -> Faces:
    if folder is None:
        try:
            return Faces.single([portrait(name, zoom) for name, zoom in _SAMPLES])
        except SampleMissingError as missing:
            raise click.UsageError(str(missing)) from missing
    found = Faces.below(folder)
    if not found.people:
        raise click.UsageError(f"{folder} holds no pictures of the form person/picture.jpg")
    return found


def _as_text(faces: Faces, counted: list[Tally], faults: list[Tally], curves: dict[str, list[Tally]]) -> str:
    parts = [
        f"Rendered from pictures of {len(faces.people)} people. Shares with 95 % intervals after Clopper and Pearson.",
    ]
    if counted:
        parts += [table(counted), "Attempts that passed, of either half of the people:", halves(counted)]
    if faults:
        parts += ["Seeded fault, a judge without its relief test: these must pass.", table(faults)]
    parts += [f"{axis}:\n{table(tallies)}" for axis, tallies in curves.items()]
    return "\n\n".join(parts)


def _as_json(counted: list[Tally], faults: list[Tally], curves: dict[str, list[Tally]]) -> str:
    told = {
        "rendered": True,
        "kinds": [each.plain() for each in counted],
        "without_relief_test": [each.plain() for each in faults],
        "curves": {axis: [each.plain() for each in tallies] for axis, tallies in curves.items()},
    }
    return json.dumps(told)


if __name__ == "__main__":
    main()
