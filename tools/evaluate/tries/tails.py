"""The door's own tail for every way to cut a crop: `python -m tools.evaluate.tries.tails --faces DIR --groups DIR`.

Rules kept here:
- A way is judged by what the door would do with it: the threshold its own tail asks for, and how many of the right
  people's approaches are refused there. Cells, judged pairs, factor, bounds and averaging are those of
  `tools.evaluate tail` and `covered`; nothing of them is changed for a way.
- A covered face keeps to both tails, its own and that of bare ones as shipped.
- Nothing is written but the cache of embeddings.
"""

from __future__ import annotations

import tomllib
from pathlib import Path
from typing import Final

import click

from device.manifest import load
from device.meaning import meaning
from device.vault import tail as tail_file
from device.vault.budget import Budget, Thresholds
from device.vault.tail import Tail
from tools.evaluate import cloths, files, groups, modes, tail
from tools.evaluate.files import Mode
from tools.evaluate.report import ENROLLED, FRAMES, worst_cell
from tools.evaluate.tail import CellTail
from tools.evaluate.tries import measures, report
from tools.evaluate.tries.aligned import BARE_WAYS, COVERED_WAYS, Looked, looked
from tools.evaluate.tries.measures import Way

ROOT = Path(__file__).resolve().parents[3]
MODELS = ROOT / "models"
_folder = click.Path(path_type=Path, file_okay=False, exists=True)


MODES_MEASURED: Final = ((2, 3), (3, 3), (5, 3))  # which the door's rule reads for 5 pictures and 3 frames
AWAKE: Final = (1, 2, 3, 4)


def bare_tail(cells: Looked, people: Looked, way: str, factor: float) -> Tail:
    """What `python -m tools.evaluate tail` would write of `way`, as the door reads it."""
    judged = groups.judged_in(MODELS / "duplicates.toml")
    found = [tail.measure(cell, factor) for cell in groups.cells(cells.galleries[way], judged) if cell.used]
    return _as_read(found, modes.measure(people.galleries[way], MODES_MEASURED))


def covered_tail(worn: dict[str, tuple[Looked, Looked]], way: str, factor: float) -> Tail:
    """What `python -m tools.evaluate covered` would write of `way`, as the door reads it. worn: by the cloth's name."""
    judged = groups.judged_in(MODELS / "duplicates.toml")
    found: list[CellTail] = []
    averaged: list[Mode] = []
    for cloth in cloths.worn():
        cells, people = worn[cloth.name]
        found += cloths.cells(cells.galleries[way], cloth, judged, factor)
        made = modes.measure(people.galleries[way], MODES_MEASURED)
        averaged = cloths.worse(averaged, made) if averaged else made
    return _as_read(found, averaged)


def _as_read(cells: list[CellTail], averaged: list[Mode]) -> Tail:
    origin = files.Origin("00" * 32, "", "", "", "", 1.0)
    return tail_file.parse(files.tail_file(origin, cells, averaged).encode())


def judging() -> float:
    """By how much a judge may have taken look-alikes for one person: `tools.evaluate.tail`."""
    control = tomllib.loads((MODELS / "duplicates.toml").read_text(encoding="utf-8"))["control"]
    return tail.judging_factor(control["look_alikes"], control["called_same"])


def rows(name: str, found: Tail, shipped: Tail | None = None) -> list[str]:
    """A line a number of faces awake; `shipped`: the tail of bare faces, which a covered one keeps to as well."""
    budget = Budget()
    thresholds = Thresholds(budget, shipped or found, FRAMES, found if shipped else None)
    lines = []
    for faces in AWAKE:
        rate = budget.false_match_rate(faces)
        single, shift = found.threshold(rate), found.shift(ENROLLED, FRAMES)
        heights = [_height(each, rate) for each in (found, *([shipped] if shipped else []))]
        beyond = single is None or shift is None or None in heights
        told = "beyond the data | | |"
        if not beyond:
            height = max(height for height in heights if height is not None)
            refused = found.refused(ENROLLED, FRAMES, height)
            told = f"{single:.3f} | +{shift:.3f} | {height:.3f} | {refused:.1%}"
        enough = thresholds.threshold(faces, ENROLLED, covered=shipped is not None) is not None
        answer = "yes" if enough else "no, claim first"
        lines.append(f"| {name} | {faces} | {worst_cell(found, rate)} | {told} | {answer} |")
    return lines


def _height(found: Tail, rate: float) -> float | None:
    single, shift = found.threshold(rate), found.shift(ENROLLED, FRAMES)
    return None if single is None or shift is None else single + shift


@click.command()
@click.option("--faces", type=_folder, required=True, help="DIR/person/picture.jpg")
@click.option("--groups", "cells", type=_folder, required=True, help="DIR/group-sex/age_*.jpg")
@click.option("--cache", type=click.Path(path_type=Path), default=ROOT / ".cache" / "evaluate")
@click.option("--jobs", type=click.IntRange(1), default=2, show_default=True, help="Processes that embed.")
@click.option("--part", type=click.Choice(("bare", "covered")), multiple=True, help="Both without it.")
@click.option("--draws", type=click.IntRange(1), default=10, show_default=True, help="Of who enrols with what.")
def main(*, faces: Path, cells: Path, cache: Path, jobs: int, part: tuple[str, ...], draws: int) -> None:
    """Print the threshold and the refusals of the door's own rule for every way to cut a crop.

    \b
    Example: python -m tools.evaluate.tries.tails --faces lfw-dev --groups groups-dev
    """
    factor = judging()
    shipped = tail_file.load(MODELS, meaning(load(MODELS)).bare)
    if "bare" in (part or ("bare",)):
        both = looked(faces, cells, MODELS, cache, None, jobs)
        print(HEAD)
        for way in BARE_WAYS:
            print("\n".join(rows(way, bare_tail(*both, way, factor))), flush=True)
        print(points(both, BARE_WAYS, draws), flush=True)
    if "covered" in (part or ("covered",)):
        worn = {cloth.name: looked(faces, cells, MODELS, cache, cloth, jobs) for cloth in cloths.worn()}
        print(HEAD)
        for way in COVERED_WAYS:
            print("\n".join(rows(way, covered_tail(worn, way, factor), shipped)), flush=True)
        for name, both in worn.items():
            print(f"\n{name}: the mesh denies {both[1].denied.sum()} of {len(both[1].denied)}")
            print(points(both, COVERED_WAYS, draws), flush=True)


HEAD: Final = (
    "| crop cut by | awake | worst cell | one picture | averaging adds | threshold | refused | a press is enough |\n"
    "|---|---|---|---|---|---|---|---|"
)


def points(both: tuple[Looked, Looked], ways: tuple[str, ...], draws: int) -> str:
    """As `tools.evaluate.tries` counts."""
    adult, own = (each.galleries[ways[0]] for each in both)
    person = measures.persons(adult.folders, adult.files, groups.judged_in(MODELS / "duplicates.toml"))
    sets = report.Sets(own.folders, adult.folders, person)
    made = []
    for way in ways:
        adult, own = (each.galleries[way] for each in both)
        people, strangers = Way(own.vectors, own.vectors), Way(adult.vectors, adult.vectors)
        made.append(report.row(way, "", people, strangers, sets, draws=draws))
    return report.table(made) + "\n\n" + report.against(made)


if __name__ == "__main__":
    main()
