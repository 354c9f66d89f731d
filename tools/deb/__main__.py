"""`python -m tools.deb`: builds the package of a door; `make deb` calls it."""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
import tomllib
from collections.abc import Sequence
from pathlib import Path

import click

from device.errors import Fault, Refusal
from tools.deb import control, tree, wheels
from tools.deb.targets import PROCESSORS, RELEASES, Target

CHECKOUT = Path(__file__).resolve().parents[2]


class BuildFault(Fault, OSError):
    """The package cannot be built here."""


# Level 2: 41 MB in half the time that level 6 takes for 37 MB.
SMALL = ("-Zxz", "-z2")


def build(target: Target, version: str, out: Path, epoch: int, compression: tuple[str, ...] = SMALL) -> Path:
    """The package of this checkout as a file in the folder `out`. Raises Refusal, Fault."""
    lock = CHECKOUT / "requirements" / f"device-{target.name}.txt"
    fetched = wheels.fetch(target, lock, CHECKOUT / ".cache" / "wheels" / target.name)
    return pack(target, version, fetched, out, epoch, compression)


def pack(
    target: Target, version: str, fetched: Sequence[Path], out: Path, epoch: int, compression: tuple[str, ...] = SMALL
) -> Path:
    """The package with the wheels `fetched` in it. Raises Refusal, Fault."""
    with tempfile.TemporaryDirectory(prefix="doorward-deb-") as folder:
        root = Path(folder) / "root"
        libraries = tree.lay(target, version, CHECKOUT, fetched, root, epoch)
        text = control.control(target, version, libraries, root)
        control.write(root, text, CHECKOUT / "tools" / "deb" / "scripts", tree.units(root))
        tree.date_and_open(root, epoch)
        package = out / f"doorward_{target.version(version)}_{target.processor.debian}.deb"
        out.mkdir(parents=True, exist_ok=True)
        # One thread: with more, xz would cut the archive differently on another machine.
        command = [
            "dpkg-deb",
            "--root-owner-group",
            "--threads-max=1",
            *compression,
            "--build",
            str(root),
            str(package),
        ]
        _run(command, {"SOURCE_DATE_EPOCH": str(epoch)})
    return package


def project_version() -> str:
    """The version in pyproject.toml."""
    with (CHECKOUT / "pyproject.toml").open("rb") as file:
        return str(tomllib.load(file)["project"]["version"])


def source_date() -> int:
    """When what is built was last changed: SOURCE_DATE_EPOCH, else the date of the commit. Raises BuildFault."""
    named = os.environ.get("SOURCE_DATE_EPOCH")
    try:
        return int(named or _run(["git", "-C", str(CHECKOUT), "log", "-1", "--format=%ct"]))
    except ValueError as cause:
        raise BuildFault("SOURCE_DATE_EPOCH must be a number of seconds since 1970") from cause


def _run(command: list[str], environ: dict[str, str] | None = None) -> str:
    try:
        ended = subprocess.run(
            command, capture_output=True, text=True, check=False, env={**os.environ, "LC_ALL": "C", **(environ or {})}
        )
    except OSError as cause:
        raise BuildFault(f"{command[0]} cannot be started: {cause.strerror}") from cause
    if ended.returncode:
        said = ended.stderr.strip().splitlines()
        raise BuildFault(f"{command[0]} failed: {said[-1] if said else 'it did not say why'}")
    return ended.stdout.strip()


@click.command()
@click.option("--arch", type=click.Choice(sorted(PROCESSORS)), default="amd64", show_default=True)
@click.option("--dist", type=click.Choice(sorted(RELEASES)), default="bookworm", show_default=True)
@click.option("--version", default=None, help="Another version than pyproject.toml has: for trying an upgrade.")
@click.option("--out", type=click.Path(file_okay=False, path_type=Path), default=CHECKOUT / "dist")
def main(arch: str, dist: str, version: str | None, out: Path) -> None:
    """Build the package of a door for a processor and a release.

    \b
    Example: python -m tools.deb --arch arm64 --dist trixie
    """
    target = Target(RELEASES[dist], PROCESSORS[arch])
    try:
        package = build(target, version or project_version(), out, source_date())
    except (Refusal, Fault, OSError) as error:
        print(f"deb: {error}", file=sys.stderr)
        raise SystemExit(1) from error
    print(f"{package}: {package.stat().st_size / 1e6:.1f} MB")


if __name__ == "__main__":
    main()
