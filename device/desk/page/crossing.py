"""Where the page's thread and the desk's loop meet: questions one way, answers the other.

Rules kept here:
- The loop does what it was asked in its own time and in order. It never waits for the page's thread: one that hangs or
  has ended costs the loop nothing.
- What may wait for the loop is bounded. Beyond that a question is refused; that somebody has left is always heard.
- A desk without a page never loads asyncio, a sixth of its memory: what is made in the page's thread asks for it.
- Only functions of the desk's own cross over, never anything that came from a browser as it came.
"""

from __future__ import annotations

import socket
import threading
from collections import deque
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Generic, TypeVar

from device.desk.page.counter import Unavailable

MOST_JOBS = 64
Job = Callable[[], None]
T = TypeVar("T")


@dataclass(slots=True)
class Crossing:
    """The loop's side is `fileno` and `collect`, the page's is `post`."""

    _jobs: deque[Job] = field(default_factory=deque)
    _guard: threading.Lock = field(default_factory=threading.Lock)
    _ends: tuple[socket.socket, socket.socket] = field(init=False)

    def __post_init__(self) -> None:
        self._ends = socket.socketpair()
        for end in self._ends:
            end.setblocking(False)

    def fileno(self) -> int:
        """Readable when something waits to be collected."""
        return self._ends[0].fileno()

    def post(self, job: Job, *, always: bool = False) -> None:
        """Have the loop do `job`. Raises Unavailable if too much waits for it, unless it has to be heard `always`."""
        with self._guard:
            if len(self._jobs) >= MOST_JOBS and not always:
                raise Unavailable("the door is busy; please try again in a moment")
            self._jobs.append(job)
        with suppress(OSError):  # full: then it is readable already; closed: then the desk ends
            self._ends[1].send(b"\0")

    def collect(self) -> None:
        """Do what waits, from the loop; what is posted meanwhile waits for the next turn."""
        with suppress(OSError):
            self._ends[0].recv(4 * MOST_JOBS)
        with self._guard:
            jobs = list(self._jobs)
            self._jobs.clear()
        for job in jobs:
            job()

    def close(self) -> None:
        """The desk ends."""
        for end in self._ends:
            end.close()


class Reply(Generic[T]):
    """One answer on its way back; made in the page's thread, given from the loop, once."""

    def __init__(self) -> None:
        import asyncio

        self._loop = asyncio.get_running_loop()
        self._future: asyncio.Future[T] = self._loop.create_future()

    def give(self, value: T) -> None:
        """The answer."""
        self._cross(lambda: self._future.set_result(value))

    def refuse(self, error: Exception) -> None:
        """The reason why there is none."""
        self._cross(lambda: self._future.set_exception(error))

    async def within(self, seconds: float) -> T:
        """Wait for it. Raises Unavailable if it does not come in time, or what was given as the reason."""
        import asyncio

        try:
            return await asyncio.wait_for(self._future, seconds)
        except TimeoutError:
            raise Unavailable("the door did not answer in time; please try again") from None

    def _cross(self, settle: Job) -> None:
        def unless_given_up() -> None:
            if not self._future.done():
                settle()

        with suppress(RuntimeError):  # the page's thread has ended, and nobody waits
            self._loop.call_soon_threadsafe(unless_given_up)


class Stream(Generic[T]):
    """Answers on their way back, in order; made in the page's thread."""

    def __init__(self) -> None:
        import asyncio

        self._loop = asyncio.get_running_loop()
        self._queue: asyncio.Queue[T] = asyncio.Queue()

    def put(self, value: T) -> None:
        """The next one."""
        with suppress(RuntimeError):
            self._loop.call_soon_threadsafe(self._queue.put_nowait, value)

    async def next_or(self, seconds: float, late: T) -> T:
        """The next one, or `late` if none comes in time."""
        import asyncio

        try:
            return await asyncio.wait_for(self._queue.get(), max(seconds, 0.0))
        except TimeoutError:
            return late
