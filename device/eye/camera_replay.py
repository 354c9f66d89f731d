"""The simulated camera: a picture, a folder of them, or a scene that somebody changes while it plays.

Rules kept here:
- It keeps the port's promises like a real camera: paced frames, none older than asked for, a bounded wait.
- A source that cannot be shown is a CameraFault at the moment of reading, with a sentence that names the file. It is
  not shown as an empty scene: an eye that cannot see must not report that nobody is there. The process lives on, and
  the next window tries again.
- A frame is stamped with the moment at which its light fell, and not with that of its decoding: a picture that is
  shown for the first time is decoded before it is exposed, however long that takes.
- What answers to light (`.npz`, `device.eye.basis`) is exposed for EXPOSURE_NS from its stamp on, in the light that
  burnt then (`device.eye.lamps`), and is handed out when that is over. A plain picture is as bright as it is.
- Who can turn (`.turning`, `device.eye.turning`) looks where the lights that burn ask for it.
- Decoded pictures live while the stream is open and no longer.
- Beside a scene file it keeps `camera.meter`, so that somebody outside can prove "no press, no pixels".
"""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from device.config.tables import CameraTable
from device.errors import CameraFault, PictureRefused
from device.eye.basis import read_basis
from device.eye.camera import LOW_HEIGHT_PX, LOW_WIDTH_PX, NS_PER_MS, NS_PER_S, Frame
from device.eye.lamps import LIGHTS, Lamps
from device.eye.lit import Lit
from device.eye.pictures import SUFFIXES, empty_scene, picture_files, read_scaled
from device.eye.pixels import Picture, fit_area
from device.eye.scene import LIT_SUFFIX, METER, Meter, Scene, SceneFile
from device.eye.turning import TURNING_SUFFIX, facing, place

EXPOSURE_NS: Final = NS_PER_S // 60
_KEPT_PICTURES: Final = 16  # 1.2 MB each at 640 x 480
_KEPT_BASES: Final = 4  # 24 MB each with the lights that they were seen in


@dataclass(frozen=True, slots=True, eq=False)
class _Still:
    """Both planes of a plain picture."""

    main: Picture
    low: Picture


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
        self._lamps = Lamps(source.parent / LIGHTS, sleep)
        self._open = False
        self._playing: Scene | None = None
        self._files: tuple[Path, ...] = ()
        self._turn = 0
        self._planes: dict[Path | None, _Still] = {}
        self._lit: dict[Path, Lit] = {}
        self._next_ns = self._began_ns = 0
        self._shots = 0

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
        self._turn, self._shots = 0, 0
        self._next_ns = self._began_ns = self._clock_ns()
        if self._meter:
            self._meter.set_open(open_=True)

    def read(self, not_before_ns: int) -> Frame:
        """The next frame at its pace. Raises CameraFault if it is closed, late, or has nothing it can show."""
        if not self._open:
            msg = "the simulated camera is closed"
            raise CameraFault(msg)
        scene = self._scene()
        self._refuse_to_wait(not_before_ns)
        if self._meter:
            self._meter.count(self._clock_ns())  # before its pixels exist
        try:
            shown = self._shown(scene)
        except PictureRefused as refusal:
            raise CameraFault(str(refusal)) from refusal
        begin_ns = self._exposed(not_before_ns, EXPOSURE_NS if isinstance(shown, Lit) else 0)
        self._next_ns = begin_ns + int(NS_PER_S / scene.fps)
        if self._meter:
            self._meter.exposed(begin_ns)
        if isinstance(shown, _Still):
            return Frame(shown.main, shown.low, begin_ns)
        levels = self._lamps.mean(begin_ns, begin_ns + EXPOSURE_NS)
        self._shots += 1
        main = shown.exposed(levels, self._shots, (begin_ns - self._began_ns) / NS_PER_S)
        return Frame(main, fit_area(main, LOW_HEIGHT_PX, LOW_WIDTH_PX), begin_ns)

    def _refuse_to_wait(self, not_before_ns: int) -> None:
        """Raise CameraFault, after the time that a camera is given, if no frame can be due within it."""
        if max(self._next_ns, not_before_ns) - self._clock_ns() > self._timeout_ns:
            self._sleep(self._timeout_ns / NS_PER_S)
            msg = f"the simulated camera gave no frame within {self._timeout_ns // NS_PER_MS} ms"
            raise CameraFault(msg)

    def _exposed(self, not_before_ns: int, exposure_ns: int) -> int:
        """When the exposure began that is over now: a camera exposes all the while, whether somebody waits or not."""
        begin_ns = max(self._next_ns, not_before_ns, self._clock_ns() - exposure_ns)
        while (now := self._clock_ns()) < begin_ns + exposure_ns:
            self._sleep((begin_ns + exposure_ns - now) / NS_PER_S)
        return begin_ns

    def steady(self, *, held: bool) -> None:
        """The exposure is the same at all times."""

    def close(self) -> None:
        """Stop playing and forget the decoded pictures."""
        self._open = False
        self._playing, self._files = None, ()
        self._planes.clear()
        self._lit.clear()
        if self._meter:
            self._meter.set_open(open_=False)

    def _scene(self) -> Scene:
        return self._file.current() if self._file else self._fixed

    def _shown(self, scene: Scene) -> _Still | Lit:
        if scene != self._playing:
            self._planes.clear()
            self._lit.clear()
            self._turn, self._playing = 0, None
            folder = scene.source is not None and scene.source.is_dir() and scene.source.suffix != TURNING_SUFFIX
            self._files = picture_files(scene.source, (*SUFFIXES, LIT_SUFFIX)) if folder and scene.source else ()
            self._playing = scene
        path = self._files[self._turn % len(self._files)] if self._files else scene.source
        self._turn += 1
        if path is not None and path.suffix == TURNING_SUFFIX:
            now_ns = self._clock_ns()
            path = place(path, facing(self._lamps.until(now_ns), now_ns))
        if path is not None and path.suffix == LIT_SUFFIX:
            return self._answering(path, scene.scale)
        return self._still(path, scene.scale)

    def _answering(self, path: Path, scale: float) -> Lit:
        if scale != 1:
            msg = f"{path.name} was made for one distance; a scene that shows it has the scale 1"
            raise PictureRefused(msg)
        lit = self._lit.get(path)
        if lit is None:
            lit = Lit(read_basis(path, *self._size))
            if len(self._lit) < _KEPT_BASES:
                self._lit[path] = lit
        return lit

    def _still(self, path: Path | None, scale: float) -> _Still:
        still = self._planes.get(path)
        if still is None:
            width, height = self._size
            main = empty_scene(width, height) if path is None else read_scaled(path, width, height, scale)
            low = fit_area(main, LOW_HEIGHT_PX, LOW_WIDTH_PX)
            # The same arrays are handed out again for the next frame: nobody may write on them.
            main.flags.writeable = low.flags.writeable = False
            still = _Still(main, low)
            if len(self._planes) < _KEPT_PICTURES:
                self._planes[path] = still
        return still
