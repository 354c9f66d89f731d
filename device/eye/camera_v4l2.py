"""A USB camera through the kernel's own interface (V4L2): Jetson, and any Linux without libcamera.

Rules kept here:
- The camera is named by its place or its make (/dev/v4l/by-path, by-id), never by the number it happened to get.
- The device is open exactly while the window is: opened, negotiated and mapped by `open`, all of it given back by
  `close`. Nothing is kept between windows, so nothing leaks from one into the next, and a new process heals nothing.
- YUYV is preferred: it needs no decoder. Motion-JPEG is read where a decoder is on the device anyway (simplejpeg, which
  picamera2 brings); otherwise the camera is refused with a sentence.
- Every wait has a bound, every frame a time, and a camera that is pulled out is a fault (`device.eye.v4l2_stream`).
- Only the camera that was pinned, or the first one seen, is looked through (`device.eye.camera_id`). It is asked who it
  is on the descriptor that then streams, in each window.
- Exposure and white balance are held when the loop asks for it. Some cameras jump to another exposure when they are
  told to keep theirs: where brightness leaps, they are left automatic for the rest of this process.
"""

from __future__ import annotations

import errno
import importlib
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any, Final

import numpy as np

from device.config.tables import CameraTable
from device.errors import CameraFault
from device.eye.camera import LOW_HEIGHT_PX, LOW_WIDTH_PX, Frame
from device.eye.camera_id import Identity, Pin
from device.eye.pixels import Picture, fit_area
from device.eye.v4l2_identity import capability, identify, streams
from device.eye.v4l2_kernel import Kernel, Linux
from device.eye.v4l2_steady import Steady
from device.eye.v4l2_stream import MJPG, YUYV, Shape, Stream, Wanted
from device.eye.yuv import yuyv_to_bgr
from device.journal import log

_LEAP: Final = 2.0
"""How much brighter or darker a held picture may become. A choice: one stop. A person who steps up to the camera or a
lamp in the room changes the mean of a picture by less; a camera that falls back to a stored exposure by much more."""

_SAID: Final = {
    errno.ENOENT: "it is not plugged in",
    errno.ENODEV: "it was pulled out",
    errno.ENXIO: "it was pulled out",
    errno.EIO: "it was pulled out or does not answer",
    errno.EBUSY: "another program uses it",
    errno.EACCES: "eye may not open it: see 60-doorward.rules",
}


class V4l2Camera:
    """The camera that `[camera] device` names; `kernel` and `clock_ns` stand for Linux and time in tests."""

    restart_heals = False

    def __init__(
        self,
        table: CameraTable,
        kernel: Kernel | None = None,
        clock_ns: Callable[[], int] = time.monotonic_ns,
    ) -> None:
        self._table, self._kernel, self._clock_ns = table, kernel or Linux(), clock_ns
        self._stream: Stream | None = None
        self._steady: Steady | None = None
        self._decode: Callable[..., Any] | None = None
        self._pin = Pin(table.pinned)
        self._brightness = 0.0
        self._may_hold = True

    def probe(self) -> None:
        """Whether the camera that counts is at that place. Raises CameraFault."""
        self._pin.hold(self.identity())

    def identity(self) -> Identity:
        """What the camera at that place says of itself, pinned or not; no frame is read. Raises CameraFault."""
        with _as_fault("looked for"):
            fd = self._kernel.open(self._table.device)
            try:
                if not streams(capability(self._kernel, fd)):
                    msg = f"{self._table.device} is no camera that streams: USB cameras have two nodes, take index0"
                    raise CameraFault(msg)
                return identify(self._kernel, fd)
            finally:
                self._kernel.close(fd)

    def open(self) -> None:
        """Start the stream. Raises CameraFault."""
        if self._stream:
            return
        self._decode = _decoder()
        table = self._table
        forms = (YUYV, MJPG) if self._decode else (YUYV,)
        wanted = Wanted(table.width_px, table.height_px, table.fps, forms, table.frame_timeout_ms)
        with _as_fault("started"):
            self._stream = Stream.begin(self._kernel, table.device, wanted, self._clock_ns, self._vet)
            try:
                self._steady = Steady(self._kernel, self._stream.fd)
            except BaseException:
                self.close()
                raise

    def read(self, not_before_ns: int) -> Frame:
        """The newest frame exposed at `not_before_ns` or later. Raises CameraFault."""
        if not self._stream:
            msg = "the camera is closed"
            raise CameraFault(msg)
        with _as_fault("read"):
            taken = self._stream.take(not_before_ns)
            main = self._picture(taken.data, self._stream.shape)
            frame = Frame(main, fit_area(main, LOW_HEIGHT_PX, LOW_WIDTH_PX), taken.time_ns)
            self._judge_hold(float(frame.low.mean()))
        return frame

    def steady(self, *, held: bool) -> None:
        """Hold exposure and white balance, or give them back. Raises CameraFault for a camera that is gone."""
        if not self._steady:
            return
        with _as_fault("set"):
            if not held:
                self._steady.give_back()
            elif self._may_hold:
                self._steady.hold()

    def close(self) -> None:
        """Stop the stream, overwrite its buffers and close the device."""
        stream, steady, self._stream, self._steady = self._stream, self._steady, None, None
        if stream:
            try:
                if steady:
                    steady.give_back()
            except OSError:
                log("eye: the camera was gone before its exposure could be given back")
            finally:
                stream.end()

    def _vet(self, fd: int) -> None:
        self._pin.hold(identify(self._kernel, fd))

    def _picture(self, data: bytes, shape: Shape) -> Picture:
        raw = np.frombuffer(data, np.uint8)
        if shape.form == YUYV:
            return yuyv_to_bgr(raw[: shape.stride * shape.height].reshape(-1, shape.stride), shape.width, shape.colours)
        if self._decode is None:
            msg = "Motion-JPEG was negotiated without a decoder"
            raise CameraFault(msg)
        try:
            picture: Picture = self._decode(data, colorspace="BGR")
        except ValueError as cause:
            msg = "the camera gave a damaged Motion-JPEG frame"
            raise CameraFault(msg) from cause
        if picture.shape != (shape.height, shape.width, 3):
            msg = f"the camera gave a picture of shape {picture.shape}"
            raise CameraFault(msg)
        return picture

    def _judge_hold(self, brightness: float) -> None:
        if not self._steady or not self._steady.held:
            self._brightness = brightness
            return
        if not 1 / _LEAP <= (brightness + 1) / (self._brightness + 1) <= _LEAP:
            log("eye: the camera changes its exposure when told to keep it; from now on it is left automatic")
            self._may_hold = False
            self._steady.give_back()


def _decoder() -> Callable[..., Any] | None:
    """The decoder of simplejpeg if that is installed; it is loaded with the first window, not with eye."""
    try:
        decode: Callable[..., Any] = importlib.import_module("simplejpeg").decode_jpeg
    except (ImportError, ValueError):  # ValueError: built for another numpy
        return None
    return decode


@contextmanager
def _as_fault(doing: str) -> Iterator[None]:
    """What the kernel raises becomes a CameraFault with a sentence."""
    try:
        yield
    except CameraFault:
        raise
    except OSError as cause:
        why = _SAID.get(cause.errno or 0, cause.strerror)
        msg = f"the USB camera could not be {doing}: {why}"
        raise CameraFault(msg) from cause
