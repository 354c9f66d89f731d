"""Looking at many pictures with several processes, and being ended at any moment.

Rules kept here:
- Every finished look is handed on at once, in whatever order; who asked keeps it.
- Ctrl-C reaches the process that was asked, not the workers; with it they end, also if it is killed outright. A worker
  that dies is a sentence.
- Each worker has networks of its own, one thread each.
"""

from __future__ import annotations

import os
import signal
import threading
from collections.abc import Iterator, Sequence
from concurrent.futures import Future, ProcessPoolExecutor, as_completed
from concurrent.futures.process import BrokenProcessPool
from multiprocessing import get_context, parent_process
from pathlib import Path
from typing import Final

from tools.evaluate.accuracy.conditions import Condition
from tools.evaluate.accuracy.look import Chain, Looker

Task = tuple[Path, bytes, tuple[Condition, ...]]  # where the picture lies, its sha256, how it is to be spoilt
Looked = tuple[bytes, Condition, bytes]  # the picture's sha256, how it was spoilt, the record

_BATCH: Final = 4  # pictures that a worker is given at once
_looker: Looker | None = None


class CrewLost(RuntimeError):
    """A worker ended before its work did."""


def looked(tasks: Sequence[Task], chain: Chain, workers: int) -> Iterator[Looked]:
    """The looks of all tasks. `workers` 0: in this process. Raises CrewLost; what was yielded before is good."""
    if not tasks:
        return
    if workers == 0:
        looker = Looker(chain)
        for task in tasks:
            yield from _at(looker, task)
        return
    batches = [tasks[start : start + _BATCH] for start in range(0, len(tasks), _BATCH)]
    pool = ProcessPoolExecutor(min(workers, len(batches)), get_context("spawn"), _begin, (chain,))
    try:
        waiting: list[Future[list[Looked]]] = [pool.submit(_work, batch) for batch in batches]
        for ended in as_completed(waiting):
            yield from ended.result()
    except BrokenProcessPool as cause:
        raise CrewLost(
            "a worker was ended; what was finished is kept, and the same command goes on from there"
        ) from cause
    finally:
        pool.shutdown(wait=True, cancel_futures=True)


def _begin(chain: Chain) -> None:
    global _looker  # noqa: PLW0603 - a process pool hands its workers nothing else to keep things in
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    threading.Thread(target=_end_with_parent, daemon=True).start()
    _looker = Looker(chain)


def _end_with_parent() -> None:
    """A worker holds both ends of the pool's pipes and would wait for ever for somebody who was killed."""
    parent = parent_process()
    if parent is not None:
        parent.join()
        os._exit(1)


def _work(tasks: Sequence[Task]) -> list[Looked]:
    if _looker is None:
        raise RuntimeError("the worker has not begun")
    return [each for task in tasks for each in _at(_looker, task)]


def _at(looker: Looker, task: Task) -> list[Looked]:
    path, sha256, conditions = task
    records = looker.at(path, sha256, conditions)
    return [(sha256, condition, record.tobytes()) for condition, record in zip(conditions, records, strict=True)]
