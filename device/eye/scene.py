"""What stands in front of the simulated camera, and the meter that shows from outside when it looks.

Rules kept here:
- A scene file is read anew when it was replaced (another inode, time or size); its writer replaces it by renaming.
- A scene with an unknown key, a wrong type or a value out of bounds is a fault of the camera, never an empty scene:
  "nobody is there" is only said of a scene that says so.
- The meter counts a frame before its pixels exist, so that none can be read uncounted.
"""

from __future__ import annotations

import json
import mmap
import os
import struct
from dataclasses import dataclass
from pathlib import Path
from typing import Final, cast

from device.errors import CameraFault

METER: Final = "camera.meter"
LIT_SUFFIX: Final = ".npz"  # a source, or a picture of a folder, that answers to light (`device.eye.basis`)
_METER: Final = struct.Struct("<IIq")
_MAX_SCENE_BYTES: Final = 64 << 10
_FPS: Final = (0.5, 60.0)
_SCALE: Final = (0.05, 4.0)


@dataclass(frozen=True, slots=True)
class Scene:
    """A picture or a folder of pictures (None: nothing there), frames per second, and how near it stands."""

    source: Path | None
    fps: float = 15.0
    scale: float = 1.0


class SceneFile:
    """A scene.json: {"source": path or null, "fps": 15, "scale": 1.0}; a relative path starts at its own folder."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._seen: tuple[int, int, int] | None = None
        self._scene = Scene(None)

    def current(self) -> Scene:
        """The scene as of now. Raises CameraFault."""
        try:
            status = self._path.stat()
            stamp = (status.st_ino, status.st_mtime_ns, status.st_size)
            if stamp != self._seen:
                self._seen = None
                self._scene = self._parse(self._path.read_bytes()[: _MAX_SCENE_BYTES + 1])
                self._seen = stamp
        except OSError as cause:
            msg = f"the scene {self._path.name} cannot be read: {cause.strerror}"
            raise CameraFault(msg) from cause
        return self._scene

    def _parse(self, data: bytes) -> Scene:
        try:
            table = json.loads(data) if len(data) <= _MAX_SCENE_BYTES else None
        except (ValueError, RecursionError) as cause:
            msg = f"the scene {self._path.name} is no JSON"
            raise CameraFault(msg) from cause
        if not isinstance(table, dict) or not table.keys() <= {"source", "fps", "scale"} or "source" not in table:
            msg = f"the scene {self._path.name} must hold source, and may hold fps and scale"
            raise CameraFault(msg)
        source = table["source"]
        if source is not None and not (isinstance(source, str) and source and "\0" not in source):
            msg = f"the scene {self._path.name} must name a picture, a folder or null as its source"
            raise CameraFault(msg)
        fps = self._bounded(table.get("fps", 15.0), "fps", _FPS)
        scale = self._bounded(table.get("scale", 1.0), "scale", _SCALE)
        return Scene(None if source is None else self._path.parent / source, fps, scale)

    def _bounded(self, value: object, name: str, bounds: tuple[float, float]) -> float:
        number = type(value) in (int, float)
        if not number or not bounds[0] <= cast("float", value) <= bounds[1]:
            msg = f"the scene {self._path.name} needs a {name} from {bounds[0]:g} to {bounds[1]:g}"
            raise CameraFault(msg)
        return float(cast("float", value))


class Meter:
    """`camera.meter`: open (0 or 1), frames read since the file was made, exposure of the last one; little-endian.

    Two 32-bit numbers and one of 64 bits (CLOCK_MONOTONIC nanoseconds, 0 before the first frame).
    Written in place through shared memory: whoever maps or reads the file sees the state of this moment.
    """

    def __init__(self, path: Path) -> None:
        try:
            number = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o644)
            try:
                os.ftruncate(number, _METER.size)
                self._map = mmap.mmap(number, _METER.size)
            finally:
                os.close(number)
        except OSError as cause:
            msg = f"the meter {path.name} cannot be written: {cause.strerror}"
            raise CameraFault(msg) from cause
        self.set_open(open_=False)

    def set_open(self, *, open_: bool) -> None:
        """The stream runs, or does not."""
        struct.pack_into("<I", self._map, 0, int(open_))

    def count(self, exposed_ns: int) -> None:
        """One more frame is about to be read, exposed at `exposed_ns` or, if it has to be waited for, later."""
        (frames,) = struct.unpack_from("<I", self._map, 4)
        struct.pack_into("<Iq", self._map, 4, (frames + 1) & 0xFFFFFFFF, exposed_ns)

    def exposed(self, exposed_ns: int) -> None:
        """The frame that was counted last was exposed at `exposed_ns`."""
        struct.pack_into("<q", self._map, 8, exposed_ns)


@dataclass(frozen=True, slots=True)
class Reading:
    """What a meter says: `last_frame_ns` is CLOCK_MONOTONIC, 0 before the first frame."""

    is_open: bool = False
    frames: int = 0
    last_frame_ns: int = 0


def read_meter(path: Path) -> Reading:
    """What the meter at `path` says. Raises OSError, or CameraFault if it is none."""
    data = path.read_bytes()
    if not data:
        return Reading()  # eye has just made it, and not given it its size yet
    if len(data) != _METER.size:
        msg = f"{path.name} is no camera meter"
        raise CameraFault(msg)
    opened, frames, last_frame_ns = _METER.unpack(data)
    return Reading(bool(opened), frames, last_frame_ns)


def camera_gone(path: Path) -> None:
    """The process that held the camera is gone, and its stream with it; what it counted stays."""
    if path.exists() and path.stat().st_size:
        with path.open("r+b") as file:
            file.write(struct.pack("<I", 0))
