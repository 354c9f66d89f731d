"""What a hostile broker could send, for a client that is given bytes and no network.

Both sides of a broker, the door (`device.report.guarded`) and the manager (`provisioning.line`), are tried with it.
"""

from __future__ import annotations


class Bytes:
    """A socket that has received these bytes and no more."""

    def __init__(self, data: bytes) -> None:
        self.data = data

    def recv(self, buffer_size: int) -> bytes:
        if not self.data:
            raise BlockingIOError
        got, self.data = self.data[:buffer_size], self.data[buffer_size:]
        return got

    def send(self, buffer: bytes | bytearray) -> int:
        return len(buffer)

    def setblocking(self, flag: bool) -> None:
        pass

    def fileno(self) -> int:
        return -1

    def close(self) -> None:
        self.data = b""


def too_long(longest: int) -> bytes:
    """A PUBLISH that is one byte longer than the `longest` packet that is taken, and the first bytes of it."""
    size = longest + 1
    return bytes((0x32, size & 0x7F | 0x80, size >> 7)) + b"x" * 100
