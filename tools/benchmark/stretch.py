"""A process that stretches a PIN whenever it is asked to, and does nothing else: `python -m tools.benchmark.stretch`.

Rules kept here:
- It sleeps on a pipe as keeper sleeps on its socket. Measured in the benchmark's own process, which is running already
  when it begins, Argon2id would share a core that the scheduler gives to nobody else when keeper wakes up.
- The time is that of the one call into libsodium, with keeper's own function and cost.
"""

from __future__ import annotations

import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from device.keeper.pin import stretcher
from tools.benchmark.figures import NotMeasured
from tools.benchmark.house import die_with_parent


@contextmanager
def stretching() -> Iterator[Callable[[], float]]:
    """Gives a function that measures one bare Argon2id, in milliseconds. It raises NotMeasured if the process ended."""
    helper = subprocess.Popen(
        [sys.executable, "-m", __name__],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        preexec_fn=die_with_parent,  # noqa: PLW1509 - this program has one thread
    )

    def once() -> float:
        if helper.stdin and helper.stdout:
            helper.stdin.write(b"\n")
            helper.stdin.flush()
            answer = helper.stdout.readline()
            if answer:
                return int(answer) / 1e6
        msg = "the process that measures Argon2id ended"
        raise NotMeasured(msg)

    try:
        yield once
    finally:
        helper.kill()
        helper.communicate()


def main() -> int:
    """One call for each line."""
    stretch = stretcher()
    for _ in sys.stdin.buffer:
        began = time.perf_counter_ns()
        stretch("482913", bytes(16))
        sys.stdout.write(f"{time.perf_counter_ns() - began}\n")
        sys.stdout.flush()
    return 0


if __name__ == "__main__":
    sys.exit(main())
