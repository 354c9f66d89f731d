"""Reading a package file: its control fields and its sum, from a copy that nobody else can exchange.

Rules kept here:
- What is checked is what is installed: the file is copied into root's own folder first, and only the copy is used.
- A file that is no package, or half of one, is refused before anything of it is unpacked.
"""

from __future__ import annotations

import hashlib
import os
import shutil
import subprocess
from pathlib import Path

from device.desk.upkeep.upgrade import Package, UpgradeFault, UpgradeRefused

DPKG_DEB = "/usr/bin/dpkg-deb"
_FIELDS = ("Package", "Version", "Architecture", "Installed-Size")
_CHUNK_BYTES = 1 << 20


def take(file: Path, folder: Path) -> Package:
    """Copy `file` into `folder` and read it. Raises UpgradeRefused, UpgradeFault."""
    if not file.is_file():
        raise UpgradeRefused(f"there is no package at {file}")
    copy = folder / "new.deb"
    try:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        if shutil.disk_usage(folder).free < file.stat().st_size:
            raise UpgradeRefused(f"the disk is too full for a copy of {file.name}; nothing was changed")
        shutil.copyfile(file, copy)
    except OSError as cause:
        if isinstance(cause, UpgradeFault):
            raise
        raise UpgradeFault(f"{folder} cannot hold the package: {cause.strerror}; nothing was changed") from cause
    return read(copy, file.name)


def read(file: Path, called: str) -> Package:
    """The package in `file`, which a person knows as `called`. Raises UpgradeRefused."""
    ended = subprocess.run(
        (DPKG_DEB, "--field", str(file), *_FIELDS), capture_output=True, text=True, check=False, env=_PLAIN
    )
    fields = dict(line.split(": ", 1) for line in ended.stdout.splitlines() if ": " in line)
    # Its second half may be missing although its fields can be read: the whole archive has to unfold.
    unfolds = subprocess.run((DPKG_DEB, "--contents", str(file)), capture_output=True, check=False, env=_PLAIN)
    if ended.returncode or unfolds.returncode or set(fields) != set(_FIELDS) or not fields[_FIELDS[3]].isdecimal():
        raise UpgradeRefused(f"the file {called} is no whole Debian package; nothing was changed")
    name, version, architecture, kib = (fields[field] for field in _FIELDS)
    return Package(file, name, version, architecture, int(kib) * 1024, sha256(file))


def sha256(file: Path) -> str:
    """The SHA-256 of `file`, in hexadecimal."""
    digest = hashlib.sha256()
    with file.open("rb") as content:
        while chunk := content.read(_CHUNK_BYTES):
            digest.update(chunk)
    return digest.hexdigest()


_PLAIN = {**os.environ, "LC_ALL": "C"}
