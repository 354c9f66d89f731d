"""A stand-in for the kernel's camera interface: one USB camera behind the five calls of `v4l2_kernel.Kernel`.

What is copied, from the kernel's documentation and as seen in a virtual machine with uvcvideo: lists that end with
EINVAL, a size that is changed instead of refused, buffers that fill while nobody reads (the stale-frame trap) and a
camera that then drops frames, EAGAIN where none is ready, timestamps of CLOCK_MONOTONIC, controls, ENODEV from every
call after the camera was pulled out, and frames that stay in a buffer until somebody overwrites it.
"""

import ctypes
import errno
import os
from collections import deque
from collections.abc import Callable
from typing import Any, Final

from device.eye import v4l2_kernel as v4l2

FRAME_NS: Final = 66_666_666
PATH: Final = "/dev/v4l/by-path/pci-0000:00:05.0-usb-0:2:1.0-video-index0"
# BT.601, limited range, of R 230, G 120, B 20: computed by hand from BT.601-7, 2.5.1 and 2.5.3.
ORANGE_YUYV: Final = bytes((138, 68, 138, 183))
ORANGE_BGR: Final = (20, 120, 230)


def refused(number: int) -> OSError:
    return OSError(number, os.strerror(number))


class Memory:
    """A mapped buffer; what was in it when it was unmapped can be asked."""

    def __init__(self, world: "V4l2World", size: int) -> None:
        self._world, self.bytes = world, bytearray(size)

    def __getitem__(self, part: slice) -> bytes:
        return bytes(self.bytes[part])

    def __setitem__(self, part: slice, value: bytes) -> None:
        self.bytes[part] = value

    def __len__(self) -> int:
        return len(self.bytes)

    def close(self) -> None:
        self._world.mapped -= 1
        self._world.left_behind += self.bytes.count(0) != len(self.bytes)


class V4l2World:
    """The camera, and everything a test may change about it."""

    def __init__(self, clock_ns: Callable[[], int], sleep: Callable[[float], None]) -> None:
        self.clock_ns, self.sleep = clock_ns, sleep
        self.present, self.stalled = True, False
        self.capabilities = v4l2.CAN_CAPTURE | v4l2.CAN_STREAM
        self.formats: dict[str, list[tuple[int, int]]] = {"MJPG": [(640, 480), (1280, 720)], "YUYV": [(640, 480)]}
        self.driver, self.card, self.bus = b"uvcvideo", b"HD Camera", b"usb-0000:00:05.0-2"
        self.colorspace, self.encoding, self.quantization = 8, 0, 0  # sRGB, by default, by default: a usual webcam
        self.stamps = v4l2.CLOCK_MONOTONIC | v4l2.MOMENT_START_OF_EXPOSURE
        self.interval_ns = FRAME_NS  # as told; frames come every FRAME_NS all the same
        self.broken: deque[int] = deque()  # the flags, or the missing bytes (negative), of the next frames
        self.content = ORANGE_YUYV
        self.controls = {v4l2.EXPOSURE_AUTO: 3, v4l2.EXPOSURE_AUTO_PRIORITY: 1, v4l2.AUTO_WHITE_BALANCE: 1}
        self.defaults = dict(self.controls)
        self.unsettable: set[int] = set()
        self.opened = self.closed = self.mapped = self.left_behind = self.started = 0
        self.buffers: list[Memory] = []
        self.stride, self.padding = 0, 64
        self._queued: deque[int] = deque()
        self._done: deque[v4l2.Buffer] = deque()
        self._size, self._form, self._running = (0, 0), "MJPG", False
        self._next_ns = 0

    # ---- Kernel

    def open(self, path: str) -> int:
        if path != PATH or not self.present:
            raise refused(errno.ENOENT)
        self.opened += 1
        return 100 + self.opened

    def call(self, fd: int, request: int, argument: v4l2.Argument) -> None:
        assert fd == 100 + self.opened, "a descriptor that was closed"
        if not self.present:
            raise refused(errno.ENODEV)
        answers: dict[int, Callable[[Any], None]] = {
            v4l2.QUERY_CAPABILITY: self._capability,
            v4l2.NAME_FORMAT: self._name_format,
            v4l2.NAME_SIZE: self._name_size,
            v4l2.SET_FORMAT: self._set_format,
            v4l2.GET_FORMAT: self._get_format,
            v4l2.GET_RATE: self._rate,
            v4l2.SET_RATE: self._rate,
            v4l2.REQUEST_BUFFERS: self._request_buffers,
            v4l2.QUERY_BUFFER: self._query_buffer,
            v4l2.QUEUE: lambda buffer: self._queued.append(buffer.index),
            v4l2.DEQUEUE: self._dequeue,
            v4l2.STREAM_ON: self._on,
            v4l2.STREAM_OFF: self._off,
            v4l2.NAME_CONTROL: self._name_control,
            v4l2.GET_CONTROL: self._get_control,
            v4l2.SET_CONTROL: self._set_control,
        }
        answers[request](argument)

    def map(self, fd: int, length: int, offset: int) -> Memory:
        self.mapped += 1
        return self.buffers[offset // 4096]

    def wait(self, fd: int, seconds: float) -> bool:
        if not self.present:
            raise refused(errno.EIO)
        self._fill()
        if self._done:
            return True
        now, wait_ns = self.clock_ns(), int(seconds * 1e9)
        if self.stalled or self._next_ns > now + wait_ns:
            self.sleep(seconds)
            return False
        self.sleep((self._next_ns - now) / 1e9)
        self._fill()
        return bool(self._done)

    def close(self, fd: int) -> None:
        assert fd == 100 + self.opened
        self.closed += 1
        self._running = False

    # ---- what the camera does

    def _fill(self) -> None:
        """Frames that were due: into queued buffers, or lost."""
        now = self.clock_ns()
        while self._running and not self.stalled and self._next_ns <= now:
            if self._queued:
                self._done.append(self._frame(self._queued.popleft()))
            self._next_ns += FRAME_NS

    def _frame(self, index: int) -> v4l2.Buffer:
        width, height = self._size
        row = self.content * (width // 2) + bytes(self.stride - 2 * width)
        self.buffers[index][0 : self.stride * height] = row * height
        fault = self.broken.popleft() if self.broken else 0
        flags = self.stamps | (max(0, fault))
        used = self.stride * height + min(0, fault)
        stamp_us = self._next_ns // 1000
        return v4l2.Buffer(
            index=index, used=used, flags=flags, seconds=stamp_us // 1_000_000, microseconds=stamp_us % 1_000_000
        )

    # ---- ioctls

    def _capability(self, told: v4l2.Capability) -> None:
        told.driver, told.card, told.bus = self.driver, self.card, self.bus
        told.device, told.node = self.capabilities | v4l2.TELLS_NODE | v4l2.CAN_CAPTURE, self.capabilities

    def _name_format(self, told: v4l2.FormatName) -> None:
        if told.index >= len(self.formats):
            raise refused(errno.EINVAL)
        told.form = v4l2.four(list(self.formats)[told.index])

    def _name_size(self, told: v4l2.FrameSize) -> None:
        sizes = self.formats[v4l2.letters(told.form)]
        if told.index >= len(sizes):
            raise refused(errno.EINVAL)
        told.kind = 1
        told.sizes[0], told.sizes[1] = sizes[told.index]

    def _set_format(self, told: v4l2.Format) -> None:
        self._form = v4l2.letters(told.form)
        sizes = self.formats[self._form]
        self._size = (told.width, told.height) if (told.width, told.height) in sizes else sizes[0]

    def _get_format(self, told: v4l2.Format) -> None:
        told.width, told.height = self._size
        told.form = v4l2.four(self._form)
        self.stride = told.stride = 2 * told.width + self.padding
        told.colorspace, told.encoding, told.quantization = self.colorspace, self.encoding, self.quantization

    def _rate(self, told: v4l2.Rate) -> None:
        told.capability, told.numerator, told.denominator = v4l2.CAN_SET_RATE, self.interval_ns, 1_000_000_000

    def _request_buffers(self, told: v4l2.Request) -> None:
        self.buffers = [Memory(self, self.stride * self._size[1]) for _ in range(told.count)]
        self._queued.clear()
        self._done.clear()

    def _query_buffer(self, told: v4l2.Buffer) -> None:
        told.length, told.offset = len(self.buffers[told.index]), told.index * 4096

    def _dequeue(self, told: v4l2.Buffer) -> None:
        self._fill()
        if not self._done:
            raise refused(errno.EAGAIN)
        ctypes.memmove(ctypes.byref(told), ctypes.byref(self._done.popleft()), ctypes.sizeof(told))

    def _on(self, _kind: object) -> None:
        self.started += 1
        self._running, self._next_ns = True, self.clock_ns() + FRAME_NS

    def _off(self, _kind: object) -> None:
        self._running = False
        self._done.clear()

    def _name_control(self, told: v4l2.ControlName) -> None:
        if told.id not in self.controls:
            raise refused(errno.EINVAL)
        told.default = self.defaults[told.id]

    def _get_control(self, told: v4l2.Control) -> None:
        told.value = self.controls[told.id]

    def _set_control(self, told: v4l2.Control) -> None:
        if told.id in self.unsettable:
            raise refused(errno.EBUSY)
        self.controls[told.id] = told.value
