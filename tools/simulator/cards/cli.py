"""`doorsim card`: cards as files, to hold to a simulated door.

Rules kept here:
- Exit 0: done; 1: refused, the reason in one sentence; 2: wrong usage. No file is overwritten.
- No key is shown.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Callable
from functools import wraps
from pathlib import Path
from typing import Any

import click

from device.errors import Refusal
from tools.simulator.cards.card import SimulatedCard
from tools.simulator.cards.enemies import clone_of
from tools.simulator.cards.memory import SHORT_UID_BYTES, UID_BYTES, Kind, Right
from tools.simulator.cards.status import CardFileRefused

_FILE = click.Path(path_type=Path)


class Uid(click.ParamType[bytes]):
    """A card's number in hexadecimal."""

    name = "hex"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> bytes:
        """4 or 7 bytes."""
        try:
            uid = value if isinstance(value, bytes) else bytes.fromhex(value)
        except ValueError:
            uid = b""
        if len(uid) not in {SHORT_UID_BYTES, UID_BYTES}:
            self.fail("A number is 8 or 14 hexadecimal digits.", param, ctx)
        return uid


def _command(call: Callable[..., dict[str, Any]]) -> Callable[..., None]:
    """--json, and the one way errors end."""

    @click.option("--json", "as_json", is_flag=True, help="Print one JSON object.")
    @wraps(call)
    def guarded(as_json: bool, **options: Any) -> None:  # noqa: FBT001 - click's value
        try:
            answer = call(**options)
        except Refusal as refusal:
            click.echo(json.dumps({"refused": str(refusal)}) if as_json else f"doorsim: {refusal}", err=not as_json)
            sys.exit(1)
        if as_json:
            click.echo(json.dumps(answer))
            return
        for key, value in answer.items():
            for line in value if isinstance(value, list) else [value]:
                click.echo(f"{key}: {line}")

    return guarded


@click.group()
def card() -> None:
    """Simulated cards, each a file. Nothing here is a real card.

    \b
    Example: doorsim card new anna.card --kind ntag424
    """


@card.command()
@click.argument("file", type=_FILE)
@click.option("--kind", type=click.Choice([kind.value for kind in Kind]), required=True)
@click.option("--uid", type=Uid(), default=None, help="Its number in hexadecimal; default: a random one.")
@_command
def new(file: Path, kind: str, uid: bytes | None) -> dict[str, Any]:
    """Make FILE a new card, as delivered by its maker.

    \b
    Example: doorsim card new anna.card --kind ntag424
    """
    return _kept(SimulatedCard.new(Kind(kind), uid), file)


@card.command()
@click.argument("source", metavar="FROM", type=_FILE)
@click.argument("target", metavar="TO", type=_FILE)
@_command
def clone(source: Path, target: Path) -> dict[str, Any]:
    """Make TO what a copier makes of FROM: its number and what is read without a key; a full copy is `cp`.

    \b
    Example: doorsim card clone anna.card thief.card
    """
    return _kept(clone_of(SimulatedCard.load(source)), target)


@card.command()
@click.argument("file", type=_FILE)
@_command
def show(file: Path) -> dict[str, Any]:
    """Tell what FILE is: kind, number, applications and files, no keys.

    \b
    Example: doorsim card show anna.card
    """
    return _told(SimulatedCard.load(file))


def _kept(made: SimulatedCard, file: Path) -> dict[str, Any]:
    if file.exists() or file.is_symlink():
        raise CardFileRefused(f"{file.name} is already there; take another name")
    made.save(file)
    return _told(made)


def _told(found: SimulatedCard) -> dict[str, Any]:
    lines = []
    for number, application in found.memory.applications.items():
        versions = ", ".join(f"{key.version:02x}" for key in application.keys)
        lines.append(f"application {number:06x}, keys of versions {versions}")
        for file_number, file in application.files.items():
            rights = ", ".join(f"{right.name.lower()} {file.right(right):x}" for right in Right)
            kind = "backup" if file.backup else "standard"
            lines.append(f"file {file_number}, {kind}, {len(file.data)} bytes, {file.mode.name.lower()}, {rights}")
    return {"kind": found.kind.value, "uid": found.uid.hex(), "holds": lines}
