"""A camera through picamera2 and libcamera: the Raspberry Pi's own, or a USB camera that libcamera knows.

Never run on a board: with a Pi's own camera it is tested against a stand-in that copies the behaviour read in
picamera2 0.3.38's source (tests/contract/camera); with a USB camera it runs on the real picamera2 and libcamera in a
virtual machine (tests/system/test_camera.py).

Rules kept here:
- Only the camera that was pinned, or the first one seen, is claimed (`device.eye.camera_id`). Once claimed it is the
  same until the process ends. libcamera does not list modes without claiming the camera: its pin has none.
- Configured once in the life of the process, started and stopped per window: re-configuring leaks contiguous memory
  (picamera2 #887, #958, #1130). No encoder, no mode switch, no preview window.
- What was asked for is read back. A Pi's camera gives two planes; a USB camera gives one, in its own format, which is
  converted here, and the low plane is made of it. Colour order: what libcamera calls RGB888 is B, G, R in memory, and
  picamera2 decodes Motion-JPEG to R, G, B.
- A frame from before the time asked for goes back unread (#426, #787): picamera2's own `flush` needs an ExposureTime,
  which a USB camera does not tell. Such a camera's stamp is moved back by one frame (`device.eye.v4l2_stream`).
- Every wait is bounded. After a timeout the waiting job is cancelled: it would otherwise keep the next frame for ever.
- A frame's buffer is copied once and given back at once; libcamera has four.
- Exposure and white balance are held by the camera's own switches (AeEnable, AwbEnable), and set free at every start.
- What cannot be bounded from here (`stop` waits for libcamera's thread, #1264, and does not always come back after a
  USB camera was pulled out) is bounded by `device.eye.leash`: eye ends, and systemd starts it anew.
"""

from __future__ import annotations

import importlib
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any, Final

import numpy as np

from device.config.tables import CameraTable
from device.errors import CameraFault
from device.eye.camera import LOW_HEIGHT_PX, LOW_WIDTH_PX, NS_PER_MS, NS_PER_S, Frame
from device.eye.camera_id import Identity, Pin, identity
from device.eye.pixels import Picture, fit_area, yuv420_to_bgr
from device.eye.yuv import BT601, BT709, BT2020, Colours, yuyv_to_bgr

_BUFFERS: Final = 4
_US_PER_S: Final = 1_000_000
_NS_PER_US: Final = 1000
_SWITCHES: Final = ("AeEnable", "AwbEnable")
_OF_A_SENSOR: Final = "ColorFilterArrangement"  # a property that a camera behind USB does not have
_USB_FORMATS: Final = ("YUYV", "MJPEG")


class PiCamera:
    """The first camera libcamera finds; `clock_ns` stands for time in tests."""

    restart_heals = True

    def __init__(self, table: CameraTable, clock_ns: Callable[[], int] = time.monotonic_ns) -> None:
        self._table, self._clock_ns = table, clock_ns
        self._camera: Any = None
        self._form = ""
        self._colours = BT601
        self._running = self._held = False
        self._pin = Pin(table.pinned)

    def probe(self) -> None:
        """Whether libcamera lists the camera that counts. Raises CameraFault."""
        self._pin.hold(self.identity())

    def identity(self) -> Identity:
        """The camera that would be opened, pinned or not; nothing is opened. Raises CameraFault."""
        with _as_fault("list the cameras"):
            found = self._library().Picamera2.global_camera_info()
        if not found:
            msg = "libcamera finds no camera: check the cable and `rpicam-hello --list-cameras`"
            raise CameraFault(msg)
        told = found[0]  # picamera2 opens the first of its list, those of the board's ribbon before USB
        return identity("libcamera", str(told.get("Model", "")), str(told.get("Id", "")))

    def open(self) -> None:
        """Start the stream; the first time, claim and configure the camera. Raises CameraFault."""
        if self._running:
            return
        with _as_fault("start"):
            if self._camera is None:
                self._pin.hold(self.identity())
                self._camera = self._configured()
            self._switch(held=False)
            self._camera.start(show_preview=False)
        self._running = True

    def read(self, not_before_ns: int) -> Frame:
        """The next frame that was exposed at `not_before_ns` or later. Raises CameraFault."""
        if not self._running:
            msg = "the camera is closed"
            raise CameraFault(msg)
        ends_ns = self._clock_ns() + self._table.frame_timeout_ms * NS_PER_MS
        while True:
            request = self._next_request(ends_ns - self._clock_ns())
            with _as_fault("read a frame"):
                try:
                    began_ns = self._began_ns(request.get_metadata())
                    frame = self._copied(request, began_ns) if began_ns >= not_before_ns else None
                finally:
                    request.release()
            if frame:
                return frame

    def steady(self, *, held: bool) -> None:
        """Hold exposure and white balance, or set them free, where the camera has such switches. Raises CameraFault."""
        if self._running and held != self._held:
            with _as_fault("set its exposure"):
                self._switch(held=held)

    def close(self) -> None:
        """Stop the stream; the camera stays claimed and configured for the next window. Raises CameraFault."""
        if not self._running:
            return
        self._running = False
        with _as_fault("stop"):
            self._camera.stop()

    # ---- frames

    def _next_request(self, wait_ns: int) -> Any:
        timeout_ms = self._table.frame_timeout_ms
        try:
            if wait_ns > 0:
                return self._camera.capture_request(wait=wait_ns / NS_PER_S)
        except TimeoutError:
            pass
        except Exception as cause:
            msg = f"the camera could not give a frame: {cause}"
            raise CameraFault(msg) from cause
        with _as_fault("give up waiting for a frame"):
            self._camera.cancel_all_and_flush()
        msg = f"the camera gave no frame within {timeout_ms} ms"
        raise CameraFault(msg)

    def _began_ns(self, told: dict[str, Any]) -> int:
        """When the exposure began, at the latest; SensorTimestamp is of its end, or of a USB frame's first byte."""
        exposure_us = told.get("ExposureTime")
        if exposure_us is None:
            exposure_us = round(_US_PER_S / self._table.fps)
        return int(told["SensorTimestamp"]) - int(exposure_us) * _NS_PER_US

    def _copied(self, request: Any, began_ns: int) -> Frame:
        """Both planes. make_array copies out of the camera's memory (request.make_buffer) or decodes a copy."""
        array: Picture = request.make_array("main")
        if self._form == "RGB888":
            main = array
            low = yuv420_to_bgr(request.make_array("lores"), LOW_WIDTH_PX, LOW_HEIGHT_PX)
        else:
            if self._form == "MJPEG":
                main = np.ascontiguousarray(array[..., ::-1])
            else:
                main = yuyv_to_bgr(array.reshape(array.shape[0], -1), self._table.width_px, self._colours)
            low = fit_area(main, LOW_HEIGHT_PX, LOW_WIDTH_PX)
        wanted = (self._table.height_px, self._table.width_px, 3)
        if main.shape != wanted or main.dtype != np.uint8:
            msg = f"the camera gave a picture of shape {main.shape}"
            raise CameraFault(msg)
        return Frame(main, low, began_ns)

    # ---- before the first frame

    def _switch(self, *, held: bool) -> None:
        there = {name: not held for name in _SWITCHES if name in self._camera.camera_controls}
        if there:
            self._camera.set_controls(there)
        self._held = held

    def _configured(self) -> Any:
        camera = self._library().Picamera2()
        try:
            of_the_board = _OF_A_SENSOR in camera.camera_properties
            planes = self._two_planes() if of_the_board else self._one_plane()
            camera.configure(
                camera.create_video_configuration(**planes, buffer_count=_BUFFERS, display=None, encode=None)
            )
            given = camera.camera_configuration()
            self._refuse_adjusted(given, of_the_board=of_the_board)
            self._form = given["main"]["format"]
            # Not the one in `given`: picamera2 puts a standard one in its place that has the same primaries.
            self._colours = colours_of(camera.libcamera_config.at(camera.main_index).color_space)
        except BaseException:
            camera.close()
            raise
        return camera

    def _two_planes(self) -> dict[str, Any]:
        frame_us = round(_US_PER_S / self._table.fps)
        return {
            "main": {"format": "RGB888", "size": (self._table.width_px, self._table.height_px)},
            # Both planes must show the same field of view; by default the smaller one may be squeezed instead.
            "lores": {"format": "YUV420", "size": (LOW_WIDTH_PX, LOW_HEIGHT_PX), "preserve_ar": True},
            "controls": {"FrameDurationLimits": (frame_us, frame_us)},
        }

    def _one_plane(self) -> dict[str, Any]:
        return {"main": {"format": "YUYV", "size": (self._table.width_px, self._table.height_px)}}

    def _refuse_adjusted(self, given: Any, *, of_the_board: bool) -> None:
        """What was asked for is what was given, or a fault: libcamera may adjust sizes and formats."""
        size = (self._table.width_px, self._table.height_px)
        wanted: dict[str, tuple[tuple[str, ...], tuple[int, int]]] = {"main": (_USB_FORMATS, size)}
        if of_the_board:
            wanted = {"main": (("RGB888",), size), "lores": (("YUV420",), (LOW_WIDTH_PX, LOW_HEIGHT_PX))}
        for stream, (forms, pixels) in wanted.items():
            if tuple(given[stream]["size"]) != pixels or given[stream]["format"] not in forms:
                said = f"{given[stream]['size']} {given[stream]['format']}"
                msg = f"the camera gives {said} where {pixels} {' or '.join(forms)} was asked"
                raise CameraFault(msg)

    @staticmethod
    def _library() -> Any:
        try:
            return importlib.import_module("picamera2")
        except ImportError as cause:
            msg = "picamera2 is not installed: `apt install python3-picamera2`"
            raise CameraFault(msg) from cause


def colours_of(space: Any) -> Colours:
    """How libcamera says that YUV is mixed; what it does not say is BT.601, limited range, as of most USB cameras."""
    encoding = str(getattr(space, "ycbcrEncoding", "")).rpartition(".")[2]
    full = str(getattr(space, "range", "")).rpartition(".")[2] == "Full"
    matrix = {"Rec709": BT709, "Rec2020": BT2020}.get(encoding, BT601)
    return Colours(matrix.red, matrix.blue, full=full)


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
