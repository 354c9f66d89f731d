"""The simulated camera: a picture, a folder of pictures, or a scene that somebody changes while it plays.

Rules kept here:
- It keeps the port's promises like a real camera: paced frames, none older than asked for, a bounded wait.
- A source that cannot be shown is a CameraFault at the moment of reading, with a sentence that names the file. It is
  not shown as an empty scene: an eye that cannot see must not report that nobody is there. The process lives on, and
  the next window tries again.
- Decoded pictures live while the stream is open and no longer.
- Beside a scene file it keeps `camera.meter`, so that somebody outside can prove "no press, no pixels".
"""

from __future__ import annotations

import time
from collections.abc import Callable
from pathlib import Path
from typing import Final

from device.config import CameraTable
from device.errors import CameraFault, PictureRefused
from device.eye.camera import LOW_HEIGHT_PX, LOW_WIDTH_PX, NS_PER_MS, NS_PER_S, Frame
from device.eye.pictures import empty_scene, picture_files, read_scaled
from device.eye.pixels import Picture, fit_area
from device.eye.scene import METER, Meter, Scene, SceneFile

_KEPT_PICTURES: Final = 16  # 1.2 MB each at 640 x 480


class ReplayCamera:
    """Plays `source` as a camera of `width` x `height` pixels; `clock_ns` and `sleep` stand for time in tests."""

    restart_heals = False

    def __init__(
        self,
        source: Path,
        width: int = 640,
        height: int = 480,
        fps: float = 15.0,
        frame_timeout_ms: int = 1000,
        clock_ns: Callable[[], int] = time.monotonic_ns,
        sleep: Callable[[float], None] = time.sleep,
    ) -> None:
        self._size = (width, height)
        self._timeout_ns = frame_timeout_ms * NS_PER_MS
        self._clock_ns, self._sleep = clock_ns, sleep
        self._file = SceneFile(source) if source.suffix == ".json" else None
        self._fixed = Scene(source, fps)
        self._meter = Meter(source.parent / METER) if self._file else None
        self._open = False
        self._playing: Scene | None = None
        self._files: tuple[Path, ...] = ()
        self._turn = 0
        self._planes: dict[Path | None, tuple[Picture, Picture]] = {}
        self._next_ns = 0

    @classmethod
    def from_table(cls, table: CameraTable) -> ReplayCamera:
        """The replay camera that door.toml describes."""
        return cls(Path(table.replay), table.width_px, table.height_px, table.fps, table.frame_timeout_ms)

    def probe(self) -> None:
        """Whether the source is there, without decoding anything. Raises CameraFault."""
        source = self._scene().source
        if source is not None and not source.exists():
            msg = f"the simulated camera's source {source.name} is not there"
            raise CameraFault(msg)

    def open(self) -> None:
        """Start playing, at the beginning. Raises CameraFault if the scene cannot be read."""
        if self._open:
            return
        self._scene()
        self._open = True
        self._turn, self._next_ns = 0, self._clock_ns()
        if self._meter:
            self._meter.set_open(open_=True)

    def read(self, not_before_ns: int) -> Frame:
        """The next frame at its pace. Raises CameraFault if it is closed, late, or has nothing it can show."""
        if not self._open:
            msg = "the simulated camera is closed"
            raise CameraFault(msg)
        scene = self._scene()
        now = self._clock_ns()
        due = max(self._next_ns, not_before_ns, now)
        if due - now > self._timeout_ns:
            self._sleep(self._timeout_ns / NS_PER_S)
            msg = f"the simulated camera gave no frame within {self._timeout_ns // NS_PER_MS} ms"
            raise CameraFault(msg)
        while (now := self._clock_ns()) < due:
            self._sleep((due - now) / NS_PER_S)
        self._next_ns = due + int(NS_PER_S / scene.fps)
        if self._meter:
            self._meter.count(now)
        try:
            main, low = self._shown(scene)
        except PictureRefused as refusal:
            raise CameraFault(str(refusal)) from refusal
        return Frame(main, low, now)

    def steady(self, *, held: bool) -> None:
        """A picture is as bright as it is."""

    def close(self) -> None:
        """Stop playing and forget the decoded pictures."""
        self._open = False
        self._playing, self._files = None, ()
        self._planes.clear()
        if self._meter:
            self._meter.set_open(open_=False)

    def _scene(self) -> Scene:
        return self._file.current() if self._file else self._fixed

    def _shown(self, scene: Scene) -> tuple[Picture, Picture]:
        if scene != self._playing:
            self._planes.clear()
            self._turn, self._playing = 0, None
            folder = scene.source is not None and scene.source.is_dir()
            self._files = picture_files(scene.source) if folder and scene.source else ()
            self._playing = scene
        path = self._files[self._turn % len(self._files)] if self._files else scene.source
        self._turn += 1
        planes = self._planes.get(path)
        if planes is None:
            planes = self._decoded(path, scene.scale)
            if len(self._planes) < _KEPT_PICTURES:
                self._planes[path] = planes
        return planes

    def _decoded(self, path: Path | None, scale: float) -> tuple[Picture, Picture]:
        width, height = self._size
        main = empty_scene(width, height) if path is None else read_scaled(path, width, height, scale)
        low = fit_area(main, LOW_HEIGHT_PX, LOW_WIDTH_PX)
        # The same arrays are handed out again for the next frame: nobody may write on them.
        main.flags.writeable = low.flags.writeable = False
        return main, low
