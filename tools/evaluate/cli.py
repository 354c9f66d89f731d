"""The command line: the tail the door carries, the sheets somebody looks at, and the report.

Rules kept here:
- Pictures are read where they lie; of them only embeddings are kept, in the cache folder.
- A folder that is not there or holds no pictures is one sentence and exit code 2.
"""

from __future__ import annotations

import tomllib
from collections.abc import Callable
from datetime import UTC, datetime
from functools import wraps
from pathlib import Path
from typing import Any, TypeVar

import click
from click.core import ParameterSource
from rich.progress import track

from device.manifest import load
from device.meaning import meaning
from tools.evaluate import (
    cli_accuracy,
    cloths,
    counts,
    covered_sittings,
    files,
    groups,
    hillclimb,
    households,
    joined,
    joined_covered,
    linkability,
    modes,
    passive,
    report,
    sensitivity,
    sheets,
    sittings,
    tail,
)
from tools.evaluate.accuracy import gathered
from tools.evaluate.accuracy.cache import Cache
from tools.evaluate.accuracy.look import Chain
from tools.evaluate.covered_sittings import LIKE_CELLS
from tools.evaluate.gather import gather

ROOT = Path(__file__).resolve().parents[2]
MODELS = ROOT / "models"
T = TypeVar("T")

_folder = click.Path(path_type=Path, file_okay=False, exists=True)
_cache = click.option(
    "--cache", type=click.Path(path_type=Path), default=ROOT / ".cache" / "evaluate", help="Where embeddings are kept."
)
_groups = click.option("--groups", "group_set", type=_folder, required=True, help="DIR/group-sex/age_*.jpg")
_faces = click.option("--faces", type=_folder, required=True, help="DIR/person/picture.jpg")
_out = click.option("--out", type=click.Path(path_type=Path), default=MODELS, help="Where the files go.")


def _in_a_sentence(command: Callable[..., T]) -> Callable[..., T]:
    @wraps(command)
    def told(*args: object, **options: object) -> T:
        try:
            return command(*args, **options)
        except FileNotFoundError as cause:
            raise click.UsageError(str(cause)) from cause

    return told


@click.group(invoke_without_command=True)
@cli_accuracy.options
@click.pass_context
def main(context: click.Context, /, **asked: Any) -> None:
    """Measure what the shipped networks achieve; without a command, the whole report on a folder of people.

    \b
    Example: python -m tools.evaluate --faces lfw-dev --groups groups-dev --out /tmp/report
    """
    if context.invoked_subcommand is None:
        cli_accuracy.run(**asked)
    elif given := [name for name in asked if context.get_parameter_source(name) is not ParameterSource.DEFAULT]:
        spelt = ", ".join(option.opts[0] for option in context.command.params if option.name in given)
        raise click.UsageError(f"{spelt} belongs behind the command {context.invoked_subcommand}")


main.add_command(cli_accuracy.accuracy_command)


@main.command(name="tail")
@_groups
@_faces
@_cache
@_out
@_in_a_sentence
def tail_command(group_set: Path, faces: Path, cache: Path, out: Path) -> None:
    """Write models/impostor-tail.toml and the counts it rests on.

    \b
    Example: python -m tools.evaluate tail --groups groups-dev --faces lfw-dev
    """
    gallery = gather(group_set, MODELS, cache, groups.BORDER_PX)
    people = gather(faces, MODELS, cache)
    listed = MODELS / "duplicates.toml"
    control = tomllib.loads(listed.read_text(encoding="utf-8"))["control"]
    factor = tail.judging_factor(control["look_alikes"], control["called_same"])
    members = groups.cells(gallery, groups.judged_in(listed))
    measured = [tail.measure(cell, factor) for cell in track(members, description="tails")]
    averaged = modes.measure(people)
    origin = files.Origin(
        model_sha256=meaning(load(MODELS)).bare.hex(),
        command=f"python -m tools.evaluate tail --groups {group_set.name} --faces {faces.name}",
        date=datetime.now(UTC).date().isoformat(),
        groups=f"{len(gallery.files)} pictures, {gallery.faceless} without a face; cells of one sex and group, 18-70",
        faces=f"{len(people.files)} pictures; people with 8 or more, 12 for 9 enrolled and 3 frames",
        judging_factor=factor,
    )
    out.mkdir(parents=True, exist_ok=True)
    (out / "impostor-tail.toml").write_text(files.tail_file(origin, measured, averaged), encoding="utf-8")
    (out / "impostor-tail-counts.toml").write_text(files.counts_file(origin, measured), encoding="utf-8")
    click.echo(f"wrote impostor-tail.toml and impostor-tail-counts.toml to {out}")


@main.command(name="covered")
@_groups
@_faces
@_cache
@_out
@_in_a_sentence
def covered_command(group_set: Path, faces: Path, cache: Path, out: Path) -> None:
    """Write models/impostor-tail-covered.toml: the same of faces with painted cloth over mouth and nose.

    \b
    Example: python -m tools.evaluate covered --groups groups-dev --faces lfw-dev
    """
    control = tomllib.loads((MODELS / "duplicates.toml").read_text(encoding="utf-8"))["control"]
    factor = tail.judging_factor(control["look_alikes"], control["called_same"])
    cells, averaged, shown, people = cloths.measure(group_set, faces, MODELS, cache, factor)
    origin = files.Origin(
        model_sha256=meaning(load(MODELS)).covered.hex(),
        command=f"python -m tools.evaluate covered --groups {group_set.name} --faces {faces.name}",
        date=datetime.now(UTC).date().isoformat(),
        groups=shown,
        faces=people,
        judging_factor=factor,
    )
    out.mkdir(parents=True, exist_ok=True)
    made = files.tail_file(origin, cells, averaged, files.HEAD_COVERED)
    (out / "impostor-tail-covered.toml").write_text(made, encoding="utf-8")
    click.echo(f"wrote impostor-tail-covered.toml to {out}")


@main.command(name="sheets")
@_groups
@_cache
@click.option("--above", type=float, default=0.60, show_default=True, help="Pairs with a higher score.")
@click.option("--out", type=click.Path(path_type=Path), required=True, help="Outside the checkout.")
@_in_a_sentence
def sheets_command(group_set: Path, cache: Path, above: float, out: Path) -> None:
    """Draw the most alike pairs that nobody has judged yet, for somebody to look at.

    \b
    Example: python -m tools.evaluate sheets --groups groups-dev --out /tmp/sheets
    """
    if out.resolve().is_relative_to(ROOT):
        msg = "the sheets show real people and do not belong in the checkout; choose another --out"
        raise click.UsageError(msg)
    judged = groups.judged_in(MODELS / "duplicates.toml")
    nothing = groups.Judged(frozenset(), frozenset())
    for cell in groups.cells(gather(group_set, MODELS, cache, groups.BORDER_PX), judged):
        pairs = sheets.undecided(cell, judged.get(cell.name, nothing), above) if cell.used else []
        written = sheets.draw(group_set / cell.name, pairs, out, cell.name) if pairs else []
        click.echo(f"{cell.name}: {len(pairs)} pairs on {len(written)} sheets")


@main.command(name="report")
@_faces
@_cache
@click.option("--out", type=click.Path(path_type=Path), default=ROOT / ".cache" / "evaluate", help="Where it goes.")
@_in_a_sentence
def report_command(faces: Path, cache: Path, out: Path) -> None:
    """Write budget-report.md and budget-report.json: what the door's thresholds cost and let through.

    \b
    Example: python -m tools.evaluate report --faces lfw-dev --out /tmp/report
    """
    made = report.make(gather(faces, MODELS, cache), MODELS, faces.name)
    out.mkdir(parents=True, exist_ok=True)
    (out / "budget-report.md").write_text(report.markdown(made), encoding="utf-8")
    (out / "budget-report.json").write_text(report.as_json(made), encoding="utf-8")
    click.echo(report.markdown(made))


@main.command(name="sensitivity")
@_groups
@_cache
@_in_a_sentence
def sensitivity_command(group_set: Path, cache: Path) -> None:
    """Print how much the threshold depends on what was decided about the group set.

    \b
    Example: python -m tools.evaluate sensitivity --groups groups-dev
    """
    click.echo(sensitivity.table(gather(group_set, MODELS, cache, groups.BORDER_PX), MODELS / "duplicates.toml"))


@main.command(name="sittings")
@_faces
@_cache
@_in_a_sentence
def sittings_command(faces: Path, cache: Path) -> None:
    """Print what frames of one sitting are worth beside pictures of different days.

    \b
    Example: python -m tools.evaluate sittings --faces lfw-dev
    """
    people = sittings.gather(faces, MODELS, cache)
    click.echo(sittings.table(people, MODELS))
    click.echo("\n" + joined.table(people, MODELS))


@main.command(name="covered-sittings")
@_groups
@_faces
@_cache
@click.option("--cell", "like", multiple=True, default=LIKE_CELLS, show_default=True, help="Of the group set.")
@_in_a_sentence
def covered_sittings_command(group_set: Path, faces: Path, cache: Path, like: tuple[str, ...]) -> None:
    """Print which sittings of covered faces are joined at which limit, and what that buys.

    \b
    Example: python -m tools.evaluate covered-sittings --groups groups-dev --faces lfw-dev
    """
    thresholds, judged = joined_covered.thresholds_in(MODELS), groups.judged_in(MODELS / "duplicates.toml")
    rows = []
    for cloth in cloths.worn():
        people = covered_sittings.gather(faces, MODELS, cache, cloth)
        click.echo(joined_covered.table(cloth.name, people, thresholds) + "\n")
    for cell in like:
        known = judged.get(cell, groups.Judged(frozenset(), frozenset()))
        for worn in (None, *cloths.worn()):
            names, found = covered_sittings.gather_cell(group_set, cell, MODELS, cache, worn)
            rows.append((cell, worn.colour if worn else "bare", *joined_covered.like_pairs(names, found, known)))
    click.echo(joined_covered.like_table(rows))


@main.command(name="counts")
@_faces
@_cache
@_in_a_sentence
def counts_command(faces: Path, cache: Path) -> None:
    """Print how the report and the tries come to different rates on the same pictures, step by step.

    \b
    Example: python -m tools.evaluate counts --faces lfw-dev
    """
    with Cache(cache) as kept:
        looked = gathered.gather(faces, Chain(MODELS), kept)
    click.echo(counts.table(counts.rows(looked, gather(faces, MODELS, cache))))


@main.command(name="linkability")
@click.option("--faces", type=_folder, help="DIR/person/picture.jpg; without it, 1,500 people made up.")
@_cache
@_in_a_sentence
def linkability_command(faces: Path | None, cache: Path) -> None:
    """Print what stored templates tell somebody who has no secret of a door, or has it.

    \b
    Example: python -m tools.evaluate linkability
    """
    people = linkability.synthetic(1500, seed=0)
    if faces is not None:
        people = linkability.photographed(gather(faces, MODELS, cache), seed=0)
    click.echo(linkability.table(people))
    click.echo("\n" + households.table(people))


@main.command(name="passive")
@_faces
@click.option("--pictures", type=click.IntRange(60), default=1000, show_default=True, help="Of the folder, evenly.")
@_in_a_sentence
def passive_command(faces: Path, pictures: int) -> None:
    """Print what passive hints against prints and screens would refuse, of people and of made-up attacks.

    \b
    Example: python -m tools.evaluate passive --faces lfw-dev
    """
    click.echo(passive.report(faces, MODELS, pictures))


@main.command(name="hillclimb")
@click.option("--probes", type=click.IntRange(1), default=10_000, show_default=True, help="That each client may send.")
@click.option("--clients", type=click.IntRange(2), default=20, show_default=True, help="Of each kind.")
def hillclimb_command(probes: int, clients: int) -> None:
    """Print how near a client comes to a template that learns nothing but accepted or refused.

    \b
    Example: python -m tools.evaluate hillclimb
    """
    click.echo(hillclimb.table(MODELS, probes, clients))
