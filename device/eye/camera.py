"""The camera port: two planes of one exposure, fresh or not at all.

Rules kept here:
- `probe` says whether a camera is there without reading a frame; it is the only thing done outside a window.
- `read` never returns a frame whose exposure began before the moment asked for, and never waits longer than told.
- `close` may be called at any time and any number of times; `open` works again after it.
- `steady` holds exposure and white balance for as long as frames are compared or averaged, where the camera can; a
  camera that cannot does nothing. What is held is given back by `steady(held=False)` and by `close`.
- A frame is two arrays in memory. No method of any camera writes a picture anywhere.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final, Protocol

from device.config.tables import CameraTable
from device.errors import CameraFault
from device.eye.pixels import Picture

LOW_WIDTH_PX: Final = 320
LOW_HEIGHT_PX: Final = 240
NS_PER_S: Final = 1_000_000_000
NS_PER_MS: Final = 1_000_000


@dataclass(frozen=True, slots=True, eq=False)
class Frame:
    """One exposure: `main` H x W x 3 and `low` 240 x 320 x 3, BGR uint8; `time_ns` its beginning, CLOCK_MONOTONIC."""

    main: Picture
    low: Picture
    time_ns: int


class Camera(Protocol):
    """A camera. All methods raise CameraFault when it does not do its job."""

    @property
    def restart_heals(self) -> bool:
        """Whether a new process is the cure for repeated faults (a driver that stalls) or no help (a missing file)."""

    def probe(self) -> None:
        """Whether there is a camera, without reading a frame."""

    def open(self) -> None:
        """Start the stream; nothing happens if it runs."""

    def read(self, not_before_ns: int) -> Frame:
        """The next frame whose exposure began at `not_before_ns` (CLOCK_MONOTONIC) or later."""

    def steady(self, *, held: bool) -> None:
        """Hold exposure and white balance as they are now, or let the camera choose again."""

    def close(self) -> None:
        """Stop the stream and let go of every frame."""


class NoCamera:
    """A door set up without a camera: present for the port, with nothing behind it."""

    restart_heals = False

    def probe(self) -> None:
        """Nothing is missing: nothing was promised."""

    def open(self) -> None:
        """Raise CameraFault: there is nothing to open."""
        msg = "this door is set up without a camera"
        raise CameraFault(msg)

    def read(self, not_before_ns: int) -> Frame:
        """Raise CameraFault: there is nothing to read."""
        msg = "this door is set up without a camera"
        raise CameraFault(msg)

    def steady(self, *, held: bool) -> None:
        """Nothing chooses an exposure."""

    def close(self) -> None:
        """Nothing is open."""


def make(table: CameraTable) -> Camera:
    """The camera that door.toml names; hardware libraries are imported by the one that needs them."""
    if table.backend == "replay":
        from device.eye.camera_replay import ReplayCamera

        return ReplayCamera.from_table(table)
    if table.backend == "picamera2":
        from device.eye.camera_picamera2 import PiCamera

        return PiCamera(table)
    if table.backend == "v4l2":
        from device.eye.camera_v4l2 import V4l2Camera

        return V4l2Camera(table)
    return NoCamera()
