"""The Raspberry Pi's camera through picamera2.

This module was never run on a board: it was written against picamera2 0.3.38's source and is tested against a stand-in
that copies the behaviour read there (tests/contract/camera).

Rules kept here:
- Configured once in the life of the process, started and stopped per window: re-configuring leaks contiguous memory
  (picamera2 #887, #958, #1130). No encoder, no mode switch, no preview window.
- `flush=` makes picamera2 wait for an exposure that *began* after the given CLOCK_MONOTONIC time, so that nothing from
  before the button is ever looked at (#426, #787; `wait_for_timestamp_`).
- Every wait is bounded. After a timeout the waiting job is cancelled: it would otherwise keep the next frame for ever.
- A frame's buffer is copied once and given back at once; libcamera has four.
- What cannot be bounded from here (`stop` waits for libcamera's thread, #1264) is bounded by `device.eye.leash`.
"""

from __future__ import annotations

import importlib
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, Final

import numpy as np

from device.config import CameraTable
from device.errors import CameraFault
from device.eye.camera import LOW_HEIGHT_PX, LOW_WIDTH_PX, NS_PER_MS, Frame
from device.eye.pixels import Picture, yuv420_to_bgr

_BUFFERS: Final = 4
_US_PER_S: Final = 1_000_000
_NS_PER_US: Final = 1000


class PiCamera:
    """The first camera libcamera finds."""

    restart_heals = True

    def __init__(self, table: CameraTable) -> None:
        self._table = table
        self._camera: Any = None
        self._running = False

    def probe(self) -> None:
        """Whether libcamera lists a camera. Raises CameraFault."""
        with _as_fault("list the cameras"):
            found = self._library().Picamera2.global_camera_info()
        if not found:
            msg = "libcamera finds no camera: check the cable and `rpicam-hello --list-cameras`"
            raise CameraFault(msg)

    def open(self) -> None:
        """Start the stream; the first time, claim and configure the camera. Raises CameraFault."""
        if self._running:
            return
        with _as_fault("start"):
            if self._camera is None:
                self._camera = self._configured()
            self._camera.start(show_preview=False)
        self._running = True

    def read(self, not_before_ns: int) -> Frame:
        """The next frame that was exposed after `not_before_ns`. Raises CameraFault."""
        if not self._running:
            msg = "the camera is closed"
            raise CameraFault(msg)
        timeout_ms = self._table.frame_timeout_ms
        try:
            request = self._camera.capture_request(wait=timeout_ms / 1000, flush=not_before_ns)
        except TimeoutError as cause:
            with _as_fault("give up waiting for a frame"):
                self._camera.cancel_all_and_flush()
            msg = f"the camera gave no frame within {timeout_ms} ms"
            raise CameraFault(msg) from cause
        except Exception as cause:
            msg = f"the camera could not give a frame: {cause}"
            raise CameraFault(msg) from cause
        with _as_fault("read a frame"):
            try:
                # make_array copies out of the camera's memory (request.make_buffer): the buffer can go back now.
                main: Picture = request.make_array("main")
                low: Picture = request.make_array("lores")
                told = request.get_metadata()
            finally:
                request.release()
            began_ns = int(told["SensorTimestamp"]) - int(told["ExposureTime"]) * _NS_PER_US
            low = yuv420_to_bgr(low, LOW_WIDTH_PX, LOW_HEIGHT_PX)
        return self._checked(Frame(main, low, began_ns), not_before_ns)

    def close(self) -> None:
        """Stop the stream; the camera stays claimed and configured for the next window. Raises CameraFault."""
        if not self._running:
            return
        self._running = False
        with _as_fault("stop"):
            self._camera.stop()

    def _configured(self) -> Any:
        size = (self._table.width_px, self._table.height_px)
        frame_us = round(_US_PER_S / self._table.fps)
        camera = self._library().Picamera2()
        try:
            configuration = camera.create_video_configuration(
                main={"format": "RGB888", "size": size},  # libcamera's RGB888 is B, G, R in memory
                # Both planes must show the same field of view; by default the smaller one may be squeezed instead.
                lores={"format": "YUV420", "size": (LOW_WIDTH_PX, LOW_HEIGHT_PX), "preserve_ar": True},
                controls={"FrameDurationLimits": (frame_us, frame_us)},
                buffer_count=_BUFFERS,
                display=None,
                encode=None,
            )
            camera.configure(configuration)
            self._refuse_adjusted(camera.camera_configuration())
        except BaseException:
            camera.close()
            raise
        return camera

    def _refuse_adjusted(self, given: Any) -> None:
        """What was asked for is what was given, or a fault: libcamera may adjust sizes and formats."""
        size = (self._table.width_px, self._table.height_px)
        for stream, form, wanted in (("main", "RGB888", size), ("lores", "YUV420", (LOW_WIDTH_PX, LOW_HEIGHT_PX))):
            if tuple(given[stream]["size"]) != wanted or given[stream]["format"] != form:
                msg = f"the camera gives {given[stream]['size']} {given[stream]['format']} where {wanted} was asked"
                raise CameraFault(msg)

    def _checked(self, frame: Frame, not_before_ns: int) -> Frame:
        wanted = (self._table.height_px, self._table.width_px, 3)
        if frame.main.shape != wanted or frame.main.dtype != np.uint8:
            msg = f"the camera gave a picture of shape {frame.main.shape}"
            raise CameraFault(msg)
        if frame.time_ns < not_before_ns:
            late_ms = (not_before_ns - frame.time_ns) / NS_PER_MS
            msg = f"the camera gave a frame that is {late_ms:.0f} ms older than what was asked for"
            raise CameraFault(msg)
        return frame

    @staticmethod
    def _library() -> Any:
        try:
            return importlib.import_module("picamera2")
        except ImportError as cause:
            msg = "picamera2 is not installed: `apt install python3-picamera2`"
            raise CameraFault(msg) from cause


@contextmanager
def _as_fault(doing: str) -> Iterator[None]:
    """Whatever picamera2 and libcamera raise becomes a CameraFault; their own types end here."""
    try:
        yield
    except CameraFault:
        raise
    except Exception as cause:
        msg = f"the camera could not {doing}: {cause}"
        raise CameraFault(msg) from cause
