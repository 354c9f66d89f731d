"""Whole pictures in little light, and what lighting their darkest crops gains: `python -m tools.evaluate.tries.dim`.

Rules kept here:
- The picture is darkened before anything is found on it, and the door's own sight looks at both.
- A crop is lit only where its middle is darker than the limit; what is embedded otherwise is what the door embeds.
- Each group stands alone, with the worst twentieth beside the median: what a median gains may be what some lose.
"""

from __future__ import annotations

import zlib
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import click
import numpy as np
from numpy.typing import NDArray

from device.config.tables import EyeTable
from device.eye.camera import LOW_HEIGHT_PX, LOW_WIDTH_PX, Frame
from device.eye.pictures import read_scaled
from device.eye.pixels import Picture, fit_area
from device.eye.runtime import Floats
from device.eye.sight import Sight
from device.paths import models_dir
from tools.evaluate.tries.aligned import adults
from tools.evaluate.tries.variants import relit
from tools.models.darkness import TIGHT_CROP_SCALE

NOISE: Final = 3.0  # grey levels
LIGHTS: Final = (0.2, 0.1)
TRIED: Final = "smooth gamma"
Reals = NDArray[np.float64]
_folder = click.Path(path_type=Path, file_okay=False, exists=True)


class OpenSight(Sight):
    """The door's sight, which lets its crop be read."""

    @property
    def crop(self) -> Picture:
        """What was embedded last."""
        return self._crop


@dataclass(frozen=True)
class Row:
    """One group in one light: cosines (n,) with the same picture in full light, as the door embeds it and when lit.

    lit: how many crops were dark enough to be; shown: how many pictures were good enough in full light.
    """

    group: str
    light: float
    shown: int
    lit: int
    as_is: Reals
    tried: Reals


def measure(sight: OpenSight, group: str, paths: list[Path], limit: float) -> list[Row]:
    """A row for each of LIGHTS."""
    bright: list[tuple[Path, Picture, Floats]] = []
    for path in paths:
        picture = read_scaled(path, 640, 480, TIGHT_CROP_SCALE)
        seen = sight.look(_frame(picture))
        if seen.embedding is not None:
            bright.append((path, picture, seen.embedding))
    rows = []
    for light in LIGHTS:
        found: list[tuple[float, float, bool]] = []
        for path, picture, own in bright:
            noise = np.random.default_rng(zlib.crc32(path.name.encode())).normal(0, NOISE, picture.shape)
            seen = sight.look(_frame(np.clip(picture * light + noise, 0, 255).astype(np.uint8)))
            if seen.embedding is None:
                continue
            crop = sight.crop.copy()
            better = relit(crop, TRIED, limit)
            vector = seen.embedding if better is crop else sight.embed(better)
            found.append((float(own @ seen.embedding), float(own @ vector), better is not crop))
        as_is, tried = (np.array([each[which] for each in found], np.float64) for which in (0, 1))
        rows.append(Row(group, light, len(bright), sum(lit for _, _, lit in found), as_is, tried))
    return rows


def table(rows: list[Row]) -> str:
    """Markdown: usable pictures, and the 5th percentile and the median of both."""
    lines = [f"| brightness | group | usable | lit | as is | {TRIED} |", "|---" * 6 + "|"]
    for row in sorted(rows, key=lambda row: (-row.light, row.group)):
        both = [_told(values) for values in (row.as_is, row.tried)]
        usable = f"{len(row.as_is)} of {row.shown}"
        lines.append(f"| x {row.light:g} | {row.group} | {usable} | {row.lit} | {' | '.join(both)} |")
    return "\n".join(lines)


def _told(values: Reals) -> str:
    return "{:.2f}, {:.2f}".format(*np.quantile(values, (0.05, 0.5))) if len(values) else ""


def _frame(main: Picture) -> Frame:
    return Frame(main, fit_area(main, LOW_HEIGHT_PX, LOW_WIDTH_PX), 0)


@click.command()
@click.option("--groups", "cells", type=_folder, required=True, help="DIR/group-sex/age_*.jpg")
@click.option("--pictures", type=click.IntRange(1), default=100, show_default=True, help="Of each group, at random.")
@click.option("--limit", type=click.FloatRange(0, 255), default=16.0, show_default=True, help="Darker crops are lit.")
def main(*, cells: Path, pictures: int, limit: float) -> None:
    r"""Print what lighting the darkest crops gains in each group, on whole pictures in little light.

    \b
    Example: python -m tools.evaluate.tries.dim --groups groups-dev
    """
    sight, paths = OpenSight.load(EyeTable(), models_dir()), adults(cells)
    rows = []
    for group in sorted({path.parent.name for path in paths}):
        own = [path for path in paths if path.parent.name == group]
        chosen = [own[at] for at in np.random.default_rng(1).permutation(len(own))[:pictures]]
        rows += measure(sight, group, chosen, limit)
    click.echo(table(rows))


if __name__ == "__main__":
    main()
