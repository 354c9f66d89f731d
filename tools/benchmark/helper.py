"""A process that measures one thing whenever it is asked to, and sleeps on a pipe in between.

Rules kept here:
- One line goes in for each measurement, and one line of whole numbers comes back.
- It ends with the `with`, and with the benchmark, however that ends.
"""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from tools.benchmark.figures import NotMeasured
from tools.benchmark.house import die_with_parent


@contextmanager
def measuring(module: str, what: str, *arguments: str) -> Iterator[Callable[[], list[int]]]:
    """Gives a function that asks `python -m module arguments` once. It raises NotMeasured if that process ended."""
    helper = subprocess.Popen(
        [sys.executable, "-m", module, *arguments],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        preexec_fn=die_with_parent,  # noqa: PLW1509 - this program has one thread
    )

    def once() -> list[int]:
        if helper.stdin and helper.stdout:
            helper.stdin.write(b"\n")
            helper.stdin.flush()
            answer = helper.stdout.readline().split()
            if answer:
                return [int(word) for word in answer]
        msg = f"the process that measures {what} ended"
        raise NotMeasured(msg)

    try:
        yield once
    finally:
        helper.kill()
        helper.communicate()
