"""A neighbour of lock that says yes at once: `python -m tools.benchmark.stand_in ROLE FD...`.

Rules kept here:
- vault and keeper stand in the frame of every room (`device.service`): sockets handed over, peers and messages checked
  against the edges, one selector. Only what they would reckon is left out: no network's numbers are compared, no PIN is
  stretched, nothing is written. keeper comes first, as the real one does.
- `vault` and `keeper` are the rooms. `echo` and `relay` are bare measures, without frame or check: echo takes one
  datagram and sends one of a Verdict's size back, relay sends it on by its second socket.
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
ECHO, RELAY = "echo", "relay"
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


def _bare(taken: socket.socket, given: socket.socket) -> int:
    come_first("a bare process")
    answer = bytes(ANSWER_BYTES)
    while taken.recv(wire.MAX_DATAGRAM):
        given.send(answer)
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
    _role, *_words = sys.argv[1:]
    _fds = [int(_word) for _word in _words]
    if _role in (ECHO, RELAY):
        _ends = [socket.socket(fileno=_fd) for _fd in _fds]
        sys.exit(_bare(_ends[0], _ends[-1]))
    sys.exit(_room(Room(_role), _fds))
