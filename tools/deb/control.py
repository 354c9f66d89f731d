"""The package's control files: what it is called, what it needs, what it checks and does.

Rules kept here:
- It depends on the one Python its wheels fit, and on every library its wheels expect of the system.
- What a kind of door needs and another lacks is recommended, so that a door without a camera installs.
- Every file has its sum in md5sums, so that `dpkg --verify doorward` sees one that was changed.

Fields: Debian Policy, chapter 5; Installed-Size: deb-substvars(5) (KiB, every file rounded up, 1 for a folder).
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from pathlib import Path

from tools.deb.targets import Target
from tools.deb.tree import MAINTAINER

SCRIPTS = ("preinst", "postinst", "prerm", "postrm")
NEWEST_GLIBC_WANTED = "2.34"  # manylinux_2_34, the newest tag that is asked for
# Raspberry Pi OS has these two; Debian has neither, and a door without camera or with libgpiod needs neither.
_OF_RASPBERRY_PI = ("python3-picamera2", "python3-lgpio")
_RECOMMENDED = ("pcscd", "python3-pyscard", "tpm2-tools")

_TEXT = """Package: doorward
Version: {version}
Section: misc
Priority: optional
Architecture: {architecture}
Maintainer: {maintainer}
Installed-Size: {size}
Depends: {depends}
Recommends: {recommends}
Description: smart lock that knows its residents and tells nobody
 A face, a PIN or a card opens the door. What the face and the PIN are compared
 with is sealed on the door and never leaves it; who came home is told nobody.
 .
 Six processes share the work, each confined by systemd to what it needs. This
 package brings them with their Python libraries and networks. It starts nothing
 before the door has been set up: doorctl(1) setup does that.
"""


def control(target: Target, version: str, libraries: set[str], root: Path) -> str:
    """The text of DEBIAN/control for the tree below `root`."""
    python = target.release
    depends = [f"python3 (>= {python.python}~)", f"python3 (<< {python.next_python}~)", f"python{python.python}"]
    depends += ["init-system-helpers (>= 1.65)", "systemd (>= 252)", "udev"]
    depends += sorted(f"libc6 (>= {NEWEST_GLIBC_WANTED})" if each == "libc6" else each for each in libraries)
    may_be_one = target.release.raspberry_pi and target.processor.debian == "arm64"
    recommends = [*_RECOMMENDED, *(_OF_RASPBERRY_PI if may_be_one else ())]
    return _TEXT.format(
        version=target.version(version),
        maintainer=MAINTAINER,
        architecture=target.processor.debian,
        size=_installed_kib(root),
        depends=", ".join(depends),
        recommends=", ".join(recommends),
    )


def write(root: Path, control_text: str, scripts: Path, enabled: Iterable[str]) -> None:
    """DEBIAN/ below `root`: control, md5sums, and the maintainer scripts with the units that are enabled."""
    sums = _sums(root)
    folder = root / "DEBIAN"
    folder.mkdir()
    (folder / "control").write_text(control_text, encoding="utf-8")
    (folder / "md5sums").write_text(sums, encoding="utf-8")
    for name in SCRIPTS:
        text = (scripts / name).read_text(encoding="utf-8").replace("@UNITS@", " ".join(enabled))
        (folder / name).write_text(text, encoding="utf-8")
        (folder / name).chmod(0o755)


def _installed_kib(root: Path) -> int:
    return sum(1 if path.is_dir() or path.is_symlink() else -(-path.stat().st_size // 1024) for path in root.rglob("*"))


def _sums(root: Path) -> str:
    files = sorted(path for path in root.rglob("*") if path.is_file() and not path.is_symlink())
    lines = []
    for path in files:
        digest = hashlib.md5(path.read_bytes(), usedforsecurity=False).hexdigest()
        lines.append(f"{digest}  {path.relative_to(root)}\n")
    return "".join(lines)
