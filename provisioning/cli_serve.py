"""`doorward serve`: the console, the fleet in a browser.

Rules kept here:
- Without TLS it listens on this computer alone.
- No passphrase of the fleet is asked for at the start: each signature asks for it in its form.
"""

from __future__ import annotations

import os
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING

import click

from provisioning import fleet as fleets
from provisioning import options
from provisioning.answers import Answer, answering

if TYPE_CHECKING:
    from nacl.public import PrivateKey

    from provisioning.console.asked import Console

_FILE = click.Path(dir_okay=False, path_type=Path)


@click.command("serve")
@options.fleet
@click.option("--listen", "address", default="127.0.0.1", show_default=True, help="The address it listens at.")
@click.option("--port", type=click.IntRange(0, 65535), default=8443, show_default=True, help="0: any that is free.")
@click.option(
    "--cert", type=_FILE, help="Its TLS certificate, with the chain (PEM). Wanted at any address but loopback."
)
@click.option("--key", type=_FILE, help="The key of that certificate (PEM).")
@click.option("--name", "names", multiple=True, metavar="HOST", help="What browsers call it; may be repeated.")
@click.option("--alarm-key", "key_file", type=_FILE, help="As for `doorward watch`: shows why there is an alarm.")
@answering
@options.access
def serve(  # noqa: PLR0913  # one argument an option
    *,
    folder: Path,
    store: str | None,
    access: options.Access,
    address: str,
    port: int,
    cert: Path | None,
    key: Path | None,
    names: tuple[str, ...],
    key_file: Path | None,
) -> Answer:
    """Serve the console: doors, places, alarms and plans in a browser. Ctrl-C ends it.

    Users are made with `doorward user add`. With --broker and --as it shows how the doors are, while it runs; give it a
    certificate of its own, as for `doorward watch`, which it does not replace: it renews no certificates.

    \b
    Example: doorward serve --fleet ~/fleet
             doorward serve --listen 0.0.0.0 --name doors.example --cert doors.pem --key doors.key --fleet ~/fleet
    """
    from provisioning.console import server
    from provisioning.labels import Where

    listening = server.Listening(address, port, cert, key, names)
    listening.refuse()
    fleet = fleets.open_fleet(folder, store)
    where: Where | None = access.where if access.address else None
    opened = _alarm_key(key_file) if key_file is not None else None

    def ready(url: str) -> None:
        click.echo(f"The console is at {url} and ends with Ctrl-C.")
        sys.stdout.flush()

    def make(hosts: frozenset[str]) -> Console:
        return _console(fleet, access, where, opened, hosts, secure=listening.secure)

    server.serve(listening, make, ready)
    return Answer(lambda: None)


def _console(
    fleet: fleets.Fleet,
    access: options.Access,
    where: object,
    key: PrivateKey | None,
    hosts: frozenset[str],
    *,
    secure: bool,
) -> Console:
    from provisioning.accounts import Accounts
    from provisioning.console.app import templates
    from provisioning.console.asked import Console
    from provisioning.console.listening import Ear
    from provisioning.console.live import Live
    from provisioning.labels import Where

    accounts, live = Accounts.of(fleet), Live(time.time)
    store = accounts.users.store
    ear = None
    broker = where if isinstance(where, Where) else None
    if broker is not None and access.folder is not None:
        ear = Ear(fleet, broker, access.login, live, key)
        ear.check()
    return Console(
        fleet, store, accounts, live, templates(), time.time, secure=secure, hosts=hosts, where=broker, ear=ear
    )


def _alarm_key(path: Path) -> PrivateKey:
    from provisioning import reporting

    given = os.environ.get("DOORWARD_ALARM_PASSPHRASE")
    if given is None:
        given = str(click.prompt("Passphrase of the alarm key", hide_input=sys.stdin.isatty(), err=True))
    return reporting.load_key(path, given)
