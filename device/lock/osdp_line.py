"""The serial line to an OSDP reader, as the channel that libosdp reads and writes.

Rules kept here:
- Nothing here waits and nothing raises into libosdp: a line that is gone is `lost`, and reads empty until it is opened
  again.
- The line is ours alone (TIOCEXCL), raw, eight bits without parity.
- Whatever comes in goes through the `Gate`; what lay on the line before a command is no answer to it.
"""

from __future__ import annotations

import fcntl
import os
import termios
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field

from device.lock.osdp_frames import Gate

_READ_BYTES = 512
_ISPEED, _OSPEED, _CC = 4, 5, 6  # of the list of termios.tcgetattr; four words of flags come first


@dataclass(eq=False)
class SerialLine:
    """The line at `path`. `read`, `write` and `flush` are libosdp's; `secured` says whether its channel is secure."""

    path: str
    baud: int
    gate: Gate
    secured: Callable[[], bool]
    clock: Callable[[], float]
    heard_s: float = float("-inf")  # when the reader last answered with something that may go on
    wrote_s: float = float("-inf")
    lost: str = "the line is not open"  # why, empty while it is open
    id: int = 0  # libosdp asks for it, to tell shared lines apart
    _fd: int | None = field(default=None, repr=False)

    @property
    def fd(self) -> int | None:
        """Readable when the reader said something; None while the line is not open."""
        return self._fd

    def open(self) -> None:
        """Open and set up the line. Raises OSError."""
        self.close()
        fd = os.open(self.path, os.O_RDWR | os.O_NOCTTY | os.O_NONBLOCK | os.O_CLOEXEC)
        try:
            _set_up(fd, self.baud)
        except (OSError, termios.error) as cause:
            os.close(fd)
            raise OSError(*cause.args) from cause
        self._fd, self.lost = fd, ""
        self.wrote_s = self.heard_s = self.clock()

    def close(self) -> None:
        """Give the line back."""
        if self._fd is not None:
            with suppress(OSError):
                os.close(self._fd)
        self._fd, self.lost = None, "the line is not open"

    # ---- what libosdp calls

    def read(self, max_bytes: int) -> bytes:
        """The next bytes of a frame that may go on, or nothing."""
        if self._fd is None or self.lost:
            return b""
        try:
            content = os.read(self._fd, _READ_BYTES)
        except BlockingIOError:
            content = b""
        except OSError as cause:
            self.lost = cause.strerror or "it cannot be read"
            return b""
        else:
            if not content:
                self.lost = "it hung up"
                return b""
        frame = self.gate.take(content, max_bytes, secured=self.secured())
        if frame:
            self.heard_s = self.clock()
        return frame

    def write(self, content: bytes) -> int:
        """Send a command. What does not fit at once is given up; libosdp sends it again."""
        self.flush()
        self.gate.asked()
        self.wrote_s = self.clock()
        if self._fd is None or self.lost:
            return len(content)
        try:
            return os.write(self._fd, content)
        except BlockingIOError:
            return 0
        except OSError as cause:
            self.lost = cause.strerror or "it cannot be written"
            return 0

    def flush(self) -> None:
        """Forget what lies on the line."""
        if self._fd is not None and not self.lost:
            with suppress(termios.error, OSError):
                termios.tcflush(self._fd, termios.TCIFLUSH)


def _set_up(fd: int, baud: int) -> None:
    fcntl.ioctl(fd, termios.TIOCEXCL)
    mode = termios.tcgetattr(fd)
    speed = getattr(termios, f"B{baud}")
    mode[:_ISPEED] = [0, 0, termios.CS8 | termios.CREAD | termios.CLOCAL, 0]
    mode[_ISPEED] = mode[_OSPEED] = speed
    # At least one byte a read: a read of none then means that the line hung up, not that nothing came.
    mode[_CC][termios.VMIN], mode[_CC][termios.VTIME] = 1, 0
    termios.tcsetattr(fd, termios.TCSANOW, mode)
    termios.tcflush(fd, termios.TCIOFLUSH)
