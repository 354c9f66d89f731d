"""The real pcscd with a virtual reader (Debian's pcscd and vsmartcard-vpcd), and what lies in its field.

`with pcsc_daemon() as daemon:` starts one of its own, with its own socket and a free port; `daemon.kill()` is a crash,
`daemon.start()` the next start. `Field` is the virtual reader's antenna: `put(process)` holds a card into it.

pcscd keeps its files in one fixed folder. It gets a mount namespace in which another folder lies there, so that neither
a pcscd of this machine nor another test is disturbed; clients find it by PCSCLITE_CSOCK_NAME. libpcsclite reads that
name once in the life of a process, so a process has one folder for all its tests.
"""

from __future__ import annotations

import atexit
import importlib.util
import os
import shutil
import signal
import socket
import subprocess
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path

import pytest

from tests.support.ports import own_port

READER = "Virtual PCD 00 00"
INSTALL = "needs root, pcscd and more: apt-get install --no-install-recommends pcscd vsmartcard-vpcd python3-pyscard"
STARTS_WITHIN_S = 10.0
_SOCKET = "PCSCLITE_CSOCK_NAME"
_FOLDER = "/run/pcscd"  # compiled into pcscd
_DRIVER = Path("/usr/lib/pcsc/drivers/serial/libifdvpcd.so")
# An ATR of a contactless card without historical bytes: T=0 and T=1 offered (PC/SC part 3, 3.1.3.2.3).
ATR = bytes.fromhex("3B80800101")
_OFF, _ASK_ATR = 0, 4
# The namespace begins with every mount of the moment, and keeps a file system in use that another test unmounts.
_LET_GO = "awk '$2 ~ /\\/dw-/ { print $2 }' /proc/self/mounts | while read -r each; do umount -l \"$each\"; done"

Process = Callable[[bytes], bytes]


def have_pcscd() -> bool:
    """Whether everything is there, and this process may give pcscd a mount namespace."""
    programs = all(shutil.which(name, path="/usr/sbin:/sbin:/usr/bin:/bin") for name in ("pcscd", "unshare"))
    return programs and _DRIVER.exists() and os.getuid() == 0 and importlib.util.find_spec("smartcard") is not None


@dataclass(eq=False)
class Daemon:
    """One pcscd; `port` is where its virtual reader waits for a card."""

    folder: Path
    port: int = 0
    process: subprocess.Popen[bytes] | None = None

    @property
    def socket(self) -> Path:
        """Where clients reach it."""
        return self.folder / "run" / "pcscd.comm"

    def start(self) -> None:
        """Start it; clients are served when this returns."""
        for name in ("run", "conf"):
            (self.folder / name).mkdir(exist_ok=True)
        for left in (self.folder / "run").iterdir():
            left.unlink()
        # The driver makes two readers. Other ports each time: the old ones may still be closing.
        self.port = own_port(2)
        (self.folder / "conf" / "vpcd").write_text(
            f'FRIENDLYNAME "Virtual PCD"\nDEVICENAME /dev/null:0x{self.port:X}\n'
            f"LIBPATH {_DRIVER}\nCHANNELID 0x{self.port:X}\n",
            encoding="ascii",
        )
        script = f'{_LET_GO}; mount --bind "$1/run" {_FOLDER} && exec pcscd --foreground --config "$1/conf"'
        Path(_FOLDER).mkdir(exist_ok=True)
        with (self.folder / "log").open("ab") as log:
            self.process = subprocess.Popen(
                ["unshare", "--mount", "--propagation", "private", "sh", "-c", script, "sh", str(self.folder)],
                env={"PATH": "/usr/sbin:/sbin:/usr/bin:/bin"},
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
            )
        ends = time.monotonic() + STARTS_WITHIN_S
        while time.monotonic() < ends:
            assert self.process.poll() is None, (self.folder / "log").read_text()
            with suppress(OSError), socket.socket(socket.AF_UNIX) as client:
                client.connect(str(self.socket))
                return
            os.sched_yield()
        raise AssertionError(f"pcscd did not start within {STARTS_WITHIN_S} s")

    def freeze(self) -> None:
        """It hangs from now on."""
        assert self.process
        self.process.send_signal(signal.SIGSTOP)
        os.waitpid(self.process.pid, os.WUNTRACED)  # returns when it stands still; it is not dead

    def thaw(self) -> None:
        """It goes on."""
        assert self.process
        self.process.send_signal(signal.SIGCONT)

    def kill(self) -> None:
        """It crashes."""
        if self.process is not None:
            self.process.kill()
            self.process.wait()
            self.process = None


@cache
def _home() -> Path:
    folder = Path(tempfile.mkdtemp(prefix="dw-pcsc-"))  # socket names hold 107 bytes
    atexit.register(shutil.rmtree, folder, ignore_errors=True)
    return folder


@contextmanager
def pcsc_daemon() -> Iterator[Daemon]:
    """A pcscd for the time of a `with` block; the test is skipped, with the command to run, where there is none."""
    if not have_pcscd():
        pytest.skip(INSTALL)
    daemon = Daemon(_home())
    os.environ[_SOCKET] = str(daemon.socket)  # reaches the C library through putenv
    try:
        daemon.start()
        yield daemon
    finally:
        daemon.kill()


@dataclass(eq=False)
class Field:
    """What the virtual reader of `daemon` has in front of it: vpcd's other end, over TCP.

    A frame is two bytes of length, big-endian, and that many bytes. A frame of one byte to the card is 0 off, 1 on,
    2 reset, 4 "your ATR?", of which only the last is answered; a longer one is a command APDU.
    """

    daemon: Daemon
    heard: list[bytes] = field(default_factory=list)
    unpowered: threading.Event = field(default_factory=threading.Event)
    _line: socket.socket | None = None
    _thread: threading.Thread | None = None

    def put(self, process: Process) -> None:
        """Hold a card into the field: `process` answers its commands."""
        assert self._line is None, "there is a card already"
        self._line = socket.create_connection(("127.0.0.1", self.daemon.port))
        self._thread = threading.Thread(target=self._serve, args=(self._line, process), daemon=True)
        self._thread.start()

    def take(self) -> None:
        """Take it away."""
        line, self._line = self._line, None
        if line is None or self._thread is None:
            return
        with suppress(OSError):  # pcscd may have gone first
            line.shutdown(socket.SHUT_RDWR)
        self._thread.join(STARTS_WITHIN_S)
        line.close()

    def _serve(self, line: socket.socket, process: Process) -> None:
        with suppress(OSError):
            while (frame := _frame(line)) is not None:
                if len(frame) > 1:
                    self.heard.append(frame)
                    answer = process(frame)
                    line.sendall(len(answer).to_bytes(2, "big") + answer)
                elif frame == bytes([_ASK_ATR]):
                    line.sendall(len(ATR).to_bytes(2, "big") + ATR)
                elif frame == bytes([_OFF]):
                    self.unpowered.set()
                else:
                    self.unpowered.clear()


def _frame(line: socket.socket) -> bytes | None:
    length = _exactly(line, 2)
    return None if length is None else _exactly(line, int.from_bytes(length, "big"))


def _exactly(line: socket.socket, size: int) -> bytes | None:
    data = b""
    while len(data) < size:
        line.setsockopt(socket.IPPROTO_TCP, socket.TCP_QUICKACK, 1)  # vpcd writes twice per frame: 40 ms otherwise
        part = line.recv(size - len(data))
        if not part:
            return None
        data += part
    return data
