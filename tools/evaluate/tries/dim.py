"""Whole pictures in little light, and what lighting their darkest crops gains: `python -m tools.evaluate.tries.dim`.

Rules kept here:
- The picture is darkened before anything is found on it, and the door's own sight looks at both.
- A crop is lit only where its middle is darker than the limit; what is embedded otherwise is what the door embeds.
- Each group stands alone, with the worst twentieth beside the median: what a median gains may be what some lose.
- Whoever gains, strangers must not: enrolled in the light, looked at in the dark, against others of one sex and group.
"""

from __future__ import annotations

import zlib
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import click
import numpy as np

from device.config.tables import EyeTable
from device.eye.camera import LOW_HEIGHT_PX, LOW_WIDTH_PX, Frame
from device.eye.pictures import read_scaled
from device.eye.pixels import Picture, fit_area
from device.eye.runtime import Floats
from device.eye.sight import Sight
from device.paths import models_dir
from device.vault import tail as tail_file
from tools.evaluate import groups
from tools.evaluate.figures import mean_vector
from tools.evaluate.report import rows as budget_rows
from tools.evaluate.tries.aligned import adults, people_with
from tools.evaluate.tries.variants import RELIT, is_way, relit
from tools.models.darkness import TIGHT_CROP_SCALE

NOISE: Final = 3.0  # grey levels
LIGHTS: Final = (0.2, 0.1)
TRIED: Final = "smooth gamma"
WAYS: Final = ("in the light", "as is", TRIED)
ENROLLED, FRAMES, DRAWS, SEED = 5, 3, 10, 4
STRANGERS: Final = (1e-2, 1e-3)
_folder = click.Path(path_type=Path, file_okay=False, exists=True)


class OpenSight(Sight):
    """The door's sight, which lets its crop be read."""

    @property
    def crop(self) -> Picture:
        """What was cut last, as it was seen."""
        return self._crop

    def as_is(self, crop: Picture) -> Floats:
        """Its embedding without what the door does for dark crops: a way is tried alone."""
        return self._embedder.embed(crop)


@dataclass(frozen=True, eq=False)
class Met:
    """One picture: its embedding in the light, and in the dark as the door embeds it and when lit, None if unusable.

    lit: whether its crop was dark enough to be lit.
    """

    path: Path
    bright: Floats
    as_is: Floats | None = None
    tried: Floats | None = None
    lit: bool = False


def look_at(
    sight: OpenSight, paths: Iterable[Path], scale: float, light: float, limit: float, way: str = TRIED
) -> list[Met]:
    """Those of `paths` that are usable and bare in full light; `way`: a word of `variants.relit`."""
    found = []
    for path in paths:
        picture = read_scaled(path, 640, 480, scale)
        seen = sight.look(_frame(picture))
        if seen.embedding is None or seen.covered:
            continue
        noise = np.random.default_rng(zlib.crc32(path.name.encode())).normal(0, NOISE, picture.shape)
        dark = sight.look(_frame(np.clip(picture * light + noise, 0, 255).astype(np.uint8)))
        if dark.embedding is None or dark.covered:
            found.append(Met(path, seen.embedding))
            continue
        crop = sight.crop.copy()
        better = relit(crop, way, limit)
        found.append(Met(path, seen.embedding, sight.as_is(crop), sight.as_is(better), better is not crop))
    return found


def of_groups(met: list[Met], light: float, judged: dict[str, groups.Judged]) -> list[str]:
    """A line a group: cosines with the same picture in the light (5 %, median), and those of strangers (STRANGERS)."""
    lines = []
    for group in sorted({each.path.parent.name for each in met}):
        own = [each for each in met if each.path.parent.name == group]
        usable = [each for each in own if each.as_is is not None and each.tried is not None]
        cells = [f"x {light:g}", group, f"{len(usable)} of {len(own)}", str(sum(each.lit for each in usable))]
        if usable:
            rows = _stacked(usable)
            alike = [(rows[0] * way).sum(axis=1) for way in rows[1:]]
            cells += ["{:.2f}, {:.2f}".format(*np.quantile(cosines, (0.05, 0.5))) for cosines in alike]
            cells += _strangers(own, usable, rows, judged.get(group, groups.Judged(frozenset(), frozenset())))
        lines.append(f"| {' | '.join(cells)} |")
    return lines


def _strangers(own: list[Met], usable: list[Met], rows: list[Floats], judged: groups.Judged) -> list[str]:
    """Of each of WAYS the cosines that STRANGERS of the comparisons with others in the light exceed."""
    who = groups.people(np.array([each.path.name for each in own]), judged.same)
    at = {each.path: row for row, each in enumerate(own)}
    apart = who[[at[each.path] for each in usable]][:, None] != who[None, :]
    if not apart.any():
        return []
    enrolled = np.stack([each.bright for each in own])
    return [
        ", ".join(f"{mark:.2f}" for mark in np.quantile((way @ enrolled.T)[apart], [1 - rate for rate in STRANGERS]))
        for way in rows
    ]


def _stacked(usable: list[Met]) -> list[Floats]:
    return [
        np.stack([each.bright for each in usable]),
        np.stack([each.as_is for each in usable if each.as_is is not None]),
        np.stack([each.tried for each in usable if each.tried is not None]),
    ]


def refused(met: list[Met], thresholds: list[float]) -> tuple[int, dict[str, list[float]]]:
    """How many people, and of each of WAYS the share refused at each threshold: enrolled in the light, 5 and 3."""
    people: dict[str, list[Met]] = {}
    for each in met:
        people.setdefault(each.path.parent.name, []).append(each)
    enough = [
        own
        for own in people.values()
        if len(own) >= ENROLLED + FRAMES and sum(each.as_is is not None for each in own) >= FRAMES
    ]
    generator, scores = np.random.default_rng(SEED), {way: list[float]() for way in WAYS}
    for _ in range(DRAWS):
        for own in enough:
            order = [own[at] for at in generator.permutation(len(own))]
            probes = [each for each in order if each.as_is is not None][:FRAMES]
            template = mean_vector(np.stack([each.bright for each in order if each not in probes][:ENROLLED]))
            for way, vectors in zip(WAYS, _stacked(probes), strict=True):
                scores[way].append(float(mean_vector(vectors) @ template))
    return len(enough), {
        way: [float((np.array(found) < threshold).mean()) for threshold in thresholds] for way, found in scores.items()
    }


def _frame(main: Picture) -> Frame:
    return Frame(main, fit_area(main, LOW_HEIGHT_PX, LOW_WIDTH_PX), 0)


def head(way: str) -> str:
    """Of `of_groups`' lines."""
    both = ("as is", way)
    columns = ("brightness", "group", "usable", "lit", *both, "strangers in the light", *both)
    return f"| {' | '.join(columns)} |\n" + "|---" * len(columns) + "|"


@click.command()
@click.option("--groups", "cells", type=_folder, required=True, help="DIR/group-sex/age_*.jpg")
@click.option("--faces", type=_folder, required=True, help="DIR/person/picture.jpg")
@click.option("--pictures", type=click.IntRange(1), default=150, show_default=True, help="Of each group, at random.")
@click.option("--limit", type=click.FloatRange(0, 255), default=16.0, show_default=True, help="Darker crops are lit.")
@click.option("--way", default=TRIED, show_default=True, help="How they are lit.")
def main(*, cells: Path, faces: Path, pictures: int, limit: float, way: str) -> None:
    """Print what lighting the darkest crops gains in each group, and at the door's thresholds, in little light.

    \b
    Example: python -m tools.evaluate.tries.dim --groups groups-dev --faces lfw-dev
    """
    if not is_way(way):
        raise click.BadParameter(f"{way}: the words are {', '.join(sorted(RELIT))}", param_hint="--way")
    models = models_dir()
    sight, paths = OpenSight.load(EyeTable(), models), adults(cells)
    judged = groups.judged_in(models / "duplicates.toml")
    chosen: list[Path] = []
    for group in sorted({path.parent.name for path in paths}):
        own = [path for path in paths if path.parent.name == group]
        chosen += [own[at] for at in np.random.default_rng(1).permutation(len(own))[:pictures]]
    click.echo(head(way))
    for light in LIGHTS:
        for line in of_groups(look_at(sight, chosen, TIGHT_CROP_SCALE, light, limit, way), light, judged):
            click.echo(line)
    found = budget_rows(tail_file.parse((models / tail_file.FILE).read_bytes()))[:4]
    heights = [row.threshold for row in found if row.threshold is not None]
    dark = look_at(sight, people_with(faces, ENROLLED + FRAMES), 1.0, LIGHTS[-1], limit, way)
    people, shares = refused(dark, heights)
    click.echo(f"\n{people} people, x {LIGHTS[-1]:g}: refused at " + ", ".join(f"{height:.3f}" for height in heights))
    for name, rates in shares.items():
        click.echo(f"| {way if name == TRIED else name} | " + " | ".join(f"{rate:.1%}" for rate in rates) + " |")


if __name__ == "__main__":
    main()
