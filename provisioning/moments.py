"""Moments as people read them on the manager's side: of certificates, labels and what a door says.

Rules kept here:
- What machines in several places agree on is told in UTC, and says so where it has a minute.
  (The last day of a place is its people's own: `until`.)
"""

from __future__ import annotations

from datetime import UTC, datetime


def day(unix: int) -> str:
    """The day of `unix` in UTC."""
    return f"{datetime.fromtimestamp(unix, UTC):%Y-%m-%d}"


def minute(unix: int) -> str:
    """The minute of `unix`, with its time zone."""
    return f"{datetime.fromtimestamp(unix, UTC):%Y-%m-%d %H:%M} UTC"
