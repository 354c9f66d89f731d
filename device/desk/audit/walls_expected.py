"""What each room may open and make: the walls as this audit expects them, written down a second time.

Rules kept here:
- Nothing is read from a unit: a unit that permits more than this is what the audit is there to find.
- A device is known by the class in which the kernel lists it (/sys/dev), not by its name. What has no class here is
  nobody's.
- Of a class that a room is let through to by kind (keypads, serial lines) it may still open only the one that door.toml
  names.

Two things systemd lets through by itself, and both stay shut by their owner and mode: the clock, for reading
(ProtectClock=), and a TPM, where a credential is handed over that one might have sealed (LoadCredentialEncrypted=).
Source: systemd.exec(5), systemd.resource-control(5) on DevicePolicy=closed.
"""

from __future__ import annotations

import os
import stat
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from device.config.tables import Config
from device.desk.network.permitted import Board, Called, Place, permitted
from device.edges import Room

NETWORKED: Final = frozenset({Room.REPORT})
FAMILIES: Final = frozenset({"AF_INET", "AF_INET6"})  # of a room that is networked
# Everybody's: they hold nothing and do nothing.
COMMON: Final = frozenset({"null", "zero", "full", "random", "urandom", "tty", "ptmx"})
_SKIPPED: Final = frozenset(
    {"pts", "shm", "mqueue", "hugepages", "fd"}
)  # folders of /dev without device nodes of its own
_CAMERA: Final = frozenset({"video4linux", "media", "dma_heap"})
_LINES: Final = frozenset({"gpio"})
_TPM: Final = frozenset({"tpm", "tpmrm"})
_CLOCK: Final = "rtc"
_HANDED_KEYS: Final = frozenset({Room.VAULT, Room.KEEPER, Room.LOCK})


@dataclass(frozen=True, slots=True)
class Node:
    """A device node, and the class in which the kernel lists it; empty if it lists it in none."""

    path: str
    kind: str


@dataclass(frozen=True, slots=True)
class Expected:
    """What door.toml lets the rooms open and wait at; without a readable one, what every door has."""

    keypad: str = ""
    line: str = ""
    tpm: str = ""
    tpm_rooms: frozenset[Room] = frozenset()
    page: Called | None = None

    @classmethod
    def of(cls, config: Config | None) -> Expected:
        """From the settings of this door."""
        if config is None:
            return cls()
        by_tpm = {Room.VAULT: config.vault.key_store, Room.KEEPER: config.keeper.key_store}
        tcti = config.tpm.tcti
        return cls(
            keypad=os.path.realpath(config.lock.keypad) if config.lock.keypad else "",
            line=os.path.realpath(config.lock.osdp) if config.lock.osdp else "",
            tpm=os.path.realpath(tcti.removeprefix("device:")) if tcti.startswith("device:") else "",
            tpm_rooms=frozenset(room for room, kept in by_tpm.items() if kept == "tpm-nv"),
            page=permitted("", Board(), config.page).page,
        )

    def may_wait(self, room: Room, near: Place) -> bool:
        """Whether a process of `room` may wait for calls of the network there: desk at its page, or nobody."""
        return room is Room.DESK and self.page is not None and self.page.at(near)

    def may_open(self, room: Room, node: Node) -> bool:
        """Whether a process of `room` may open it."""
        if Path(node.path).name in COMMON:
            return True
        if room is Room.EYE:
            return node.kind in _CAMERA
        if room is Room.LOCK:
            return node.kind in _LINES or node.path in {self.keypad, self.line} - {""}
        return room in self.tpm_rooms and node.path == self.tpm

    def may_pass(self, room: Room, node: Node) -> bool:
        """Whether the control group of `room` may let it through; owner and mode are another wall."""
        if self.may_open(room, node) or node.kind == _CLOCK:
            return True
        if room is Room.LOCK and (
            (node.kind == "input" and self.keypad)
            or (node.kind == "tty" and self.line and _series(node.path) == _series(self.line))
        ):
            return True
        return room in _HANDED_KEYS and node.kind in _TPM

    def groups(self, room: Room, tss: frozenset[int]) -> frozenset[int]:
        """Groups beside its own that `room` may be in; `tss` are those that a TPM belongs to."""
        return tss if room in self.tpm_rooms else frozenset()


def nodes(dev: Path = Path("/dev"), sysfs: Path = Path("/sys")) -> Iterator[Node]:
    """Every device node of the machine."""
    for folder, below, names in os.walk(dev):
        if Path(folder) == dev:
            below[:] = [each for each in below if each not in _SKIPPED]
        for name in names:
            path = os.path.join(folder, name)  # noqa: PTH118 - thousands of them
            found = os.lstat(path)
            if stat.S_ISCHR(found.st_mode) or stat.S_ISBLK(found.st_mode):
                yield Node(path, _kind(found, sysfs))


def _series(path: str) -> str:
    return path.rstrip("0123456789")


def _kind(found: os.stat_result, sysfs: Path) -> str:
    number = f"{os.major(found.st_rdev)}:{os.minor(found.st_rdev)}"
    folder = "block" if stat.S_ISBLK(found.st_mode) else "char"
    try:
        return (sysfs / "dev" / folder / number / "subsystem").readlink().name
    except OSError:
        return ""
