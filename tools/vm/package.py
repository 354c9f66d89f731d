"""The door's package, as it goes into the image: made from today's checkout, or the one that DOORWARD_PACKAGE names."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Final

from device.errors import Fault, Refusal
from tools.deb.__main__ import build, project_version, source_date
from tools.deb.targets import PROCESSORS, RELEASES, Target
from tools.vm import host
from tools.vm.say import VmFault, step

_FOR: Final = Target(RELEASES["bookworm"], PROCESSORS["amd64"])
# What a package is made of; another state of any of it is another package.
_INPUTS: Final = ("device", "models", "systemd", "tools/deb", "tools/simulator", "requirements", "pyproject.toml")


def package() -> Path:
    """The package for Debian 12 on amd64. Raises VmFault."""
    named = os.environ.get("DOORWARD_PACKAGE")
    if named:
        return Path(named)
    key = host.digest(host.CHECKOUT / name for name in _INPUTS)
    return next(host.kept("package", key, _make).glob("*.deb"))


def _make(into: Path) -> None:
    try:
        with step("making the door's package"):
            build(_FOR, project_version(), into, source_date())
    except (Refusal, Fault, OSError) as cause:
        msg = f"the door's package could not be made: {cause}"
        raise VmFault(msg) from cause
