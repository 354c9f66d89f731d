"""What can go wrong on the manager's side, under the door's two roots.

Rules kept here:
- One clear sentence each; none holds a passphrase, a key or an invitation.
"""

from __future__ import annotations

from device.errors import Fault, Refusal


class FleetRefused(Refusal, ValueError):
    """What was asked of the fleet cannot be done: unknown door, slot out of range, wrong passphrase, fleet exists."""


class FleetFault(Fault, OSError):
    """The fleet's folder cannot be read, written or synced."""
