"""The places an epoch key can live in, for one suite: a new one, the next boot, and every way to lose the power."""

import itertools
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Protocol

from device.errors import KeyFault
from device.sealing.keys import FileKeyStore, KeyStore
from device.sealing.tpm import Index, Tpm, TpmNvKeyStore
from tests.support.swtpm import NV_WRITE, SoftwareTpm, Wire, code_of, software_tpm
from tests.unit.sealing.simulated_disk import Loss, PowerCut, SimulatedDisk

ROOT_KEY = b"r" * 32
OTHER_ROOT_KEY = b"w" * 32
ATTEMPTS = 8  # power cuts at a moment nobody chose; the chosen moments come first


class Place(Protocol):
    """One door's place for its epoch key. `state` is the room's folder on the disk."""

    state: Path

    def keys(self, root_key: bytes = ROOT_KEY) -> KeyStore:
        """The key store of the process that runs now."""

    def boot(self) -> None:
        """Power off, power on."""

    def interrupted(self, old: bytes, new: bytes) -> Iterator[tuple[str, bytes | None]]:
        """Replace `old` by `new` and lose the power, at one moment after another: the moment, the key found then."""


@dataclass
class FilePlace:
    """A file under a root key."""

    state: Path

    def keys(self, root_key: bytes = ROOT_KEY) -> KeyStore:
        return FileKeyStore(self.state / "epoch.key", root_key)

    def boot(self) -> None:
        """The disk keeps what was synced."""

    def interrupted(self, old: bytes, new: bytes) -> Iterator[tuple[str, bytes | None]]:
        for loss, at in itertools.product(Loss, range(20)):
            disk = SimulatedDisk()
            FileKeyStore(self.state / "epoch.key", ROOT_KEY, disk).replace(old)
            disk.cut_at = disk.steps + at
            with suppress(PowerCut):
                FileKeyStore(self.state / "epoch.key", ROOT_KEY, disk).replace(new)
            disk.cut_at = None
            after = disk.after_power_cut(loss, at)
            yield f"before step {at}", FileKeyStore(self.state / "epoch.key", ROOT_KEY, after).load()


@dataclass
class TpmPlace:
    """An index of a TPM."""

    state: Path
    tpm: SoftwareTpm
    command_s: float = 3.0
    index: Index = field(default=Index.VAULT)

    def keys(self, root_key: bytes = ROOT_KEY, tcti: str = "") -> KeyStore:
        return TpmNvKeyStore(Tpm(tcti or self.tpm.tcti, command_s=self.command_s), self.index, root_key)

    def boot(self) -> None:
        self.tpm.kill()
        self.tpm.start()

    def interrupted(self, old: bytes, new: bytes) -> Iterator[tuple[str, bytes | None]]:
        self.keys().replace(old)
        with Wire(self.tpm, before=self._cut_at_write) as wire:
            yield "before the write reaches the TPM", self._found_after(wire.tcti, new)
        self.keys().replace(old)
        with Wire(self.tpm, after=self._cut_at_write) as wire:
            yield "before the TPM's answer arrives", self._found_after(wire.tcti, new)
        for attempt in range(ATTEMPTS):
            self.keys().replace(old)
            timer = threading.Timer(attempt * 0.02 / ATTEMPTS, self.tpm.kill)
            timer.start()
            found = self._found_after(self.tpm.tcti, new, timer.join)
            yield f"at some moment ({attempt})", found

    def _found_after(self, tcti: str, new: bytes, cut: Callable[[], None] = lambda: None) -> bytes | None:
        with suppress(KeyFault):
            self.keys(tcti=tcti).replace(new)
        cut()
        self.boot()
        return self.keys().load()

    def _cut_at_write(self, command: bytes) -> bool:
        if code_of(command) != NV_WRITE:
            return True
        self.tpm.kill()
        return False


@contextmanager
def place(kind: str, folder: Path) -> Iterator[Place]:
    """A new door's place, "file" or "tpm-nv", with its state below `folder`; skipped where there is no swtpm."""
    if kind == "file":
        yield FilePlace(folder / "state")
    else:
        with software_tpm() as tpm:
            yield TpmPlace(folder / "state", tpm)
