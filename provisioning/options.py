"""What the commands of doorward share: which fleet they are about, its passphrase, and its broker.

Rules kept here:
- The passphrase comes from a prompt or from DOORWARD_PASSPHRASE, never from the arguments, which others can see.
"""

from __future__ import annotations

import functools
import os
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from provisioning.errors import FleetRefused

if TYPE_CHECKING:
    from provisioning.labels import Where

WAITS_S = 30 * 86_400
"""How long what was sent to a door waits at the broker: as long as the door's place there."""

_folder = click.option(
    "--fleet",
    "folder",
    type=click.Path(file_okay=False, path_type=Path),
    envvar="DOORWARD_FLEET",
    required=True,
    help="The fleet's folder (or DOORWARD_FLEET).",
)
_store = click.option(
    "--store",
    metavar="ADDRESS",
    envvar="DOORWARD_STORE",
    help="A PostgreSQL database for doors and places, postgresql+psycopg://USER@HOST/DATABASE (or DOORWARD_STORE); its "
    "password comes from PGPASSFILE or PGPASSWORD. Without it: a file in the fleet's folder.",
)


door = click.option("--door", "door_name", required=True, help="The door's name.")
document_out = click.option(
    "--out", type=click.Path(dir_okay=False, path_type=Path), help="The document's file, for `doorctl apply`."
)
address = click.option(
    "--broker",
    metavar="ADDRESS",
    envvar="DOORWARD_BROKER",
    help="The fleet's broker, mqtts://HOST or mqtts://HOST:PORT (or DOORWARD_BROKER).",
)
_login = click.option(
    "--as",
    "login",
    type=click.Path(file_okay=False, path_type=Path),
    envvar="DOORWARD_CERTIFICATE",
    help="The folder that `doorward ca manager` wrote (or DOORWARD_CERTIFICATE).",
)
claim_port = click.option(
    "--claim-port",
    type=click.IntRange(0, 65534),
    default=0,
    envvar="DOORWARD_CLAIM_PORT",
    help="Where doors join at the broker (or DOORWARD_CLAIM_PORT). Default: they join by file.",
)


@dataclass(frozen=True, slots=True)
class Access:
    """Where the broker is, and with whose certificate it is spoken to, as somebody said."""

    address: str | None
    claim_port: int
    folder: Path | None

    @property
    def where(self) -> Where:
        """The broker. Raises FleetRefused."""
        return where(self.address, self.claim_port)

    @property
    def login(self) -> Path:
        """The folder with the manager's certificate. Raises FleetRefused."""
        if self.folder is None:
            msg = "name the folder that `doorward ca manager NAME --out FOLDER` wrote with --as FOLDER"
            raise FleetRefused(msg)
        return self.folder


def access(command: Callable[..., Any]) -> Callable[..., Any]:
    """Give a command the options that say where the broker is and who asks, as `access`."""

    @address
    @claim_port
    @_login
    @functools.wraps(command)
    def run(*, broker: str | None, claim_port: int, login: Path | None, **others: Any) -> Any:
        return command(access=Access(broker, claim_port, login), **others)

    return run


def where(address: str | None, port: int = 0) -> Where:
    """The broker somebody named. Raises FleetRefused."""
    from provisioning.labels import Where  # as it takes `cryptography` along, which takes a while

    if not address:
        msg = "name the broker with --broker mqtts://HOST:PORT, or set DOORWARD_BROKER"
        raise FleetRefused(msg)
    return Where.read(address, port)


def fleet(command: Callable[..., None]) -> Callable[..., None]:
    """Give a command the two options that say which fleet it is about: `folder` (Path) and `store` (str or None)."""
    return _folder(_store(command))


def passphrase(*, new: bool = False) -> str:
    """The passphrase of the fleet, as somebody typed it or set it; a new one is typed twice."""
    given = os.environ.get("DOORWARD_PASSPHRASE")
    if given is not None:
        return given
    prompted: str = click.prompt(
        "Passphrase of the fleet",
        hide_input=sys.stdin.isatty(),  # without a terminal there is no echo to switch off
        confirmation_prompt=new,
        err=True,
    )
    return prompted
