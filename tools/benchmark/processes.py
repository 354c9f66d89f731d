"""What the kernel says of a running process: memory, processor time, context switches (proc(5)).

Rules kept here:
- The rooms forbid being looked into (PR_SET_DUMPABLE 0), so the kernel shows their PSS to root alone. Whoever is not
  root gets RSS, which counts shared pages in every process again: an upper bound, and called one.
"""

from __future__ import annotations

import os
import time
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

_TICKS_PER_S = os.sysconf("SC_CLK_TCK")
_PAGE_KB = os.sysconf("SC_PAGE_SIZE") // 1024
_NOBODY = ":0000"  # the other end of who listens
_UTIME, _STIME = 11, 12  # counted from the field after the command's name


@dataclass(frozen=True, slots=True)
class Memory:
    """Of one process, in kB; None where the kernel does not tell.

    `shared_kb` is the part of RSS that other processes map too.
    """

    rss_kb: int
    pss_kb: int | None = None
    anonymous_kb: int | None = None
    shared_kb: int | None = None

    @property
    def counted_kb(self) -> int:
        """PSS, or RSS as its upper bound."""
        return self.rss_kb if self.pss_kb is None else self.pss_kb


def memory(pid: int) -> Memory:
    """Of the process `pid`. Raises OSError if it is gone."""
    rss_kb = int(Path(f"/proc/{pid}/statm").read_text(encoding="ascii").split()[1]) * _PAGE_KB
    try:
        text = Path(f"/proc/{pid}/smaps_rollup").read_text(encoding="ascii")
    except PermissionError:
        return Memory(rss_kb)
    kb = rollup(text)
    shared = kb["Shared_Clean"] + kb["Shared_Dirty"]
    return Memory(kb["Rss"], kb["Pss"], kb["Pss_Anon"], shared)


def rollup(text: str) -> dict[str, int]:
    """The kB figures of a smaps_rollup file by name."""
    lines = (line.split() for line in text.splitlines()[1:])
    return {words[0].rstrip(":"): int(words[1]) for words in lines if len(words) == 3 and words[2] == "kB"}


@dataclass(frozen=True, slots=True)
class Descriptors:
    """How many are open. `abroad`: those of them that are TCP connections to another process.

    Both ends of a connection that a process has with itself (a pair that wakes its own thread) are none.
    """

    open: int
    abroad: int


@dataclass(frozen=True, slots=True)
class Used:
    """So far, over all threads: processor seconds (10 ms steps), switches given away and taken by the kernel."""

    processor_s: float
    voluntary: int
    involuntary: int

    def __sub__(self, earlier: Used) -> Used:
        return Used(
            self.processor_s - earlier.processor_s,
            self.voluntary - earlier.voluntary,
            self.involuntary - earlier.involuntary,
        )


def used(pid: int) -> Used:
    """Of the process `pid`. Raises OSError if it is gone."""
    voluntary = involuntary = 0
    for task in Path(f"/proc/{pid}/task").iterdir():
        for line in (task / "status").read_text(encoding="utf-8").splitlines():
            name, _, value = line.partition(":")
            voluntary += int(value) if name == "voluntary_ctxt_switches" else 0
            involuntary += int(value) if name == "nonvoluntary_ctxt_switches" else 0
    return Used(processor_s(Path(f"/proc/{pid}/stat").read_text(encoding="utf-8")), voluntary, involuntary)


def descriptors(pid: int) -> Descriptors:
    """Of the process `pid` now. Raises OSError if it is gone, or may not be looked into."""
    folder = Path(f"/proc/{pid}")
    names = []
    for each in (folder / "fd").iterdir():
        with suppress(FileNotFoundError):  # closed just now
            names.append(each.readlink().name)
    there = set(names)
    sockets = [
        (local, remote)
        for table in ("tcp", "tcp6")
        for local, remote, name in _tcp((folder / "net" / table).read_text(encoding="ascii"))
        if name in there
    ]
    own = {local for local, _ in sockets}
    abroad = sum(remote not in own and not remote.endswith(_NOBODY) for _, remote in sockets)
    return Descriptors(len(names), abroad)


def _tcp(text: str) -> Iterator[tuple[str, str, str]]:
    """The two addresses of each line of /proc/PID/net/tcp, and its socket as a descriptor's link names it."""
    for line in text.splitlines()[1:]:
        words = line.split()
        yield words[1], words[2], f"socket:[{words[9]}]"


def processor_s(stat: str) -> float:
    """User and system time out of the text of /proc/PID/stat; the command's name may hold spaces and brackets."""
    fields = stat.rpartition(")")[2].split()
    return (int(fields[_UTIME]) + int(fields[_STIME])) / _TICKS_PER_S


def comes_first(pid: int) -> bool:
    """Whether the first thread of the process `pid` comes before ordinary work (sched(7)). Raises OSError."""
    return os.sched_getscheduler(pid) & ~os.SCHED_RESET_ON_FORK in (os.SCHED_RR, os.SCHED_FIFO)


def others_percent(seconds: float) -> float:
    """How much of a core is used while this program and its door do nothing, in % over `seconds`, stolen time included.

    "Stolen" is what the host of a virtual machine gave to others (proc(5)).
    """
    before, began = _busy_s(), time.monotonic()
    time.sleep(seconds)
    return max(0.0, (_busy_s() - before) / (time.monotonic() - began) * 100)


def _busy_s() -> float:
    return busy_s(Path("/proc/stat").read_text(encoding="ascii"))


def busy_s(stat: str) -> float:
    """Processor seconds of all cores since boot that were not idle, out of the text of /proc/stat."""
    user, nice, system, _idle, _iowait, irq, softirq, steal = (int(word) for word in stat.split()[1:9])
    return (user + nice + system + irq + softirq + steal) / _TICKS_PER_S
