"""`doorward door approve`, `renew` and `send`: a door's request is answered, and documents go to it by the broker.

Rules kept here:
- Nothing is approved before a person has compared: the fingerprint is shown and asked for, or typed with --fingerprint.
- Whether the answer can be written where it should go is found out before the label is used up.
"""

from __future__ import annotations

import time
from pathlib import Path
from typing import TYPE_CHECKING

import click

from device import reading
from provisioning import document_files, files, moments, options
from provisioning import fleet as fleets
from provisioning.answers import Answer, answering
from provisioning.errors import FleetFault, FleetRefused

if TYPE_CHECKING:
    from provisioning.fleet import Fleet
    from provisioning.joining import Approved, Asked
    from provisioning.store import Door

_FILE = click.Path(dir_okay=False, path_type=Path)
_LARGEST = 8192


@click.command("approve")
@click.argument("name")
@click.argument("file", type=_FILE, required=False)
@options.fleet
@click.option("--fingerprint", "typed", metavar="HEX", help="What was read out at the door; then nothing is asked.")
@click.option("--again", is_flag=True, help="The door has joined, and its answer was lost.")
@click.option("--out", type=_FILE, help="The answer's file, for `doorctl join --answer`; with FILE only.")
@answering
@options.access
def door_approve(
    *,
    name: str,
    file: Path | None,
    folder: Path,
    store: str | None,
    access: options.Access,
    typed: str | None,
    again: bool,
    out: Path | None,
) -> Answer:
    """Believe a door that was given a label, after somebody at the door has read out its fingerprint.

    The request comes from FILE, which `doorctl join --out FILE` wrote; without one, from the broker, which also takes
    the answer to the door. Documents that were made for the door's older key are made anew.

    \b
    Example: doorward door approve "Front door" front.request --out front.answer --fleet ~/fleet
             doorward door approve "Front door" --broker mqtts://broker.example --claim-port 8884 --as ~/office
    """
    from provisioning import claiming, joining

    fleet = fleets.open_fleet(folder, store)
    door = fleet.store.door(name)
    if file is not None:
        path = out or file.with_suffix(".answer")
        files.refuse_unwritable(path)
        data = _read(file)
    else:
        if out is not None:
            msg = "--out goes with FILE; without one the broker takes the answer to the door"
            raise click.UsageError(msg)
        data = claiming.fetch(access.where, access.login, door.id)
    asked = joining.look(fleet, name, data, int(time.time()), again=again)
    _compared(asked, typed)
    approved, documents = _approve(fleet, asked, again=again)
    if file is not None:
        files.create(path, approved.answer)
        text = f"The answer is in {path}: doorctl join --answer {path}"
    else:
        claiming.put(access.where, access.login, door.id, approved.answer)
        text = "The answer is at the broker, and the door fetches it."
    return _approved(approved, asked, text, documents, str(path) if file is not None else None)


@click.command("renew")
@click.argument("name")
@click.argument("file", type=_FILE, required=False)
@options.fleet
@click.option("--out", type=_FILE, required=True, help="The answer's file, for `doorctl join --answer`.")
@answering
@options.access
def door_renew(
    *, name: str, file: Path | None, folder: Path, store: str | None, out: Path, access: options.Access
) -> Answer:
    """Make the next certificate of a door by hand, when its own has ended and the broker lets it in no more.

    What the door asks with stands at the broker since it asked; otherwise it comes from FILE (PKCS #10, DER).

    \b
    Example: doorward door renew "Front door" --broker mqtts://broker.example --as ~/office --out front.answer
    """
    from provisioning import authority, claiming
    from provisioning.renewing import Renewer

    fleet = fleets.open_fleet(folder, store)
    door = fleet.store.door(name)
    files.refuse_unwritable(out)
    asked = _read(file) if file is not None else claiming.question(access.where, access.login, door.id)
    renewer = Renewer(fleet, authority.opened(folder, options.passphrase()))
    made = renewer.renew(name, asked, int(time.time()), again=True)
    if made is None:
        msg = f'"{name}" was answered already'
        raise FleetRefused(msg)
    files.create(out, made.answer)
    ends = moments.minute(made.ends_unix)
    text = f"The answer is in {out}: doorctl join --answer {out}; the certificate is valid until {ends}."
    return Answer(lambda: click.echo(text), {"door": name, "answer": str(out), "ends_unix": made.ends_unix})


@click.command("send")
@click.argument("name")
@click.argument("file", type=_FILE)
@options.fleet
@answering
@options.access
def door_send(*, name: str, file: Path, folder: Path, store: str | None, access: options.Access) -> Answer:
    """Send a document to a door by the broker. Whether the door has applied it, its next report says (`watch`).

    \b
    Example: doorward door send "Front door" slot-12.doc --broker mqtts://broker.example --as ~/office --fleet ~/fleet
    """
    from provisioning.line import Line

    fleet = fleets.open_fleet(folder, store)
    door = fleet.store.door(name)
    content = _document(door, _read(file))
    with Line(access.where.host, access.where.port, access.login) as line:
        line.open()
        line.say(f"doorward/{door.id}/document", content, expiry_s=options.WAITS_S)
    fleet.store.record("door send", door.id)
    text = f"The document is at the broker, where {door.name} fetches it."
    return Answer(lambda: click.echo(text), {"door": door.name, "document": str(file)})


def _compared(asked: Asked, typed: str | None) -> None:
    """Return if the fingerprint is the one at the door. Raises FleetRefused or click.Abort."""
    if typed is not None:
        if "".join(typed.split()).lower() != "".join(asked.fingerprint.split()):
            msg = (
                f"the request has the fingerprint {asked.fingerprint}, and that is not what you typed: this may be "
                "another door than the one somebody stands at, so nothing was done"
            )
            raise FleetRefused(msg)
        return
    click.echo(f"{asked.door.name} asks to join. Its request has the fingerprint\n", err=True)
    click.echo(f"    {asked.fingerprint}\n", err=True)
    click.echo("Let somebody at the door read out what `doorctl join` shows there.", err=True)
    if not click.confirm("Is it the same?", err=True):
        msg = "the fingerprints differ, so nothing was done; somebody may have the label: `doorward label revoke`"
        raise FleetRefused(msg)


def _approve(fleet: Fleet, asked: Asked, *, again: bool) -> tuple[Approved, list[Path]]:
    from provisioning import joining

    passphrase = options.passphrase()
    approved, made = joining.believe(fleet, asked, now_unix=int(time.time()), passphrase=passphrase, again=again)
    return approved, [document_files.keep(fleet.folder, each) for each in made]


def _approved(approved: Approved, asked: Asked, text: str, documents: list[Path], out: str | None) -> Answer:
    door = approved.door

    def say() -> None:
        click.echo(f"{door.name} has joined. {text}")
        if approved.ends_unix is not None:
            click.echo(f"Its certificate is valid until {moments.minute(approved.ends_unix)}.")
        if approved.cut:
            click.echo("That is less than asked: the fleet's authority ends then.")
        for path in documents:
            click.echo(f"Made anew for its key: {path}")

    facts: dict[str, object] = {"door": door.name, "id": door.id, "fingerprint": asked.fingerprint, "answer": out}
    facts |= {"ends_unix": approved.ends_unix, "cut": approved.cut, "documents": [str(path) for path in documents]}
    return Answer(say, facts)


def _document(door: Door, content: bytes) -> bytes:
    """What is sealed to this very door. Raises DocumentRefused."""
    from device import document

    document.sealed_box(content, bytes.fromhex(door.id))
    return content


def _read(path: Path) -> bytes:
    try:
        content = reading.content(path, _LARGEST + 1)
    except OSError as cause:
        msg = f"{path} cannot be read: {cause.strerror}"
        raise FleetFault(msg) from cause
    if len(content) > _LARGEST:
        msg = f"{path} is too long for what it should hold"
        raise FleetRefused(msg)
    return content
