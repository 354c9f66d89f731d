"""The guest's Debian without the door: slow to make, and the same for every door.

Rules kept here:
- It is Debian 12 as apt installs it, with picamera2 beside it as a Raspberry Pi has it from apt. The door's package
  finds them through `include-system-site-packages`, as on a Pi.
- Two things are missing off a Pi and are put there, with the reason beside them: a stand-in for `pykms`, which only
  previews use, and libcamera's name where Python looks for it.
"""

from __future__ import annotations

import os
import shutil
from pathlib import Path
from typing import Final

from tools.vm import host, packages
from tools.vm.say import step

_HOST_NAME: Final = "doorward-vm"
_NO_MANUALS: Final = ("man", "doc", "locale", "info")
_DIST: Final = "usr/lib/python3/dist-packages"
_AUTHORITIES: Final = "/etc/ssl/certs/ca-certificates.crt"  # on this computer and in the guest


def base() -> Path:
    """The folder with the guest's root file system. Raises VmFault."""
    what = [getattr(packages, name) for name in sorted(vars(packages)) if name.isupper()]
    key = host.digest([repr(what), Path(__file__), host.GUEST / "pykms.py"])
    return host.kept("base", key, _make)


def _make(into: Path) -> None:
    host.need_root()
    with step("making the guest's Debian, the slow part of it all (about three minutes)"):
        _debian(into)
    with step("adding picamera2 and lgpio"):
        _wheels(into)
        _pi_like(into)


def _debian(into: Path) -> None:
    names = [*packages.SYSTEM, *packages.TPM, *packages.CAMERA, *packages.READERS, *packages.TO_LOOK]
    mirror, suite = host.mirror(), packages.SUITE
    pins = f"Package: {packages.PINNED_TO_BACKPORTS}\\nPin: release n={suite}-backports\\nPin-Priority: 600\\n"
    command = [
        *("mmdebstrap", "--quiet", "--mode=root", "--variant=minbase", "--skip=check/qemu"),
        *(f"--dpkgopt=path-exclude=/usr/share/{each}/*" for each in _NO_MANUALS),
        '--aptopt=Apt::Install-Recommends "false"',
        f'--setup-hook=mkdir -p "$1/etc/apt/preferences.d"; printf "{pins}" >"$1/etc/apt/preferences.d/backports"',
        f"--include={','.join([*names, *packages.TO_COMPILE])}",
        *(suite, str(into)),
        f"deb {mirror} {suite} main",
        f"deb {mirror}-security {suite}-security main",
        f"deb {mirror} {suite}-backports main",
    ]
    host.run("base", command)
    (into / "etc" / "hostname").write_text(f"{_HOST_NAME}\n")
    host.run("base", ["chroot", str(into), "passwd", "-d", "root"])


def _wheels(into: Path) -> None:
    # In the guest's own Python; addresses and certificates of the index are this computer's.
    shutil.copy("/etc/resolv.conf", into / "etc" / "resolv.conf")
    guests = into / _AUTHORITIES.lstrip("/")
    before = guests.read_bytes()
    shutil.copy(os.environ.get("PIP_CERT", _AUTHORITIES), guests)
    passed = {name: value for name, value in os.environ.items() if name.startswith("PIP_") or "proxy" in name.lower()}
    passed.pop("PIP_FIND_LINKS", None)  # a folder of this computer
    for name in ("PIP_CERT", "SSL_CERT_FILE", "REQUESTS_CA_BUNDLE"):
        passed[name] = _AUTHORITIES
    pip = ["python3", "-m", "pip", "install", "--quiet", "--no-cache-dir", "--break-system-packages"]
    host.run("base", ["chroot", str(into), *pip, *packages.WHEELS], env=passed)
    guests.write_bytes(before)
    (into / "etc" / "resolv.conf").unlink()
    purge = ["apt-get", "purge", "-y", "-qq", "--autoremove", *packages.TO_COMPILE]
    host.run("base", ["chroot", str(into), *purge])
    host.run("base", ["chroot", str(into), "apt-get", "clean"])
    shutil.rmtree(into / "var" / "lib" / "apt" / "lists")


def _pi_like(into: Path) -> None:
    shutil.copy(host.GUEST / "pykms.py", into / _DIST / "pykms.py")
    # The backport for Debian 12 installs the module below the architecture's folder, where Python does not look.
    odd = into / "usr/lib/x86_64-linux-gnu/python3.11/site-packages/libcamera"
    if odd.is_dir():
        (into / _DIST / "libcamera").symlink_to("/" + str(odd.relative_to(into)))
