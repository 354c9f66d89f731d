"""lock and keeper come first: while somebody waits at the door, what they have to do waits for no other process.

Rules kept here:
- Asked for and not depended on: where the system does not permit it, a process runs as any other, and says so once.
- Only the thread that asks comes first, and nothing it starts (SCHED_RESET_ON_FORK): a thread that stretches a PIN
  takes half a second of a core on a small board, and whoever else runs there goes on.
- Whoever takes a core without a pause is no longer waited for: after `PAUSE_WITHIN_S` the process gives up coming
  first and goes on as any other, where the watchdog sees it as ever. One that cannot even do that is killed.
- Its end waits like every other process: the interpreter takes its handlers down before the process is gone, and a
  limit reached then would kill it (seen on a machine that emulated its processor and had no time for it).
- It changes who waits, never what is decided.

The lowest of the real-time priorities: above all ordinary work, below what the kernel and others give one of their own.
On a door the unit permits it by `LimitRTPRIO=1`; a kernel with real-time groups (CONFIG_RT_GROUP_SCHED) still refuses.
Sources: sched(7), getrlimit(2) for RLIMIT_RTTIME.
"""

from __future__ import annotations

import atexit
import os
import resource
import signal
from contextlib import suppress
from typing import Final

from device.journal import log

PAUSE_WITHIN_S: Final = 0.5  # of processor time; an event takes lock or keeper a few milliseconds
KILLED_AFTER_S: Final = 3.0
_PRIORITY: Final = 1  # of 1 to 99, sched(7)


def come_first(who: str) -> bool:
    """Let the calling thread, the first of the process `who`, come before ordinary work; whether that is permitted."""
    signal.signal(signal.SIGXCPU, lambda _number, _frame: _give_up(who))
    try:
        _limit()  # first: who has no limit must not come first
        os.sched_setscheduler(0, os.SCHED_RR | os.SCHED_RESET_ON_FORK, os.sched_param(_PRIORITY))
    except (OSError, ValueError):  # the library calls a limit that may not be set a wrong value
        log(f"{who} waits for a processor like every other process: this system lets none of ours come first")
        return False
    atexit.register(_step_back)
    return True


def _limit() -> None:
    _, most = resource.getrlimit(resource.RLIMIT_RTTIME)
    wanted = round(KILLED_AFTER_S * 1e6)
    last = wanted if most == resource.RLIM_INFINITY else min(wanted, most)
    # Below the last, however low that is: at the last nobody is asked to give up.
    resource.setrlimit(resource.RLIMIT_RTTIME, (min(round(PAUSE_WITHIN_S * 1e6), last // 2), last))


def _step_back() -> None:
    # The flag stays: a process without privileges may not take it back, and an ordinary one loses nothing by it.
    with suppress(OSError):
        os.sched_setscheduler(0, os.SCHED_OTHER | os.SCHED_RESET_ON_FORK, os.sched_param(0))


def _give_up(who: str) -> None:
    _step_back()
    log(f"{who} was busy for too long without a pause; until it starts anew it waits like every other process")
