"""How often a process or a thread at rest wakes up: each time it went to sleep of its own accord, as the kernel counts.

Work of others on the machine makes a sleeper wake later, and not more often; a page read from the disk or a lock that
somebody else holds adds one now and then, so a bound needs some room.
"""

from __future__ import annotations

import os
import time
from collections.abc import Callable
from pathlib import Path


def of_thread(native_id: int, pid: int | None = None) -> int:
    """How often the thread has gone to sleep so far. Raises FileNotFoundError if it is gone."""
    status = Path(f"/proc/{pid or os.getpid()}/task/{native_id}/status").read_text(encoding="ascii")
    name, value = next(line for line in status.splitlines() if line.startswith("voluntary_ctxt_switches")).split()
    assert name == "voluntary_ctxt_switches:"
    return int(value)


def of_process(pid: int) -> int:
    """The same of all threads that the process has now."""
    return sum(of_thread(int(task.name), pid) for task in Path(f"/proc/{pid}/task").iterdir())


def within(seconds: float, count: Callable[[], int]) -> int:
    """How much `count` grew in that time."""
    before = count()
    time.sleep(seconds)
    return count() - before
