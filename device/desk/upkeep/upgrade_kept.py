"""The installed version as a package file again: what an upgrade that fails is undone with.

Rules kept here:
- Made from the installed files themselves, so that there is a way back however the version came here.
- Files that were changed after they had been installed are no version: then nothing is kept, and nothing upgraded.
- What dpkg was told to leave out is not there to be kept; the kept package does not promise it, either.
- The package before stays until the new one is whole: it is written beside it and renamed.

What a package leaves in dpkg's folder: Debian Policy, chapter 6 and appendix B; dpkg(1), "Files".
"""

from __future__ import annotations

import os
import shutil
import subprocess
from pathlib import Path

from device.desk.upkeep.left_out import Rule, left_out
from device.desk.upkeep.upgrade import NAME, UpgradeFault
from device.desk.upkeep.upgrade_package import DPKG_DEB

_SCRIPTS = ("preinst", "postinst", "prerm", "postrm")
_NOT_CONTROL = ("Status:", "Config-Version:")  # what dpkg notes about a package and the package itself does not say


def keep(folder: Path, status: str, out: tuple[Rule, ...], info: Path) -> Path:
    """The installed package as `folder`/previous.deb. Raises UpgradeFault.

    `status`: what dpkg says of it. `out`: what dpkg leaves out. `info`: where dpkg keeps what a package left.
    """
    tree, kept = folder / "keeping", folder / "previous.deb"
    shutil.rmtree(tree, ignore_errors=True)
    try:
        _lay(tree, status, out, info)
        command = (DPKG_DEB, "--root-owner-group", "-Zgzip", "-z1", "--build", str(tree), f"{kept}.new")
        ended = subprocess.run(command, capture_output=True, text=True, check=False)
        if ended.returncode:
            raise UpgradeFault("the installed version could not be kept; nothing was changed")
        Path(f"{kept}.new").replace(kept)
    except OSError as cause:
        if isinstance(cause, UpgradeFault):
            raise
        raise UpgradeFault(f"the installed version cannot be kept: {cause.strerror}; nothing was changed") from cause
    finally:
        shutil.rmtree(tree, ignore_errors=True)
    return kept


def control_text(status: str) -> str:
    """DEBIAN/control from what dpkg knows of the installed package."""
    return "".join(f"{line}\n" for line in status.strip().splitlines() if not line.startswith(_NOT_CONTROL))


def _lay(tree: Path, status: str, out: tuple[Rule, ...], info: Path) -> None:
    control = tree / "DEBIAN"
    control.mkdir(mode=0o755, parents=True)
    (control / "control").write_text(control_text(status), encoding="utf-8")
    for name in _SCRIPTS:
        shutil.copy(info / f"{NAME}.{name}", control / name)
    for line in (info / f"{NAME}.list").read_text(encoding="utf-8").splitlines():
        source = Path(line)
        place = tree / line.lstrip("/")
        if source.is_symlink():
            place.symlink_to(source.readlink())
        elif source.is_dir():
            place.mkdir(exist_ok=True)
            place.chmod(0o755)
        elif source.exists() or not left_out(line, out):
            _put(source, place)
    sums = (info / f"{NAME}.md5sums").read_text(encoding="utf-8").splitlines(keepends=True)
    there = (line for line in sums if os.path.lexists(tree / line.partition("  ")[2].rstrip("\n")))
    (control / "md5sums").write_text("".join(there), encoding="utf-8")


def _put(source: Path, place: Path) -> None:
    """The file without a second copy where the disk allows that."""
    try:
        os.link(source, place)
    except OSError:
        shutil.copy(source, place)
