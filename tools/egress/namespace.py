"""Two network namespaces joined by one cable: a door in one, the street in the other.

Rules kept here:
- Nothing of the machine's own network is touched: both namespaces and the cable between them are made here, have no
  names, and end with the process that holds them.
- A namespace belongs to a thread: whoever is started inside `entered` stays inside, the thread comes back out.
- Without root there is none, and that is said in one sentence.

Numbers are Linux's (sched.h); addresses are from 192.0.2.0/24, which is for documentation and leads nowhere (RFC 5737).
"""

from __future__ import annotations

import contextlib
import ctypes
import os
import subprocess
import threading
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

from device.errors import Fault

DOOR: Final = "192.0.2.2"
STREET: Final = "192.0.2.1"
CABLE: Final = "door0"
_PREFIX: Final = 24
_CLONE_NEWNET: Final = 0x40000000
_MINE: Final = "/proc/thread-self/ns/net"


class NamespaceFault(Fault, OSError):
    """A network namespace cannot be made here."""


@dataclass(frozen=True, slots=True)
class Namespace:
    """One network namespace, held open."""

    handle: int

    @contextlib.contextmanager
    def entered(self) -> Iterator[None]:
        """This thread, and whatever it starts, inside."""
        before = os.open(_MINE, os.O_RDONLY | os.O_CLOEXEC)
        try:
            _set(self.handle)
            try:
                yield
            finally:
                _set(before)
        finally:
            os.close(before)

    def run_ip(self, *words: str) -> None:
        """Set up the network inside, as ip(8) does. Raises NamespaceFault."""
        with self.entered():
            try:
                done = subprocess.run(["ip", *words], capture_output=True, text=True, check=False)
            except FileNotFoundError as cause:
                msg = "ip is not installed; run: sudo apt-get install -y iproute2"
                raise NamespaceFault(msg) from cause
        if done.returncode:
            msg = f"ip {' '.join(words)}: {done.stderr.strip()}"
            raise NamespaceFault(msg)


@dataclass(frozen=True, slots=True)
class Street:
    """Both ends: the door has the address DOOR, and the street STREET."""

    door: Namespace
    street: Namespace


@contextlib.contextmanager
def street() -> Iterator[Street]:
    """Two namespaces and a cable, for the time of a `with` block. Raises NamespaceFault."""
    with contextlib.ExitStack() as opened:
        both = Street(opened.enter_context(_new()), opened.enter_context(_new()))
        for end in (both.door, both.street):
            end.run_ip("link", "set", "lo", "up")
        both.door.run_ip("link", "add", CABLE, "type", "veth", "peer", "name", "street0")
        both.door.run_ip("link", "set", "street0", "netns", f"/proc/{os.getpid()}/fd/{both.street.handle}")
        for end, name, address in ((both.door, CABLE, DOOR), (both.street, "street0", STREET)):
            end.run_ip("addr", "add", f"{address}/{_PREFIX}", "dev", name)
            end.run_ip("link", "set", name, "up")
        yield both


@contextlib.contextmanager
def _new() -> Iterator[Namespace]:
    made: list[int] = []
    trouble: list[int] = []

    def unshare() -> None:
        if _libc().unshare(_CLONE_NEWNET):
            trouble.append(ctypes.get_errno())
            return
        made.append(os.open(_MINE, os.O_RDONLY | os.O_CLOEXEC))

    # In a thread that ends: this one stays where it is.
    thread = threading.Thread(target=unshare)
    thread.start()
    thread.join()
    if not made:
        why = os.strerror(trouble[0]) if trouble else "it cannot be opened"
        msg = f"a network namespace cannot be made here ({why}); it needs root"
        raise NamespaceFault(msg)
    try:
        yield Namespace(made[0])
    finally:
        os.close(made[0])


def _set(handle: int) -> None:
    if _libc().setns(handle, _CLONE_NEWNET):
        number = ctypes.get_errno()
        msg = f"a network namespace cannot be entered: {os.strerror(number)}"
        raise NamespaceFault(msg)


def _libc() -> ctypes.CDLL:
    return ctypes.CDLL(None, use_errno=True)
