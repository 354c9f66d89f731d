"""`doorctl audit`.

Rules kept here:
- Each finding is said as soon as it is there: who stops a long search keeps what was found before.
- Exit code 1 as soon as one check failed; a skipped one says why and fails nothing.
"""

from __future__ import annotations

import secrets
import sys
from collections.abc import Iterator
from pathlib import Path

import click

from device import wire
from device.attestation import Verified
from device.config.tables import Config
from device.desk.answers import Answer, answering, if_stopped, tell
from device.desk.audit import door as the_door
from device.desk.audit import erasure, search, walls
from device.desk.audit.finding import Finding, State, failed, skipped
from device.desk.network import cli as the_network
from device.desk.papers.cli import FILE
from device.desk.papers.findings import receipt_in
from device.edges import Room
from device.paths import door_paths, models_dir

STOPPED = "Stopped; what was not searched to its end may hold anything."


@click.command()
@click.option("--receipt", "receipt_file", type=FILE, help="A receipt of this door: check that its record is gone.")
@click.option(
    "--image",
    "images",
    type=FILE,
    multiple=True,
    help="A disk such as /dev/mmcblk0, or an image file, to search for the erased record. May be given several times.",
)
@click.option("--network", is_flag=True, help="Listen to the network instead, and say where packets went.")
@click.option(
    "--seconds",
    type=click.FloatRange(0.1, the_network.LONGEST_S),
    metavar="SECONDS",
    help=f"How long to listen with --network; {the_network.DEFAULT_S:g} if nothing is said.",
)
@answering
def audit(*, receipt_file: Path | None, images: tuple[Path, ...], network: bool, seconds: float | None) -> Answer:
    """Check this door's keys, folders and erasures, and the walls between its rooms. Changes nothing.

    Reads the rooms' folders and tries the walls from where each room stands, so on a real door it needs root. With
    --network it listens to all interfaces instead, and compares where packets went, and whose they were, with the few
    places that door.toml permits.

    \b
    Example: doorctl audit
             doorctl audit --receipt my-receipt.txt --image /dev/mmcblk0
             doorctl audit --network --seconds 1000
    """
    if network:
        if images or receipt_file is not None:
            raise click.UsageError("--network goes alone: a receipt and a disk are another audit.")
        return the_network.listened(door_paths(), the_network.DEFAULT_S if seconds is None else seconds)
    if seconds is not None:
        raise click.UsageError("--seconds needs --network: nothing else takes its time.")
    if images and receipt_file is None:
        raise click.UsageError("--image needs --receipt: without one nobody knows what to search for.")
    paths = door_paths()
    door = the_door.configuration(paths)
    places = the_door.places(door) if door else ()
    for place in places:
        tell("\n".join(place.lines))
    finding, verified = erasure.read_receipt(receipt_file) if receipt_file is not None else (None, None)
    record = receipt_in(verified).record_id if verified else secrets.token_bytes(wire.NONCE_BYTES)
    vault = the_door.ask_vault(paths, record)
    found: list[Finding] = []
    for each in _all(door, vault, finding, verified, images):
        tell(each.line)
        found.append(each)
    tell("\n".join(("What no audit of this door can show:", *(f"- {limit}" for limit in the_door.CANNOT_SHOW))))
    facts: dict[str, object] = {
        "places": {str(place.room): place.facts for place in places},
        "checks": [{"name": each.name, "state": each.state.name.lower(), "sentence": each.sentence} for each in found],
        "cannot_show": list(the_door.CANNOT_SHOW),
        "door_key": None if isinstance(vault, str) else vault.door_key.hex(),
    }
    bad = [each.name for each in found if each.state is State.FAILED]
    return Answer(_verdict(found, bad), facts, ok=not bad)


def _all(
    door: Config | None,
    vault: wire.RecordAnswer | str,
    receipt: Finding | None,
    verified: Verified | None,
    images: tuple[Path, ...],
) -> Iterator[Finding]:
    paths = door_paths()
    yield from the_door.findings(paths, models_dir(), door, vault)
    yield from walls.findings(paths, door)
    if receipt is None:
        return
    yield receipt
    if verified is None:
        for path in images:
            yield skipped("image", f"{path}: without a receipt nobody knows what to search for")
        return
    paper = receipt_in(verified)
    yield from erasure.is_this_doors(verified, bytes.fromhex(door.door.id) if door else None, vault)
    yield erasure.not_named(vault)
    yield erasure.no_file(paths.state(Room.VAULT), paper)
    yield erasure.no_mark(paths.state(Room.VAULT), paper)
    if_stopped(STOPPED)
    for path in images:
        yield _searched(path, verified)


def _searched(path: Path, verified: Verified) -> Finding:
    # Only here: they take longer to load than most commands take to run.
    from rich.console import Console
    from rich.progress import Progress

    console = Console(file=sys.stderr)
    with Progress(console=console, transient=True, disable=not console.is_terminal) as progress:
        try:
            with search.opened(path, follow=True) as source:
                task = progress.add_task(path.name, total=source.size)
                advance = lambda count: progress.advance(task, count)  # noqa: E731 - a name for one argument
                return erasure.not_in_image(source, receipt_in(verified), advance)
        except search.SearchFault as fault:
            return failed("image", str(fault))


def _verdict(found: list[Finding], bad: list[str]) -> str:
    if bad:
        return f"Not well: {', '.join(bad)}."
    passed = sum(1 for each in found if each.state is State.OK)
    skipped_ones = len(found) - passed
    rest = f"; {skipped_ones} could not be looked at" if skipped_ones else ""
    return f"All {passed} checks that were made are well{rest}."
