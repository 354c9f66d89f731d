"""A neighbour of lock that says yes at once: `python -m tools.benchmark.stand_in vault|keeper|echo FD...`.

Rules kept here:
- vault and keeper stand in the frame of every room (`device.service`): sockets handed over, peers and messages checked
  against the edges, one selector. Only what they would reckon is left out: no network's numbers are compared, no PIN is
  stretched, nothing is written. keeper comes first, as the real one does.
- `echo` is the bare measure: it takes one datagram and sends one of a Verdict's size back. No frame, no check.
- It ends when whoever started it does.
"""

from __future__ import annotations

import os
import socket
import sys
import time

from device import wire
from device.edges import Room, edges_into
from device.link import Link
from device.process import main
from device.service import Service
from device.urgency import come_first

SLOT = 12
ECHO = "echo"
ANSWER_BYTES = len(wire.pack(wire.Verdict(bytes(wire.NONCE_BYTES), 0, wire.Outcome.ACCEPTED, SLOT)))
_FIRST_FD = 3
_ASIDE_FD = 100  # descriptors go there first, so that none is overwritten before it was moved


class Yes:
    """The Work of a room that accepts everybody."""

    def __init__(self, service: Service) -> None:
        self._service = service

    def connected(self, link: Link) -> None:
        """Lock hears what it has to hear before it asks."""
        if link.peer is not Room.LOCK:
            return
        if self._service.room is Room.VAULT:
            link.send(wire.FaceReady(recognise=True, enrol=False, claim_first=False))
        else:
            link.send(wire.Occupied(many=False, some=True))

    def received(self, link: Link, msg: wire.Message) -> None:
        """Yes."""
        if isinstance(msg, wire.Probe | wire.CheckPin):
            verdict = wire.Verdict(msg.nonce, time.monotonic_ns(), wire.Outcome.ACCEPTED, SLOT)
            self._service.send(Room.LOCK, verdict)

    def disconnected(self, link: Link) -> None:
        """Nothing depends on it."""

    def breached(self, room: Room) -> None:
        """Nobody is told."""

    def deadline(self) -> float | None:
        """Nothing is timed."""
        return None

    def tick(self) -> None:
        """Never."""

    def healthy(self) -> bool:
        """Always."""
        return True

    def stop(self) -> None:
        """Nothing to put away."""


def _echo(sock: socket.socket) -> int:
    come_first("the echo")
    answer = bytes(ANSWER_BYTES)
    while sock.recv(wire.MAX_DATAGRAM):
        sock.send(answer)
    return 0


def _room(room: Room, fds: list[int]) -> int:
    aside = [_moved(fd, _ASIDE_FD + at) for at, fd in enumerate(fds)]
    for at, fd in enumerate(aside):
        _moved(fd, _FIRST_FD + at)
    names = ":".join(str(edge.connector) for edge in edges_into(room))
    os.environ.update(LISTEN_PID=str(os.getpid()), LISTEN_FDS=str(len(fds)), LISTEN_FDNAMES=names)
    if room is Room.KEEPER:
        come_first(room)
    return main(room, Yes)


def _moved(fd: int, to: int) -> int:
    os.dup2(fd, to)
    os.close(fd)
    return to


if __name__ == "__main__":
    _who, *_fds = sys.argv[1:]
    sys.exit(_echo(socket.socket(fileno=int(_fds[0]))) if _who == ECHO else _room(Room(_who), [int(fd) for fd in _fds]))
