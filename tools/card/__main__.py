"""`python -m tools.card [--draft] [--out DIR]`: the assurance card of this tree. `make card` makes a release's.

Rules kept here:
- Exit code 1, and not one file written, if a release lacks a figure or shows one that comes from nowhere; each reason
  is a sentence that names the figures, the log and what changed.
- `--draft` shows what there is, and says "not measured on this state" of the rest.
"""

from __future__ import annotations

import sys
from functools import partial
from pathlib import Path

import click

from tools.card import git
from tools.card.build import build, tree
from tools.card.here import NotHere
from tools.card.page import Untraced

ROOT = Path(__file__).resolve().parents[2]


@click.command()
@click.option(
    "--out", type=click.Path(path_type=Path), default=ROOT / "dist" / "card", help="Folder of the three files."
)
@click.option("--draft", is_flag=True, help="Not a release's: what nothing measures is called so on the page.")
def main(out: Path, *, draft: bool) -> None:
    """Write card.html, card.json and sbom.cdx.json.

    \b
    Example: python -m tools.card --draft --out /tmp/card
    """
    try:
        card = build(tree(ROOT, git.present(ROOT), partial(git.at_commit, ROOT)))
    except (NotHere, Untraced) as refused:
        click.echo(f"no card: {refused}", err=True)
        sys.exit(1)
    for each in card.missing:
        click.echo(f"not measured on this state: {each.sentence}", err=True)
    if card.missing and not draft:
        click.echo("no card: a release shows nothing that is not measured (docs/card.md)", err=True)
        sys.exit(1)
    out.mkdir(parents=True, exist_ok=True)
    for name, text in (("card.html", card.html), ("card.json", card.data), ("sbom.cdx.json", card.parts)):
        (out / name).write_text(text, encoding="utf-8")
    click.echo(
        f"wrote card.html, card.json and sbom.cdx.json to {out}: {len(card.figures)} figures, each with its source"
    )


if __name__ == "__main__":
    main(prog_name="python -m tools.card")
