"""The line in front of the worker: one check at a time, in order, and not too many.

Rules kept here:
- One task is under way, at most `WAITING` more stand in line; whoever comes then is turned away at once.
- A task begins only when the one before it has finished, so that each attempt is charged on top of the last result.
- `void` empties the line: a task under way runs out unheard, because nobody is there any more to hear it.
- Everything here runs in the loop's thread; only what `begin` returns runs elsewhere.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol

WAITING = 4

Work = Callable[[], tuple[bytes, ...]]
"""What the worker runs: it may block, and touches nothing that the loop touches meanwhile. Raises Fault."""

Result = tuple[bytes, ...] | Exception


class Task(Protocol):
    """One check."""

    def begin(self) -> Work:
        """It is this task's turn."""

    def finish(self, result: Result) -> None:
        """What became of the work."""


class Executor(Protocol):
    """Runs one piece of work elsewhere and calls back in the loop's thread."""

    def start(self, work: Work, done: Callable[[Result], None]) -> None:
        """Run `work`; later call `done` with its result. Called only when nothing is under way."""

    def stop(self) -> bool:
        """End; False if work is still running that nobody waits for any more."""


@dataclass(eq=False, slots=True)
class _Turn:
    task: Task
    began_s: float
    void: bool = False


class Line:
    """The line; `now_s` is CLOCK_MONOTONIC seconds."""

    def __init__(self, executor: Executor, now_s: Callable[[], float]) -> None:
        self._executor = executor
        self._now_s = now_s
        self._waiting: deque[Task] = deque()
        self._turn: _Turn | None = None

    def submit(self, task: Task) -> bool:
        """Put `task` into the line; False if the line is full."""
        if self._turn is None:
            self._begin(task)
            return True
        if len(self._waiting) >= WAITING:
            return False
        self._waiting.append(task)
        return True

    def void(self) -> None:
        """Forget everybody in the line, and do not listen to what is under way."""
        self._waiting.clear()
        if self._turn:
            self._turn.void = True

    def busy_s(self) -> float:
        """How long the task under way has been running; 0 if there is none."""
        return self._now_s() - self._turn.began_s if self._turn else 0.0

    def _begin(self, task: Task) -> None:
        turn = self._turn = _Turn(task, self._now_s())
        self._executor.start(task.begin(), lambda result: self._done(turn, result))

    def _done(self, turn: _Turn, result: Result) -> None:
        self._turn = None
        if not turn.void:
            turn.task.finish(result)
        if self._waiting and self._turn is None:
            self._begin(self._waiting.popleft())
