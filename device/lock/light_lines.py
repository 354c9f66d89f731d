"""The lines of the two white lights: two a light, weak and strong, which together give levels of 0 to 3.

Rules kept here:
- Plain levels, never pulsed: a light that is pulsed shows as bands in a picture that is read line by line.
- Nothing here can keep a door from locking or opening: lines that fail are said once in the log and left alone.
"""

from __future__ import annotations

from collections.abc import Callable

from device.journal import log

Drive = Callable[[tuple[bool, ...]], object]
WEAK, STRONG = 1, 2  # the light that a line adds, in the steps of `device.challenge`


def line_levels(left: int, right: int) -> tuple[bool, bool, bool, bool]:
    """Which lines are on for these levels of 0 to 3: left weak and strong, right weak and strong."""
    return bool(left & WEAK), bool(left & STRONG), bool(right & WEAK), bool(right & STRONG)


class LightLines:
    """Sets both lights through `drive`, which takes what `line_levels` gives; None where a door has none."""

    def __init__(self, drive: Drive | None) -> None:
        self._drive = drive

    def show(self, left: int, right: int) -> None:
        """Both lights at once, as nearly as the driver can."""
        if self._drive is None:
            return
        try:
            self._drive(line_levels(left, right))
        except Exception as cause:  # noqa: BLE001 - each driver brings errors of its own, and none of them matters here
            log(f"the white lights cannot be driven and are left alone: {cause}")
            self._drive = None

    def close(self) -> None:
        """Dark."""
        self.show(0, 0)
