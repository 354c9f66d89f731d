"""`doorward`: the manager's command line.

Rules kept here:
- What is not built yet is not listed.
- An answer that cannot be written (a full disk) is one sentence, like everything that goes wrong.
"""

from __future__ import annotations

import time
from pathlib import Path

import click

from device import terminal
from device.wire import NO_END
from provisioning import (
    cli_broker,
    cli_fleet,
    cli_join,
    cli_label,
    cli_place,
    cli_reporting,
    cli_retire,
    cli_revoke,
    cli_serve,
    cli_slot,
    cli_user,
    cli_watch,
    document_files,
    files,
    options,
    timetable,
)
from provisioning import fleet as fleets
from provisioning import identity as identities
from provisioning import until as untils
from provisioning.answers import Answer, answering
from provisioning.errors import FleetRefused
from provisioning.store import Door

_FILE = click.Path(dir_okay=False, path_type=Path)
_NO_LABEL = (
    'No label was made: in a fleet with an authority it names the broker. `doorward label new "{name}" --broker '
    "mqtts://HOST` makes one; what stands above is for a door.toml written by hand."
)
_FILE_WIDTH = 120  # columns where there is no terminal that says how many it has


@click.group(context_settings={"help_option_names": ["-h", "--help"]}, epilog=terminal.EXIT_CODES)
@terminal.says_version
def cli() -> None:
    """Look after a fleet of doors: add them, and offer places on them.

    Each command has --help, with an example, and --json.

    \b
    Example: doorward fleet init --fleet ~/fleet
    """


@cli.group("door")
def door_group() -> None:
    """Add doors, learn which key they have, and list them.

    \b
    Example: doorward door list --fleet ~/fleet
    """


@door_group.command("add")
@click.argument("name")
@click.option(
    "--identity", "file", type=_FILE, help="What `doorctl export-identity` wrote at a door that exists already."
)
@click.option("--no-label", "by_hand", is_flag=True, help="Print the [door] table, for a door.toml written by hand.")
@options.fleet
@answering
@cli_label.wishing
def door_add(
    *, name: str, file: Path | None, by_hand: bool, folder: Path, store: str | None, wish: cli_label.Wish
) -> Answer:
    """Add a door, and make the label by which it joins: `doorctl join` at the door takes it.

    In a fleet with an authority the label needs --broker; without it, `doorward label new` makes the label later. A
    door that exists already and said who it is (--identity) gets none.

    \b
    Example: doorward door add "Front door" --fleet ~/fleet
             doorward door add "Front door" --broker mqtts://broker.example --claim-port 8884 --sheet front.html
             doorward door add "Back door" --fleet ~/fleet --identity back-door.identity
    """
    fleet = fleets.open_fleet(folder, store)
    wanted = not by_hand and file is None and (bool(wish.broker or wish.sheet) or not fleet.has_authority)
    plan = wish.planned(folder) if wanted else None
    door = fleet.add_door(name, identities.read(file) if file else None)
    key = fleet.store.public_key()
    label = cli_label.made(fleet, door.name, plan, wish.sheet) if plan is not None else None

    def say() -> None:
        if label is not None:
            cli_label.say(door.name, label, wish.sheet)
        else:
            click.echo(fleets.door_table(door, key))
        if label is None and not by_hand and file is None:
            click.echo(_NO_LABEL.format(name=door.name), err=True)

    facts = cli_label.facts(label) if label is not None else {"label": None}
    return Answer(say, {"name": door.name, "id": door.id, "manager_key": key, **facts})


@door_group.command("identify")
@click.argument("name")
@click.argument("file", type=_FILE, required=False)
@click.option("--key", metavar="HEX", help="Instead of FILE: the door's document key as it was read out.")
@click.option("--replace", "anew", is_flag=True, help="The door has another key than before, and somebody compared it.")
@options.fleet
@answering
def door_identify(
    *, name: str, file: Path | None, key: str | None, anew: bool, folder: Path, store: str | None
) -> Answer:
    """Learn which key a door's documents are to be sealed to, from FILE or --key.

    At the door, `doorctl export-identity --out FILE` writes it, and shows a fingerprint. Compare it with the one shown
    here, by phone or in person: whoever put a key of their own into the file on its way could read the documents for
    this door, though never change or make one.

    \b
    Example: doorward door identify "Front door" front-door.identity --fleet ~/fleet
    """
    fleet = fleets.open_fleet(folder, store)
    if (file is None) == (key is None):
        msg = "name the file that `doorctl export-identity` wrote at the door, or give its key with --key"
        raise FleetRefused(msg)
    known = fleet.store.door(name)
    identity = identities.typed(known.id, key) if key is not None else identities.read(file or Path())
    door = fleet.identify(name, identity, anew=anew)

    def say() -> None:
        click.echo(f"{door.name} is known by the key with the fingerprint\n\n    {identity.fingerprint}\n")
        click.echo("Compare it with what `doorctl export-identity` shows at the door, by phone or in person.")

    return Answer(say, {"name": door.name, "id": door.id, "fingerprint": identity.fingerprint})


@door_group.command("list")
@options.fleet
@answering
def door_list(*, folder: Path, store: str | None) -> Answer:
    """List the fleet's doors: how far each has come, until when its certificate lasts, and its places.

    The last column is the last day of the place that ends next.

    \b
    Example: doorward door list --fleet ~/fleet --json
    """
    fleet = fleets.open_fleet(folder, store)
    doors, soon = fleet.store.doors(), _authority_ends_soon(fleet)
    facts = [
        {
            "name": door.name,
            "id": door.id,
            "version": door.version,
            "state": door.state.value,
            "fingerprint": identities.Identity.of(door).fingerprint if door.document_key else None,
            "certificate_ends_unix": door.not_after_unix,
            "slots": [
                {"number": slot.number, "ends_unix": slot.ends_unix or None, "timetable": slot.timetable or None}
                for slot in door.slots
            ],
        }
        for door in doors
    ]

    def say() -> None:
        _show_doors(doors, int(time.time()))
        if soon:
            click.echo(cli_broker.ENDS_SOON, err=True)

    return Answer(say, {"doors": facts, "authority_ends_soon": soon})


def _authority_ends_soon(fleet: fleets.Fleet) -> bool:
    if not fleet.has_authority:
        return False
    from provisioning import authority  # here: `cryptography` takes a while, and not every fleet has one

    return authority.ends_soon(fleet.folder, int(time.time())) is not None


@cli.group("policy")
def policy_group() -> None:
    """Say in which hours a door opens by PIN, card and face.

    \b
    Example: doorward policy show --fleet ~/fleet --door "Front door"
    """


@policy_group.command("set")
@options.fleet
@options.door
@options.document_out
@click.argument("file", type=click.Path(path_type=Path))
@answering
def policy_set(*, folder: Path, store: str | None, door_name: str, out: Path | None, file: Path) -> Answer:
    """Make the hours in FILE those of a door; writes a document for it.

    FILE is TOML. Wherever a face opens, PIN and card must open too; a policy that breaks this is refused here and at
    the door. A face alone opens only where door.toml allows it. A timetable has the hours of those places that are
    offered its number, 1 to 255; within the hours of the door, and by every method alike.

    \b
      zone = "Europe/Berlin"
      [[schedule]]
      opens = ["pin", "card"]
      hours.every-day = ["00:00-24:00"]
      [[schedule]]
      opens = ["face+pin"]
      hours.mon-fri = ["07:00-20:00"]
      [[schedule.other]]
      from = 2026-12-24
      to = 2026-12-26
      hours = []
      [[timetable]]
      number = 1
      hours.mon = ["08:00-12:00"]
    \b
    Example: doorward policy set --fleet ~/fleet --door "Front door" front-door.toml --out front-door.doc
    """
    fleet = fleets.open_fleet(folder, store)
    policy = timetable.read(file)
    files.refuse_unwritable(out)
    made = fleet.set_policy(door_name, policy, now_unix=int(time.time()), passphrase=options.passphrase())
    path = document_files.keep(folder, made, out)

    def say() -> None:
        click.echo(f"The hours of {made.door.name}:\n\n{timetable.shown(policy)}")
        click.echo(f"The door needs the document {path}: doorctl apply {path}")

    return Answer(say, {"door": made.door.name, "version": made.version, "document": str(path)})


@policy_group.command("show")
@options.fleet
@options.door
@answering
def policy_show(*, folder: Path, store: str | None, door_name: str) -> Answer:
    """Show the newest hours made for a door; whether it has them already, `doorctl status` says there.

    \b
    Example: doorward policy show --fleet ~/fleet --door "Front door"
    """
    policy = fleets.open_fleet(folder, store).policy(door_name)
    text = timetable.shown(policy) if policy else "This door has no policy: every method opens at all times.\n"
    return Answer(
        lambda: click.echo(text, nl=False),
        {"door": door_name, "policy": timetable.facts(policy) if policy else None},
    )


cli.add_command(cli_fleet.fleet_group)
cli.add_command(cli_slot.slot_group)
cli.add_command(cli_revoke.manager_group)
cli.add_command(cli_broker.ca_group)
cli.add_command(cli_broker.broker_group)
cli.add_command(cli_reporting.reporting_group)
cli.add_command(cli_reporting.alarm_group)
cli.add_command(cli_label.label_group)
cli.add_command(cli_watch.watch)
cli.add_command(cli_user.user_group)
cli.add_command(cli_serve.serve)
door_group.add_command(cli_join.door_approve)
door_group.add_command(cli_retire.door_retire)
door_group.add_command(cli_join.door_renew)
door_group.add_command(cli_join.door_send)
door_group.add_command(cli_revoke.door_revoke)
door_group.add_command(cli_place.door_place)
door_group.add_command(cli_place.door_import)


def _show_doors(doors: tuple[Door, ...], now_unix: int) -> None:
    from rich.console import Console  # a tenth of a second that only a table is worth
    from rich.markup import escape
    from rich.table import Column, Table

    dates = (Column("until", no_wrap=True), "version", "places", Column("next end", no_wrap=True))
    table = Table("name", Column("id", no_wrap=True), "state", "key", *dates)
    for door in doors:
        ending = min((slot.ends_unix for slot in door.slots if slot.ends_unix > now_unix), default=NO_END)
        places = str(len(door.slots))
        key = "known" if door.document_key else "missing"
        until = time.strftime("%Y-%m-%d", time.gmtime(door.not_after_unix)) if door.not_after_unix else ""
        row = (escape(door.name), door.id, door.state.value, key, until)
        table.add_row(*row, str(door.version), places, untils.shown(ending))
    console = Console()
    (console if console.is_terminal else Console(width=_FILE_WIDTH)).print(table)


def main() -> None:
    """Run doorward; exits."""
    terminal.answer(cli, "doorward")


if __name__ == "__main__":
    main()
