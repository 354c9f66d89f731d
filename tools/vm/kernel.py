"""Debian's newest backported kernel, unpacked: the image beside the tree of its modules.

Rules kept here:
- The kernel is Debian's own package, not built by us. It is newer than the door's Debian, because the simulated GPIO
  chip (gpio-sim) is switched on only there: CONFIG_GPIO_SIM is unset in Debian's 6.1 and 6.12.
- This computer's own apt is not touched: lists and packages lie in the cache.
"""

from __future__ import annotations

import re
import shutil
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from tools.vm import host
from tools.vm.say import VmFault, step

SUITE: Final = "trixie-backports"
_KEYRING: Final = "/usr/share/keyrings/debian-archive-keyring.gpg"
_NEEDED: Final = ("CONFIG_GPIO_SIM", "CONFIG_USB_VIDEO_CLASS", "CONFIG_TCG_CRB", "CONFIG_I6300ESB_WDT")
_NAME: Final = re.compile(r"^linux-binary-([0-9][0-9.]*\+deb[0-9]+-amd64) ", re.MULTILINE)


@dataclass(frozen=True, slots=True)
class Kernel:
    """An unpacked kernel: its release as `uname -r` says it, and the folder of /usr/lib/modules/RELEASE."""

    release: str
    modules: Path

    @property
    def image(self) -> Path:
        """What QEMU boots."""
        return self.modules / "vmlinuz"


def kernel() -> Kernel:
    """The kernel in the cache, fetched if there is none. Raises VmFault."""
    folder = host.kept("kernel", host.digest([SUITE, Path(__file__)]), _fetch)
    modules = next((folder / "usr" / "lib" / "modules").iterdir())
    return Kernel(modules.name, modules)


def _fetch(into: Path) -> None:
    with step(f"fetching Debian's kernel from {SUITE}"):
        state = into / "apt"
        for each in ("lists/partial", "cache/archives/partial"):
            (state / each).mkdir(parents=True)
        (state / "status").touch()
        (state / "sources.list").write_text(f"deb [arch=amd64 signed-by={_KEYRING}] {host.mirror()} {SUITE} main\n")
        settings = {
            "APT::Architecture": "amd64",
            "APT::Architectures": "amd64",
            "APT::Sandbox::User": "root",
            "Dir::State": state,
            "Dir::State::lists": state / "lists",
            "Dir::State::status": state / "status",
            "Dir::Cache": state / "cache",
            "Dir::Etc::sourcelist": state / "sources.list",
            "Dir::Etc::sourceparts": "/dev/null",
        }
        options = [f"-o{name}={value}" for name, value in settings.items()]
        host.run("kernel", ["apt-get", *options, "-qq", "update"])
        found = host.run("kernel", ["apt-cache", *options, "search", "--names-only", "^linux-binary-[0-9].*-amd64$"])
        release = max(_NAME.findall(found), key=_order, default="")
        if not release:
            msg = f"Debian's {SUITE} has no kernel whose package is called linux-binary-VERSION-amd64"
            raise VmFault(msg)
        packages = [f"linux-{kind}-{release}" for kind in ("binary", "modules", "base")]
        host.run("kernel", ["apt-get", *options, "-qq", "download", *packages], cwd=state)
        for package in sorted(state.glob("*.deb")):
            host.run("kernel", ["dpkg-deb", "-x", str(package), str(into)])
        shutil.rmtree(state)
        for other in into.iterdir():
            if other.name != "usr":
                host.remove(other)
    _refuse_unfit((into / "usr" / "lib" / "modules" / release / "config").read_text(encoding="ascii"), release)


def _order(release: str) -> list[int]:
    return [int(number) for number in re.findall(r"\d+", release)]


def _refuse_unfit(config: str, release: str) -> None:
    missing = [name for name in _NEEDED if not re.search(rf"^{name}=[ym]$", config, re.MULTILINE)]
    if missing:
        msg = f"Debian's kernel {release} lacks {', '.join(missing)}; the machine's hardware needs it"
        raise VmFault(msg)
