"""`doorward door retire`: announce the end of a door, take that back, or give a door up that has ended.

Rules kept here:
- What will happen to the people behind the door is said where it is announced.
- The passphrase comes from a prompt or from DOORWARD_PASSPHRASE, never from the arguments.
"""

from __future__ import annotations

import time
from pathlib import Path

import click

from device.bodies import LEAST_NOTICE_HOURS, MOST_NOTICE_HOURS, RECALL
from provisioning import document_files, files, options, retiring
from provisioning import fleet as fleets
from provisioning.answers import Answer, answering
from provisioning.errors import FleetRefused
from provisioning.fleet import Fleet

_FILE = click.Path(dir_okay=False, path_type=Path)


@click.command("retire")
@options.fleet
@click.argument("door_name", metavar="NAME")
@click.option(
    "--hours",
    type=click.IntRange(LEAST_NOTICE_HOURS, MOST_NOTICE_HOURS),
    default=LEAST_NOTICE_HOURS,
    show_default=True,
    help="For how long of its running time the door announces its end to everybody who opens it.",
)
@click.option("--recall", is_flag=True, help="Take the announcement back, if the door has not ended yet.")
@click.option("--receipt", type=_FILE, help="What the door signed when it ended (`doorctl retire`): give it up here.")
@click.option("--door-key", metavar="HEX", help="With --receipt: the door's key, as somebody read it at the door.")
@click.option("--out", type=_FILE, help="Where the document goes; by default into the fleet's folder.")
@answering
def door_retire(
    *,
    folder: Path,
    store: str | None,
    door_name: str,
    hours: int,
    recall: bool,
    receipt: Path | None,
    door_key: str | None,
    out: Path | None,
) -> Answer:
    """End a door for good: it announces that for three days, then destroys every PIN, card and face it keeps.

    \b
    Example: doorward door retire "Front door" --fleet ~/fleet
             doorward door retire "Front door" --fleet ~/fleet --recall
             doorward door retire "Front door" --fleet ~/fleet --receipt end.txt
    """
    if receipt is not None and (recall or out is not None):
        msg = "a receipt is of a door that has ended: there is nothing to take back, and no document to make"
        raise FleetRefused(msg)
    fleet = fleets.open_fleet(folder, store)
    if receipt is not None:
        return _given_up(fleet, door_name, receipt, door_key)
    files.refuse_unwritable(out)
    made = retiring.announce(
        fleet, door_name, RECALL if recall else hours, now_unix=int(time.time()), passphrase=options.passphrase()
    )
    path = document_files.keep(folder, made, out)

    def say() -> None:
        if recall:
            click.echo("With this document the door takes its end back, unless it has come: then it says so.")
        else:
            click.echo(
                f"With this document the door announces for {hours} hours of running time that it ends. After that no\n"
                "PIN, card or face opens it ever again, and nothing brings them back: the mechanical key is left.\n"
                "Tell the residents now; until the end --recall takes it back."
            )
        click.echo(f"The door needs the document {path}: doorctl apply {path}")

    return Answer(
        say,
        {"door": made.door.name, "version": made.version, "notice_hours": made.notice_hours, "document": str(path)},
    )


def _given_up(fleet: Fleet, door_name: str, receipt: Path, digits: str | None) -> Answer:
    door_key = None if digits is None else retiring.key_read_out(digits)
    verified = retiring.give_up(fleet, door_name, receipt, now_unix=int(time.time()), door_key=door_key)

    def say() -> None:
        click.echo(f"{door_name} is given up: its receipt is whole, and nothing is made for this door any more.")
        if door_key is None:
            click.echo(f"Whether {verified.door_key.hex()} is the key of your door was not compared.")

    return Answer(say, {"door": door_name, "retired": True, "door_key": verified.door_key.hex()})
