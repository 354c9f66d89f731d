"""Time for the cameras' tests: it passes by sleeping, and a little by looking at it."""

from __future__ import annotations

S = 1_000_000_000


class Clock:
    """CLOCK_MONOTONIC in nanoseconds, from 500 s."""

    def __init__(self) -> None:
        self.now_ns = 500 * S

    def __call__(self) -> int:
        self.now_ns += 1000
        return self.now_ns

    def sleep(self, seconds: float) -> None:
        self.now_ns += int(max(0.0, seconds) * S)
