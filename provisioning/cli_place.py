"""`doorward door place` and `door import`: where doors are, and many doors from a file.

Rules kept here:
- A file with one row that cannot be adds nothing, and each such row is told.
"""

from __future__ import annotations

from pathlib import Path

import click

from device import reading
from provisioning import fleet as fleets
from provisioning import options
from provisioning.answers import Answer, answering
from provisioning.errors import FleetFault, FleetRefused

_MOST_TOLD = 10


@click.command("place")
@click.argument("name")
@click.option("--building", default="", help="In your own words; empty: none.")
@click.option("--floor", default="", help="A number such as 2 or -1, or a word; empty: none.")
@options.fleet
@answering
def door_place(*, name: str, building: str, floor: str, folder: Path, store: str | None) -> Answer:
    """Note where a door is, for lists and plans of the console. The door itself does not learn it.

    \b
    Example: doorward door place "Front door" --building Lindenhof --floor 0 --fleet ~/fleet
    """
    from provisioning import placing

    door = placing.place(fleets.open_fleet(folder, store), name, building, floor)
    text = " · ".join(word for word in (door.building, door.floor) if word) or "nowhere"
    return Answer(
        lambda: click.echo(f"{door.name}: {text}"), {"name": door.name, "building": door.building, "floor": door.floor}
    )


@click.command("import")
@click.argument("file", type=click.Path(dir_okay=False, path_type=Path))
@options.fleet
@answering
def door_import(*, file: Path, folder: Path, store: str | None) -> Answer:
    """Add the doors of a CSV file whose first row reads name,building,floor: all of them, or none.

    Each needs a label to join with afterwards (`doorward label new`).

    \b
    Example: doorward door import doors.csv --fleet ~/fleet
    """
    from provisioning import placing
    from provisioning.console import sheets_csv

    fleet = fleets.open_fleet(folder, store)
    try:
        content = reading.content(file, sheets_csv.LARGEST + 1)
    except OSError as cause:
        msg = f"{file} cannot be read: {cause.strerror}"
        raise FleetFault(msg) from cause
    found = sheets_csv.read(content, [door.name for door in fleet.store.doors()])
    if found.wrong:
        told = "; ".join(f"row {row.number}: {row.why}" for row in found.wrong[:_MOST_TOLD])
        msg = f"{len(found.wrong)} of {len(found.rows)} rows cannot be added, so none is: {told}"
        raise FleetRefused(msg)
    added = placing.add_doors(fleet, [row.placed for row in found.rows])
    return Answer(
        lambda: click.echo(f"{len(added)} doors were added."),
        {"doors": [{"name": door.name, "id": door.id} for door in added]},
    )
