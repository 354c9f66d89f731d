"""What the machine needs of the computer it is built on: programs, root, Debian's mirror, a cache.

Rules kept here:
- What is missing is asked for at once, by the names of Debian's packages; as root it is installed.
- Where packages come from is this computer's affair: the mirror is read from its own apt sources, pip's index from its
  environment. Neither is written into any file.
- A cached thing is complete or absent: it is made beside its place and renamed.
"""

from __future__ import annotations

import fcntl
import hashlib
import os
import re
import shutil
import subprocess
import time
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from typing import Final

from tools.vm.say import VmFault, step

CHECKOUT: Final = Path(__file__).resolve().parents[2]
# Named, it serves several checkouts of one computer.
CACHE: Final = Path(os.environ.get("DOORWARD_VM_CACHE") or CHECKOUT / ".cache" / "vm").absolute()
LOGS: Final = CACHE / "logs"
GUEST: Final = Path(__file__).parent / "guest"  # files that lie in the guest as they are here

# Program -> Debian package: what boots a machine, what builds its image, and what else the tests in it call.
TO_BOOT: Final = {
    "qemu-system-x86_64": "qemu-system-x86",
    "qemu-img": "qemu-utils",
    "swtpm": "swtpm",
    "busybox": "busybox-static",
}
TO_BUILD: Final = {
    "mmdebstrap": "mmdebstrap",
    "mke2fs": "e2fsprogs",
    "cpio": "cpio",
    "zstd": "zstd",
    "depmod": "kmod",
    "xz": "xz-utils",
}
TO_TEST: Final = {"lintian": "lintian", "mosquitto": "mosquitto"}
_SOURCES: Final = ("/etc/apt/sources.list.d/debian.sources", "/etc/apt/sources.list")
_ADDRESS: Final = re.compile(r"^(?:URIs:\s*|deb\s+(?:\[[^]]*\]\s+)?)(\S+/debian)/?(?:\s|$)", re.MULTILINE)
_OLD_S: Final = 3600.0
_PATHS: Final = "/usr/sbin:/usr/bin:/sbin:/bin"


def need(programs: Mapping[str, str]) -> None:
    """Return if all `programs` are there; as root install the packages that bring them. Raises VmFault."""
    missing = missing_packages(programs)
    if not missing:
        return
    command = f"apt-get install -y --no-install-recommends {' '.join(missing)}"
    if os.getuid() != 0 or shutil.which("apt-get") is None:
        msg = f"the machine needs packages that are not here; please run: sudo apt-get update && sudo {command}"
        raise VmFault(msg)
    with step(f"installing {', '.join(missing)}"):
        environment = {**os.environ, "DEBIAN_FRONTEND": "noninteractive"}
        run("apt", ["apt-get", "update", "-qq"], env=environment)
        run("apt", command.split(), env=environment)


def missing_packages(programs: Mapping[str, str]) -> list[str]:
    """The packages whose program is not on this computer."""
    return sorted({package for name, package in programs.items() if shutil.which(name, path=_paths()) is None})


def need_root() -> None:
    """Raise VmFault unless this is root: a root file system holds files of many users, and is entered by chroot."""
    if os.getuid() != 0:
        msg = "building the machine's image needs root; please run: sudo make test-system"
        raise VmFault(msg)


def run(log: str, command: list[str], *, env: Mapping[str, str] | None = None, cwd: Path | None = None) -> str:
    """Run a program to its end and return what it printed; everything goes to `.cache/vm/logs`. Raises VmFault."""
    LOGS.mkdir(parents=True, exist_ok=True)
    path = LOGS / f"{log}.log"
    given = {**os.environ, "PATH": _paths(), "LC_ALL": "C.UTF-8"} if env is None else {**env, "PATH": _paths()}
    with path.open("a", encoding="utf-8") as told:
        told.write(f"$ {' '.join(command)}\n")
        told.flush()
        done = subprocess.run(
            command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=told, env=given, cwd=cwd, check=False
        )
        out = done.stdout.decode(errors="replace")
        told.write(out)
    if done.returncode:
        msg = f"{Path(command[0]).name} failed with {done.returncode}; all it said stands in {path}"
        raise VmFault(msg)
    return out


def mirror() -> str:
    """The address of Debian's main archive, as this computer's apt has it. Raises VmFault."""
    for name in _SOURCES:
        path = Path(name)
        if path.exists() and (found := _ADDRESS.search(path.read_text(encoding="utf-8"))):
            return found[1]
    msg = "this computer's apt names no Debian mirror; the machine's image is made from one"
    raise VmFault(msg)


def digest(parts: Iterable[str | Path]) -> str:
    """A short name for exactly these inputs: texts, and the content of files and folders."""
    total = hashlib.sha256()
    for part in parts:
        files = [] if isinstance(part, str) else sorted(_files(part))
        total.update(f"{part if isinstance(part, str) else part.name}\0{len(files)}\0".encode())
        for file in files:
            content = hashlib.sha256(file.read_bytes()).hexdigest()
            total.update(f"{file.name}\0{file.stat().st_mode & 0o777:o}\0{content}\0".encode())
    return total.hexdigest()[:16]


def kept(kind: str, key: str, make: Callable[[Path], None]) -> Path:
    """The cached file or folder of `kind` under `key`; made by `make` at the path it is handed, if it is not there.

    Who asks for it while another makes it waits for that. Of the same kind, what is older than an hour is removed
    afterwards: one is several hundred megabytes, and a machine that runs holds its own open.
    """
    place = CACHE / f"{kind}-{key}"
    CACHE.mkdir(parents=True, exist_ok=True)
    with (CACHE / f"{kind}.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not place.exists():
            new = CACHE / f"{kind}-{key}.new"
            remove(new)
            make(new)
            new.replace(place)
            for other in CACHE.glob(f"{kind}-*"):
                if other != place and time.time() - other.stat().st_mtime > _OLD_S:
                    remove(other)
    return place


def remove(path: Path) -> None:
    """Remove a file or a whole folder; nothing happens if there is none."""
    if path.is_dir() and not path.is_symlink():
        shutil.rmtree(path)
    else:
        path.unlink(missing_ok=True)


def _files(path: Path) -> Iterable[Path]:
    if path.is_file():
        return [path]
    return (each for each in path.rglob("*") if each.is_file() and "__pycache__" not in each.parts)


def _paths() -> str:
    return f"{os.environ.get('PATH', '')}:{_PATHS}"
