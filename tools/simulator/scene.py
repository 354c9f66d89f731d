"""What stands in front of the simulated camera.

Rules kept here:
- The scene is one small JSON file, replaced atomically; eye's replay camera reads it (device.eye.scene), and writes
  beside it what it counted, whether eye's loop would say so or not.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path

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
