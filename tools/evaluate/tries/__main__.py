"""The command: `python -m tools.evaluate.tries --faces DIR --groups DIR [--networks DIR]`.

Rules kept here:
- Pictures are read where they lie; of them only points and embeddings are kept, in the cache folder.
- A network that is not in --networks is said to be missing, and its rows are left out; nothing stands in for it.
- A folder that is not there is one sentence and exit code 2.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import click
from rich.progress import track

from device.eye.steady import PLACES
from tools.evaluate import groups as group_set
from tools.evaluate.tries import cascade, dark, fusion, geometry, measures, report, second, voted
from tools.evaluate.tries import networks as builds
from tools.evaluate.tries.embed import Bench, Folder
from tools.evaluate.tries.tries import TRIES, Try, of_networks

ROOT = Path(__file__).resolve().parents[3]
MODELS = ROOT / "models"
PARTS = ("ways", "networks", "cohort", "second", "cascade", "fusion", "dark")
_folder = click.Path(path_type=Path, file_okay=False, exists=True)
_path = click.Path(path_type=Path)


@click.command()
@click.option("--faces", type=_folder, required=True, help="DIR/person/picture.jpg")
@click.option("--groups", "cells", type=_folder, required=True, help="DIR/group-sex/age_*.jpg")
@click.option("--networks", type=_folder, help="What `python -m tools.models.rebuild --variants --out DIR` wrote.")
@click.option("--cache", type=_path, default=ROOT / ".cache" / "evaluate" / "tries", help="Where embeddings are kept.")
@click.option("--draws", type=click.IntRange(1), default=20, show_default=True, help="Of who enrols with what.")
@click.option("--part", "parts", type=click.Choice(PARTS), multiple=True, help="What to print; everything without it.")
@click.option("--quick", is_flag=True, help="Half the pictures: who can be enrolled, every other one of a group.")
def main(
    *,
    faces: Path,
    cells: Path,
    networks: Path | None,
    cache: Path,
    draws: int,
    parts: tuple[str, ...],
    quick: bool,
) -> None:
    """Print what was tried to recognise better, each row measured anew.

    \b
    Example: python -m tools.evaluate.tries --faces lfw-dev --groups groups-dev
    """
    files = {"shipped": MODELS / "sface.tflite"}
    for path in sorted(networks.glob("*.tflite")) if networks else ():
        files |= {"float": path} if path.stem == "sface-float32" else {path.stem: path}
    try:
        bench = Bench(files, PLACES, cache / "vectors")
        people = Folder(faces, geometry.find(faces, MODELS, cache))
        border = group_set.BORDER_PX
        adults = Folder(cells, geometry.adults(geometry.find(cells, MODELS, cache, border)), border)
    except FileNotFoundError as cause:
        raise click.UsageError(str(cause)) from cause
    judged = group_set.judged_in(MODELS / "duplicates.toml")
    person = measures.persons(adults.geometry.folders, adults.geometry.names, judged)
    if quick:
        person = person[::2]
        people = replace(people, geometry=geometry.residents(people.geometry))
        adults = replace(adults, geometry=geometry.every_other(adults.geometry))
    wanted = parts or PARTS
    if "ways" in wanted:
        people, adults = (replace(each, by_votes=voted.geometry(each, MODELS, cache)) for each in (people, adults))
    sets = report.Sets(people.geometry.folders, adults.geometry.folders, person)
    for text in _tables(wanted, bench, people, adults, sets, draws):
        click.echo(text)


def _tables(
    wanted: tuple[str, ...], bench: Bench, people: Folder, adults: Folder, sets: report.Sets, draws: int
) -> Iterator[str]:
    if "ways" in wanted:
        yield _rows(_possible(bench), bench, people, adults, sets, draws)
    if "networks" in wanted:
        yield "\n" + builds.table(bench, people)
        yield "\n" + dark.table(bench, people, draws, ("as is",))
        yield "\n" + _rows(of_networks(bench.networks), bench, people, adults, sets, draws)
    if "cohort" in wanted:
        yield "\n" + second.cohort_table(bench, people, adults, sets, draws)
    for part, table in (("second", second.table), ("cascade", cascade.table)):
        if part in wanted and second.DLIB.network in bench.networks:
            yield "\n" + table(bench, people, adults, sets, draws)
    for part, drawn in (("fusion", fusion.table), ("dark", dark.table)):
        if part in wanted:
            yield "\n" + drawn(bench, people, draws)


def _rows(tries: list[Try], bench: Bench, people: Folder, adults: Folder, sets: report.Sets, draws: int) -> str:
    rows = []
    for each in track(tries, description="tries"):
        made = each.way(bench, people), each.way(bench, adults)
        rows.append(report.row(each.name, each.cost, *made, sets, draws=draws))
    return report.table(rows) + "\n\n" + report.against(rows)


def _possible(bench: Bench) -> list[Try]:
    """The tries whose networks are there."""
    found = []
    for each in TRIES:
        missing = {variant.network for variant in (*each.enrol, *each.probe)} - bench.networks.keys()
        if missing:
            print(f"left out, without {', '.join(sorted(missing))}: {each.name}", file=sys.stderr)
        else:
            found.append(each)
    return found


if __name__ == "__main__":
    main()
