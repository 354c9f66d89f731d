"""`doorward fleet rotate`: another key for the fleet.

Rules kept here:
- Which doors may still believe the old key is said every time, with what to do about it.
"""

from __future__ import annotations

import time
from pathlib import Path

import click

from provisioning import fleet as fleets
from provisioning import options, rotation
from provisioning.answers import Answer, answering
from provisioning.errors import FleetRefused
from provisioning.rotation import Progress


@click.command("rotate")
@options.fleet
@click.option("--out", type=click.Path(path_type=Path), help="The folder for the documents; by default the fleet's.")
@click.option("--acknowledged", metavar="NAME", help="This door applied its document; somebody there has said so.")
@click.option("--status", "asked", is_flag=True, help="Show which doors are still to learn the key; change nothing.")
@answering
def fleet_rotate(*, folder: Path, store: str | None, out: Path | None, acknowledged: str | None, asked: bool) -> Answer:
    """Replace the key that signs documents: makes a new one, and for each door a document that names it.

    Each document is signed by the old key, and from the moment its door has applied it, the door believes the new key
    alone. The old key is kept, sealed, until every door has said so: in a report, or by --acknowledged. Interrupted?
    Run it again: it goes on where it stopped. It begins a further rotation only once the last has ended.

    \b
    Example: doorward fleet rotate --fleet ~/fleet --out ~/to-the-doors
             doorward fleet rotate --fleet ~/fleet --acknowledged "Front door"
    """
    if acknowledged is not None and (asked or out is not None):
        msg = "--acknowledged stands alone"
        raise FleetRefused(msg)
    fleet = fleets.open_fleet(folder, store)
    if asked:
        found = rotation.progress(fleet)
    elif acknowledged is not None:
        found = rotation.acknowledge(fleet, acknowledged)
    else:
        if out is not None and not out.is_dir():
            msg = f"{out} is no folder that documents can be written into, so nothing was done"
            raise FleetRefused(msg)
        found = rotation.rotate(fleet, out or folder, now_unix=int(time.time()), passphrase=options.passphrase())
    return Answer(lambda: _say(found), _facts(found))


def _facts(found: Progress) -> dict[str, object]:
    return {
        "manager_key": found.public_key,
        "made": [{"door": door.name, "document": str(path)} for door, path in found.made],
        "waiting": [door.name for door in found.waiting],
        "unknown": [door.name for door in found.unknown],
    }


def _say(found: Progress) -> None:
    click.echo(f"manager_key  {found.public_key}")
    for door, path in found.made:
        click.echo(f"{door.name} needs the document {path}: doorctl apply {path}")
    if found.waiting:
        names = ", ".join(door.name for door in found.waiting)
        click.echo(f"The old key is kept until these know the new one, by a report or --acknowledged: {names}.")
    if found.unknown:
        names = ", ".join(door.name for door in found.unknown)
        click.echo(
            f"Nothing can be sealed to these yet; bring their key (`door identify`) and run this again, or say "
            f"--acknowledged if no door stands there yet, or its door.toml has the new key: {names}."
        )
    if found.done:
        click.echo("Every door knows this key, and no older one is kept.")
