"""`python -m tools.log_header KIND`: print what a log of that kind begins with. `make long` puts it before each."""

from __future__ import annotations

from pathlib import Path

import click

from tools.log_header.header import lines
from tools.log_header.kinds import KINDS
from tools.log_header.sources import sums


@click.command()
@click.argument("kind", type=click.Choice(tuple(KINDS)))
def main(kind: str) -> None:
    """Date, commit, machine, and the sha256 of every source that decides the figures.

    \b
    Example: python -m tools.log_header anonymity
    """
    click.echo("\n".join(lines(sums(KINDS[kind], Path(__file__).resolve().parents[2]))))


if __name__ == "__main__":
    main(prog_name="python -m tools.log_header")
