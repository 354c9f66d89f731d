"""The thread beside lock's loop that talks to an OSDP reader.

Rules kept here:
- lock's loop never waits for it: what happened comes over a queue and an eventfd, what to show goes over a queue.
- Opening a serial line may take its time, and libosdp must be called every 50 ms at least: so it is a thread. Each call
  into libosdp holds the interpreter's lock, for microseconds, and waits for nothing.
- Whatever fails in it is a reader that is not well, never an end of lock; it is tried again after a while.
- It ends with the process, whether it obeys or not: a bolt that is to be secured waits for nobody.
"""

from __future__ import annotations

import os
import threading
from collections import deque
from collections.abc import Callable
from contextlib import suppress
from queue import Empty, SimpleQueue

from device.journal import in_words, log
from device.lock.osdp_supervisor import Stands, Supervisor
from device.lock.state import Event, Signal
from device.wire import Hint

STEP_S = 0.01  # each command and each reply is a step; a reader is asked about every 80 ms
AFTER_FAULT_S = 5.0
_PATIENCE_S = 1.0


class Worker:
    """The thread of one reader. `make` builds its supervisor, in the thread, handed what it tells."""

    def __init__(self, make: Callable[[Callable[[Event | Stands], None]], Supervisor]) -> None:
        self._make = make
        self._told: deque[Event | Stands] = deque()
        self._shown: SimpleQueue[tuple[Signal, Hint | None]] = SimpleQueue()
        self._ending = threading.Event()
        self._event = os.eventfd(0, os.EFD_CLOEXEC | os.EFD_NONBLOCK)
        self._thread = threading.Thread(target=self._run, name="osdp", daemon=True)
        self._thread.start()

    def fileno(self) -> int:
        """Readable when `told` has something; stays open as long as this object."""
        return self._event

    def told(self) -> list[Event | Stands]:
        """What was told since the last call, in order."""
        with suppress(BlockingIOError):
            os.eventfd_read(self._event)
        told = []
        while self._told:
            told.append(self._told.popleft())
        return told

    def show(self, signal: Signal, hint: Hint | None) -> None:
        """Show it from the next step on."""
        self._shown.put((signal, hint))

    def close(self) -> None:
        """End the thread; one that hangs in its device is left to the end of the process."""
        self._ending.set()
        self._thread.join(_PATIENCE_S)
        if self._event >= 0 and not self._thread.is_alive():
            os.close(self._event)
            self._event = -1

    def _tell(self, what: Event | Stands) -> None:
        self._told.append(what)
        os.eventfd_write(self._event, 1)

    def _run(self) -> None:
        supervisor: Supervisor | None = None
        wait_s = 0.0
        while not self._ending.wait(wait_s):
            wait_s = STEP_S
            try:
                supervisor = supervisor or self._make(self._tell)
                with suppress(Empty):
                    while True:
                        supervisor.show(*self._shown.get_nowait())
                supervisor.turn()
            except Exception as cause:  # noqa: BLE001 - a reader must not end lock, whatever its driver brings
                wait_s = AFTER_FAULT_S
                self._failed(supervisor, f"the OSDP reader is left alone for a while: {in_words(cause)}")
        if supervisor:
            supervisor.close()

    def _failed(self, supervisor: Supervisor | None, why: str) -> None:
        if supervisor:
            supervisor.fail(why)
        else:
            log(why)
            self._tell(Stands(well=False))
