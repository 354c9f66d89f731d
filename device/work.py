"""What a room brings to the frame it runs in: one class with these methods, called from one loop.

Rules kept here:
- All calls come from the one thread of the loop (`device.service`); a room needs no lock against itself.
- A room hears only what `device.edges` permits. Whether it comes at the right moment the room decides itself.
"""

from __future__ import annotations

from typing import Protocol

from device import wire
from device.edges import Room
from device.link import Link


class Work(Protocol):
    """What a room brings; all calls come from the one loop."""

    def connected(self, link: Link) -> None:
        """A permitted peer is there."""

    def received(self, link: Link, msg: wire.Message) -> None:
        """A message the edge permits. Raise NotPermitted if it comes at the wrong moment."""

    def disconnected(self, link: Link) -> None:
        """The peer is gone."""

    def breached(self, room: Room) -> None:
        """`room` sent something it must never send; its connection is closed already."""

    def deadline(self) -> float | None:
        """When `tick` wants to be called next (CLOCK_MONOTONIC seconds), or None."""

    def tick(self) -> None:
        """Time has passed."""

    def healthy(self) -> bool:
        """Whether the work itself, not merely the loop, goes on."""

    def stop(self) -> None:
        """The process ends; put everything into its safe state."""
