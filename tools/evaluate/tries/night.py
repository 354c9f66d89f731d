"""Whole pictures in little light before one camera, and every way to light their crops: `... tries.night`.

Rules kept here:
- As in `dim`: the picture is darkened before anything is found on it, the door's own sight looks at it, and each group
  stands alone. Everybody stands before the same camera, whose pattern stays where it is: an offset a pixel and colour,
  an offset a row and a column, and a gain a pixel. Noise in time is drawn anew for every picture.
- The control has the same heights and a place of its own for every picture: what differs is the sameness alone.
- Strangers are counted twice: enrolled in the light, and enrolled in the dark before the same camera, where what stays
  is in both.

    python -m tools.evaluate.tries.night --groups DIR [--pattern HEIGHT [--apart]] [--light WAY:LIMIT ...]
"""

from __future__ import annotations

import zlib
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import click
import numpy as np
import numpy.typing as npt
from rich.progress import track

from device.config.tables import EyeTable
from device.eye.camera import LOW_HEIGHT_PX, LOW_WIDTH_PX, Frame
from device.eye.pictures import read_scaled
from device.eye.pixels import Picture, fit_area
from device.eye.runtime import Floats
from device.paths import models_dir
from tools.evaluate import groups
from tools.evaluate.tries.aligned import adults
from tools.evaluate.tries.dim import LIGHTS, NOISE, STRANGERS, OpenSight
from tools.evaluate.tries.variants import RELIT, is_way, relit
from tools.models.darkness import TIGHT_CROP_SCALE

WIDTH, HEIGHT = 640, 480
LINES: Final = 1 / 3  # height of what a row and a column have in common, of what a pixel has alone
GAIN: Final = 0.007  # of a pixel, relative: ISETCam's model of Sony's IMX363 (sensorIMX363V2.m, prnu)
AS_IS: Final = "as is"
_folder = click.Path(path_type=Path, file_okay=False, exists=True)


@dataclass(frozen=True, eq=False)
class Camera:
    """What stays where it is: offset (HEIGHT, WIDTH, 3), grey levels, and gain, likewise, around 1.

    apart: whether every picture has it at a place of its own instead.
    """

    offset: npt.NDArray[np.float32]
    gain: npt.NDArray[np.float32]
    apart: bool = False

    @classmethod
    def made(cls, height: float, *, apart: bool = False, seed: int = 7) -> Camera:
        """A camera whose pixels' offsets have a standard deviation of `height` grey levels; 0 is a perfect one."""
        generator = np.random.default_rng(seed)
        pixels = generator.normal(0, height, (HEIGHT, WIDTH, 3))
        rows, columns = (generator.normal(0, height * LINES, size) for size in ((HEIGHT, 1, 1), (1, WIDTH, 1)))
        gain = 1 + generator.normal(0, GAIN if height else 0, (HEIGHT, WIDTH, 3))
        return cls((pixels + rows + columns).astype(np.float32), gain.astype(np.float32), apart)

    def seen(self, picture: Picture, light: float, noise: float, name: str) -> Picture:
        """`picture` in so much light, as this camera gives it; noise in time is drawn from its name and the light."""
        generator = np.random.default_rng(zlib.crc32(f"{name} {light:g}".encode()))
        offset, gain = self.offset, self.gain
        if self.apart:
            moved = (int(generator.integers(HEIGHT)), int(generator.integers(WIDTH)))
            offset, gain = (np.roll(each, moved, axis=(0, 1)) for each in (offset, gain))
        found = picture * light * gain + offset + generator.normal(0, noise, picture.shape)
        shown: Picture = np.clip(np.rint(found), 0, 255).astype(np.uint8)
        return shown


@dataclass(frozen=True)
class Lit:
    """One way to light a crop: a word of `variants.relit`, for crops whose middle is darker than `below`."""

    way: str
    below: float

    @property
    def name(self) -> str:
        """For people."""
        return f"{self.way} below {self.below:g}"


@dataclass(frozen=True, eq=False)
class Met:
    """One picture: its embedding in the light, and in the dark by name of a way; none if it is not usable there.

    lit: the ways that changed its crop.
    """

    path: Path
    bright: Floats
    dark: dict[str, Floats]
    lit: frozenset[str] = frozenset()


def look_at(sight: OpenSight, paths: Iterable[Path], camera: Camera, ways: list[Lit]) -> dict[float, list[Met]]:
    """By light, those of `paths` that are usable and bare in full light."""
    found: dict[float, list[Met]] = {light: [] for light in LIGHTS}
    for path in paths:
        picture = read_scaled(path, WIDTH, HEIGHT, TIGHT_CROP_SCALE)
        bright = sight.look(_frame(camera.seen(picture, 1.0, 0.0, path.name)))
        if bright.embedding is None or bright.covered:
            continue
        for light in LIGHTS:
            dark = sight.look(_frame(camera.seen(picture, light, NOISE, path.name)))
            if dark.embedding is None or dark.covered:
                found[light].append(Met(path, bright.embedding, {}))
                continue
            crop, lit = sight.crop.copy(), set[str]()
            vectors = {AS_IS: sight.as_is(crop)}
            for each in ways:
                better = relit(crop, each.way, each.below)
                vectors[each.name] = vectors[AS_IS] if better is crop else sight.as_is(better)
                lit |= set() if better is crop else {each.name}
            found[light].append(Met(path, bright.embedding, vectors, frozenset(lit)))
    return found


@dataclass(frozen=True)
class Figures:
    """Of one group, light and way. own: cosines with the same picture in the light, 5 % and median.

    light, dark: the cosines that STRANGERS of others exceed, enrolled in the light, and in the dark in the same way.
    """

    usable: int
    lit: int
    own: tuple[float, float]
    light: tuple[float, ...]
    dark: tuple[float, ...]


def figures(met: list[Met], way: str, judged: groups.Judged) -> Figures | None:
    """Of one group's pictures; None where nobody is usable in the dark."""
    usable = [each for each in met if each.dark]
    if len(usable) < LEAST:
        return None
    bright, everybody = (np.stack([each.bright for each in part]) for part in (usable, met))
    dark = np.stack([each.dark[way] for each in usable])
    who = groups.people(np.array([each.path.name for each in met]), judged.same)
    here = who[[bool(each.dark) for each in met]]
    low, middle = np.quantile((bright * dark).sum(axis=1), (0.05, 0.5))
    return Figures(
        len(usable),
        sum(way in each.lit for each in usable),
        (float(low), float(middle)),
        _marks((dark @ everybody.T)[here[:, None] != who[None, :]]),
        _marks((dark @ dark.T)[here[:, None] != here[None, :]]),
    )


LEAST: Final = 20  # pictures, below which a group says nothing


def _marks(scores: Floats) -> tuple[float, ...]:
    return tuple(float(mark) for mark in np.quantile(scores, [1 - rate for rate in STRANGERS]))


def _frame(main: Picture) -> Frame:
    return Frame(main, fit_area(main, LOW_HEIGHT_PX, LOW_WIDTH_PX), 0)


COLUMNS: Final = (
    "brightness",
    "way",
    "lit",
    "own, worst group 5 %",
    "own, median of groups",
    "groups whose 5 % loses",
    "strangers enrolled in the light, 1e-2, 1e-3",
    "enrolled in the dark",
)


def table(found: dict[float, list[Met]], ways: list[str], judged: dict[str, groups.Judged], *, each: bool) -> list[str]:
    """Markdown: a line a brightness and way. Strangers: of the group that needs most. each: a line a group besides."""
    lines = [f"| {' | '.join(COLUMNS)} |", "|---" * len(COLUMNS) + "|"]
    for light, met in found.items():
        names = sorted({one.path.parent.name for one in met})
        own = {name: [one for one in met if one.path.parent.name == name] for name in names}
        nobody = groups.Judged(frozenset(), frozenset())
        base: dict[str, Figures] = {}
        for way in ways:
            made = {name: figures(own[name], way, judged.get(name, nobody)) for name in names}
            shown = {name: figure for name, figure in made.items() if figure is not None}
            base = base or shown
            if shown:
                lines.append(f"| x {light:g} | {way} | {_worst(shown, base)} |")
            lines += [f"| x {light:g} | {way}, {n} | {_one(f)} |" for n, f in shown.items() if each]
    return lines


def _worst(shown: dict[str, Figures], base: dict[str, Figures]) -> str:
    every = list(shown.values())
    marks = [
        [max(getattr(each, side)[at] for each in every) for at in range(len(STRANGERS))] for side in ("light", "dark")
    ]
    lower = sum(each.own[0] < base[name].own[0] - 0.005 for name, each in shown.items())
    return " | ".join(
        (
            f"{sum(each.lit for each in every)} of {sum(each.usable for each in every)}",
            f"{min(each.own[0] for each in every):.2f}",
            f"{np.median([each.own[1] for each in every]):.2f}",
            f"{lower} of {len(every)}",
            *(", ".join(f"{mark:.3f}" for mark in side) for side in marks),
        )
    )


def _one(figure: Figures) -> str:
    marks = (", ".join(f"{mark:.3f}" for mark in side) for side in (figure.light, figure.dark))
    own = (f"{value:.2f}" for value in figure.own)
    return " | ".join((f"{figure.lit} of {figure.usable}", *own, "", *marks))


def _parsed(context: click.Context, option: click.Parameter, values: tuple[str, ...]) -> list[Lit]:
    del context, option
    made = []
    for value in values:
        way, _, below = value.rpartition(":")
        if not way or not is_way(way) or not below.replace(".", "", 1).isdigit():
            raise click.BadParameter(
                f"{value}: say a way ({', '.join(sorted(RELIT))}) and a limit, as in 'smooth gamma:16'"
            )
        made.append(Lit(way, float(below)))
    return made


@click.command()
@click.option("--groups", "faces", type=_folder, required=True, help="DIR/group-sex/age_*.jpg")
@click.option("--pictures", type=click.IntRange(1), default=400, show_default=True, help="Of each group, at random.")
@click.option("--pattern", type=click.FloatRange(0), default=0.0, show_default=True, help="Its height, grey levels.")
@click.option("--apart", is_flag=True, help="Every picture has the pattern at a place of its own (the control).")
@click.option("--light", "ways", multiple=True, default=("smooth gamma:16",), callback=_parsed, help="WAY:LIMIT")
@click.option("--each", is_flag=True, help="Every group by itself, too.")
def main(*, faces: Path, pictures: int, pattern: float, apart: bool, ways: list[Lit], each: bool) -> None:
    """Print what each way to light dark crops gains, and how alike strangers become before one camera.

    \b
    Example: python -m tools.evaluate.tries.night --groups groups-dev --pattern 1
    """
    models = models_dir()
    sight, paths = OpenSight.load(EyeTable(), models), adults(faces)
    chosen: list[Path] = []
    for group in sorted({path.parent.name for path in paths}):
        own = [path for path in paths if path.parent.name == group]
        chosen += [own[at] for at in np.random.default_rng(1).permutation(len(own))[:pictures]]
    found = look_at(sight, track(chosen, description="looks"), Camera.made(pattern, apart=apart), ways)
    judged = groups.judged_in(models / "duplicates.toml")
    where = ", each picture at a place of its own" if apart else ""
    click.echo(f"A pattern of {pattern:g} grey levels{where}; {len(chosen)} pictures.\n")
    click.echo("\n".join(table(found, [AS_IS, *(way.name for way in ways)], judged, each=each)))


if __name__ == "__main__":
    main()
