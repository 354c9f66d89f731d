"""What the kernel tells about a process of the door: whose it is, what it may still do, where it stands.

Rules kept here:
- Only /proc and the control groups are read; the process notices nothing.
- A line that is not there is None or empty and is judged as a missing wall, never as a standing one.

Sources: proc(5), cgroups(7); fs/proc/base.c, task_dump_owner: the files of a process that may not be dumped are root's.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Final

PROC: Final = Path("/proc")
LOOPBACK: Final = "lo"
# Devices that tunnel modules lay into every namespace. They are down, and without a route nothing goes there.
FALLBACK: Final = frozenset(
    {"tunl0", "gre0", "gretap0", "erspan0", "ip_vti0", "ip6_vti0", "sit0", "ip6tnl0", "ip6gre0"}
)
_CORE = re.compile(r"^Max core file size\s+(\S+)\s+(\S+)", re.MULTILINE)
_ACCEPTS: Final = 0x10000  # __SO_ACCEPTCON, include/linux/net.h
_CAPABILITIES: Final = ("CapInh", "CapPrm", "CapEff", "CapBnd", "CapAmb")


@dataclass(frozen=True, slots=True)
class Seen:
    """One process. `uids`, `gids`: real, effective, saved, file system's; `swap_kb` None: the kernel does not say."""

    pid: int
    uids: frozenset[int]
    gids: frozenset[int]
    groups: frozenset[int]
    capabilities: int
    no_new_privileges: bool
    filtered: bool
    swap_kb: int | None
    core_limits: tuple[str, ...]
    dumpable: bool


@dataclass(frozen=True, slots=True)
class Network:
    """Where a process stands: `own` namespace or the machine's, interfaces and devices with a route beside loopback."""

    own: bool
    interfaces: frozenset[str]
    routes: frozenset[str]
    listens: frozenset[str]

    @property
    def shut(self) -> bool:
        """Whether nothing goes out of there."""
        return self.own and not self.interfaces and not self.routes


def seen(pid: int, proc: Path = PROC) -> Seen:
    """What stands in /proc/PID. Raises OSError if it is gone."""
    place = proc / str(pid)
    status = _fields(place / "status")
    threads = [_fields(each / "status") for each in sorted((place / "task").iterdir())]
    limits = _CORE.search((place / "limits").read_text())
    swap = status.get("VmSwap", "").split()
    return Seen(
        pid=pid,
        uids=_numbers(status.get("Uid", "")),
        gids=_numbers(status.get("Gid", "")),
        groups=_numbers(status.get("Groups", "")),
        capabilities=_union(each.get(name, "f") for each in threads for name in _CAPABILITIES),
        no_new_privileges=all(each.get("NoNewPrivs") == "1" for each in threads),
        filtered=all(each.get("Seccomp") == "2" for each in threads),
        swap_kb=int(swap[0]) if swap else None,
        core_limits=limits.groups() if limits else (),
        dumpable=(place / "environ").stat().st_uid != 0,
    )


def network(pid: int, proc: Path = PROC) -> Network:
    """Where the process `pid` stands. Raises OSError if it is gone."""
    place = proc / str(pid)
    rows = (place / "net/dev").read_text().splitlines()[2:]
    routes = {words[0] for words in _rows(place / "net/route", header=True)}
    routes |= {words[-1] for words in _rows(place / "net/ipv6_route", header=False)}
    return Network(
        own=(place / "ns/net").readlink() != (proc / "1/ns/net").readlink(),
        interfaces=frozenset(row.partition(":")[0].strip() for row in rows) - {LOOPBACK} - FALLBACK,
        routes=frozenset(routes) - {LOOPBACK},
        listens=frozenset(listening(pid, proc)),
    )


def listening(pid: int, proc: Path = PROC) -> Iterator[str]:
    """The paths of local sockets on which somebody waits for connections, in the namespace of `pid`."""
    for words in _rows(proc / str(pid) / "net/unix", header=True):
        # Num RefCount Protocol Flags Type St Inode Path
        if int(words[3], 16) & _ACCEPTS:
            yield words[7] if len(words) > 7 else f"a socket without a name (kind {int(words[4], 16)})"  # noqa: PLR2004 - a column


def members(cgroup: str, hierarchy: Path) -> tuple[int, ...]:
    """The processes of a control group, those of groups below it included. Raises OSError."""
    top = hierarchy / cgroup.lstrip("/")
    found = [(top / "cgroup.procs").read_text().split()]
    found += [path.read_text().split() for path in sorted(top.glob("**/cgroup.procs"))]
    return tuple(sorted({int(pid) for each in found for pid in each}))


def swap_barred(cgroup: str, hierarchy: Path, proc: Path = PROC) -> bool:
    """Whether nothing of this control group can be swapped out: its limit is nothing, or the machine has no swap."""
    try:
        if (hierarchy / cgroup.lstrip("/") / "memory.swap.max").read_text().strip() == "0":
            return True
    except OSError:
        pass  # a kernel without the memory controller
    try:
        return len((proc / "swaps").read_text().splitlines()) == 1  # the heading
    except OSError:
        return False


def _rows(path: Path, *, header: bool) -> Iterator[list[str]]:
    try:
        lines = path.read_text(errors="replace").splitlines()
    except FileNotFoundError:
        return  # a kernel without that protocol
    yield from (line.split() for line in lines[1 if header else 0 :] if line.strip())


def _fields(path: Path) -> dict[str, str]:
    pairs = (line.partition(":") for line in path.read_text(errors="replace").splitlines())
    return {name: value.strip() for name, _, value in pairs}


def _numbers(text: str) -> frozenset[int]:
    return frozenset(map(int, text.split()))


def _union(words: Iterator[str]) -> int:
    total = 0
    for word in words:
        total |= int(word, 16)
    return total
