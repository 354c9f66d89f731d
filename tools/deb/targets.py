"""What packages are made for: releases of Debian or Ubuntu, and processors.

Rules kept here:
- A package fits one Python, because its compiled wheels do; it says so in its dependencies and in its version.
- Nothing from a wheel may need a newer C library than the release has.

glibc and Python of each release: its packages libc6 and python3 (bookworm: 2.36, 3.11; trixie: 2.41, 3.13; noble, which
JetPack 7 is made from: 2.39, 3.12). The wheels are asked for up to manylinux_2_34 in all of them: no wheel of
ours needs a newer one, and every release has it.
"""

from __future__ import annotations

from dataclasses import dataclass

_OLDEST_GLIBC = 5
_NEWEST_GLIBC = 34


@dataclass(frozen=True, slots=True)
class Release:
    """A release of Debian and of Raspberry Pi OS, which is made from it; or of Ubuntu, from which JetPack is made."""

    name: str
    python: str  # as in /usr/bin/python3.11
    suffix: str  # of the package's version: below any package of the next release
    raspberry_pi: bool  # whether there is a Raspberry Pi OS of it

    @property
    def abi(self) -> str:
        """As wheels write this Python."""
        return f"cp{self.python.replace('.', '')}"

    @property
    def next_python(self) -> str:
        """The first Python that the wheels do not fit."""
        major, minor = self.python.split(".")
        return f"{major}.{int(minor) + 1}"


@dataclass(frozen=True, slots=True)
class Processor:
    """A processor as Debian, wheels and ELF files call it."""

    debian: str
    wheels: str
    elf: int  # e_machine (System V ABI, supplements for x86-64 and AArch64)

    @property
    def platforms(self) -> tuple[str, ...]:
        """The platform tags whose wheels run on a door, newest first (PEP 600, with the older names of PEP 599)."""
        by_glibc = [f"manylinux_2_{minor}_{self.wheels}" for minor in range(_NEWEST_GLIBC, _OLDEST_GLIBC - 1, -1)]
        return (*by_glibc, *(f"manylinux{year}_{self.wheels}" for year in ("2014", "2010", "1")))


_RELEASES = (
    Release("bookworm", "3.11", "~deb12", raspberry_pi=True),
    Release("trixie", "3.13", "~deb13", raspberry_pi=True),
    Release("noble", "3.12", "~ubuntu24.04", raspberry_pi=False),
)
RELEASES = {each.name: each for each in _RELEASES}
PROCESSORS = {each.debian: each for each in (Processor("amd64", "x86_64", 62), Processor("arm64", "aarch64", 183))}


@dataclass(frozen=True, slots=True)
class Target:
    """What one package is for."""

    release: Release
    processor: Processor

    @property
    def name(self) -> str:
        """As in the name of its lock, requirements/device-<name>.txt."""
        return f"{self.release.name}-{self.processor.debian}"

    def version(self, project: str) -> str:
        """The package's version for the project's: 0.1.0~deb12."""
        return f"{project}{self.release.suffix}"
