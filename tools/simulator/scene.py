"""What stands in front of the simulated camera.

Rules kept here:
- The scene is one small JSON file, replaced atomically; eye's replay camera reads it (device.eye.scene), and writes
  beside it what it counted, whether eye's loop would say so or not.
- In which light it stands is told beside it by the process that is the hardware, where the lights change, in shared
  memory: a full disk or a busy one keeps no light from being seen.
"""

from __future__ import annotations

import json
import mmap
import os
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from device.eye.lamps import KEPT, LIGHTS, SIZE, LightChange, packed
from device.eye.scene import METER, Reading, read_meter
from device.eye.scene import camera_gone as meter_closed


@dataclass(frozen=True, slots=True)
class Standing:
    """`source` is a picture or a folder, or None for an empty hallway; `scale` below 1 is farther away."""

    source: Path | None = None
    fps: float = 15.0
    scale: float = 1.0


def write(standing: Standing, path: Path) -> None:
    """Put `standing` in front of the camera that reads `path`."""
    source = str(standing.source) if standing.source else None
    text = json.dumps({"source": source, "fps": standing.fps, "scale": standing.scale})
    temporary = path.with_suffix(".new")
    temporary.write_text(text + "\n", encoding="utf-8")
    temporary.replace(path)


def meter(scene_path: Path) -> Reading:
    """What the camera counted; nothing while there is no meter."""
    path = scene_path.with_name(METER)
    return read_meter(path) if path.exists() else Reading()


def camera_gone(scene_path: Path) -> None:
    """The process that held the camera is gone."""
    meter_closed(scene_path.with_name(METER))


class Light:
    """`lights.meter` beside the scene: in which light it stands, from the moment of this call on. Raises OSError."""

    def __init__(self, scene_path: Path) -> None:
        number = os.open(scene_path.with_name(LIGHTS), os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o644)
        try:
            os.ftruncate(number, SIZE)
            self._map = mmap.mmap(number, SIZE)
        finally:
            os.close(number)
        self.told = 0
        self.tell((), 0)

    def tell(self, history: Iterable[LightChange], made: int) -> None:
        """There were `made` changes so far; `history` ends with the last of them."""
        self._map[:] = packed(list(history)[-KEPT:], made)
        self.told = made
