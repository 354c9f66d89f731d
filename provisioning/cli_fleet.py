"""`doorward fleet`: begin a fleet, show and replace its key, upgrade its store, and show who did what.

Rules kept here:
- What is shown of acts is who, when, which command and which door: there is nothing else to show.
"""

from __future__ import annotations

import time
from pathlib import Path

import click

from provisioning import cli_rotate, options
from provisioning import fleet as fleets
from provisioning.answers import Answer, answering
from provisioning.errors import FleetRefused

_ALL = 10**9


@click.group("fleet")
def fleet_group() -> None:
    """Begin a fleet, show and replace its key.

    \b
    Example: doorward fleet key --fleet ~/fleet
    """


@fleet_group.command("init")
@options.fleet
@answering
def fleet_init(*, folder: Path, store: str | None) -> Answer:
    """Begin a fleet: make the key that signs documents for its doors.

    \b
    Example: doorward fleet init --fleet ~/fleet
    """
    fleet = fleets.init(folder, options.passphrase(new=True), store)
    return _key_answer(
        fleet, f"The fleet is in {folder}. Keep a copy of that folder, and keep the passphrase apart from it."
    )


@fleet_group.command("key")
@options.fleet
@answering
def fleet_key(*, folder: Path, store: str | None) -> Answer:
    """Show the public key that the fleet's doors believe.

    \b
    Example: doorward fleet key --fleet ~/fleet --json
    """
    return _key_answer(fleets.open_fleet(folder, store), None)


@fleet_group.command("upgrade")
@options.fleet
@answering
def fleet_upgrade(*, folder: Path, store: str | None) -> Answer:
    """Bring a fleet that an older doorward made to this version. Make a copy first: there is no way back.

    \b
    Example: doorward fleet upgrade --fleet ~/fleet
    """
    done = fleets.upgrade(folder, store)
    said = "The fleet is of this version now." if done else "The fleet was of this version already."
    return Answer(lambda: click.echo(said), {"upgraded": done})


@fleet_group.command("acts")
@click.option("--newest", type=click.IntRange(1, 100_000), default=50, show_default=True, help="How many are shown.")
@click.option("--check", is_flag=True, help="Follow the chain through all acts, and show its last hash.")
@options.fleet
@answering
def fleet_acts(*, newest: int, check: bool, folder: Path, store: str | None) -> Answer:
    """Show who of the managers did what, when, and at which door. Residents do not occur here.

    Each act holds a hash of itself and of the one before: --check refuses if one was changed or taken out. Acts taken
    off the end show to whoever noted the last hash elsewhere.

    \b
    Example: doorward fleet acts --fleet ~/fleet --newest 20
    """
    fleet = fleets.open_fleet(folder, store)
    names = {door.id: door.name for door in fleet.store.doors()}
    acts = fleet.store.acts(newest)
    facts = [
        {"at_unix": act.at_unix, "who": act.who, "command": act.command, "door": names.get(act.door_id)}
        | ({"about": act.about} if act.about else {})
        for act in acts
    ]
    last = _checked(fleet) if check else None

    def say() -> None:
        for act in acts:
            at = time.strftime("%Y-%m-%d %H:%M:%S", time.localtime(act.at_unix))
            click.echo(f"{at}  {act.who}  {act.command}  {names.get(act.door_id, act.about)}".rstrip())
        if last is not None:
            click.echo(f"The chain is whole; its last hash: {last}")

    return Answer(say, {"acts": facts} | ({"chain": last} if last is not None else {}))


fleet_group.add_command(cli_rotate.fleet_rotate)


def _checked(fleet: fleets.Fleet) -> str:
    """The last hash of the chain. Raises FleetRefused if it is broken."""
    from provisioning import store_acts

    chain = store_acts.check(fleet.store.acts(_ALL))
    if chain.broken is not None:
        at = time.strftime("%Y-%m-%d %H:%M:%S", time.localtime(chain.broken.at_unix))
        msg = (
            f'the chain breaks at the act "{chain.broken.command}" of {at}: it was changed, or one before it taken out'
        )
        raise FleetRefused(msg)
    return chain.last


def _key_answer(fleet: fleets.Fleet, note: str | None) -> Answer:
    key = fleet.store.public_key()

    def say() -> None:
        if note:
            click.echo(note)
        click.echo(f"manager_key  {key}")

    return Answer(say, {"manager_key": key, "fleet": str(fleet.folder)})
