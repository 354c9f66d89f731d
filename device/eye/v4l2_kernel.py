"""What the kernel's camera interface looks like from Python: numbers, structures and five calls.

Rules kept here:
- Structures are laid out as linux/videodev2.h lays them out on a 64-bit machine; each has its size in its request's
  number, so that a wrong layout is refused by the kernel and not misread.
- Nothing is waited for without a bound: the device is opened non-blocking, and `wait` is the only call that waits.
- No choice is made here: what is asked of a camera, and what its answers mean, stands in the modules that use this.

Why not a library: docs/adr/0024-usb-cameras-by-the-kernels-own-calls.md. Source of all numbers: the kernel's
include/uapi/linux/videodev2.h and v4l2-controls.h.
"""

from __future__ import annotations

import ctypes
import errno
import fcntl
import mmap
import os
import select
from typing import Final, Protocol

_U32, _I32 = ctypes.c_uint32, ctypes.c_int32
_MS_PER_S: Final = 1000
_OUT, _IN, _BOTH = 1, 2, 3  # asm-generic/ioctl.h, seen from the program: 1 writes, 2 reads

CAPTURE: Final = 1  # V4L2_BUF_TYPE_VIDEO_CAPTURE
MAPPED: Final = 1  # V4L2_MEMORY_MMAP
NOT_INTERLACED: Final = 1  # V4L2_FIELD_NONE

CAN_CAPTURE, CAN_STREAM, TELLS_NODE = 0x00000001, 0x04000000, 0x80000000
CAN_SET_RATE: Final = 0x1000

BROKEN_FRAME: Final = 0x40
CLOCK_MASK, CLOCK_MONOTONIC = 0xE000, 0x2000
MOMENT_MASK, MOMENT_START_OF_EXPOSURE = 0x70000, 0x10000

CONTROL_DISABLED, CONTROL_READ_ONLY = 0x1, 0x4
AUTO_WHITE_BALANCE, AUTO_GAIN = 0x0098090C, 0x00980912
EXPOSURE_AUTO, EXPOSURE_AUTO_PRIORITY = 0x009A0901, 0x009A0903
EXPOSURE_MANUAL: Final = 1


def four(code: str) -> int:
    """The number of a format's four letters."""
    return int.from_bytes(code.encode("ascii"), "little")


def letters(number: int) -> str:
    """The four letters of a format's number."""
    return number.to_bytes(4, "little").decode("ascii", "replace").strip("\0 ")


class Capability(ctypes.Structure):
    """struct v4l2_capability."""

    _fields_ = (
        ("driver", ctypes.c_char * 16),
        ("card", ctypes.c_char * 32),
        ("bus", ctypes.c_char * 32),
        ("version", _U32),
        ("device", _U32),
        ("node", _U32),
        ("reserved", _U32 * 3),
    )


class FormatName(ctypes.Structure):
    """struct v4l2_fmtdesc."""

    _fields_ = (
        ("index", _U32),
        ("kind", _U32),
        ("flags", _U32),
        ("description", ctypes.c_char * 32),
        ("form", _U32),
        ("bus_code", _U32),
        ("reserved", _U32 * 3),
    )


class FrameSize(ctypes.Structure):
    """struct v4l2_frmsizeenum; `sizes` are width and height (kind 1), or least, most and step of width, then height."""

    _fields_ = (("index", _U32), ("form", _U32), ("kind", _U32), ("sizes", _U32 * 6), ("reserved", _U32 * 2))


class Format(ctypes.Structure):
    """struct v4l2_format with struct v4l2_pix_format in its union of 200 bytes, which begins at a pointer's bound."""

    _fields_ = (
        ("kind", _U32),
        ("gap", _U32),
        ("width", _U32),
        ("height", _U32),
        ("form", _U32),
        ("field", _U32),
        ("stride", _U32),
        ("bytes", _U32),
        ("colorspace", _U32),
        ("private", _U32),
        ("flags", _U32),
        ("encoding", _U32),
        ("quantization", _U32),
        ("transfer", _U32),
        ("rest", ctypes.c_uint8 * 152),
    )


class Request(ctypes.Structure):
    """struct v4l2_requestbuffers."""

    _fields_ = (("count", _U32), ("kind", _U32), ("memory", _U32), ("capabilities", _U32), ("flags", _U32))


class Buffer(ctypes.Structure):
    """struct v4l2_buffer; `offset` is the union's `m.offset`."""

    _fields_ = (
        ("index", _U32),
        ("kind", _U32),
        ("used", _U32),
        ("flags", _U32),
        ("field", _U32),
        ("seconds", ctypes.c_int64),
        ("microseconds", ctypes.c_int64),
        ("timecode", ctypes.c_uint8 * 16),
        ("sequence", _U32),
        ("memory", _U32),
        ("offset", ctypes.c_uint64),
        ("length", _U32),
        ("reserved", _U32),
        ("request", _I32),
    )


class Rate(ctypes.Structure):
    """struct v4l2_streamparm with struct v4l2_captureparm in its union of 200 bytes."""

    _fields_ = (
        ("kind", _U32),
        ("capability", _U32),
        ("mode", _U32),
        ("numerator", _U32),
        ("denominator", _U32),
        ("rest", ctypes.c_uint8 * 184),
    )


class ControlName(ctypes.Structure):
    """struct v4l2_queryctrl."""

    _fields_ = (
        ("id", _U32),
        ("kind", _U32),
        ("name", ctypes.c_char * 32),
        ("minimum", _I32),
        ("maximum", _I32),
        ("step", _I32),
        ("default", _I32),
        ("flags", _U32),
        ("reserved", _U32 * 2),
    )


class Control(ctypes.Structure):
    """struct v4l2_control."""

    _fields_ = (("id", _U32), ("value", _I32))


Argument = ctypes.Structure | ctypes.c_int


def _request(direction: int, number: int, kind: type[Argument]) -> int:
    return direction << 30 | ctypes.sizeof(kind) << 16 | ord("V") << 8 | number


QUERY_CAPABILITY: Final = _request(_IN, 0, Capability)
NAME_FORMAT: Final = _request(_BOTH, 2, FormatName)
NAME_SIZE: Final = _request(_BOTH, 74, FrameSize)
GET_FORMAT: Final = _request(_BOTH, 4, Format)
SET_FORMAT: Final = _request(_BOTH, 5, Format)
REQUEST_BUFFERS: Final = _request(_BOTH, 8, Request)
QUERY_BUFFER: Final = _request(_BOTH, 9, Buffer)
QUEUE: Final = _request(_BOTH, 15, Buffer)
DEQUEUE: Final = _request(_BOTH, 17, Buffer)
STREAM_ON: Final = _request(_OUT, 18, ctypes.c_int)
STREAM_OFF: Final = _request(_OUT, 19, ctypes.c_int)
GET_RATE: Final = _request(_BOTH, 21, Rate)
SET_RATE: Final = _request(_BOTH, 22, Rate)
NAME_CONTROL: Final = _request(_BOTH, 36, ControlName)
GET_CONTROL: Final = _request(_BOTH, 27, Control)
SET_CONTROL: Final = _request(_BOTH, 28, Control)


class Memory(Protocol):
    """A buffer of the camera in this process's memory, as `mmap.mmap` is one."""

    def __getitem__(self, part: slice, /) -> bytes:
        """A copy of these bytes."""

    def __setitem__(self, part: slice, value: bytes, /) -> None:
        """Write over them."""

    def __len__(self) -> int:
        """How many there are."""

    def close(self) -> None:
        """Unmap."""


class Kernel(Protocol):
    """The calls a camera needs; all raise OSError. Tests put a simulated camera behind them."""

    def open(self, path: str) -> int:
        """A descriptor, non-blocking."""

    def call(self, fd: int, request: int, argument: Argument) -> None:
        """One ioctl; the answer stands in `argument`."""

    def map(self, fd: int, length: int, offset: int) -> Memory:
        """A buffer's memory."""

    def wait(self, fd: int, seconds: float) -> bool:
        """Whether a frame is ready within `seconds`. Raises OSError (EIO) for a camera that can give none."""

    def close(self, fd: int) -> None:
        """Give the descriptor back; with it the driver stops the stream and frees its buffers, if they still live."""


class Linux:
    """The production kernel."""

    def open(self, path: str) -> int:
        return os.open(path, os.O_RDWR | os.O_NONBLOCK | os.O_CLOEXEC)

    def call(self, fd: int, request: int, argument: Argument) -> None:
        fcntl.ioctl(fd, request, argument)  # a ctypes value is a writable buffer

    def map(self, fd: int, length: int, offset: int) -> Memory:
        return mmap.mmap(fd, length, mmap.MAP_SHARED, mmap.PROT_READ | mmap.PROT_WRITE, offset=offset)

    def wait(self, fd: int, seconds: float) -> bool:
        poll = select.poll()
        poll.register(fd, select.POLLIN)
        seen = poll.poll(max(0, round(seconds * _MS_PER_S)))
        if seen and not seen[0][1] & select.POLLIN:
            raise OSError(errno.EIO, os.strerror(errno.EIO))
        return bool(seen)

    def close(self, fd: int) -> None:
        os.close(fd)
