"""`doorward ca` and `doorward broker`: the fleet's authority, and the files of a broker for its doors.

Rules kept here:
- The passphrase is checked before anything is written.
- Nothing is replaced: what exists stays, and the command says so.
- Keys are written for their owner alone; where they have to travel, the answer says so.
"""

from __future__ import annotations

import functools
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path, PurePosixPath
from typing import TYPE_CHECKING, Any

import click

from device import reading
from provisioning import broker_config, files, moments, options
from provisioning import fleet as fleets
from provisioning.answers import Answer, answering
from provisioning.broker_config import Place
from provisioning.errors import FleetFault

if TYPE_CHECKING:
    from provisioning.certificates import Issued

ENDS_SOON = "The fleet's authority ends within two years, and every certificate with it: `doorward ca renew`."
_NEW_FILE = click.Path(dir_okay=False, path_type=Path)
_LARGEST_REQUEST = 65_536
_FOLDER = click.Path(file_okay=False, path_type=Path)
_days = click.option("--days", type=click.IntRange(min=1), default=365, show_default=True, help="How long it is valid.")


def _placed(command: Callable[..., Answer]) -> Callable[..., Answer]:
    """Give a command the options that say where the broker's files will lie and where it listens, as `place`."""

    @click.option("--at", default=str(Place().at), show_default=True, help="Where the files will lie at the broker.")
    @click.option("--data", default=str(Place().data), show_default=True, help="Where the broker keeps what it stores.")
    @click.option("--listen", default="", help="The one address to listen on. Default: every one of the machine's.")
    @click.option("--port", type=click.IntRange(1, 65535), default=Place().port, show_default=True)
    @click.option(
        "--claim-port",
        type=click.IntRange(0, 65534),
        default=0,
        help=f"Where doors may join ({broker_config.CLAIM_PORT} is usual; managers then use the port after it). "
        "Default: nowhere, they join by file.",
    )
    @functools.wraps(command)
    def run(*, at: str, data: str, listen: str, port: int, claim_port: int, **others: Any) -> Answer:
        return command(place=Place(PurePosixPath(at), PurePosixPath(data), port, listen, claim_port), **others)

    return run


@click.group("ca")
def ca_group() -> None:
    """The fleet's own authority: who doors, brokers and managers believe each other to be.

    \b
    Example: doorward ca init --fleet ~/fleet
    """


@ca_group.command("init")
@options.fleet
@answering
def ca_init(*, folder: Path, store: str | None) -> Answer:
    """Make the fleet's authority, once; its key is sealed under the passphrase of the fleet.

    \b
    Example: doorward ca init --fleet ~/fleet
    """
    from provisioning import authority  # here, as below: `cryptography` takes a while, and help needs no certificate

    fleets.open_fleet(folder, store)
    moments.refuse_wrong_clock(time.time())
    authority.create(folder, options.passphrase(), int(time.time()))
    return _shown(folder)


@ca_group.command("renew")
@options.fleet
@answering
def ca_renew(*, folder: Path, store: str | None) -> Answer:
    """Let the fleet's authority go on for 20 years, with the same key and name.

    Doors take the new certificate with their next one; brokers and managers need the new file before the old one ends.

    \b
    Example: doorward ca renew --fleet ~/fleet
    """
    from provisioning import authority

    fleet = fleets.open_fleet(folder, store)
    moments.refuse_wrong_clock(time.time())
    authority.renew(folder, options.passphrase(), int(time.time()))
    fleet.store.record("ca renew")
    return _shown(folder)


@ca_group.command("show")
@options.fleet
@answering
def ca_show(*, folder: Path, store: str | None) -> Answer:
    """Show until when the fleet's authority is valid, and its fingerprint.

    \b
    Example: doorward ca show --fleet ~/fleet --json
    """
    fleets.open_fleet(folder, store)
    return _shown(folder)


@ca_group.command("door")
@click.argument("name")
@click.argument("request", type=_NEW_FILE)
@options.fleet
@_days
@click.option("--out", type=_NEW_FILE, required=True, help="The certificate's file: tls/door.pem at the door.")
@answering
def ca_door(*, name: str, request: Path, folder: Path, store: str | None, days: int, out: Path) -> Answer:
    """Issue a door's certificate for the request in the file REQUEST, by hand.

    The fleet notes it, so that `doorward door revoke` reaches it too. A door that joined by a label renews its own.

    \b
    Example: doorward ca door "Front door" front.csr --fleet ~/fleet --out front.pem
    """
    from provisioning import authority, joining

    fleet = fleets.open_fleet(folder, store)
    door = fleet.store.door(name)
    try:
        asked = reading.whole(request, _LARGEST_REQUEST)
    except OSError as cause:
        msg = f"{request} cannot be read: {cause.strerror}"
        raise FleetFault(msg) from cause
    issuer = authority.opened(folder, options.passphrase())
    issued = issuer.issue_door(asked, door.id, days, int(time.time()))
    files.refuse_unwritable(out)
    fleet.store.note_certificate(name, joining.note_of_pem(issued.pem, door.id), lambda _door: None)  # first, as below
    files.create(out, issued.pem)
    return _issued(issued, f"The certificate of {door.name} is in {out}", {"door": door.name, "certificate": str(out)})


@ca_group.command("manager")
@click.argument("name")
@options.fleet
@_days
@click.option("--out", type=_FOLDER, required=True, help="The folder for manager.key, manager.pem and ca.pem.")
@answering
def ca_manager(*, name: str, folder: Path, store: str | None, days: int, out: Path) -> Answer:
    """Make key and certificate with which a manager's computer logs in at the broker.

    \b
    Example: doorward ca manager office --fleet ~/fleet --out office
    """
    from provisioning import authority, revocation

    fleet = fleets.open_fleet(folder, store)
    issuer = authority.opened(folder, options.passphrase())
    pair = issuer.issue_manager(name, days, int(time.time()))
    files.make_folder(out)
    files.refuse_unwritable(*(out / each for each in ("manager.key", "manager.pem", "ca.pem")))
    fleet.store.add_login(revocation.login_of(name, pair.issued.pem))  # first: what is in no list cannot be revoked
    files.create(out / "manager.key", pair.key_pem)
    files.create(out / "manager.pem", pair.issued.pem)
    files.create(out / "ca.pem", issuer.pem)
    text = f"Key and certificate of the manager {name} are in {out}; the broker must know the name (`broker config`)"
    return _issued(pair.issued, text, {"manager": name, "folder": str(out)})


@click.group("broker")
def broker_group() -> None:
    """What a broker needs to serve the fleet's doors.

    \b
    Example: doorward broker config --host broker.example --out broker --fleet ~/fleet
    """


@broker_group.command("config")
@options.fleet
@click.option("--host", "names", multiple=True, required=True, help="A name or address doors reach it by; repeatable.")
@click.option("--manager", "managers", multiple=True, help="A manager who may read reports and send documents.")
@click.option("--out", type=_FOLDER, required=True, help="The folder for the files.")
@_days
@answering
@_placed
def broker_config_(
    *,
    folder: Path,
    store: str | None,
    names: tuple[str, ...],
    managers: tuple[str, ...],
    out: Path,
    place: Place,
    days: int,
) -> Answer:
    """Write mosquitto.conf, rights, key and certificates of a broker for the fleet's doors.

    \b
    Example: doorward broker config --host broker.example --manager office --out broker --fleet ~/fleet
    """
    from provisioning import authority

    fleet = fleets.open_fleet(folder, store)
    issuer = authority.opened(folder, options.passphrase())
    place = replace(place, doors=2 * len(fleet.store.doors()))  # a fleet grows
    now_unix = int(time.time())
    issued = broker_config.write(out, place, issuer, names, managers, days, now_unix, fleet.store.revoked())
    text = f"The broker's files are in {out}; they belong into {place.at} on its machine, and one of them is a key"
    return _issued(issued, text, {"folder": str(out), "names": list(names), "managers": list(managers)})


@broker_group.command("revoked")
@options.fleet
@click.option("--out", type=_NEW_FILE, required=True, help="The list's file, which is replaced: revoked.pem.")
@_days
@answering
def broker_revoked(*, folder: Path, store: str | None, out: Path, days: int) -> Answer:
    """Write the list of revoked certificates (CRL) for the brokers; a broker that has it lets none of them in.

    Bring it to the broker's folder and send Mosquitto a HUP; a restart also ends connections that are up. A list that
    is over lets nobody in: bring a newer one before. `doorward watch --revoked FILE` keeps one new.

    \b
    Example: doorward broker revoked --fleet ~/fleet --out revoked.pem
    """
    from provisioning import authority, revocation

    fleet = fleets.open_fleet(folder, store)
    issuer = authority.opened(folder, options.passphrase())
    listed = revocation.write(fleet, issuer, out, days, int(time.time()))
    text = f"The list in {out} names {listed.count}; bring it to the broker and send Mosquitto a HUP"
    return _issued(listed.issued, text, {"list": str(out), "revoked": listed.count})


def _shown(folder: Path) -> Answer:
    from cryptography.hazmat.primitives import hashes

    from provisioning import authority

    shown, file = authority.certificate(folder), authority.newest(folder)
    soon = authority.ends_soon(folder, int(time.time())) is not None
    ends = int(shown.not_valid_after_utc.timestamp())
    fingerprint = shown.fingerprint(hashes.SHA256()).hex()

    def say() -> None:
        click.echo(f"authority    {file}")
        click.echo(f"valid until  {moments.minute(ends)}")
        click.echo(f"SHA-256      {fingerprint}")
        if soon:
            click.echo(ENDS_SOON)

    facts = {"certificate": str(file), "ends_unix": ends, "sha256": fingerprint, "ends_soon": soon}
    return Answer(say, facts)


def _issued(issued: Issued, text: str, facts: dict[str, object]) -> Answer:
    def say() -> None:
        click.echo(f"{text}. It is valid until {moments.minute(issued.ends_unix)}.")
        if issued.cut:
            click.echo("That is less than asked: the fleet's authority ends then.")

    return Answer(say, {**facts, "ends_unix": issued.ends_unix, "cut": issued.cut})
