"""The filters of system calls of a process that runs: read from the kernel, and put on.

Rules kept here:
- Read, not guessed: these are the filters that the kernel holds for that very thread, whatever its unit says.
- The process stands still for as long as it takes to copy them, and goes on when whoever reads them lets go or ends,
  by whatever end. Whoever reads comes first for that time, so that nobody at the door waits for a busy machine. The
  process gets no signal, and nothing of its memory is read or written.
- Putting on cannot be taken back: it is for a child that ends soon.

Only root may read them, and only if no filter is on root itself; a kernel without CONFIG_CHECKPOINT_RESTORE shows them
to nobody. Sources: ptrace(2) for PTRACE_SEIZE, PTRACE_INTERRUPT and PTRACE_SECCOMP_GET_FILTER; seccomp(2);
include/uapi/linux/{ptrace,filter}.h.
"""

from __future__ import annotations

import ctypes
import errno
import os
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from typing import Final

STOPS_WITHIN_S: Final = 5.0  # a thread that sleeps in the kernel and cannot be woken stops for nobody
_SEIZE, _INTERRUPT, _DETACH, _GET_FILTER = 0x4206, 0x4207, 17, 0x420C
_WALL: Final = 0x40000000  # waitpid(2): whichever kind of thread it is
_NO_NEW_PRIVS, _SET_SECCOMP, _FILTER = 38, 22, 2
_INSTRUCTION_BYTES: Final = 8

libc = ctypes.CDLL(None, use_errno=True)


class _Program(ctypes.Structure):
    _fields_ = (("length", ctypes.c_ushort), ("instructions", ctypes.c_void_p))


class FiltersHidden(Exception):
    """The kernel does not show them; the message says why, for a person."""


def read(pid: int) -> tuple[bytes, ...]:
    """The filters on the thread `pid`, the oldest first, each a whole number of 8-byte instructions.

    Raises FiltersHidden.
    """
    with _first():
        _ptrace(_SEIZE, pid)
        try:
            _ptrace(_INTERRUPT, pid)
            _stopped(pid)
            found: list[bytes] = []
            while (program := _filter(pid, len(found))) is not None:
                found.append(program)
            return tuple(found)
        finally:
            libc.ptrace(_DETACH, pid, None, None)


def put_on(filters: tuple[bytes, ...]) -> None:
    """Put `filters` on this process, for good. Raises OSError."""
    if libc.prctl(_NO_NEW_PRIVS, 1, 0, 0, 0):
        raise OSError(ctypes.get_errno(), "no new privileges")
    for content in filters:
        buffer = ctypes.create_string_buffer(content, len(content))
        program = _Program(len(content) // _INSTRUCTION_BYTES, ctypes.addressof(buffer))
        if libc.prctl(_SET_SECCOMP, _FILTER, ctypes.byref(program), 0, 0):
            raise OSError(ctypes.get_errno(), "a filter")


@contextmanager
def _first() -> Iterator[None]:
    policy, parameter = os.sched_getscheduler(0), os.sched_getparam(0)
    with suppress(OSError):  # a kernel with real-time groups refuses
        os.sched_setscheduler(0, os.SCHED_RR, os.sched_param(os.sched_get_priority_min(os.SCHED_RR)))
    try:
        yield
    finally:
        os.sched_setscheduler(0, policy, parameter)


def _filter(pid: int, index: int) -> bytes | None:
    """The filter `index`, 0 for the oldest (kernel/seccomp.c, get_nth_filter); None behind the last."""
    length = libc.ptrace(_GET_FILTER, pid, ctypes.c_void_p(index), None)
    if length < 0:
        number = ctypes.get_errno()
        if number == errno.ENOENT or (number == errno.EINVAL and index == 0):  # none left, or none at all
            return None
        msg = "this kernel does not show the filters of a process"
        raise FiltersHidden(msg)
    buffer = ctypes.create_string_buffer(length * _INSTRUCTION_BYTES)
    _ptrace(_GET_FILTER, pid, index, buffer)
    return buffer.raw


def _stopped(pid: int) -> None:
    ends = time.monotonic() + STOPS_WITHIN_S
    while os.waitpid(pid, os.WNOHANG | _WALL)[0] != pid:
        if time.monotonic() > ends:
            msg = "it did not stand still to show its filters"
            raise FiltersHidden(msg)
        time.sleep(0.001)


def _ptrace(request: int, pid: int, address: int | None = None, data: object = None) -> None:
    if libc.ptrace(request, pid, ctypes.c_void_p(address), data) < 0:
        msg = f"its filters may not be read: {os.strerror(ctypes.get_errno())}"
        raise FiltersHidden(msg)


libc.ptrace.restype = ctypes.c_long
libc.ptrace.argtypes = (ctypes.c_long, ctypes.c_int, ctypes.c_void_p, ctypes.c_void_p)
