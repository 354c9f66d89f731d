"""A stand-in for picamera2, made after the behaviour of its source, version 0.3.38.

What is copied: a video configuration's shape and its alignment of sizes, `configure` refused while running, frames that
are queued before anybody asks (the stale-frame trap), the timeout of `Job.get_result`, a job that keeps its frame after
a timeout until it is cancelled, buffers that must be given back or no further frame comes, a request that is dead once
released, and controls that a camera does not have being refused. A USB camera (`World.usb`): as libcamera 0.3.2 and
picamera2 0.3.38 show one in a virtual machine (tests/system): one plane, YUYV or Motion-JPEG, no ExposureTime told.
"""

import time
import types
from collections import deque
from collections.abc import Callable
from typing import Any

import numpy as np
import numpy.typing as npt

FRAME_NS = 66_000_000
EXPOSURE_US = 10_000
# (230, 120, 20) in R, G, B; as Y, U, Y, V of BT.601, limited range; as a Pi's RGB888, which is B, G, R in memory.
ORANGE_RGB = (230, 120, 20)
ORANGE_YUYV = (138, 68, 138, 183)
ORANGE_BGR = (20, 120, 230)


class Request:
    """A completed request: `make_array` copies, `release` gives the buffer back, once."""

    def __init__(self, camera: "Picamera2", began_ns: int) -> None:
        self._camera, self._began_ns = camera, began_ns
        self.released = False

    def make_array(self, name: str) -> npt.NDArray[np.uint8]:
        assert not self.released, "a released request has no buffers"
        width, height = self._camera.config[name]["size"]
        form = self._camera.config[name]["format"]
        if form == "YUYV":
            return np.tile(np.array(ORANGE_YUYV, np.uint8), (height, width // 2)).reshape(height, width, 2)
        if name == "main":
            colour = ORANGE_RGB if form == "MJPEG" else ORANGE_BGR
            return np.tile(np.array(colour, np.uint8), (height, width, 1))
        stride = -(-width // 64) * 64
        return np.full((height * 3 // 2, stride), 128, np.uint8)

    def get_metadata(self) -> dict[str, Any]:
        assert not self.released
        if self._camera.world.usb:
            return {"SensorTimestamp": self._began_ns + FRAME_NS}
        return {"SensorTimestamp": self._began_ns + EXPOSURE_US * 1000, "ExposureTime": EXPOSURE_US}

    def release(self) -> None:
        assert not self.released, "lock now has negative ref_count"
        self.released = True
        self._camera.lent -= 1


class Picamera2:
    """One camera; `World` holds what a test may change."""

    world: "World"

    def __init__(self) -> None:
        if not self.global_camera_info():
            raise RuntimeError("No camera number 0 found")
        if self.world.claimed:
            raise RuntimeError("Camera __init__ sequence did not complete.")
        self.world.claimed = True
        self.config: dict[str, Any] = {}
        self.camera_properties = {} if self.world.usb else {"ColorFilterArrangement": 3}
        own = ("AeEnable", "AwbEnable", "ExposureTime", "FrameDurationLimits")
        self.camera_controls = dict.fromkeys(("Brightness",) if self.world.usb else own)
        self.libcamera_config = self
        self.main_index = 0
        self.started = False
        self.lent = 0
        self._jobs = 0
        self._ready: deque[int] = deque()
        self.world.camera = self

    @staticmethod
    def global_camera_info() -> list[dict[str, Any]]:
        world = Picamera2.world
        world.probes += 1
        return world.listed if world.present else []

    def create_video_configuration(
        self,
        main: dict[str, Any] | None = None,
        lores: dict[str, Any] | None = None,
        buffer_count: int = 6,
        controls: dict[str, Any] | None = None,
        display: str | None = "main",
        encode: str | None = "main",
        *,
        queue: bool = True,
    ) -> dict[str, Any]:
        known = {"format", "size", "preserve_ar"}
        for stream in (main or {}, lores or {}):
            if not stream.keys() <= known:
                raise ValueError("Bad key in stream configuration")
        return {
            "main": {"format": "XBGR8888", "size": (1280, 720), **(main or {})},
            "lores": lores,
            "buffer_count": buffer_count,
            "controls": controls or {},
            "queue": queue,
            "encode": encode,
            "display": display,
        }

    def configure(self, config: dict[str, Any]) -> None:
        if self.started:
            raise RuntimeError("Camera must be stopped before configuring")
        self.world.configured += 1
        self.config = config
        self.config["main"]["size"] = self.world.adjust(self.config["main"]["size"])
        if self.world.usb:
            self.config["main"]["format"] = self.world.usb
            if config["lores"]:
                raise RuntimeError("Configuration has too many streams")
        self.set_controls(config["controls"])

    def camera_configuration(self) -> dict[str, Any]:
        # `colour_space_from_libcamera` compares primaries and transfer function alone: a USB camera's matrix is lost.
        return self.config | {"colour_space": types.SimpleNamespace(ycbcrEncoding="YcbcrEncoding.Rec709")}

    def at(self, index: int) -> types.SimpleNamespace:
        assert index == self.main_index
        told = types.SimpleNamespace(ycbcrEncoding="YcbcrEncoding.Rec601", range="Range.Limited")
        return types.SimpleNamespace(color_space=told)

    def set_controls(self, controls: dict[str, Any]) -> None:
        for name, value in controls.items():
            if name not in self.camera_controls:
                raise RuntimeError(f"Control {name} is not advertised by libcamera")
            self.world.controls[name] = value

    def start(self, config: object = None, *, show_preview: bool | None = False) -> None:
        if not self.config:
            raise RuntimeError("Camera has not been configured")
        assert show_preview is False, "without it, frames would go to a window"
        self.started = True
        # Frames from before anybody asks: what `flush` is for.
        now = self.world.clock_ns()
        self._ready = deque([now - 2 * FRAME_NS, now - FRAME_NS])

    def stop(self) -> None:
        if self.world.stop_fails:
            raise RuntimeError("stop failed")
        self.started = False
        self._ready.clear()
        self._jobs = 0

    def close(self) -> None:
        self.stop()
        self.world.claimed = False

    def capture_request(self, wait: float | None = None) -> Request:
        assert self.started
        assert wait is not None, "a capture without a bound may wait for ever"
        deadline = self.world.clock_ns() + int(wait * 1e9)
        while True:
            began = self._next(deadline)
            if began is None or self.world.clock_ns() > deadline:
                self._jobs += 1  # the job stays in the list and will swallow the next frame
                raise TimeoutError
            if self._jobs:
                self._jobs -= 1
                self.lent += 1  # nobody will ever release it
                continue
            self.lent += 1
            return Request(self, began)

    def cancel_all_and_flush(self) -> None:
        self._jobs = 0

    def _next(self, deadline_ns: int) -> int | None:
        if self._ready:
            return self._ready.popleft()
        if self.world.stalled or self.lent >= self.config["buffer_count"]:
            self.world.sleep((deadline_ns - self.world.clock_ns()) / 1e9)
            return None
        began = self.world.clock_ns()
        self.world.sleep(FRAME_NS / 1e9)
        return began


class World:
    """The state around the fake camera: present or not, stalled or not, and how it was used."""

    def __init__(
        self,
        clock_ns: Callable[[], int] = time.monotonic_ns,
        sleep: Callable[[float], None] = time.sleep,
    ) -> None:
        self.clock_ns, self.sleep = clock_ns, sleep
        self.present, self.stalled, self.stop_fails, self.claimed = True, False, False, False
        self.listed: list[dict[str, Any]] = [{"Model": "imx708", "Id": "/base/soc/i2c0mux", "Num": 0}]
        self.usb = ""  # the format of a USB camera; empty: the Raspberry Pi's own
        self.controls: dict[str, Any] = {}
        self.configured = self.probes = 0
        self.camera: Picamera2 | None = None
        self.adjust: Callable[[tuple[int, int]], tuple[int, int]] = lambda size: size

    def module(self) -> types.ModuleType:
        """What `import picamera2` gives."""
        made = types.ModuleType("picamera2")
        camera = type("Picamera2", (Picamera2,), {})
        Picamera2.world = self
        made.Picamera2 = camera  # type: ignore[attr-defined]  # a module made by hand
        return made
