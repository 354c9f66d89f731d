"""What the recording cannot hear, as far as /proc and /sys tell of it: other namespaces, other sockets, Bluetooth.

Rules kept here:
- Of a process of the door every socket must be accounted for: local (unix, netlink), or in the tables that `owners`
  reads. Whatever else it holds (Bluetooth, vsock, CAN, any protocol in another namespace) is *strange*. It counts if it
  was there in two looks, so that a socket made between two files is no finding.
- A process belongs to the network namespace of its own /proc/PID/ns/net; what is in there its /proc/PID/net tells.
- A local socket stays in the table of the namespace in which it was made, whoever was handed it (systemd makes those of
  a unit with PrivateNetwork=): so the local tables of all namespaces count.
- A radio is told of if Linux knows it (/sys/class/bluetooth), and who holds a socket of its family. What it sends is
  not heard by anybody here, and what Linux does not know is not seen.

Source: proc(5), network_namespaces(7); the columns of /proc/net/{unix,netlink}, and of Bluetooth's tables, which all
have one form (net/bluetooth/af_bluetooth.c, bt_seq_show).
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

from device.desk.network.owners import TABLES, program_of
from device.edges import PROCESSES, Room
from device.link import permitted_uids

# In each row of a table the column with the inode.
_LOCAL: Final = {"unix": 6, "netlink": 9}
_NETWORK: Final = {**dict.fromkeys(TABLES, 9), "packet": 8}
_BLUETOOTH: Final = dict.fromkeys(("hci", "l2cap", "rfcomm", "sco", "bnep", "cmtp", "hidp", "iso"), 5)
_SOCKET = re.compile(r"socket:\[(\d+)\]")
_UID = re.compile(r"^Uid:\s+(\d+)", re.MULTILINE)
_TWICE: Final = 2
LOOPBACK: Final = "lo"


@dataclass(slots=True)
class Beyond:
    """Collects over several looks. `proc` and `sys` are where the kernel tells; `simulated` as for `Owners`.

    `apart`: processes in another network namespace, by name, and the interfaces there beside loopback;
    `radios`: Bluetooth adapters that Linux knows.
    """

    proc: Path = Path("/proc")
    sys: Path = Path("/sys")
    simulated: bool = False
    apart: dict[str, frozenset[str]] = field(default_factory=dict)
    rooms_apart: dict[Room, frozenset[str]] = field(default_factory=dict)
    radios: tuple[str, ...] = ()
    _seen: Counter[tuple[Room, int]] = field(default_factory=Counter)
    _bluetooth: set[int] = field(default_factory=set)
    _users: dict[int, str] = field(default_factory=dict)  # of Bluetooth sockets, by inode

    def look(self) -> None:
        """Add what is there now."""
        me = self.proc / "thread-self"
        ours, held, local = _namespace(me), dict[Room, set[int]](), {_namespace(me): _inodes(me / "net", _LOCAL)}
        radio = _inodes(me / "net", _BLUETOOTH)
        self._bluetooth |= radio
        self.radios = tuple(sorted({*self.radios, *_entries(self.sys / "class" / "bluetooth")}))
        for process in self.proc.iterdir():
            if not process.name.isdigit():
                continue
            room, there = self._room(process), _namespace(process)
            if there not in local:
                local[there] = _inodes(process / "net", _LOCAL)
            if ours and there and there != ours:
                room = None if self.simulated else room  # another door's: several may run on one machine
                self._note_apart(process, room)
            sockets = _sockets(process) if room is not None or radio else frozenset()
            self._users.update(dict.fromkeys(sockets & radio, str(room or program_of(process)[0])))
            if room is not None:
                held.setdefault(room, set()).update(sockets)
        known = _inodes(me / "net", _NETWORK).union(*local.values())
        self._seen.update((room, inode) for room, sockets in held.items() for inode in sockets - known)

    @property
    def strange(self) -> tuple[tuple[Room, int], ...]:
        """Rooms, and the inodes of sockets of theirs that no table explains."""
        return tuple(sorted(each for each, times in self._seen.items() if times >= _TWICE))

    def is_bluetooth(self, inode: int) -> bool:
        """Whether that socket is one of Bluetooth's."""
        return inode in self._bluetooth

    @property
    def radio_users(self) -> tuple[str, ...]:
        """Who held a socket of Bluetooth's; "?" for one whose holder nobody saw."""
        return tuple(sorted({self._users.get(inode, "?") for inode in self._bluetooth}))

    def _room(self, process: Path) -> Room | None:
        by_module = program_of(process)[1]
        if self.simulated or by_module is not None:
            return by_module
        try:
            found = _UID.search((process / "status").read_text())
        except OSError:
            return None
        return next((room for room in PROCESSES if found and int(found[1]) in permitted_uids(room)), None)

    def _note_apart(self, process: Path, room: Room | None) -> None:
        interfaces = frozenset(_interfaces(process / "net" / "dev")) - {LOOPBACK}
        if room is not None:
            self.rooms_apart[room] = self.rooms_apart.get(room, frozenset()) | interfaces
        else:
            name = program_of(process)[0]
            self.apart[name] = self.apart.get(name, frozenset()) | interfaces


def _namespace(process: Path) -> str:
    """Which network namespace a process is in; empty if that cannot be seen."""
    try:
        return str((process / "ns" / "net").readlink())
    except OSError:
        return ""


def _entries(folder: Path) -> list[str]:
    try:
        return [each.name for each in folder.iterdir()]
    except OSError:
        return []


def _sockets(process: Path) -> frozenset[int]:
    try:
        links = [str(link.readlink()) for link in (process / "fd").iterdir()]
    except OSError:
        return frozenset()
    return frozenset(int(found[1]) for found in map(_SOCKET.fullmatch, links) if found)


def _inodes(net: Path, tables: dict[str, int]) -> frozenset[int]:
    return frozenset(inode for table, column in tables.items() for inode in _column(net / table, column))


def _column(path: Path, column: int) -> Iterator[int]:
    try:
        rows = path.read_text(errors="replace").splitlines()[1:]
    except OSError:
        return  # a protocol that this kernel does not have
    for row in rows:
        words = row.split()
        if len(words) > column and words[column].isdigit():
            yield int(words[column])


def _interfaces(path: Path) -> Iterator[str]:
    try:
        rows = path.read_text().splitlines()[2:]
    except OSError:
        return
    for row in rows:
        yield row.partition(":")[0].strip()
