"""`python -m tools.attack_lab`: error rates of the light challenge against rendered people and rendered attacks.

Rules kept here:
- Progress goes to stderr, the report to stdout; whatever is printed says that it was rendered.
- A folder without pictures is one sentence and exit code 2.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path

import click

from device.eye.pictures import SUFFIXES
from tools.attack_lab.counts import Tally, table
from tools.attack_lab.curves import AXES
from tools.attack_lab.instruments import BEYOND, INSTRUMENTS, PEOPLE
from tools.attack_lab.run import Kind, tallied
from tools.portraits import portrait
from tools.samples import SampleMissingError

_SAMPLES = (("obama.jpg", 1.2), ("obama3.jpg", 1.3), ("biden.jpg", 1.0), ("astronaut.png", 1.0))
_NAMES = (PEOPLE, *INSTRUMENTS, *BEYOND)
_FAULTS = tuple(Kind(name, relief=False) for name in ("print flat", "print bent"))


@click.command()
@click.option("--n", "trials", type=click.IntRange(1), default=30, show_default=True, help="Attempts of each kind.")
@click.option("--only", multiple=True, type=click.Choice(_NAMES), help="These kinds alone.")
@click.option("--faces", type=click.Path(path_type=Path, exists=True, file_okay=False), help="DIR/person/picture.jpg")
@click.option("--curve", "axes", multiple=True, type=click.Choice(tuple(AXES)), help="People along one condition.")
@click.option(
    "--faults/--no-faults", default=True, show_default=True, help="Prints before a judge without relief test."
)
@click.option("--workers", type=click.IntRange(1, 64), default=1, show_default=True, help="Processes.")
@click.option("--json", "as_json", is_flag=True, help="One JSON object instead of tables.")
def main(
    trials: int,
    only: tuple[str, ...],
    faces: Path | None,
    axes: tuple[str, ...],
    faults: bool,  # noqa: FBT001 - click passes its options as they are
    workers: int,
    as_json: bool,  # noqa: FBT001 - likewise
) -> None:
    r"""Count what passes the light challenge. Everything is rendered; nothing here switches anything on at a door.

    \b
    Example: python -m tools.attack_lab --n 100 --faces lfw-dev --curve skin
    """
    pictures = _pictures(faces)

    def told(line: str) -> None:
        print(line, file=sys.stderr, flush=True)

    kinds = [Kind(name) for name in (only or _NAMES)]
    counted = tallied(kinds, pictures, trials, workers, told)
    seeded = tallied(_FAULTS, pictures, trials, workers, told) if faults and not only else []
    curves = {
        axis: tallied([Kind(PEOPLE, ((axis, value),)) for value in AXES[axis]], pictures, trials, workers, told)
        for axis in axes
    }
    click.echo(_as_json(counted, seeded, curves) if as_json else _as_text(len(pictures), counted, seeded, curves))


def _pictures(faces: Path | None) -> list[Path]:
    if faces is None:
        try:
            return [portrait(name, zoom) for name, zoom in _SAMPLES]
        except SampleMissingError as missing:
            raise click.UsageError(str(missing)) from missing
    found = sorted(path for path in faces.glob("*/*") if path.suffix.lower() in SUFFIXES)
    if not found:
        raise click.UsageError(f"{faces} holds no pictures of the form person/picture.jpg")
    return found


def _as_text(pictures: int, counted: list[Tally], faults: list[Tally], curves: dict[str, list[Tally]]) -> str:
    parts = [
        f"Rendered from {pictures} pictures. Shares with 95 % intervals after Clopper and Pearson.",
        table(counted),
    ]
    if faults:
        parts += ["Seeded fault, a judge without its relief test: these must pass.", table(faults)]
    parts += [f"{axis}, people:\n{table(tallies)}" for axis, tallies in curves.items()]
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
