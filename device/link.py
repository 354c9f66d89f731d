"""One connection between two rooms: who may be at its other end, and what may be sent on it.

Rules kept here:
- Who is there the kernel says (SO_PEERCRED), not the peer. A room without its account on this machine is nobody.
- Nothing is sent that `device.edges` does not permit in that direction.
- Sending never blocks. A peer that does not read loses the connection; what was meant for it is void anyway.

Source: unix(7).
"""

from __future__ import annotations

import os
import pwd
import socket
import struct
from contextlib import suppress
from dataclasses import dataclass, field

from device import edges, wire
from device.edges import Edge, Room
from device.errors import NotPermitted


@dataclass(eq=False, slots=True)
class Link:
    """One live connection to `peer`."""

    peer: Room
    edge: Edge
    sock: socket.socket
    me: Room
    sends: frozenset[type[wire.Message]] = field(init=False)  # what `me` may say, and what it may hear
    hears: frozenset[type[wire.Message]] = field(init=False)

    def __post_init__(self) -> None:
        self.sends = edges.permitted(self.edge, self.me)
        self.hears = edges.permitted(self.edge, self.peer)

    def send(self, msg: wire.Message) -> bool:
        """Send without waiting; False if the peer is gone or does not read (the loop then closes the link)."""
        if type(msg) not in self.sends:
            text = f"{self.me} must not send {type(msg).__name__} to {self.peer}"
            raise NotPermitted(text)
        try:
            self.sock.send(wire.pack(msg))
        except OSError:
            self.hang_up()
            return False
        return True

    def hang_up(self) -> None:
        """End the connection; the loop sees its end and tidies up in one place."""
        with suppress(OSError):
            self.sock.shutdown(socket.SHUT_RDWR)


def peer_uid(sock: socket.socket) -> int:
    """The user id of the process at the other end (SO_PEERCRED, unix(7))."""
    raw = sock.getsockopt(socket.SOL_SOCKET, socket.SO_PEERCRED, struct.calcsize("3i"))
    uid: int = struct.unpack("3i", raw)[1]
    return uid


def permitted_uids(room: Room) -> frozenset[int]:
    """The users `room` may run as: `doorward-<room>`, root for doorctl; the simulator runs a door under one user."""
    if os.environ.get("DOORWARD_ONE_USER") == "simulated":
        return frozenset({os.getuid()})
    if room is Room.DOORCTL:
        return frozenset({0})
    try:
        return frozenset({pwd.getpwnam(f"doorward-{room}").pw_uid})
    except KeyError:
        return frozenset()
