"""`doorctl upgrade`.

Rules kept here:
- The person is told which version the door has when the command ends, however it ends.
- Only root may; nothing is asked, so that a fleet's own tools can call it.
"""

from __future__ import annotations

import os
from pathlib import Path

import click

from device.desk.answers import Answer, answering, if_stopped, tell
from device.desk.upkeep import upgrade as steps
from device.desk.upkeep import upgrade_package
from device.desk.upkeep.upgrade import UpgradeRefused
from device.desk.upkeep.upgrade_host import CACHE, PATIENCE_S, ThisMachine


@click.command()
@click.argument("file", required=False, type=click.Path(path_type=Path))
@click.option("--sha256", metavar="HEX", help="What the file's SHA-256 has to be, as its maker published it.")
@click.option("--back", is_flag=True, help="Put the version before back instead, as the last upgrade kept it.")
@click.option(
    "--patience",
    type=click.IntRange(PATIENCE_S, 3600),
    default=PATIENCE_S,
    show_default=True,
    help="Seconds for a door to come up: more on a board that is slow, or busy.",
)
@answering
def upgrade(*, file: Path | None, sha256: str | None, back: bool, patience: int) -> Answer:
    """Upgrade this door to the package FILE, if a door made of it opens by PIN; else everything stays as it is.

    The new version is tried beside the door first, with a simulated board. A package carries no signature: take it
    from a signed archive, or name its SHA-256.

    \b
    Example: doorctl upgrade doorward_0.2.0~deb12_arm64.deb --sha256 9f86d081884c7d65...
             doorctl upgrade --back
    """
    if back == (file is not None):
        raise click.UsageError("Name a package, or --back.")
    if os.geteuid() != 0:
        raise UpgradeRefused("only root can upgrade a door; try again with sudo")
    host = ThisMachine(patience_s=patience)
    if file is None:
        return _back(host)
    if_stopped("Stopped. `doorctl status` and `dpkg --status doorward` say which version the door has.")
    package = upgrade_package.take(file, CACHE)
    try:
        return Answer(steps.perform(host, package, sha256, tell), {"version": package.version})
    finally:
        package.file.unlink(missing_ok=True)


def _back(host: ThisMachine) -> Answer:
    kept = host.kept()
    if kept is None:
        raise UpgradeRefused("no version before this one is kept here; nothing was changed")
    file, version = kept
    wrong = host.install(file, back_to=version)
    if wrong:
        return Answer(f"Version {version} could not be put back: {wrong}", ok=False)
    return Answer(f"Version {version} was put back.", {"version": version})
