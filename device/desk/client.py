"""doorctl's end of the line to the desk.

Rules kept here:
- Every wait has an end, and every way the line can fail has a sentence that says what to do about it.
- What comes from the desk is checked like any message: known, of the right size, and permitted on this edge.
"""

from __future__ import annotations

import socket
import time
from dataclasses import dataclass
from types import TracebackType
from typing import Self

from device import wire
from device.edges import Edge, Room, edges_out_of, permitted
from device.errors import Fault, MessageRefused, NotPermitted
from device.paths import Paths

CONNECT_TIMEOUT_S = 2.0
_AGAIN_S = 0.02
EDGE: Edge = edges_out_of(Room.DOORCTL)[0]


class DeskFault(Fault, ConnectionError):
    """The desk cannot be reached, went away or did not answer in time."""


@dataclass(slots=True)
class DeskLine:
    """A connection to the desk, closed by `with`."""

    sock: socket.socket

    @classmethod
    def open(cls, paths: Paths) -> Self:
        """Connect to the desk of the door below `paths`. Raises DeskFault or NotPermitted."""
        path = paths.socket(Room.DESK, Room.DOORCTL)
        sock = socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        sock.settimeout(CONNECT_TIMEOUT_S)
        try:
            _connect(sock, str(path))
        except BlockingIOError as cause:
            sock.close()
            msg = "too many command lines wait for this door at once; please try again"
            raise DeskFault(msg) from cause
        except PermissionError as cause:
            sock.close()
            msg = "only the installer may speak to this door; try again with sudo"
            raise NotPermitted(msg) from cause
        except OSError as cause:
            # Not there, nobody listening, or too long a path: for a person it is one thing.
            sock.close()
            msg = f"no door is running here (nobody answers at {path})"
            raise DeskFault(msg) from cause
        return cls(sock)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, tb: TracebackType | None) -> None:
        self.sock.close()

    def send(self, msg: wire.Message) -> None:
        """Ask the desk something. Raises DeskFault."""
        try:
            self.sock.send(wire.pack(msg))
        except OSError as cause:
            raise _hung_up() from cause

    def receive(self, timeout_s: float) -> wire.Message | None:
        """The desk's next message, or None if nothing comes in `timeout_s`. Raises DeskFault or MessageRefused."""
        self.sock.settimeout(max(timeout_s, 0.001))  # 0 would mean: do not wait at all, with another error
        try:
            data = self.sock.recv(wire.MAX_DATAGRAM)
        except TimeoutError:
            return None
        except OSError as cause:
            raise _hung_up() from cause
        if not data:
            raise _hung_up()
        msg = wire.unpack(data)
        if type(msg) not in permitted(EDGE, Room.DESK):
            text = f"the desk sent {type(msg).__name__}, which it must not"
            raise MessageRefused(text)
        return msg

    def ask(self, msg: wire.Message, timeout_s: float) -> wire.Message:
        """The desk's answer to `msg`. Raises DeskFault if there is none in time."""
        self.send(msg)
        answer = self.receive(timeout_s)
        if answer is None:
            raise too_late()
        return answer

    def idle(self, seconds: float) -> None:
        """Wait, but notice at once when the desk goes away. Raises DeskFault."""
        ends = time.monotonic() + seconds
        while (left := ends - time.monotonic()) > 0:
            self.receive(left)


def _connect(sock: socket.socket, path: str) -> None:
    """Connect, and wait where many call at once: with its queue full a socket says "try again" and nothing else."""
    ends = time.monotonic() + CONNECT_TIMEOUT_S
    while True:
        try:
            return sock.connect(path)
        except BlockingIOError:
            if time.monotonic() >= ends:
                raise
        time.sleep(_AGAIN_S)


def too_late() -> DeskFault:
    """The error for an answer that did not come in time."""
    return DeskFault("the door did not answer in time; `doorctl status` says which part is missing")


def _hung_up() -> DeskFault:
    return DeskFault(
        "the door closed the line: it was restarted, hears too many command lines, or this user may not (try sudo)"
    )
