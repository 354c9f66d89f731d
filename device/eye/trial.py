"""`python -m device.eye.trial`: the camera of a door that is being set up. For `doorctl setup`.

Rules kept here:
- `probe` reads no frame. `frame` reads one, after whoever sits at the terminal asked for it, and keeps nothing: what
  leaves this process is the size, the mean brightness, and how far apart the eyes of the faces are, in pixels.
- No embedding is made: only the detector looks.
- 0: it went. 1: one sentence says why not.

In: door.toml on standard input. Out: one object of JSON.

    probe    {"there": true, "pinned": "uvcvideo|HD Camera|usb-0000:00:14.0-2|5f0c2a9d11e87b34"}
    frame    {"width_px": 640, "height_px": 480, "brightness": 118, "eye_distances_px": [54]}
"""

from __future__ import annotations

import json
import sys
import time
from collections.abc import Sequence
from typing import TextIO

from device import config as door_config
from device.config.tables import Config
from device.errors import Fault, Refusal
from device.eye.camera import Camera, make
from device.eye.camera_id import Named
from device.eye.sight import Sight, refuse_stretched
from device.paths import models_dir


def probe(camera: Camera) -> dict[str, object]:
    """Whether the camera is there, and how [camera] pinned names it where it has a name. Raises CameraFault."""
    camera.probe()
    return {"there": True, **({"pinned": str(camera.identity())} if isinstance(camera, Named) else {})}


def frame(camera: Camera, sight: Sight) -> dict[str, object]:
    """What one frame is like. `brightness`: mean of all values, 0 black to 255 white. Raises CameraFault."""
    try:
        camera.open()
        seen = camera.read(time.monotonic_ns())
        height, width = seen.main.shape[:2]
        apart = [round(face.eye_distance_px) for face in sight.faces(seen)]
        return {
            "width_px": width,
            "height_px": height,
            "brightness": round(float(seen.main.mean())),
            "eye_distances_px": apart,
        }
    finally:
        camera.close()
        sight.forget()


def answer(words: Sequence[str], door: Config) -> dict[str, object]:
    """What is asked with `words`. Raises Refusal or Fault."""
    refuse_stretched(door.camera)
    camera = make(door.camera)
    match words:
        case ["probe"]:
            return probe(camera)
        case ["frame"]:
            return frame(camera, Sight.load(door.eye, models_dir()))
        case _:
            return {"refused": "this is asked with probe or frame"}


def run(words: Sequence[str], toml: TextIO, out: TextIO) -> int:
    """Answer one question; the exit code."""
    try:
        told = answer(words, door_config.parse(toml.read(), without_id=True))
    except (Refusal, Fault) as error:
        told = {"refused": str(error)}
    except Exception as error:  # noqa: BLE001 - a driver brings errors of its own: said, and never a traceback
        told = {"refused": f"the camera cannot be tried: {error!r}"}
    out.write(json.dumps(told) + "\n")
    return 1 if "refused" in told else 0


if __name__ == "__main__":
    sys.exit(run(sys.argv[1:], sys.stdin, sys.stdout))
