"""The wheels of a door: fetched by hash for a machine that is not this one, and unpacked as pip would.

Rules kept here:
- Only what the lock names, with the hash that the lock has: pip refuses everything else, and no source is ever built.
- Nothing of a wheel is run here. Its commands and its manual pages are left out: a door has `doorctl`.
- A wheel may not write outside its folder, and two wheels may not bring the same file.
- A shared object for another processor, or with pages smaller than the machine's, stops the build with a sentence.
"""

from __future__ import annotations

import fcntl
import subprocess
import sys
import zipfile
from pathlib import Path, PurePosixPath

from device.errors import Fault, Refusal
from tools.deb import elf
from tools.deb.targets import Target

# Raspberry Pi OS runs a Pi 5 with pages of 16 KiB; x86-64 has 4 KiB.
PAGE_BYTES = {"arm64": 16384, "amd64": 4096}
# Where a library comes from that a wheel expects of the system (DT_NEEDED, without the version): the package's Depends.
SYSTEM_LIBRARIES = {
    "ld-linux-aarch64.so": "libc6",
    "ld-linux-x86-64.so": "libc6",
    "libc.so": "libc6",
    "libdl.so": "libc6",
    "libm.so": "libc6",
    "libpthread.so": "libc6",
    "librt.so": "libc6",
    "libutil.so": "libc6",
    "libgcc_s.so": "libgcc-s1",
    "libstdc++.so": "libstdc++6",
    "libz.so": "zlib1g",
}
_LIBRARY_PLACES = ("purelib", "platlib")
# Left out: code for other makers' accelerators, which no door has and which asks for libraries that no release brings;
# LiteRT's own commands; an installer of packages; and what no program of a door loads: each file is unpacked, compiled
# and compared on a small board, at every upgrade.
LEFT_OUT = (
    "ai_edge_litert/vendors/",
    "ai_edge_litert/tools/",
    "ai_edge_litert/libLiteRtWebGpuAccelerator.so",
    # colorzero names setuptools as a dependency and imports nothing of it; its .pth would run at every start of a room.
    "setuptools/",
    "setuptools-",
    "_distutils_hack/",
    "distutils-precedence.pth",
    # rich colours source code with it and imports it where it does so alone (rich.syntax): no command here shows code.
    "pygments/",
    "pygments-",
    # Compilers of extensions.
    "numpy/distutils/",
    "numpy/f2py/",
)
_OWN_TESTS = "tests"  # a folder, wherever a library has it
_NOT_RUN = (".pyc", ".pyi")


class WheelRefused(Refusal, ValueError):
    """A wheel is not what a door can use."""


class FetchFault(Fault, OSError):
    """The wheels cannot be fetched."""


def fetch(target: Target, lock: Path, folder: Path) -> list[Path]:
    """The wheels of `lock` for `target`, kept in `folder` for the next time. Raises FetchFault."""
    folder.mkdir(parents=True, exist_ok=True)
    stamp = folder / ".lock"
    with (folder / ".busy").open("w") as busy:
        fcntl.flock(busy, fcntl.LOCK_EX)  # two builds at once fetch once
        if not (stamp.is_file() and stamp.read_bytes() == lock.read_bytes()):
            for old in folder.glob("*.whl"):
                old.unlink()
            _download(target, lock, folder)
            stamp.write_bytes(lock.read_bytes())
    return sorted(folder.glob("*.whl"))


def _download(target: Target, lock: Path, folder: Path) -> None:
    platforms = [word for tag in target.processor.platforms for word in ("--platform", tag)]
    abis = [word for abi in (target.release.abi, "abi3", "none") for word in ("--abi", abi)]
    command = [sys.executable, "-m", "pip", "download", "--quiet", "--disable-pip-version-check", "--no-input"]
    command += ["--require-hashes", "--no-deps", "--only-binary", ":all:", "--implementation", "cp"]
    command += ["--python-version", target.release.python, *abis, *platforms, "--dest", str(folder)]
    ended = subprocess.run([*command, "--requirement", str(lock)], capture_output=True, text=True, check=False)
    if ended.returncode:
        said = (ended.stderr or ended.stdout).strip().splitlines()
        raise FetchFault(f"pip could not fetch the wheels of {lock.name}: {said[-1] if said else 'it did not say why'}")


def unpack(wheel: Path, site_packages: Path) -> None:
    """The importable part of `wheel` into `site_packages`. Raises WheelRefused."""
    try:
        with zipfile.ZipFile(wheel) as archive:
            for name in sorted(archive.namelist()):
                place = _place(name, wheel.name)
                if place is None or name.endswith("/"):
                    continue
                path = site_packages / place
                if path.exists():
                    raise WheelRefused(f"{wheel.name} brings {place}, which another wheel brought already")
                path.parent.mkdir(parents=True, exist_ok=True)
                path.write_bytes(archive.read(name))
    except zipfile.BadZipFile as cause:
        raise WheelRefused(f"{wheel.name} is no whole wheel: {cause}") from cause


def _place(name: str, wheel: str) -> PurePosixPath | None:
    """Where below site-packages a member goes; None if it stays out (PEP 427: *.data/purelib, platlib, scripts, …)."""
    path = PurePosixPath(name)
    if path.is_absolute() or ".." in path.parts:
        raise WheelRefused(f"{wheel} would write outside its folder")
    # Byte code that a wheel brings is replaced when the package is installed: `dpkg --verify` would call it changed.
    # Types (.pyi) are for those who write programs.
    if name.startswith(LEFT_OUT) or path.suffix in _NOT_RUN or _OWN_TESTS in path.parts[:-1]:
        return None
    if path.parts[0].endswith(".data"):
        return PurePosixPath(*path.parts[2:]) if path.parts[1] in _LIBRARY_PLACES else None
    return path


def check(site_packages: Path, target: Target) -> set[str]:
    """The Debian packages that the shared objects below `site_packages` need. Raises WheelRefused."""
    objects = {}
    for path in sorted(site_packages.rglob("*")):
        if path.is_file() and ".so" in path.name:
            content = path.read_bytes()
            if elf.is_elf(content):
                objects[path] = elf.read(content, path.name)
    own = {path.name for path in objects}
    packages = set()
    for path, found in objects.items():
        if found.machine != target.processor.elf:
            raise WheelRefused(f"{path.name} is for another processor than {target.processor.debian}")
        if found.align < PAGE_BYTES[target.processor.debian]:
            raise WheelRefused(f"{path.name} is for pages of {found.align} bytes, too small for this machine")
        for library in set(found.needed) - own:
            package = SYSTEM_LIBRARIES.get(library[: library.find(".so") + 3])
            if package is None:
                raise WheelRefused(f"{path.name} needs {library}, and no package is known to bring it")
            packages.add(package)
    return packages
