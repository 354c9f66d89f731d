"""`doorward user`: who uses the console. Whoever may run this on the fleet's computer may make an owner.

Rules kept here:
- A password is typed, or comes from DOORWARD_USER_PASSWORD, and never from the arguments, which others can see.
- The second factor is shown once, by the command that made it, and stored only sealed.
"""

from __future__ import annotations

import io
import os
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING

import click

from provisioning import fleet as fleets
from provisioning import options
from provisioning.answers import Answer, answering
from provisioning.users import Role, role, user_name

if TYPE_CHECKING:
    from provisioning.accounts import Accounts
    from provisioning.second_factor import Shown

_role = click.option(
    "--role",
    "wanted",
    type=click.Choice([each.value for each in Role]),
    required=True,
    help="viewer: sees; manager: also changes doors; owner: also says who uses the console.",
)


@click.group("user")
def user_group() -> None:
    """Say who uses the console (`doorward serve`): add users, give them new passwords, remove them.

    \b
    Example: doorward user add ada --role owner --fleet ~/fleet
    """


@user_group.command("add")
@click.argument("name")
@_role
@options.fleet
@answering
def user_add(*, name: str, wanted: str, folder: Path, store: str | None) -> Answer:
    """Add a user: asks for a password, and shows the second factor, once.

    Scan the code with any authenticator app (TOTP, 6 digits, 30 seconds), or type the secret into it. The password may
    come from DOORWARD_USER_PASSWORD.

    \b
    Example: doorward user add ada --role owner --fleet ~/fleet
    """
    accounts = _accounts(folder, store)
    clean = user_name(name)
    shown = accounts.add(clean, role(wanted), _password(), int(time.time()))
    return Answer(lambda: _show(clean, shown), {"name": clean, "role": wanted, "secret": shown.secret})


@user_group.command("reset")
@click.argument("name")
@options.fleet
@answering
def user_reset(*, name: str, folder: Path, store: str | None) -> Answer:
    """Give a user a new password and a new second factor: they lost theirs. Ends every session of theirs.

    \b
    Example: doorward user reset ada --fleet ~/fleet
    """
    accounts = _accounts(folder, store)
    shown = accounts.reset(name, _password())
    return Answer(lambda: _show(name, shown), {"name": name, "secret": shown.secret})


@user_group.command("role")
@click.argument("name")
@_role
@options.fleet
@answering
def user_role(*, name: str, wanted: str, folder: Path, store: str | None) -> Answer:
    """Give a user another role; it counts from their next click on.

    \b
    Example: doorward user role ada --role viewer --fleet ~/fleet
    """
    _accounts(folder, store).users.set_role(name, role(wanted))
    return Answer(lambda: click.echo(f"{name} is {wanted} now."), {"name": name, "role": wanted})


@user_group.command("remove")
@click.argument("name")
@options.fleet
@answering
def user_remove(*, name: str, folder: Path, store: str | None) -> Answer:
    """Remove a user, and end every session of theirs. What they did stays in `doorward fleet acts`.

    \b
    Example: doorward user remove ada --fleet ~/fleet
    """
    _accounts(folder, store).users.remove(name)
    return Answer(lambda: click.echo(f"{name} is removed."), {"name": name})


@user_group.command("list")
@options.fleet
@answering
def user_list(*, folder: Path, store: str | None) -> Answer:
    """List the users of the console, and their roles.

    \b
    Example: doorward user list --fleet ~/fleet
    """
    users = _accounts(folder, store).users.users()

    def say() -> None:
        for user in users:
            click.echo(f"{user.role.value:<8}  {user.name}")
        if not users:
            click.echo("The console has no users yet: doorward user add NAME --role owner")

    return Answer(say, {"users": [{"name": user.name, "role": user.role.value} for user in users]})


def _accounts(folder: Path, store: str | None) -> Accounts:
    fleet = fleets.open_fleet(folder, store)
    from provisioning.accounts import Accounts  # as it takes the database along

    return Accounts.of(fleet)


def _password() -> str:
    given = os.environ.get("DOORWARD_USER_PASSWORD")
    if given is not None:
        return given
    typed: str = click.prompt("Password of the user", hide_input=sys.stdin.isatty(), confirmation_prompt=True, err=True)
    return typed


def _show(name: str, shown: Shown) -> None:
    import segno

    drawn = io.StringIO()
    segno.make_qr(shown.uri, error="m").terminal(drawn, compact=True)
    click.echo(f"The second factor of {name}, for an authenticator app. It is shown only now:\n")
    click.echo(drawn.getvalue())
    click.echo(f"    {shown.secret}\n")
    click.echo("Whoever has it and the password signs in as this user. `doorward serve` starts the console.")
