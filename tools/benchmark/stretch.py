"""A process that stretches a PIN whenever it is asked to, and does nothing else: `python -m tools.benchmark.stretch`.

Rules kept here:
- It sleeps on a pipe as keeper sleeps on its socket. Measured in the benchmark's own process, which is running already
  when it begins, Argon2id would share a core that the scheduler gives to nobody else when keeper wakes up.
- The time is that of the one call into libsodium, with keeper's own function and cost.
"""

from __future__ import annotations

import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from device.keeper.pin import stretcher
from tools.benchmark.helper import measuring


@contextmanager
def stretching() -> Iterator[Callable[[], float]]:
    """Gives a function that measures one bare Argon2id, in milliseconds. It raises NotMeasured if the process ended."""
    with measuring(__name__, "Argon2id") as once:
        yield lambda: once()[0] / 1e6


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
