"""`doorctl decommission`: make the board of a door that has ended ready for another life.

Rules kept here:
- It is for root, while the rooms do not run, and for whoever has the receipt for the end in a file: the door's own
  copy goes.
- Nobody is asked twice. Nothing of any resident is left by then; what goes is the door's name, keys and manager.
"""

from __future__ import annotations

import os
from pathlib import Path

import click

from device import config
from device.desk.answers import Answer, answering
from device.desk.ending import clearing
from device.desk.papers import files
from device.desk.papers.cli import FILE
from device.desk.setup.running import refuse_if_not_alone
from device.paths import door_paths

_CLEARED = "Nothing of the door that has ended is left on this board: no key, no manager, no certificate."
_NAMED = (
    "door.toml still names it: take id and manager_key out of its table [door] (`doorctl setup` writes it anew), or "
    "the board comes back under the old name."
)
_NEXT = "Start the rooms again and let the board join with a new label (`doorctl join`)."


@click.command()
@click.option("--receipt", "paper", type=FILE, required=True, help="The receipt that `doorctl retire` gave.")
@answering
def decommission(*, paper: Path) -> Answer:
    """Forget a door that has ended: its keys, its manager, its certificate. The board may then join anew.

    For root. Stop the rooms first (`systemctl stop doorward.target`). Keep the receipt: the door's own copy goes too.

    \b
    Example: doorctl decommission --receipt end-of-door.txt
    """
    paths = door_paths()
    if os.geteuid() != 0 and paths.root == Path("/"):
        msg = "only root may clear a door's board: `sudo doorctl decommission`"
        raise clearing.NotCleared(msg)
    refuse_if_not_alone(paths)
    door = config.load(paths.config, without_id=True).door.id
    clearing.refuse_unless_ended(paths, door, files.read(paper).paper)
    clearing.clear(paths)
    named = bool(config.load(paths.config, without_id=True).door.id)
    return Answer(f"{_CLEARED}\n{_NAMED if named else _NEXT}", {"cleared": True, "named_in_door_toml": named})
