"""Moments as people read them on the manager's side: of certificates, labels and what a door says.

Rules kept here:
- What machines in several places agree on is told in UTC, and says so where it has a minute.
  (The last day of a place is its people's own: `until`.)
- A clock that no computer of this software's time can have (`device.policy.clock`) makes nothing that is signed: an
  invitation of 1970 is over before it is printed, and dates far off fit into no store.
"""

from __future__ import annotations

from datetime import UTC, datetime

from device.policy.clock import EARLIEST_UNIX, LATEST_UNIX
from provisioning.errors import FleetRefused

_YEAR_10000_UNIX = 253_402_300_800


def refuse_wrong_clock(now_unix: float) -> None:
    """Refuse to make anything dated `now_unix`, what this computer's clock says, if that cannot be.

    Raises FleetRefused.
    """
    if EARLIEST_UNIX <= now_unix <= LATEST_UNIX:
        return
    msg = f"this computer's clock says {day(int(now_unix))}, which cannot be: set the clock; nothing was made"
    raise FleetRefused(msg)


def day(unix: int) -> str:
    """The day of `unix` in UTC."""
    if not 0 <= unix < _YEAR_10000_UNIX:
        return "a year that no calendar here has"
    return f"{datetime.fromtimestamp(unix, UTC):%Y-%m-%d}"


def minute(unix: int) -> str:
    """The minute of `unix`, with its time zone."""
    return f"{datetime.fromtimestamp(unix, UTC):%Y-%m-%d %H:%M} UTC"
