"""What the loop needs of the parts around it, as ports: `device.eye.loop` is tested without a camera or a network.

Rules kept here:
- Nothing stands here that the loop does not call.
"""

from __future__ import annotations

from contextlib import AbstractContextManager
from typing import NoReturn, Protocol

from device import wire
from device.edges import Room
from device.eye.attack.approach import Watched
from device.eye.attack.moved import Followed
from device.eye.camera import Frame
from device.eye.pixels import Picture
from device.eye.runtime import Floats
from device.eye.sight import Seen
from device.link import Link
from device.wire import LookMode


class Looker(Protocol):
    """What the loop needs of `device.eye.sight.Sight`."""

    def model_id(self, *, covered: bool) -> bytes:
        """What an embedding may be compared with."""

    def look(self, frame: Frame, mode: LookMode) -> Seen:
        """What a frame shows to whom looks in order to recognise or to enrol."""

    def forget(self) -> None:
        """Overwrite what the last frames left."""


class Watcher(Protocol):
    """What the loop needs of it besides, at a door with lights."""

    def begin(self) -> None:
        """Another approach begins."""

    def watch(self, frame: Frame, *, crop: bool) -> Watched:
        """What a frame shows of a face that is challenged."""

    def follow(self, frame: Frame, *, crop: bool) -> Followed:
        """What a frame shows of a face that was asked to turn."""

    def embed(self, crop: Picture) -> Floats:
        """The embedding of a crop."""


class Tether(Protocol):
    """What the loop needs of `device.eye.leash.Leash`."""

    def hold(self, seconds: float) -> AbstractContextManager[None]:
        """A block that must end within `seconds`."""

    def give_up(self, why: str) -> NoReturn:
        """End the process."""


class Outlet(Protocol):
    """What the loop needs of `device.service.Service`."""

    def send(self, peer: Room, msg: wire.Message) -> bool:
        """Send to `peer` if it is there."""

    def link(self, peer: Room) -> Link | None:
        """The live connection to `peer`, if there is one."""
