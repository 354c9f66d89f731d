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

FOR: Final = Target(RELEASES["bookworm"], PROCESSORS["amd64"])
QUICK: Final = ("-Znone",)
"""How dpkg-deb packs it. It is installed once and thrown away: compressing it would take longer than all the rest."""
# What a package is made of; another state of any of it is another package.
_INPUTS: Final = (
    *("device", "models", "systemd", "requirements", "pyproject.toml", "tools/deb", "tools/simulator"),
    "provisioning/invitation.py",
)


def package() -> Path:
    """The package for Debian 12 on amd64. Raises VmFault."""
    named = os.environ.get("DOORWARD_PACKAGE")
    if named:
        return Path(named)
    key = host.digest([*QUICK, *(host.CHECKOUT / name for name in _INPUTS)])
    return next(host.kept("package", key, _make).glob("*.deb"))


def _make(into: Path) -> None:
    try:
        with step("making the door's package"):
            build(FOR, project_version(), into, source_date(), QUICK)
    except (Refusal, Fault, OSError) as cause:
        msg = f"the door's package could not be made: {cause}"
        raise VmFault(msg) from cause
