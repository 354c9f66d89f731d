"""What an upgrade does, step by step, whatever machine it is on: check, try, keep, install, wait, or put back.

Rules kept here:
- Until the new package has opened a simulated strike by PIN, and the old one is kept, nothing of the door is changed.
- An older version, one for another processor, or a package of another name is refused: so is the same version again.
- If the new version does not come up, the old one is put back, and both facts are in the one sentence.
- Debian's packages carry no signature. Whoever got the file from elsewhere than a signed archive compares its SHA-256.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from device.errors import Fault, Refusal

NAME = "doorward"


class UpgradeRefused(Refusal, ValueError):
    """A package is not one that this door takes; nothing was changed."""


class UpgradeFault(Fault, OSError):
    """An upgrade could not be done; the sentence says which version the door has now."""


@dataclass(frozen=True, slots=True)
class Package:
    """A package file, by its control fields. `size_bytes`: what it takes when it is unpacked. `sha256`: of the file."""

    file: Path
    name: str
    version: str
    architecture: str
    size_bytes: int
    sha256: str


class Host(Protocol):
    """The port: the machine that is upgraded."""

    architecture: str

    def installed(self) -> str:
        """The version that is installed, whole. Raises UpgradeFault if there is none, or a half one."""

    def is_newer(self, version: str, than: str) -> bool:
        """Whether `version` comes after `than`, in Debian's order."""

    def free_bytes(self) -> int:
        """The room where packages are unpacked and kept."""

    def keep_installed(self) -> Path:
        """The installed version as a package file, to be put back. Raises UpgradeFault."""

    def try_out(self, package: Package) -> str | None:
        """Unpack `package` aside and run the door that is in it; None, or what is wrong. Raises UpgradeFault."""

    def install(self, file: Path, back_to: str | None = None) -> str | None:
        """Install `file`; None, or what went wrong. `back_to`: the older version that may be put back."""

    def well(self, *, patiently: bool) -> bool:
        """Whether the door runs with all its rooms; `patiently`: once they had time to start."""

    def runs(self) -> bool:
        """Whether this machine runs a door: it was started by systemd, and set up."""


def check(host: Host, package: Package, sha256: str | None) -> str:
    """The installed version, if `package` may take its place. Raises UpgradeRefused, UpgradeFault."""
    if sha256 is not None and sha256.lower() != package.sha256:
        raise UpgradeRefused(f"{package.file.name} has another SHA-256 than was named; nothing was changed")
    if package.name != NAME:
        raise UpgradeRefused(f"{package.file.name} is the package {package.name}, not {NAME}; nothing was changed")
    if package.architecture != host.architecture:
        text = f"{package.file.name} is for {package.architecture}, and this door is {host.architecture}"
        raise UpgradeRefused(f"{text}; nothing was changed")
    before = host.installed()
    if not host.is_newer(package.version, before):
        raise UpgradeRefused(
            f"version {package.version} is not newer than {before}, which is here; nothing was changed"
        )
    # Unpacked once to be tried; the kept package and dpkg's own copies take less than once more each.
    if host.free_bytes() < 3 * package.size_bytes:
        wanted = -(-3 * package.size_bytes // 1_000_000)
        raise UpgradeRefused(f"the disk is too full: an upgrade wants {wanted} MB; nothing was changed")
    return before


def perform(host: Host, package: Package, sha256: str | None, tell: Callable[[str], None]) -> str:
    """Upgrade to `package`; what became of it. Raises UpgradeRefused, UpgradeFault."""
    before = check(host, package, sha256)
    tell(f"Trying version {package.version} on a simulated door beside this one.")
    wrong = host.try_out(package)
    if wrong:
        raise UpgradeRefused(
            f"version {package.version} did not pass its trial: {_end(wrong)}; {before} runs on unchanged"
        )
    was_well = host.well(patiently=False)
    kept = host.keep_installed()
    tell(f"It passed. Installing it; version {before} is kept in {kept}.")
    wrong = host.install(package.file)
    if not wrong and was_well and not host.well(patiently=True):
        wrong = "not every room of the door came up"
    if wrong:
        return put_back(host, kept, before, f"version {package.version} failed: {_end(wrong)}")
    if was_well:
        return f"Upgraded from {before} to {package.version}; every room of the door is up."
    if host.runs():
        return f"Upgraded from {before} to {package.version}. The door was not well before, so look: doorctl status"
    return f"Upgraded from {before} to {package.version}. No door runs here yet: doorctl setup"


def put_back(host: Host, kept: Path, version: str, because: str) -> str:
    """Install `kept`, which is `version`. Raises UpgradeFault, always: what was asked for did not happen."""
    wrong = host.install(kept, back_to=version)
    if wrong:
        way = f"DOORWARD_ROLLBACK={version} dpkg -i {kept}"  # its preinst refuses an older version otherwise
        raise UpgradeFault(f"{because}; and {version} could not be put back: {_end(wrong)}. Try: {way}")
    up = "" if not host.runs() or host.well(patiently=True) else ", but not every room is up: doorctl status"
    raise UpgradeFault(f"{because}; {version} was put back{up}")


def _end(sentence: str) -> str:
    """`sentence` as a part of another."""
    return sentence.strip().rstrip(".")
