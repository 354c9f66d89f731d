"""Questions about the camera. Pure: no frame is read here.

Rules kept here:
- A door needs no camera, and the words say so.
- A pin of a camera is about that camera alone: another one in its place has none until it was tried.
"""

from __future__ import annotations

from device.desk.setup import places
from device.desk.setup.draft import Draft
from device.desk.setup.machine import Machine
from device.desk.setup.questions import Choice, Question
from device.desk.setup.step import listed


def camera(draft: Draft, machine: Machine) -> Question:
    """Which camera, or none."""
    words = {
        "picamera2": "a Raspberry Pi camera, or a USB camera that libcamera knows (picamera2)",
        "replay": "the simulated board's camera, for trying things out",
        "none": "no camera: the door opens by PIN, code and card",
    }
    stands = draft.config.camera
    default = stands.device if stands.backend == "v4l2" else stands.backend
    left_out = ("v4l2",) if draft.config.lock.board == "sim" else ("v4l2", "replay")
    choices = tuple(Choice(name, words.get(name, name)) for name in places.camera_backends() if name not in left_out)
    plugged = tuple((path, f"the USB camera {path} (V4L2; Jetson, and others)") for path in machine.cameras)
    choices += listed(plugged, stands.device if stands.backend == "v4l2" else "")[1:]
    why = (
        "A face is never required. No frame is read now; whether the camera is there can be tried at the end, and only "
        "there and only if you say so is one picture looked at."
    )
    return Question("camera.backend", "Which camera does the door have?", why, default, choices)


def take_camera(draft: Draft, machine: Machine, backend: str) -> Draft:
    """The draft with this camera: a device of V4L2, or a backend by its name."""
    if backend.startswith("/dev/"):
        return pin_camera(draft, draft.put("camera", backend="v4l2", device=backend, replay=""))
    scene = f"{machine.simulated}/scene.json" if backend == "replay" else ""
    return pin_camera(draft, draft.put("camera", backend=backend, replay=scene))


def pin_camera(before: Draft, after: Draft) -> Draft:
    """`after`, which keeps the pin of `before` only where it is about the same camera; the trial pins it anew."""
    old, new = before.config.camera, after.config.camera
    same = (old.backend, old.device) == (new.backend, new.device)
    return after if same or new.pinned != old.pinned else after.put("camera", pinned="")


def sees(draft: Draft) -> bool:
    """Whether the door has a camera at all."""
    return draft.config.camera.backend != "none"
