"""What the emulated processor stands on: Debian's Python for arm64, the wheels of both runtimes, the counter.

Rules kept here:
- Packages are unpacked and never installed: nothing of another processor is configured, and this computer's apt and
  Python stay as they are.
- Wheels come by the hashes of the project's own locks.
- A runtime is counted with the numpy of the same release, the one that tflite-runtime needs.
"""

from __future__ import annotations

import re
from pathlib import Path
from typing import Final

from device.eye.runtime import Runtime
from tools.arm64.processors import PROCESSORS, Processor
from tools.deb import wheels
from tools.deb.targets import PROCESSORS as MACHINES
from tools.deb.targets import RELEASES, Target
from tools.vm import host
from tools.vm.say import VmFault, step

TARGET: Final = Target(RELEASES["bookworm"], MACHINES["arm64"])
# Program -> Debian package. `qemu-aarch64` is not `qemu-aarch64-static`: only the first loads plugins.
NEEDED: Final = {"qemu-aarch64": "qemu-user", "gcc": "gcc", "dpkg-deb": "dpkg", "apt-get": "apt"}
LOCK: Final = host.CHECKOUT / "requirements" / "dev.txt"
PACKAGES: Final = ("python3.11-minimal", "libpython3.11-stdlib", "libstdc++6", "libffi8")
# What each runtime imports. flatbuffers, protobuf and the rest are what LiteRT's wheel asks for.
WHEELS: Final = {
    Runtime.TFLITE: ("tflite-runtime", "numpy"),
    Runtime.LITERT: (
        "ai-edge-litert",
        "backports-strenum",
        "flatbuffers",
        "ml-dtypes",
        "numpy",
        "protobuf",
        "tqdm",
        "typing-extensions",
    ),
}
_KEYRING: Final = "/usr/share/keyrings/debian-archive-keyring.gpg"
_PINNED: Final = re.compile(r"^(?P<name>[a-z0-9-]+)==(?P<version>\S+)(?: ; (?P<marker>[^\\]*))? \\$")
_NOT_HERE: Final = re.compile(r"python_(?:full_)?version >=")  # of two versions, the one for a newer Python


def root(processor: Processor) -> Path:
    """The folder that `processor` takes for /. Raises VmFault."""
    debian = host.kept("arm64-debian", host.digest([*PACKAGES, TARGET.release.name, Path(__file__)]), _debian)
    place = debian / "roots" / processor.name
    if not place.is_dir():
        raise VmFault(f"there is no root for {processor.name} in the cache; remove {debian} and start again")
    return place


def site(runtime: Runtime) -> Path:
    """The folder with the wheels of `runtime` for arm64. Raises VmFault, FetchFault."""

    def unpacked(into: Path) -> None:
        with step(f"fetching {runtime} for arm64"):
            into.mkdir()
            lock = into / "lock.txt"
            lock.write_text(locked(LOCK.read_text(encoding="utf-8"), WHEELS[runtime]), encoding="utf-8")
            for wheel in wheels.fetch(TARGET, lock, into / "wheels"):
                wheels.unpack(wheel, into / "site")

    key = host.digest([LOCK, *WHEELS[runtime], Path(__file__)])
    return host.kept(f"arm64-{runtime}", key, unpacked) / "site"


def counter() -> Path:
    """The plugin, compiled. Raises VmFault."""
    source = Path(__file__).with_name("count.c")

    def compiled(into: Path) -> None:
        host.run(
            "arm64", ["gcc", "-O2", "-Wall", "-Wextra", "-Werror", "-shared", "-fPIC", "-o", str(into), str(source)]
        )

    return host.kept("arm64-counter", host.digest([source]), compiled)


def locked(lock: str, names: tuple[str, ...]) -> str:
    """The lines of `lock` that pin `names`, with their hashes, for Python 3.11. Raises VmFault if one is missing."""
    kept: list[str] = []
    found: set[str] = set()
    wanted = False
    for line in lock.splitlines():
        if not line.startswith((" ", "#")):
            pin = _PINNED.match(line)
            wanted = pin is not None and pin["name"] in names and not _NOT_HERE.search(pin["marker"] or "")
            if pin and wanted:
                found.add(pin["name"])
                kept.append(f"{pin['name']}=={pin['version']} \\")
        elif wanted and line.lstrip().startswith("--hash="):
            kept.append(line)
    if missing := sorted(set(names) - found):
        raise VmFault(f"requirements/dev.txt pins no {missing[0]}")
    return "\n".join(kept) + "\n"


def _debian(into: Path) -> None:
    with step("fetching Debian's Python for arm64"):
        state, base = into / "apt", into / "base"
        for each in ("lists/partial", "cache/archives/partial"):
            (state / each).mkdir(parents=True)
        (state / "status").touch()
        source = f"deb [arch=arm64 signed-by={_KEYRING}] {host.mirror()} {TARGET.release.name} main\n"
        (state / "sources.list").write_text(source, encoding="utf-8")
        settings = {
            "APT::Architecture": "arm64",
            "APT::Architectures": "arm64",
            "APT::Sandbox::User": "root",
            "Dir::State": state,
            "Dir::State::lists": state / "lists",
            "Dir::State::status": state / "status",
            "Dir::Cache": state / "cache",
            "Dir::Etc::sourcelist": state / "sources.list",
            "Dir::Etc::sourceparts": "/dev/null",
        }
        apt = ["apt-get", *(f"-o{name}={value}" for name, value in settings.items()), "-qq"]
        host.run("arm64", [*apt, "update"])
        host.run("arm64", [*apt, "--yes", "--download-only", "--no-install-recommends", "install", *PACKAGES])
        base.mkdir()
        for package in sorted((state / "cache" / "archives").glob("*.deb")):
            host.run("arm64", ["dpkg-deb", "-x", str(package), str(base)])
        host.remove(state)
        for processor in PROCESSORS:
            _root(into / "roots" / processor.name, processor, base)


def _root(place: Path, processor: Processor, base: Path) -> None:
    (place / "proc").mkdir(parents=True)
    (place / "proc" / "cpuinfo").write_text(processor.cpuinfo(), encoding="ascii")
    for each in base.iterdir():
        # Relative, because the folder is renamed when it is whole.
        (place / each.name).symlink_to(Path("..", "..", base.name, each.name))
