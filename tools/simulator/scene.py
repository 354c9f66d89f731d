"""What stands in front of the simulated camera, and what that camera counted.

Rules kept here:
- The scene is one small JSON file, replaced atomically; eye's replay camera reads it (device.eye.camera_replay).
- The meter is written by the camera, not by eye's loop: whether it is open and how many frames it gave.
"""

from __future__ import annotations

import json
import struct
from dataclasses import dataclass
from pathlib import Path

_METER = struct.Struct("<II")


@dataclass(frozen=True, slots=True)
class Scene:
    """`source` is a picture or a folder, or None for an empty hallway; `scale` below 1 is farther away."""

    source: Path | None = None
    fps: float = 15.0
    scale: float = 1.0


@dataclass(frozen=True, slots=True)
class Meter:
    """What the camera counted."""

    camera_open: bool = False
    frames_read: int = 0


def write(scene: Scene, path: Path) -> None:
    """Put `scene` in front of the camera that reads `path`."""
    text = json.dumps({"source": str(scene.source) if scene.source else None, "fps": scene.fps, "scale": scene.scale})
    temporary = path.with_suffix(".new")
    temporary.write_text(text + "\n", encoding="utf-8")
    temporary.replace(path)


def meter(scene_path: Path) -> Meter:
    """The meter beside the scene; nothing was read while there is none."""
    try:
        data = scene_path.with_name("camera.meter").read_bytes()
    except FileNotFoundError:
        return Meter()
    if len(data) != _METER.size:
        return Meter()
    is_open, frames = _METER.unpack(data)
    return Meter(bool(is_open), frames)


def camera_gone(scene_path: Path) -> None:
    """The process that held the camera is gone, and its stream with it; the count stays."""
    path = scene_path.with_name("camera.meter")
    if path.exists():
        path.write_bytes(_METER.pack(0, meter(scene_path).frames_read))
