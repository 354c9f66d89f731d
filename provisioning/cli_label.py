"""`doorward label`: make, show and revoke the labels by which doors join.

Rules kept here:
- A label is shown once, by the command that made it; it is written to no file but the one that was asked for.
- What cannot be made is found out before anything is changed: a place for the sheet, the broker's address.
"""

from __future__ import annotations

import functools
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from provisioning import fleet as fleets
from provisioning import moments, options
from provisioning.answers import Answer, answering

if TYPE_CHECKING:
    from device.joining import Label
    from provisioning.fleet import Fleet
    from provisioning.labels import Plan

_days = click.option("--label-days", "days", type=int, default=14, show_default=True, help="How long it is good.")
_sheet = click.option(
    "--sheet",
    type=click.Path(dir_okay=False, path_type=Path),
    help="A new file to print, .svg, .png or .html: the label, and what it is.",
)


@dataclass(frozen=True, slots=True)
class Wish:
    """What somebody wants of a new label: the broker's address, where doors join there, for how long, and a sheet."""

    broker: str | None
    claim_port: int
    days: int
    sheet: Path | None

    def planned(self, folder: Path) -> Plan:
        """What the label will say, and that it can be made. Raises FleetRefused or FleetFault."""
        from provisioning import sheets
        from provisioning.labels import Plan  # as it takes `cryptography` along, which takes a while

        if self.sheet is not None:
            sheets.refuse_unwritable(self.sheet)
        where = options.where(self.broker, self.claim_port) if self.broker else None
        return Plan.of(folder, where, self.days, int(time.time()))


def wishing(command: Callable[..., Any]) -> Callable[..., Any]:
    """Give a command the options of a new label, as `wish`."""

    @options.address
    @options.claim_port
    @_days
    @_sheet
    @functools.wraps(command)
    def run(*, broker: str | None, claim_port: int, days: int, sheet: Path | None, **others: Any) -> Any:
        return command(wish=Wish(broker, claim_port, days, sheet), **others)

    return run


def made(fleet: Fleet, name: str, plan: Plan, sheet: Path | None, *, anew: bool = False) -> Label:
    """A new label of a door, and its sheet. Raises FleetRefused or FleetFault."""
    from provisioning import labels, sheets

    label = labels.make(fleet, name, plan, anew=anew)
    if sheet is not None:
        sheets.write(sheet, name, label)
    return label


def say(name: str, label: Label, sheet: Path | None) -> None:
    """Show a label, once."""
    from provisioning import sheets

    click.echo(f"The label of {name}, good until {moments.minute(sheets.ends_unix(label))}. It is shown only now:\n")
    click.echo(sheets.terminal(label))
    click.echo(f"{label.text()}\n")
    click.echo("Until it is used or revoked, whoever has it could put a door of their own in this door's place.")
    click.echo("At the door: doorctl join" + (f"; the sheet is in {sheet}" if sheet is not None else ""))


def facts(label: Label) -> dict[str, object]:
    """The label for a program."""
    from provisioning import sheets

    return {"label": label.text(), "label_ends_unix": sheets.ends_unix(label)}


@click.group("label")
def label_group() -> None:
    """Make, show and revoke the labels by which doors join.

    \b
    Example: doorward label show "Front door" --fleet ~/fleet
    """


@label_group.command("new")
@click.argument("name")
@options.fleet
@click.option("--replace", "anew", is_flag=True, help="The door has joined, and another board takes its place.")
@answering
@wishing
def label_new(*, name: str, folder: Path, store: str | None, wish: Wish, anew: bool) -> Answer:
    """Make a new label for a door; an older one that was not used is revoked.

    \b
    Example: doorward label new "Front door" --broker mqtts://broker.example --claim-port 8884 --fleet ~/fleet
    """
    fleet = fleets.open_fleet(folder, store)
    label = made(fleet, name, wish.planned(folder), wish.sheet, anew=anew)
    return Answer(lambda: say(name, label, wish.sheet), {"door": name, **facts(label)})


@label_group.command("show")
@click.argument("name")
@options.fleet
@answering
def label_show(*, name: str, folder: Path, store: str | None) -> Answer:
    """Show whether the newest label of a door can still be used. The label itself was shown when it was made.

    \b
    Example: doorward label show "Front door" --fleet ~/fleet
    """
    from provisioning import labels

    found = labels.known(fleets.open_fleet(folder, store), name)
    if found is None:
        return Answer(lambda: click.echo(f"{name} was never given a label."), {"door": name, "label": None})
    over = found.state.value == "open" and found.expires_unix <= time.time()
    state = "expired" if over else found.state.value
    text = f"The label of {name} is {state}; it is good until {moments.minute(found.expires_unix)}."
    said = {"state": state, "made_unix": found.made_unix, "expires_unix": found.expires_unix}
    return Answer(lambda: click.echo(text), {"door": name, "label": said})


@label_group.command("revoke")
@click.argument("name")
@options.fleet
@answering
def label_revoke(*, name: str, folder: Path, store: str | None) -> Answer:
    """Revoke the label of a door: whoever has it can do nothing with it any more.

    \b
    Example: doorward label revoke "Front door" --fleet ~/fleet
    """
    fleets.open_fleet(folder, store).store.revoke_label(name)
    return Answer(lambda: click.echo(f"The label of {name} is revoked."), {"door": name, "state": "revoked"})
