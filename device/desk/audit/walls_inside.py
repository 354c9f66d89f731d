"""A child that stands where a process of the door stands, and tries what that process must not do.

Rules kept here:
- It takes on what the running process has, not what a unit promises: its control group (which decides about devices),
  its namespaces, its user and groups, its filters of system calls; it has no capability. Then it tries.
- It tries nothing that would be felt: whether a device opens is asked by access(2), for which the kernel goes through
  the same permissions as for open(2) and calls no driver. A watchdog that is opened would count; one that is asked
  about does not.
- Its answers are paths, families and process numbers, never contents. Nothing is read from a file that opens.
- It ends within `LIMIT_S`, and with it everything it joined. It lives in the room's control group for that time, so a
  room that is stopped meanwhile takes it along: then there is no answer.

Two answers about devices, for there are two walls: what the control group lets through (asked as root, with all device
nodes in sight), and what the process itself can open. Sources: cgroups(7), setns(2), access(2), process_vm_readv(2);
fs/namei.c, inode_permission, on what access(2) asks.
"""

from __future__ import annotations

import ctypes
import errno
import json
import os
import select
import signal
import socket
from collections.abc import Callable, Iterable
from contextlib import suppress
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Final

from device.desk.audit import walls_filters
from device.desk.audit.walls_filters import FiltersHidden, libc

LIMIT_S: Final = 60.0  # a Raspberry Pi needs a fraction of a second, a machine under emulation several
CGROUPS: Final = Path("/sys/fs/cgroup")
# socket(2), by name: Python does not know them all on every machine.
FAMILIES: Final = {
    "AF_INET": 2,
    "AF_INET6": 10,
    "AF_NETLINK": 16,
    "AF_PACKET": 17,
    "AF_CAN": 29,
    "AF_TIPC": 30,
    "AF_BLUETOOTH": 31,
    "AF_ALG": 38,
    "AF_VSOCK": 40,
    "AF_QIPCRTR": 42,
    "AF_XDP": 44,
}
_TYPES: Final = (socket.SOCK_STREAM, socket.SOCK_DGRAM, socket.SOCK_RAW)
_NAMESPACES: Final = 0x40000000 | 0x00020000 | 0x08000000 | 0x04000000  # CLONE_NEWNET, _NEWNS, _NEWIPC, _NEWUTS
_CAPBSET_DROP, _TRACEME = 24, 0
_MOST_CAPABILITIES: Final = 64
_SOMEWHERE: Final = 4096  # an address; where nothing lies, EFAULT says that the question was allowed
_NO_SUCH_THING: Final = (errno.EPERM, errno.EACCES, errno.ENOENT, errno.ENOTDIR, errno.ESRCH)
_ALWAYS: Final = "/dev/null"


class Unanswered(Exception):
    """There is no answer; the message says why, for a person."""


@dataclass(frozen=True, slots=True)
class Target:
    """The process whose place is taken: `cgroup` is the path in the hierarchy."""

    pid: int
    cgroup: str
    uid: int
    gid: int
    groups: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class Questions:
    """What is tried: devices by path, files by path with the name under which the answer mentions them, processes."""

    devices: tuple[str, ...]
    files: tuple[tuple[str, str], ...]
    others: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class Answers:
    """What could be done. `hidden`: why the filters are not on, empty if they are; `filters`: how many are.

    `group_devices`: what the control group lets through; `devices`: what the process can open; `memory`: processes
    whose memory it can read; `asked`: whether what every room may do could be done, so that a refusal means something.
    """

    group_devices: tuple[str, ...]
    devices: tuple[str, ...]
    files: tuple[str, ...]
    families: tuple[str, ...]
    memory: tuple[int, ...]
    traces: bool
    asked: bool
    filters: int
    hidden: str


def ask(target: Target, questions: Questions) -> Answers:
    """The answers of a child in the place of `target`. Needs root. Raises Unanswered."""
    reading, writing = os.pipe2(os.O_CLOEXEC)
    child = os.fork()
    if not child:
        _answer_and_end(writing, lambda: asdict(_inside(target, questions)))
    os.close(writing)
    try:
        said = _heard(reading)
    finally:
        os.close(reading)
        with suppress(ProcessLookupError):
            os.kill(child, signal.SIGKILL)
        os.waitpid(child, 0)
    if "fault" in said:
        raise Unanswered(str(said["fault"]))
    return Answers(
        group_devices=tuple(said["group_devices"]),
        devices=tuple(said["devices"]),
        files=tuple(said["files"]),
        families=tuple(said["families"]),
        memory=tuple(said["memory"]),
        traces=said["traces"],
        asked=said["asked"],
        filters=said["filters"],
        hidden=said["hidden"],
    )


def _answer_and_end(writing: int, work: Callable[[], dict[str, Any]]) -> None:
    """In the child: it never returns into the program it was forked from."""
    try:
        try:
            said = work()
        except OSError as cause:
            said = {"fault": f"its place could not be taken: {cause.strerror or cause}"}
        content = json.dumps(said).encode()
        while content:
            content = content[os.write(writing, content) :]
    finally:
        os._exit(0)


def _heard(reading: int) -> dict[str, Any]:
    content = b""
    while select.select([reading], [], [], LIMIT_S)[0]:
        part = os.read(reading, 1 << 16)
        if not part:
            break
        content += part
    try:
        found: dict[str, Any] = json.loads(content)
    except ValueError:
        msg = "nothing was heard from its place: it ended meanwhile, or let nobody work there"
        raise Unanswered(msg) from None
    return found


def _inside(target: Target, questions: Questions) -> Answers:
    place = os.pidfd_open(target.pid)
    try:
        filters, hidden = walls_filters.read(target.pid), ""
    except FiltersHidden as why:
        filters, hidden = (), str(why)
    _join_group(target.cgroup)
    group_devices = tuple(_open_ones(questions.devices))
    _enter(place)
    _become(target)
    walls_filters.put_on(filters)
    return Answers(
        group_devices=group_devices,
        devices=tuple(_open_ones(questions.devices)),
        files=tuple(dict.fromkeys(name for path, name in questions.files if _reads(path))),
        families=tuple(name for name, number in FAMILIES.items() if _makes(number)),
        memory=tuple(pid for pid in questions.others if _reads_memory(pid)),
        asked=os.access(_ALWAYS, os.W_OK) and _makes(socket.AF_UNIX),
        # After all else: where it is permitted, this child is traced from here on.
        traces=libc.ptrace(_TRACEME, 0, None, None) == 0,
        filters=len(filters),
        hidden=hidden,
    )


def _join_group(cgroup: str) -> None:
    place = CGROUPS / cgroup.lstrip("/") / "cgroup.procs"
    place.write_text("0", encoding="ascii")


def _enter(place: int) -> None:
    if libc.setns(place, _NAMESPACES):
        raise OSError(ctypes.get_errno(), "its namespaces")
    os.close(place)


def _become(target: Target) -> None:
    for capability in range(_MOST_CAPABILITIES):
        libc.prctl(_CAPBSET_DROP, capability, 0, 0, 0)  # beyond the last one it fails, and changes nothing
    os.setgroups(target.groups)
    os.setresgid(target.gid, target.gid, target.gid)
    os.setresuid(target.uid, target.uid, target.uid)  # with that the capabilities are gone (capabilities(7))


def _open_ones(devices: Iterable[str]) -> list[str]:
    return [path for path in devices if os.access(path, os.R_OK) or os.access(path, os.W_OK)]


def _reads(path: str) -> bool:
    """Whether a file or folder opens for reading; whatever else happens than a refusal counts as yes."""
    try:
        os.close(os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_NOCTTY | os.O_CLOEXEC))
    except OSError as cause:
        return cause.errno not in _NO_SUCH_THING
    return True


def _makes(family: int) -> bool:
    for kind in _TYPES:
        with suppress(OSError), socket.socket(family, kind):
            return True
    return False


class _Range(ctypes.Structure):
    _fields_ = (("base", ctypes.c_void_p), ("length", ctypes.c_size_t))


def _reads_memory(pid: int) -> bool:
    here = ctypes.create_string_buffer(1)
    near, far = _Range(ctypes.addressof(here), 1), _Range(_SOMEWHERE, 1)
    if libc.process_vm_readv(pid, ctypes.byref(near), 1, ctypes.byref(far), 1, 0) >= 0:
        return True
    return ctypes.get_errno() not in (*_NO_SUCH_THING, errno.ENOSYS)
