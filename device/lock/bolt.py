"""The bolt as a port: what lock may ask of the strike, and what every driver must keep.

Rules kept here (tests/contract/bolt runs them against every driver):
- A driver is born secured and never passes through released on the way: the line is claimed with its secured level.
- `release(for_ms)` ends by itself below the program that asked for it: a one-shot in hardware, on the simulated board,
  or a timer of the driver. A second release starts the time anew.
- `secure` and `close` may be called at any time, any number of times. After `close` nothing is driven any more.
- One line has one owner: a second claim raises BoltFault.
- *Released* is logical. `coil_energised` maps it to the wiring; a fail-safe maglock is held by its coil and lets go
  without power, by design (set-up says so).
"""

from __future__ import annotations

from enum import StrEnum, unique
from typing import Protocol


@unique
class Wiring(StrEnum):
    """How the coil works. Terms of EN 60839-11-1."""

    FAIL_SECURE = "fail-secure"
    FAIL_SAFE = "fail-safe"


class Bolt(Protocol):
    """The strike or maglock of one door."""

    def release(self, for_ms: int) -> None:
        """Let the door be opened for `for_ms`. Raises BoltFault if the line cannot be driven."""

    def secure(self) -> None:
        """Lock now. Raises BoltFault if the line cannot be driven."""

    def close(self) -> None:
        """Lock and give the line back."""


def coil_energised(wiring: Wiring, *, released: bool) -> bool:
    """Whether current flows through the coil."""
    return released if wiring is Wiring.FAIL_SECURE else not released
