"""`python -m tools.evaluate --faces DIR`: the report on how well the door recognises the people of a folder.

Rules kept here:
- What cannot be used is one sentence and exit code 2; Ctrl-C is one sentence and 130. Either way what was looked at is
  kept, and the same command goes on from there.
- Files appear whole: a report that was not finished leaves the one before.
"""

from __future__ import annotations

import json
import platform
import subprocess
import time
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path
from typing import Any, Final

import click

from device.errors import ModelRefused
from tools.evaluate.accuracy import plots, text
from tools.evaluate.accuracy.cache import Cache, CacheRefused
from tools.evaluate.accuracy.crew import CrewLost
from tools.evaluate.accuracy.floating import FILE
from tools.evaluate.accuracy.gathered import FolderRefused, Interrupted
from tools.evaluate.accuracy.measure import Asked, measure
from tools.evaluate.accuracy.rates import RESAMPLES
from tools.log_header.kinds import KINDS
from tools.log_header.sources import sums

ROOT: Final = Path(__file__).resolve().parents[2]
MODELS: Final = ROOT / "models"
_INTERRUPTED: Final = 130
_path = click.Path(path_type=Path)
_OPTIONS: Final = (
    click.option("--faces", type=_path, help="DIR/person/picture; every picture a camera might take."),
    click.option("--groups", "group_set", type=_path, help="DIR/group-sex/age_*.jpg: a row for every group."),
    click.option("--float", "floating", type=_path, help=f"Folder with {FILE}, to compare int8 with."),
    click.option("--out", type=_path, default=ROOT / ".cache" / "evaluate", help="Where the report goes."),
    click.option("--cache", type=_path, default=ROOT / ".cache" / "evaluate", help="Where looks are kept."),
    click.option("--spoilt/--no-spoilt", default=True, show_default=True, help="Light, blur, masks, distance too."),
    click.option("--workers", type=click.IntRange(0), help="Processes; as many as cores unless said."),
)


def options(command: Callable[..., Any]) -> Callable[..., Any]:
    """The options of the report."""
    for option in reversed(_OPTIONS):
        command = option(command)
    return command


@click.command(name="accuracy")
@options
def accuracy_command(**asked: Any) -> None:
    """Write accuracy.md, accuracy.json and its curves: FMR, FNMR, FPIR, FNIR, FTA, FTE, with intervals.

    \b
    Example: python -m tools.evaluate --faces lfw-dev --groups groups-dev --out /tmp/report
    """
    run(**asked)


def run(
    faces: Path | None,
    group_set: Path | None,
    floating: Path | None,
    out: Path,
    cache: Path,
    workers: int | None,
    *,
    spoilt: bool,
) -> None:
    """The whole report. Raises click's errors, in a sentence."""
    if faces is None:
        raise click.UsageError("say which people: --faces DIR, with a folder for each person and pictures in it")
    began_s = time.monotonic()
    sources = sums(KINDS["accuracy"], ROOT)  # as they are before the first picture is looked at
    asked = Asked(
        faces, MODELS, group_set, _float_file(floating), spoilt, workers, lambda word: click.echo(word, err=True)
    )
    try:
        out.mkdir(parents=True, exist_ok=True)
        with Cache(cache) as kept:
            made = measure(asked, kept)
    except (Interrupted, KeyboardInterrupt) as ended:
        click.echo(f"\n{ended}" if str(ended) else "\nended; what was looked at is kept", err=True)
        raise click.exceptions.Exit(_INTERRUPTED) from None
    except (FolderRefused, ModelRefused, CacheRefused, CrewLost) as cause:
        raise click.UsageError(str(cause)) from cause
    except OSError as cause:
        raise click.UsageError(f"{cause.filename or out}: {cause.strerror}") from cause
    written = text.markdown(made, RESAMPLES)
    _put(out / "accuracy.md", written)
    _put(out / "accuracy.json", _with_sources(text.as_json(made, _origin()), sources))
    drawn = plots.draw(made, out)
    click.echo(written)
    names = ", ".join(path.name for path in (out / "accuracy.md", out / "accuracy.json", *drawn))
    click.echo(f"wrote {names} to {out} in {time.monotonic() - began_s:.0f} s")


def _float_file(folder: Path | None) -> Path | None:
    if folder is None:
        return None
    file = folder / FILE if folder.is_dir() else folder
    if not file.is_file():
        raise click.UsageError(
            f"there is no {FILE} in {folder}: python -m tools.models.rebuild --variants --out DIR makes it"
        )
    return file


def _put(path: Path, content: str) -> None:
    half = path.with_suffix(path.suffix + ".half")
    half.write_text(content, encoding="utf-8")
    half.replace(path)


def _with_sources(told: str, sources: Mapping[str, str]) -> str:
    """The object with the sum of each source that decided its figures, for the assurance card (ADR 33)."""
    return json.dumps({"sources": dict(sources), **json.loads(told)}, indent=1) + "\n"


def _origin() -> dict[str, str]:
    told = subprocess.run(
        ["git", "-C", str(ROOT), "describe", "--always", "--dirty"], capture_output=True, text=True, check=False
    )
    return {
        "date": datetime.now(UTC).strftime("%F %H:%M UTC"),
        "commit": told.stdout.strip() or "no checkout",
        "machine": f"{platform.system()} {platform.release()} {platform.machine()}",
        "python": platform.python_version(),
        "runtime": f"ai-edge-litert {version('ai-edge-litert')}",
    }
