"""Tests in a process of their own, forked from one that has loaded everything: it may do to itself what it likes.

Rules kept here:
- Who takes too long over one test, or eats the memory, is ended, with every process it has started.
- A test that fails is asked again, alone, in a fresh process. Only if it fails again was it the mutant.
- When nobody is left who wants to know, everything ends.
"""

from __future__ import annotations

import ctypes
import os
import resource
import select
import signal
import sys
import time
import traceback
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

Begun = Callable[[int], None]
Body = Callable[[list[str], Begun], bool]

MEMORY = 2 << 30  # bytes, beyond what is there already
MARGIN_S = 5.0
TIMES = 8.0
_LOAD_S = 60.0
_PR_SET_CHILD_SUBREAPER = 36  # linux/prctl.h
_BROKE_DOWN = 70


class Alone(Exception):
    """Whoever asked is gone."""


@dataclass(frozen=True, slots=True)
class Ended:
    """What became of the tests: "survives", or "caught" or "hangs" by the test `by`."""

    fate: str
    by: str = ""


def adopt() -> None:
    """From now on, processes whose parent has died become ours, so that none of them is left behind. Raises OSError."""
    if ctypes.CDLL(None, use_errno=True).prctl(_PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0):
        raise OSError(ctypes.get_errno(), "prctl")


def tried(tests: Sequence[str], seconds: dict[str, float], body: Body, asked: int, keep: int = 0) -> Ended:
    """Run `tests` in order, until one fails for certain. Raises Alone when the descriptor `asked` is closed.

    `seconds`: what each test takes; `keep`: a child of ours that stays. Raises RuntimeError if nothing could be run.
    """
    left = list(tests)
    while True:
        ended, at = _once(left, seconds, body, asked, keep)
        if ended.fate == "survives":
            return ended
        if at >= len(left) or at < 0:  # while it was loaded, or a test that is there since the change
            return ended
        again, _ = _once(left[at : at + 1], seconds, body, asked, keep)
        if again.fate != "survives":
            return ended
        del left[: at + 1]
        if not left:
            return again


def sweep(keep: int = 0) -> None:
    """End every child but `keep`, and theirs."""
    while children := _children(os.getpid()) - {keep}:
        for pid in children:
            with suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
            with suppress(ChildProcessError):
                os.waitpid(pid, 0)


def _once(tests: list[str], seconds: dict[str, float], body: Body, asked: int, keep: int) -> tuple[Ended, int]:
    reading, writing = os.pipe()
    pid = os.fork()
    if not pid:
        os.close(reading)
        _child(tests, body, writing)
    os.close(writing)
    at, fate = -1, "hangs"
    pidfd = os.pidfd_open(pid)
    try:
        until = time.monotonic() + _LOAD_S
        while (left := until - time.monotonic()) > 0:
            ready, _, _ = select.select([reading, pidfd, asked], [], [], left)
            if asked in ready:
                raise Alone
            if reading in ready and (told := os.read(reading, 4096)):
                at = int(told.split()[-1])
                name = tests[at] if at < len(tests) else ""
                until = time.monotonic() + MARGIN_S + TIMES * seconds.get(name, MARGIN_S)
            elif pidfd in ready:
                _, status = os.waitpid(pid, 0)
                fate = "survives" if status == 0 else "caught"
                if at < 0 and os.waitstatus_to_exitcode(status) == _BROKE_DOWN:
                    raise RuntimeError("no test could be begun; the worker's log says why")
                break
        return Ended(fate, "" if fate == "survives" else tests[at] if 0 <= at < len(tests) else "loading"), at
    finally:
        os.close(reading)
        os.close(pidfd)
        sweep(keep)


def _child(tests: list[str], body: Body, writing: int) -> None:
    code = _BROKE_DOWN
    try:
        os.setsid()
        signal.signal(signal.SIGTERM, signal.SIG_DFL)
        used = int(Path("/proc/self/statm").read_text(encoding="ascii").split()[0]) * resource.getpagesize()
        resource.setrlimit(resource.RLIMIT_AS, (used + MEMORY, used + MEMORY))
        passed = body(tests, lambda at: _tell(writing, at))
        code = 0 if passed else 1
    except BaseException:  # noqa: BLE001 - a mutant may raise anything, and this process must not outlive it
        traceback.print_exc()
    finally:
        sys.stderr.flush()
        os._exit(code)


def _tell(writing: int, at: int) -> None:
    os.write(writing, b"%d\n" % at)


def _children(of: int) -> set[int]:
    found = set()
    for stat in Path("/proc").glob("[0-9]*/stat"):
        with suppress(OSError):
            if int(stat.read_text(encoding="utf-8", errors="replace").rpartition(")")[2].split()[1]) == of:
                found.add(int(stat.parent.name))
    return found
