"""What vault and keeper are once their door has ended: destroying goes on until it is done, and lock hears of that.

Rules kept here:
- Whenever lock comes it is told where things stand, and once more at the moment when nothing is left.
- Somebody who breaks the table raises the alarm; if lock cannot be told now, it is told when it comes back.
- What a room answers to those who still ask is its own: `_greet`, `received`, `_tell`.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import dataclass, field
from typing import Protocol

from device import wire
from device.edges import Room
from device.link import Link
from device.sealing.retired import Destroying


class Rooms(Protocol):
    """The part of `device.service.Service` that answers go through."""

    def send(self, peer: Room, msg: wire.Message) -> bool:
        """Send to `peer` if it is there; False if not."""


@dataclass(slots=True)
class RetiredRoom(ABC):
    """The Work of a room at a door that has ended, but for what it says."""

    rooms: Rooms
    destroying: Destroying
    _alarm_owed: bool = field(init=False, default=False)

    @abstractmethod
    def _greet(self) -> None:
        """Lock is there: tell it what it has to know of this room."""

    @abstractmethod
    def _tell(self) -> None:
        """Tell lock that nothing is left here, if nothing is."""

    @abstractmethod
    def received(self, link: Link, msg: wire.Message) -> None:
        """One message. Raises NotPermitted for what nobody is asked any more."""

    def connected(self, link: Link) -> None:
        """Lock hears of a breach first, then what is left."""
        if link.peer is Room.LOCK:
            if self._alarm_owed:
                self._alarm_owed = not self.rooms.send(Room.LOCK, wire.Breach())
            self._greet()

    def disconnected(self, link: Link) -> None:  # noqa: B027 - no room has anything to do here
        """Nothing is owed to anybody."""

    def breached(self, room: Room) -> None:
        """Lock raises the alarm."""
        self._alarm_owed = not self.rooms.send(Room.LOCK, wire.Breach())

    def deadline(self) -> float | None:
        """When to try again to destroy what could not be destroyed."""
        return self.destroying.due_s

    def tick(self) -> None:
        """Try again."""
        if self.destroying.tick():
            self._tell()

    def healthy(self) -> bool:
        """There is nothing that could hang."""
        return True

    def stop(self) -> None:  # noqa: B027 - likewise
        """Nothing to put away."""
