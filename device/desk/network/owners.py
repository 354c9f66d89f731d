"""Which process holds which network socket, read from /proc while the recording runs.

Rules kept here:
- A socket that was there at any moment somebody looked counts; one that lived between two looks is owned by nobody, and
  that is said rather than guessed.
- A process of the door is known by its own user, or, where one user runs all of them, by the module it runs.
- Of several that hold one socket (systemd keeps those it hands over) the part of the door counts.
- Raw and packet sockets count too: they need no port.

Source: proc(5), proc_pid_net(5); the forms of /proc/net/tcp and its relatives.
"""

from __future__ import annotations

import ipaddress
import re
import struct
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from device.desk.network.permitted import Place
from device.edges import PROCESSES, Room
from device.link import permitted_uids

TABLES: Final = {
    "tcp": "tcp",
    "tcp6": "tcp",
    "udp": "udp",
    "udp6": "udp",
    "udplite": "udplite",
    "udplite6": "udplite",
    "icmp": "icmp",
    "icmp6": "icmpv6",
    "raw": "raw",
    "raw6": "raw",
}
Pair = frozenset[Place]  # the two ends of a conversation

_LISTEN: Final = 0x0A  # include/net/tcp_states.h
_ROOM = re.compile(rb"\x00-m\x00device\.([a-z]+)\x00")


@dataclass(frozen=True, slots=True)
class Held:
    """One socket: its two ends (the far one of port 0 while there is none), and whose it is.

    `room` is None for a process that is none of the door's; `program` is its name, or "?" if nobody was seen
    holding it.
    """

    near: Place
    far: Place
    listening: bool
    uid: int
    program: str
    room: Room | None
    pid: int = 0

    @property
    def who(self) -> str:
        """For a person."""
        return str(self.room) if self.room else f"{self.program} (user {self.uid})"


class Owners:
    """Collects sockets over several looks.

    `proc` is where the kernel tells of processes; the rooms of a `simulated` door share one user.
    """

    def __init__(self, proc: Path = Path("/proc"), *, simulated: bool = False) -> None:
        self._proc = proc
        self._uids = {} if simulated else {uid: room for room in PROCESSES for uid in permitted_uids(room)}
        self.sockets: dict[tuple[Place, Place], Held] = {}

    def look(self) -> None:
        """Add everything that is open now."""
        found: list[tuple[Place, Place, bool, int, int]] = []
        net = self._proc / "thread-self" / "net"  # a network namespace belongs to a thread
        for table, protocol in TABLES.items():
            found += _table(net / table, protocol)
        found += _packet_sockets(net / "packet")
        fresh = [each for each in found if self._unknown(each)]
        if not fresh:
            return
        holders = self._holders({inode for *_, inode in fresh})
        for near, far, listening, uid, inode in fresh:
            program, room, pid = holders.get(inode, ("?", None, 0))
            self.sockets[near, far] = Held(near, far, listening, uid, program, self._uids.get(uid, room), pid)

    def of(self, near: Place, far: Place) -> Held | None:
        """Who holds the conversation between `near` (here) and `far`; a socket bound to every address counts."""
        anywhere = ("0.0.0.0", "::")  # noqa: S104 - compared, not bound
        for address in (near.address, *anywhere):
            here = Place(address, near.port, near.protocol)
            for there in (far, *(Place(each, 0, far.protocol) for each in anywhere)):
                if held := self.sockets.get((here, there)):
                    return held
        return None

    def listens(self, near: Place) -> Held | None:
        """Who waits for others at `near`, or at its port on every address: by UDP whoever is bound to nobody."""
        for held in self.sockets.values():
            same = held.near.port == near.port and held.near.protocol == near.protocol
            waits = held.listening or (near.protocol == "udp" and not held.far.port)
            if waits and same and held.near.address in (near.address, "0.0.0.0", "::"):  # noqa: S104 - likewise
                return held
        return None

    def of_itself(self) -> frozenset[Pair]:
        """Conversations that a process of the door holds both ends of: a library wakes its own threads that way."""
        pairs = set()
        for (near, far), held in self.sockets.items():
            other = self.sockets.get((far, near))
            if other is not None and held.room is not None and held.pid == other.pid != 0:
                pairs.add(frozenset((near, far)))
        return frozenset(pairs)

    def of_rooms(self) -> tuple[Held, ...]:
        """Every socket that a process of the door held."""
        return tuple(held for held in self.sockets.values() if held.room is not None)

    def _unknown(self, found: tuple[Place, Place, bool, int, int]) -> bool:
        known = self.sockets.get((found[0], found[1]))
        return known is None or known.program == "?"

    def _holders(self, inodes: set[int]) -> dict[int, tuple[str, Room | None, int]]:
        wanted = {f"socket:[{inode}]": inode for inode in inodes if inode}
        holders: dict[int, tuple[str, Room | None, int]] = {}
        for process in self._proc.iterdir():
            if not process.name.isdigit():
                continue
            try:
                links = [str(link.readlink()) for link in (process / "fd").iterdir()]
            except OSError:
                continue  # it ended, or is nobody's business
            for link in links:
                if link in wanted and (wanted[link] not in holders or holders[wanted[link]][1] is None):
                    holders[wanted[link]] = (*program_of(process), int(process.name))
        return holders


def program_of(process: Path) -> tuple[str, Room | None]:
    """The name of the process at /proc/PID, and which room its command line says it is; "?" if it is gone."""
    try:
        name = (process / "comm").read_text(errors="replace").strip()
        words = (process / "cmdline").read_bytes()
    except OSError:
        return "?", None
    found = _ROOM.search(words)
    room = found[1].decode() if found else ""
    return name, next((each for each in PROCESSES if str(each) == room), None)


def _table(path: Path, protocol: str) -> list[tuple[Place, Place, bool, int, int]]:
    found = []
    for words in _rows(path):
        near, far = (_place(words[at], protocol) for at in (1, 2))
        listening = protocol == "tcp" and int(words[3], 16) == _LISTEN
        found.append((near, far, listening, int(words[7]), int(words[9])))
    return found


def _packet_sockets(path: Path) -> list[tuple[Place, Place, bool, int, int]]:
    found = []
    for words in _rows(path):
        uid, inode = int(words[7]), int(words[8])
        # It has no address; its inode tells it from others.
        found.append((Place("", inode, "packet"), Place("", 0, "packet"), False, uid, inode))
    return found


def _rows(path: Path) -> list[list[str]]:
    """The words of each line of a table of the kernel, but for its heading; none if the table is not there."""
    try:
        return [line.split() for line in path.read_text().splitlines()[1:]]
    except OSError:
        return []


def _place(word: str, protocol: str) -> Place:
    """From the kernel's form: the address in words of 4 bytes in the machine's order, and the port in hexadecimal."""
    address, port = word.split(":")
    raw = bytes.fromhex(address)
    number = b"".join(struct.pack("!I", *struct.unpack("=I", raw[at : at + 4])) for at in range(0, len(raw), 4))
    found = ipaddress.ip_address(number)
    mapped = found.ipv4_mapped if isinstance(found, ipaddress.IPv6Address) else None
    return Place(str(mapped or found), int(port, 16), protocol)
