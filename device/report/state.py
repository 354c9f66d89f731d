"""The live state of a door whose owner has signed the profile HOME: for one's own home, and never for a building.

Rules kept here:
- Nothing is said before lock has said how the door stands, and lock says so under HOME alone.
- It is no diary: what is sent is how the door stands now. What happened while the broker was away is not made up for,
  and nothing of it is kept on disk.
- It is retained, so that whoever asks later knows; once lock's document takes the choice back, the broker is told to
  forget it.
- Every state has one size.
"""

from __future__ import annotations

import json

from device import wire
from device.report.retained import Retained

STATE_ROW = -1
"""By this number the publisher tells what became of it; rows of the outbox are above 0."""
SIZE = 64  # bytes, filled up with spaces; the longest object takes 32 (a test computes it)


def topic(door: str) -> str:
    """Where the live state goes."""
    return f"doorward/{door}/state"


def encode(state: wire.DoorState) -> bytes:
    """The payload of `state`, always SIZE bytes."""
    said = {"locked": not state.granted, "door": "open" if state.open else "closed"}
    return json.dumps(said, separators=(",", ":")).encode("ascii").ljust(SIZE)


class LiveState(Retained):
    """What the broker should hold of how the door stands."""

    def is_now(self, state: wire.DoorState) -> None:
        """Lock says how the door stands."""
        self.want(encode(state))
