"""A software TPM (Debian's swtpm) in a folder of its own, and a wire to it that a test can listen to, stall or cut.

`with software_tpm() as tpm:` starts one; `tpm.kill()` is a power cut, `tpm.start()` the next boot with the same memory.
`with Wire(tpm) as wire:` stands between: give `wire.tcti` to whoever shall use it.
"""

import os
import shutil
import socket
import subprocess
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Self

import pytest

from device.sealing.tpm_tool import PROGRAM

INSTALL = "needs swtpm and tpm2-tools: apt-get install --no-install-recommends swtpm tpm2-tools"
STARTS_WITHIN_S = 10.0
NV_WRITE = 0x00000137  # TPM 2.0 Library, part 2, TPM_CC
_HEADER_BYTES = 10  # tag (u16), size (u32), command or response code (u32), all big-endian


def have_swtpm() -> bool:
    """Whether both programs are there."""
    return shutil.which("swtpm") is not None and Path(PROGRAM).exists()


@dataclass(eq=False)
class SoftwareTpm:
    """One TPM. Its non-volatile memory is `folder`/state."""

    folder: Path
    process: subprocess.Popen[bytes] | None = None

    @property
    def tcti(self) -> str:
        """How tpm2-tools reach it."""
        return f"swtpm:path={self.folder}/tpm"

    def start(self) -> None:
        """Switch it on; ready when this returns."""
        (self.folder / "state").mkdir(exist_ok=True)
        server, control = self.folder / "tpm", self.folder / "tpm.ctrl"
        for path in (server, control):
            path.unlink(missing_ok=True)
        with (self.folder / "log").open("ab") as log:
            self.process = subprocess.Popen(
                [
                    *("swtpm", "socket", "--tpm2", "--tpmstate", f"dir={self.folder}/state"),
                    *("--server", f"type=unixio,path={server}", "--ctrl", f"type=unixio,path={control}"),
                    *("--flags", "not-need-init,startup-clear"),
                ],
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
            )
        ends = time.monotonic() + STARTS_WITHIN_S
        while time.monotonic() < ends:
            assert self.process.poll() is None, (self.folder / "log").read_text()
            with suppress(OSError), _connected(server):
                return
            os.sched_yield()
        message = f"swtpm did not start within {STARTS_WITHIN_S} s"
        raise AssertionError(message)

    def kill(self) -> None:
        """The power goes."""
        if self.process is not None:
            self.process.kill()
            self.process.wait()
            self.process = None

    def tool(self, *words: str) -> subprocess.CompletedProcess[bytes]:
        """What another program with access to the TPM does: `tpm2 WORDS`."""
        return subprocess.run([PROGRAM, *words, "-T", self.tcti], capture_output=True, env={}, timeout=20, check=False)


@contextmanager
def software_tpm(*, started: bool = True) -> Iterator[SoftwareTpm]:
    """A new TPM for the time of a `with` block; the test is skipped, with the command to run, if there is no swtpm."""
    if not have_swtpm():
        pytest.skip(INSTALL)
    folder = Path(tempfile.mkdtemp(prefix="dw-tpm-"))  # socket names hold 107 bytes
    tpm = SoftwareTpm(folder)
    try:
        if started:
            tpm.start()
        yield tpm
    finally:
        tpm.kill()
        shutil.rmtree(folder, ignore_errors=True)


def passing(_command: bytes) -> bool:
    """Every command reaches the TPM."""
    return True


@dataclass(eq=False)
class Wire:
    """Everything between the tools and `tpm` passes here and is kept in `seen`.

    `before` and `after` are called with each command, and after its answer came; if one returns False nothing passes
    any more, and the line stays up until the program hangs up, or goes down with the TPM if that was killed.
    """

    tpm: SoftwareTpm
    before: Callable[[bytes], bool] = passing
    after: Callable[[bytes], bool] = passing
    seen: list[bytes] = field(default_factory=list)
    _listeners: list[socket.socket] = field(default_factory=list)
    _threads: list[threading.Thread] = field(default_factory=list)

    @property
    def tcti(self) -> str:
        """How tpm2-tools reach the TPM through this wire."""
        return f"swtpm:path={self.tpm.folder}/wire"

    @property
    def codes(self) -> list[int]:
        """The command codes seen, in order."""
        return [code_of(each) for each in self.seen[::2]]

    def __enter__(self) -> Self:
        for name, serve in (("wire", self._serve), ("wire.ctrl", self._serve_control)):
            listener = socket.socket(socket.AF_UNIX)
            listener.bind(str(self.tpm.folder / name))
            listener.listen()
            self._listeners.append(listener)
            self._threads.append(threading.Thread(target=self._accept, args=(listener, serve), daemon=True))
            self._threads[-1].start()
        return self

    def __exit__(self, *_: object) -> None:
        for listener in self._listeners:
            listener.shutdown(socket.SHUT_RDWR)
        for thread in self._threads:
            thread.join(STARTS_WITHIN_S)
        for listener in self._listeners:
            listener.close()
        for name in ("wire", "wire.ctrl"):
            (self.tpm.folder / name).unlink()

    def _accept(self, listener: socket.socket, serve: Callable[[socket.socket], None]) -> None:
        while True:
            try:
                client, _ = listener.accept()
            except OSError:
                return
            with client, suppress(OSError):
                serve(client)

    def _serve(self, client: socket.socket) -> None:
        with _connected(self.tpm.folder / "tpm") as tpm:
            while command := _packet(client):
                self.seen.append(command)
                alive = self.before(command)
                answer = _exchange(tpm, command) if alive else b""
                self.seen.append(answer)
                if not alive or not self.after(command):
                    if self.tpm.process is not None:
                        client.recv(1)  # returns when the program has hung up, or was killed
                    return
                client.sendall(answer)

    def _serve_control(self, client: socket.socket) -> None:
        with _connected(self.tpm.folder / "tpm.ctrl") as tpm:
            while command := client.recv(4096):
                tpm.sendall(command)
                client.sendall(tpm.recv(4096))


def code_of(command: bytes) -> int:
    """The command code of a command."""
    return int.from_bytes(command[6:_HEADER_BYTES], "big")


def _exchange(tpm: socket.socket, command: bytes) -> bytes:
    tpm.sendall(command)
    return _packet(tpm)


def _packet(sock: socket.socket) -> bytes:
    """One command or answer; empty when the other side hung up."""
    data = b""
    while len(data) < _HEADER_BYTES or len(data) < int.from_bytes(data[2:6], "big"):
        part = sock.recv(4096)
        if not part:
            return b""
        data += part
    return data


@contextmanager
def _connected(path: Path) -> Iterator[socket.socket]:
    with socket.socket(socket.AF_UNIX) as sock:
        sock.connect(str(path))
        yield sock
