"""A disk that forgets: the files port in memory, with a power cut before any step and every loss a real disk may show.

What was not synced may be kept, lost or torn, each name and each file on its own. That is harsher than ext4, which
keeps names in order.
"""

from __future__ import annotations

import random
from dataclasses import dataclass, field
from enum import Enum, auto
from pathlib import Path

from device.errors import StoreFault


class PowerCut(BaseException):
    """The power is gone: not an error anybody may handle."""


class Loss(Enum):
    """What becomes of everything that was not synced."""

    ALL = auto()
    NOTHING = auto()
    SOME = auto()


@dataclass(eq=False)
class Inode:
    data: bytes = b""
    durable: bytes = b""


@dataclass(frozen=True)
class NameChange:
    """One step in a folder; `source` loses its name, `target` gets `inode`."""

    source: Path | None
    target: Path | None
    inode: Inode


@dataclass
class SimulatedDisk:
    """`cut_at`: the step before which the power goes; `full`: no write of new contents succeeds any more."""

    cut_at: int | None = None
    full: bool = False
    steps: int = 0
    _names: dict[Path, Inode] = field(default_factory=dict)
    _durable_names: dict[Path, Inode] = field(default_factory=dict)
    _pending: list[NameChange] = field(default_factory=list)

    # ---- the port

    def prepare(self, folder: Path) -> None:
        """Folders are always there."""

    def names(self, folder: Path) -> list[str]:
        return [path.name for path in self._names if path.parent == folder]

    def read(self, path: Path | str) -> bytes | None:
        inode = self._names.get(Path(path))
        return None if inode is None else inode.data

    def write(self, path: Path, data: bytes) -> None:
        self._step()
        if self.full:
            raise StoreFault(f"the file {path.name} cannot be written: No space left on device")
        inode = self._names.get(path)
        if inode is None:
            inode = Inode()
            self._change(NameChange(None, path, inode))
        inode.data = b""
        self._step()
        inode.data = data[: len(data) // 2]
        self._step()
        inode.data = data

    def sync(self, *paths: Path) -> None:
        for path in paths:
            self._step()
            inode = self._names.get(path)
            if inode is None:
                raise StoreFault(f"the file {path.name} cannot be synced: No such file or directory")
            inode.durable = inode.data

    def rename(self, source: Path, target: Path) -> None:
        self._step()
        inode = self._names.get(source)
        if inode is None:
            raise StoreFault(f"the file {target.name} cannot be replaced: No such file or directory")
        self._change(NameChange(source, target, inode))

    def sync_folder(self, folder: Path) -> None:
        self._step()
        self._durable_names = dict(self._names)
        self._pending = []

    def hold(self, path: Path) -> SimulatedHold | None:
        inode = self._names.get(path)
        return None if inode is None else SimulatedHold(self, inode)

    def unlink(self, path: Path) -> None:
        self._step()
        inode = self._names.get(path)
        if inode is not None:
            self._change(NameChange(path, None, inode))

    # ---- what a test may ask and do

    def all_names(self) -> set[str]:
        return {path.name for path in self._names}

    def after_power_cut(self, loss: Loss, seed: int) -> SimulatedDisk:
        """The disk as the next boot finds it."""
        rng = random.Random(seed)
        names = dict(self._durable_names)
        for change in self._pending:
            if loss is Loss.NOTHING or (loss is Loss.SOME and rng.random() < 0.5):
                _apply(change, names)
        copies: dict[Inode, Inode] = {}
        for inode in names.values():
            left = _what_is_left(inode, loss, rng)
            copies.setdefault(inode, Inode(left, left))
        names = {path: copies[inode] for path, inode in names.items()}
        return SimulatedDisk(_names=names, _durable_names=dict(names))

    def _step(self) -> None:
        if self.cut_at is not None and self.steps >= self.cut_at:
            raise PowerCut
        self.steps += 1

    def _change(self, change: NameChange) -> None:
        self._pending.append(change)
        _apply(change, self._names)


@dataclass
class SimulatedHold:
    disk: SimulatedDisk
    inode: Inode

    def overwrite(self) -> None:
        self.disk._step()
        self.inode.data = bytes(len(self.inode.data))

    def sync(self) -> None:
        self.disk._step()
        self.inode.durable = self.inode.data

    def close(self) -> None:
        """Nothing to let go of."""


def _apply(change: NameChange, names: dict[Path, Inode]) -> None:
    if change.source:
        names.pop(change.source, None)
    if change.target:
        names[change.target] = change.inode


def _what_is_left(inode: Inode, loss: Loss, rng: random.Random) -> bytes:
    if loss is Loss.NOTHING:
        return inode.data
    if loss is Loss.ALL or inode.data == inode.durable:
        return inode.durable
    cut = rng.randrange(len(inode.data) + 1)
    return rng.choice([inode.data, inode.durable, inode.data[:cut] + inode.durable[cut:]])
