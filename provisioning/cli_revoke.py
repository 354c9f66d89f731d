"""`doorward door revoke` and `doorward manager`: certificates that end before their time.

Rules kept here:
- What was revoked in the fleet, a broker still lets in until it has the list: the answer says so, every time.
- The passphrase is asked for only where the list is written; to revoke needs none, so that nobody looks for it first.
"""

from __future__ import annotations

import time
from pathlib import Path

import click

from provisioning import fleet as fleets
from provisioning import moments, options
from provisioning.answers import Answer, answering

_list = click.option(
    "--list",
    "list_file",
    type=click.Path(dir_okay=False, path_type=Path),
    help="Write the list for the broker too: revoked.pem, which is replaced. Without it: `doorward broker revoked`.",
)
_NEXT = "A broker lets it in until it has the new list, which `doorward broker revoked --out revoked.pem` writes."
_BRING = (
    "Bring {path} to the broker's folder and send Mosquitto a HUP; a restart also ends the connection it may have now. "
    "Until then nothing has changed there."
)


@click.command("revoke")
@click.argument("name")
@options.fleet
@_list
@answering
def door_revoke(*, name: str, folder: Path, store: str | None, list_file: Path | None) -> Answer:
    """End a door's certificates now, and its open label: a board was stolen, or thrown away.

    The door itself goes on opening by what it holds; what is revoked is its way to the broker. It gets no next
    certificate, and joins again only with a new label (`doorward label new --replace`).

    \b
    Example: doorward door revoke "Front door" --fleet ~/fleet --list revoked.pem
    """
    fleet = fleets.open_fleet(folder, store)
    ended = fleet.store.revoke_door(name, int(time.time()))
    written = _written(fleet, list_file)

    def say() -> None:
        click.echo(f"{_counted(len(ended))} of {name} ended now, and its label if one was open.")
        _say_next(list_file)

    return Answer(say, {"door": name, "revoked": [each.serial for each in ended], **written})


@click.group("manager")
def manager_group() -> None:
    """List and revoke the certificates with which managers' computers log in at the broker.

    \b
    Example: doorward manager list --fleet ~/fleet
    """


@manager_group.command("list")
@options.fleet
@answering
def manager_list(*, folder: Path, store: str | None) -> Answer:
    """List the certificates that `doorward ca manager` made.

    \b
    Example: doorward manager list --fleet ~/fleet --json
    """
    found = fleets.open_fleet(folder, store).store.logins()
    facts = [
        {"name": each.name, "serial": each.serial, "ends_unix": each.not_after_unix, "revoked_unix": each.revoked_unix}
        for each in found
    ]

    def say() -> None:
        for each in found:
            revoked = f", revoked on {moments.day(each.revoked_unix)}" if each.revoked_unix is not None else ""
            click.echo(f"{each.name}  until {moments.day(each.not_after_unix)}{revoked}")
        if not found:
            click.echo("No manager has a certificate yet; `doorward ca manager NAME` makes one.")

    return Answer(say, {"managers": facts})


@manager_group.command("revoke")
@click.argument("name")
@options.fleet
@_list
@answering
def manager_revoke(*, name: str, folder: Path, store: str | None, list_file: Path | None) -> Answer:
    """End all certificates of the manager NAME now: a laptop was lost, or a colleague has left.

    A new one of the same name is made by `doorward ca manager` and is not concerned. Whoever leaves should also be
    taken out of the broker's rights, and a lost laptop had the fleet's key: docs/fleet.md, "A lost laptop".

    \b
    Example: doorward manager revoke office --fleet ~/fleet --list revoked.pem
    """
    fleet = fleets.open_fleet(folder, store)
    ended = fleet.store.revoke_logins(name, int(time.time()))
    written = _written(fleet, list_file)

    def say() -> None:
        click.echo(f"{_counted(len(ended))} of the manager {name} ended now.")
        _say_next(list_file)

    return Answer(say, {"manager": name, "revoked": [each.serial for each in ended], **written})


def _written(fleet: fleets.Fleet, path: Path | None) -> dict[str, object]:
    if path is None:
        return {"list": None}
    from provisioning import authority, revocation

    issuer = authority.opened(fleet.folder, options.passphrase())
    listed = revocation.write(fleet, issuer, path, revocation.DAYS, int(time.time()))
    return {"list": str(path), "list_ends_unix": listed.issued.ends_unix}


def _say_next(path: Path | None) -> None:
    click.echo(_NEXT if path is None else _BRING.format(path=path))


def _counted(number: int) -> str:
    return "1 certificate" if number == 1 else f"{number} certificates"
