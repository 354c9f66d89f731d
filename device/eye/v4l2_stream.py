"""One stream of one camera: negotiated, mapped, read by its newest frame, and given back whole.

Rules kept here:
- What was asked for is read back from the driver, which may have changed it; another size or format is refused with a
  sentence that names what the camera has.
- The newest frame that lies ready is taken, older ones go back unread. A driver with no free buffer drops what comes,
  so after eye was busy the newest may be from the begin of that: one older than `_FRESH_INTERVALS` goes back as well,
  and the next one is of now.
- A frame's time is never later than the begin of its exposure: a driver that stamps the start of a frame may mean the
  first of its bytes to arrive (uvcvideo does), up to an interval later; one that stamps the end adds the time that
  reading the sensor out takes. So a stamp is moved back by one interval or two.
- Times of another clock than CLOCK_MONOTONIC, frames marked as damaged and frames that are cut short are never used.
- `end` overwrites and unmaps every buffer and closes the descriptor, whatever the driver answers: that frees the rest.
"""

from __future__ import annotations

import contextlib
import ctypes
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final, Self

from device.errors import CameraFault
from device.eye import v4l2_kernel as v4l2
from device.eye.camera import NS_PER_MS, NS_PER_S
from device.eye.v4l2_modes import enumerated, formats, sizes
from device.eye.yuv import BT601, BT709, BT2020, Colours

YUYV, MJPG = "YUYV", "MJPG"
_YUYV_BYTES: Final = 2  # a pixel
_BUFFERS: Final = 4
_LEAST_BUFFERS: Final = 2  # one that the camera fills while another is read
# What a stream that is read without a pause always keeps: two intervals that a stamp is moved back by, one between two
# frames, one for luck. Measured without it where a look took 1.05 s: frames 1.1 s old, and 2.2 s when they were judged.
_FRESH_INTERVALS: Final = 4
_NS_PER_US: Final = 1000

# enum v4l2_colorspace and v4l2_ycbcr_encoding, for the mixtures that cameras use.
_MATRIX_OF_SPACE: Final = {3: BT709, 12: BT709, 10: BT2020}
_MATRIX_OF_ENCODING: Final = {1: BT601, 2: BT709, 3: BT601, 4: BT709, 6: BT2020}
_SPACE_JPEG, _FULL_RANGE, _LIMITED_RANGE, _BY_DEFAULT = 7, 1, 2, 0


@dataclass(frozen=True, slots=True)
class Wanted:
    """What is asked of a camera; `forms` in the order of preference."""

    width: int
    height: int
    fps: float
    forms: tuple[str, ...]
    timeout_ms: int


@dataclass(frozen=True, slots=True)
class Shape:
    """What the camera gives: four letters, pixels, bytes from row to row, and how its colours are mixed."""

    form: str
    width: int
    height: int
    stride: int
    colours: Colours


@dataclass(frozen=True, slots=True)
class Taken:
    """One frame: its bytes, copied, and the CLOCK_MONOTONIC time at or before which its exposure began."""

    data: bytes
    time_ns: int


class Stream:
    """A running stream. `begin` makes one; `end` is for once."""

    def __init__(self, kernel: v4l2.Kernel, fd: int, wanted: Wanted, clock_ns: Callable[[], int]) -> None:
        self.fd = fd
        self._kernel, self._wanted, self._clock_ns = kernel, wanted, clock_ns
        self._memory: list[v4l2.Memory] = []
        self._interval_ns = 0
        self.shape = Shape("", 0, 0, 0, BT601)

    @classmethod
    def begin(
        cls,
        kernel: v4l2.Kernel,
        path: str,
        wanted: Wanted,
        clock_ns: Callable[[], int],
        vet: Callable[[int], None],
    ) -> Self:
        """Open, negotiate, map and start; `vet` refuses the opened camera by raising, before anything is set.

        Raises OSError and CameraFault, with nothing left open.
        """
        made = cls(kernel, kernel.open(path), wanted, clock_ns)
        try:
            vet(made.fd)
            made.shape = made._negotiated()
            made._interval_ns = made._rate()
            made._map_buffers()
            kernel.call(made.fd, v4l2.STREAM_ON, ctypes.c_int(v4l2.CAPTURE))
        except BaseException:
            made.end()
            raise
        return made

    def take(self, not_before_ns: int) -> Taken:
        """The newest frame exposed at `not_before_ns` or later. Raises OSError, and CameraFault after the timeout."""
        now_ns = self._clock_ns()
        ends_ns = now_ns + self._wanted.timeout_ms * NS_PER_MS
        oldest_ns = max(not_before_ns, now_ns - _FRESH_INTERVALS * self._interval_ns)
        while True:
            taken = self._newest(oldest_ns)
            if taken:
                return taken
            left_ns = ends_ns - self._clock_ns()
            if left_ns <= 0 or not self._kernel.wait(self.fd, left_ns / NS_PER_S):
                msg = f"the camera gave no frame within {self._wanted.timeout_ms} ms"
                raise CameraFault(msg)

    def end(self) -> None:
        """Stop, overwrite what the buffers hold, and give everything back."""
        with contextlib.suppress(OSError):  # a camera that was pulled out: nothing runs any more
            self._kernel.call(self.fd, v4l2.STREAM_OFF, ctypes.c_int(v4l2.CAPTURE))
        for memory in self._memory:
            memory[:] = bytes(len(memory))
            memory.close()
        self._memory.clear()
        self._kernel.close(self.fd)

    # ---- before the first frame

    def _negotiated(self) -> Shape:
        wanted = self._wanted
        has = tuple(formats(self._kernel, self.fd))
        for form in (form for form in wanted.forms if form in has):
            asked = v4l2.Format(kind=v4l2.CAPTURE, width=wanted.width, height=wanted.height, form=v4l2.four(form))
            asked.field = v4l2.NOT_INTERLACED
            self._kernel.call(self.fd, v4l2.SET_FORMAT, asked)
            given = v4l2.Format(kind=v4l2.CAPTURE)
            self._kernel.call(self.fd, v4l2.GET_FORMAT, given)
            if (given.width, given.height, given.form) == (wanted.width, wanted.height, v4l2.four(form)):
                if form == YUYV and given.stride < _YUYV_BYTES * given.width:
                    msg = f"the camera's driver tells rows of {given.stride} bytes for {given.width} pixels of YUYV"
                    raise CameraFault(msg)
                return Shape(form, given.width, given.height, given.stride, colours_of(given))
        what = " or ".join(wanted.forms)
        listed = {form: ", ".join(sizes(self._kernel, self.fd, form)) or "no size told" for form in has}
        there = ", ".join(f"{form} ({told})" for form, told in listed.items()) or "none"
        msg = f"the camera gives no picture of {wanted.width} x {wanted.height} pixels in {what}; its formats: {there}"
        raise CameraFault(msg)

    def _rate(self) -> int:
        """Nanoseconds from frame to frame, read back; a camera that cannot tell is taken at its word asked for."""
        asked_ns = round(NS_PER_S / self._wanted.fps)
        rate = v4l2.Rate(kind=v4l2.CAPTURE)
        if not enumerated(self._kernel, self.fd, v4l2.GET_RATE, rate) or not rate.capability & v4l2.CAN_SET_RATE:
            return asked_ns
        rate.numerator, rate.denominator = round(asked_ns / _NS_PER_US), NS_PER_S // _NS_PER_US
        self._kernel.call(self.fd, v4l2.SET_RATE, rate)
        self._kernel.call(self.fd, v4l2.GET_RATE, rate)
        if not rate.numerator or not rate.denominator:
            return asked_ns
        return int(rate.numerator * NS_PER_S // rate.denominator)

    def _map_buffers(self) -> None:
        request = v4l2.Request(count=_BUFFERS, kind=v4l2.CAPTURE, memory=v4l2.MAPPED)
        self._kernel.call(self.fd, v4l2.REQUEST_BUFFERS, request)
        if request.count < _LEAST_BUFFERS:
            msg = "the camera's driver has no memory for frames"
            raise CameraFault(msg)
        for index in range(request.count):
            buffer = v4l2.Buffer(index=index, kind=v4l2.CAPTURE, memory=v4l2.MAPPED)
            self._kernel.call(self.fd, v4l2.QUERY_BUFFER, buffer)
            self._memory.append(self._kernel.map(self.fd, buffer.length, buffer.offset))
            self._kernel.call(self.fd, v4l2.QUEUE, buffer)

    # ---- frames

    def _newest(self, not_before_ns: int) -> Taken | None:
        """The newest of the frames that lie ready, if it is whole and new enough; all buffers are queued again."""
        kept: v4l2.Buffer | None = None
        while (buffer := self._ready()) is not None:
            unused: v4l2.Buffer | None = buffer
            if self._whole(buffer):
                unused, kept = kept, buffer
            if unused is not None:
                self._kernel.call(self.fd, v4l2.QUEUE, unused)
        if kept is None:
            return None
        time_ns = self._began_ns(kept)
        data = self._memory[kept.index][: kept.used] if time_ns >= not_before_ns else None
        self._kernel.call(self.fd, v4l2.QUEUE, kept)
        return Taken(data, time_ns) if data is not None else None

    def _ready(self) -> v4l2.Buffer | None:
        buffer = v4l2.Buffer(kind=v4l2.CAPTURE, memory=v4l2.MAPPED)
        try:
            self._kernel.call(self.fd, v4l2.DEQUEUE, buffer)
        except BlockingIOError:
            return None
        return buffer

    def _whole(self, buffer: v4l2.Buffer) -> bool:
        if buffer.flags & v4l2.BROKEN_FRAME:
            return False
        shape = self.shape
        return bool(buffer.used >= (shape.stride * shape.height if shape.form == YUYV else 1))

    def _began_ns(self, buffer: v4l2.Buffer) -> int:
        if buffer.flags & v4l2.CLOCK_MASK != v4l2.CLOCK_MONOTONIC:
            msg = "the camera's driver stamps frames with another clock than CLOCK_MONOTONIC: their age cannot be told"
            raise CameraFault(msg)
        stamped_ns = buffer.seconds * NS_PER_S + buffer.microseconds * _NS_PER_US
        at_start = buffer.flags & v4l2.MOMENT_MASK == v4l2.MOMENT_START_OF_EXPOSURE
        return int(stamped_ns - self._interval_ns * (1 if at_start else 2))


def colours_of(given: v4l2.Format) -> Colours:
    """How the driver says its YUV is mixed. Raises CameraFault for a mixture that is not known here."""
    if given.encoding == _BY_DEFAULT:
        matrix = _MATRIX_OF_SPACE.get(given.colorspace, BT601)
    elif given.encoding in _MATRIX_OF_ENCODING:
        matrix = _MATRIX_OF_ENCODING[given.encoding]
    else:
        msg = f"the camera mixes its colours in a way that is not known here (V4L2 encoding {given.encoding})"
        raise CameraFault(msg)
    by_default = given.colorspace == _SPACE_JPEG
    full = {_FULL_RANGE: True, _LIMITED_RANGE: False}.get(given.quantization, by_default)
    return Colours(matrix.red, matrix.blue, full=full)
