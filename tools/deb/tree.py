"""The files of the package, laid below a folder as they will lie on the door.

Rules kept here:
- One folder, /usr/lib/doorward, is the door's own virtual environment: system interpreter, wheels, code, networks.
- What plays a door for the health check before an upgrade lies beside it, in check/, on nobody's path.
- Units, users, folders and device rules are those of systemd/ in this repository, as they are.
- Everything is readable by everybody and writable by root alone; nothing is secret in a package.
"""

from __future__ import annotations

import email.utils
import gzip
import os
import shutil
from collections.abc import Iterable
from pathlib import Path

from tools.deb import wheels
from tools.deb.targets import Target

MAINTAINER = "The Doorward maintainers <doorward@example.invalid>"
HOME = Path("usr/lib/doorward")
DOC = Path("usr/share/doc/doorward")
# What the health check needs of the workshop and the manager's side: the simulated board, and how an offer is made.
_SIMULATOR = (
    "__init__",
    "client",
    "daemon",
    "held_up",
    "init",
    "layout",
    "scene",
    "trial",
    "world",
    "cards/__init__",
    "cards/status",
)
CHECK = (
    "tools/__init__.py",
    *(f"tools/simulator/{name}.py" for name in _SIMULATOR),
    "provisioning/__init__.py",
    "provisioning/invitation.py",
)
# Files of systemd/ by how they end, and where they go. What is not listed is for people, or for the boot partition.
UNIT_PLACES = {
    ".service": Path("usr/lib/systemd/system"),
    ".socket": Path("usr/lib/systemd/system"),
    ".target": Path("usr/lib/systemd/system"),
    ".timer": Path("usr/lib/systemd/system"),
    ".rules": Path("usr/lib/udev/rules.d"),
}
FOLDER_PLACES = {name: Path("usr/lib") / name for name in ("sysusers.d", "tmpfiles.d", "modules-load.d")}
_OTHERS = Path("usr/share/doorward")  # config.txt for a Raspberry Pi and the like: for `doorctl setup`

_DOORCTL = """#!/bin/sh
# The door's command line, in the door's own environment whatever the caller's is.
exec /usr/lib/doorward/bin/python -I -m device.desk.cli "$@"
"""


def lay(target: Target, version: str, checkout: Path, fetched: Iterable[Path], root: Path, epoch: int) -> set[str]:
    """Lay everything but DEBIAN/ below `root`; the system libraries it needs, as Debian packages."""
    home = root / HOME
    packages = home / "lib" / f"python{target.release.python}" / "site-packages"
    packages.mkdir(parents=True)
    for wheel in fetched:
        wheels.unpack(wheel, packages)
    libraries = wheels.check(packages, target)
    copy(checkout / "device", packages / "device")
    copy(checkout / "models", packages / "device" / "models")
    _note_version(packages, version)
    for name in CHECK:
        copy(checkout / name, home / "check" / name)
    _environment(home, target)
    _write(root / "usr/bin/doorctl", _DOORCTL)
    (root / "usr/bin/doorctl").chmod(0o755)
    lay_units(checkout / "systemd", root)
    _documents(checkout, root, target.version(version), epoch)
    return libraries


def copy(source: Path, place: Path) -> None:
    """A file, or a folder without byte code and caches."""
    place.parent.mkdir(parents=True, exist_ok=True)
    if source.is_file():
        shutil.copyfile(source, place)
    else:
        shutil.copytree(
            source, place, ignore=shutil.ignore_patterns("__pycache__", "*.pyc", ".*"), copy_function=shutil.copyfile
        )


def lay_units(source: Path, root: Path) -> None:
    """The files of systemd/ at their places."""
    for path in sorted(each for each in source.rglob("*") if each.is_file() and not each.name.startswith(".")):
        within = path.relative_to(source)
        folder = within.parts[0]
        if folder in FOLDER_PLACES:
            place = FOLDER_PLACES[folder] / within.name
        elif path.suffix in UNIT_PLACES:
            place = UNIT_PLACES[path.suffix] / within.name
        elif path.parent.suffixes[-2:] in ([".service", ".d"], [".socket", ".d"]):
            place = UNIT_PLACES[".service"] / path.parent.name / path.name
        else:
            place = _OTHERS / within
        copy(path, root / place)


def units(root: Path) -> list[str]:
    """The units that ask to be enabled: those with an [Install] section."""
    folder = root / UNIT_PLACES[".service"]
    return sorted(path.name for path in folder.glob("*.*") if path.is_file() and "\n[Install]\n" in path.read_text())


def date_and_open(root: Path, epoch: int) -> None:
    """Give every file below `root` the same date and the rights a package has: 0755 if it can be run, else 0644."""
    for path in sorted(root.rglob("*"), reverse=True):
        if not path.is_symlink():
            runs = path.is_dir() or path.stat().st_mode & 0o100
            path.chmod(0o755 if runs else 0o644)
        os.utime(path, (epoch, epoch), follow_symlinks=False)
    root.chmod(0o755)
    os.utime(root, (epoch, epoch))


def _note_version(packages: Path, version: str) -> None:
    """What importlib.metadata reads: report tells the version with the door's health."""
    _write(
        packages / f"doorward-{version}.dist-info" / "METADATA",
        f"Metadata-Version: 2.1\nName: doorward\nVersion: {version}\n",
    )


def _environment(home: Path, target: Target) -> None:
    """A virtual environment as venv(1) makes it, without pip: PEP 405."""
    (home / "bin").mkdir()
    (home / "bin" / "python").symlink_to(f"/usr/bin/python{target.release.python}")
    settings = f"home = /usr/bin\ninclude-system-site-packages = true\nversion = {target.release.python}\n"
    _write(home / "pyvenv.cfg", settings)


def _changelog(version: str, epoch: int) -> str:
    """Debian's form of a change log, Debian Policy 4.4: which version this is, and where the reasons are."""
    day = email.utils.formatdate(epoch)
    entry = "  * What changed and why: CHANGELOG.md.gz, beside this file."
    return f"doorward ({version}) stable; urgency=medium\n\n{entry}\n\n -- {MAINTAINER}  {day}\n"


def _documents(checkout: Path, root: Path, version: str, epoch: int) -> None:
    doc = root / DOC
    copy(checkout / "tools" / "deb" / "copyright", doc / "copyright")
    copy(checkout / "NOTICE", doc / "NOTICE")
    for page in sorted((checkout / "docs").glob("*.md")):
        copy(page, doc / page.name)
    (doc / "CHANGELOG.md.gz").write_bytes(gzip.compress((checkout / "CHANGELOG.md").read_bytes(), 9, mtime=0))
    (doc / "changelog.gz").write_bytes(gzip.compress(_changelog(version, epoch).encode(), 9, mtime=0))
    copy(checkout / "tools" / "deb" / "lintian-overrides", root / "usr/share/lintian/overrides/doorward")


def _write(path: Path, text: str) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text, encoding="utf-8")
