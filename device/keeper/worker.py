"""The worker: one thread beside the loop, for the one thing that takes long.

Rules kept here:
- One piece of work at a time: Argon2's 64 MiB exist once, and only while somebody waits for them.
- libsodium releases the GIL while it stretches, so the loop turns meanwhile; results come back through an eventfd that
  the loop watches, and are called back in the loop's thread.
- Whatever the work raises is a result, not a dead thread; the loop decides what it means.
"""

from __future__ import annotations

import os
import threading
from collections import deque
from collections.abc import Callable
from queue import SimpleQueue

from device.keeper.line import Result, Work

PATIENCE_S = 3.0  # several times what one check takes on the slowest board


class ThreadExecutor:
    """`line.Executor` on a thread. `watch(fileno, callback)` is the loop's."""

    def __init__(self, watch: Callable[[int, Callable[[], None]], None]) -> None:
        self._todo: SimpleQueue[Work | None] = SimpleQueue()
        self._results: deque[Result] = deque()
        self._done: Callable[[Result], None] | None = None
        self._event = os.eventfd(0, os.EFD_CLOEXEC | os.EFD_NONBLOCK)
        self._thread = threading.Thread(target=self._run, name="argon2", daemon=True)
        self._thread.start()
        watch(self._event, self._woken)

    def start(self, work: Work, done: Callable[[Result], None]) -> None:
        """See `line.Executor`."""
        if self._done is not None:
            msg = "the worker does one thing at a time"
            raise RuntimeError(msg)
        self._done = done
        self._todo.put(work)

    def stop(self) -> bool:
        """See `line.Executor`: let the thread finish what it does, and end."""
        self._todo.put(None)
        self._thread.join(PATIENCE_S)
        if self._thread.is_alive():
            return False
        os.close(self._event)
        return True

    def _woken(self) -> None:
        try:
            os.eventfd_read(self._event)
        except BlockingIOError:
            return
        while self._results:
            done, self._done = self._done, None
            result = self._results.popleft()
            if done:
                done(result)

    def _run(self) -> None:
        while (work := self._todo.get()) is not None:
            self._results.append(_result_of(work))
            os.eventfd_write(self._event, 1)


def _result_of(work: Work) -> Result:
    try:
        return work()
    except Exception as cause:  # noqa: BLE001 - handed to the loop's thread, which raises what it does not know
        return cause
