"""A small Debian in a folder, where the door's package is installed for real: made once by mmdebstrap, then lent out.

Every command runs in namespaces of its own, so that its mounts, and what it left running, end with it.
"""

import os
import shutil
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from tests.support.room_process import CHECKOUT
from tools.vm.image import BROUGHT

KEPT = CHECKOUT / ".cache" / "roots" / "bookworm.tar"
PACKAGES = "python3,systemd,udev,init-system-helpers,libstdc++6,zlib1g"
MISSING = "mmdebstrap is missing: apt-get install mmdebstrap"
_ENTER = 'mount -t proc proc "$0/proc" && mount --bind /dev "$0/dev" && exec chroot "$0" "$@"'
_PLAIN = {"PATH": "/usr/sbin:/usr/bin:/sbin:/bin", "LC_ALL": "C.UTF-8", "HOME": BROUGHT}


def lacks() -> str:
    """What is missing here for such a root, or nothing."""
    if os.geteuid() != 0:
        return "only root can enter another root"
    return "" if KEPT.exists() or shutil.which("mmdebstrap") else MISSING


@dataclass(frozen=True)
class Ended:
    """How a command in the root ended, and everything it said."""

    code: int
    said: str


@dataclass(frozen=True)
class Root:
    """A Debian below `folder`."""

    folder: Path

    @classmethod
    def make(cls, folder: Path) -> "Root":
        """A fresh one."""
        if not KEPT.exists():
            KEPT.parent.mkdir(parents=True, exist_ok=True)
            new = KEPT.with_name(f"bookworm-{os.getpid()}.tar")
            command = ["mmdebstrap", "--quiet", "--variant=minbase", f"--include={PACKAGES}", "bookworm", str(new)]
            subprocess.run(command, check=True, stdin=subprocess.DEVNULL)
            new.replace(KEPT)
        folder.mkdir()
        subprocess.run(["tar", "-xf", str(KEPT), "-C", str(folder)], check=True)
        (folder / BROUGHT.lstrip("/")).mkdir(parents=True)
        # Nothing here has to outlive a power cut, and dpkg syncs every file.
        (folder / "etc/dpkg/dpkg.cfg.d/test").write_text("force-unsafe-io\n")
        return cls(folder)

    @contextmanager
    def changeable(self, folder: Path) -> Iterator["Root"]:
        """Another like this one, which stays as it is: a layer over it, or a copy where the kernel has no overlayfs."""
        upper, work, whole = (folder / name for name in ("upper", "work", "whole"))
        for each in (upper, work, whole):
            each.mkdir(parents=True)
        layers = f"lowerdir={self.folder},upperdir={upper},workdir={work}"
        command = ["mount", "-t", "overlay", "overlay", "-o", layers, str(whole)]
        mounted = subprocess.run(command, check=False, capture_output=True).returncode == 0
        if not mounted:
            subprocess.run(["cp", "-a", "--reflink=auto", f"{self.folder}/.", str(whole)], check=True)
        try:
            yield Root(whole)
        finally:
            if mounted:
                subprocess.run(["umount", "--lazy", str(whole)], check=True)
            subprocess.run(["rm", "-rf", str(folder)], check=True)

    def command(self, *words: str, first: str = "") -> list[str]:
        """`words` as a command line that runs in this root; `first`: what the shell does before, in its namespace."""
        enter = f"{first} && {_ENTER}" if first else _ENTER
        return ["unshare", "--mount", "--pid", "--fork", "--kill-child", "sh", "-c", enter, str(self.folder), *words]

    def run(self, *words: str, first: str = "", **environ: str) -> Ended:
        """Run a command to its end."""
        ended = subprocess.run(
            self.command(*words, first=first),
            env=_PLAIN | environ,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            check=False,
            timeout=900,  # a machine that others use as well
        )
        return Ended(ended.returncode, ended.stdout)

    def bring(self, file: Path) -> str:
        """Copy `file` into the root; where it is there."""
        place = f"{BROUGHT}/{file.name}"
        shutil.copyfile(file, self.path(place))
        return place

    def path(self, inside: str) -> Path:
        """Where `inside` lies for us."""
        return self.folder / inside.lstrip("/")

    def version(self) -> str:
        """The installed version with dpkg's word for how it is installed."""
        shown = "${db:Status-Status} ${Version}"
        return self.run("dpkg-query", "--show", "--showformat", shown, "doorward").said
