"""The camera as USB sees it: descriptors, and the control requests that the video class asks for.

Rules kept here:
- One size, one rate, two formats (Motion-JPEG and YUYV) and one bulk endpoint: what the stock driver needs to stream,
  and nothing a test does not use.
- What the class does not ask of a camera is stalled, as a real one does.

Numbers: USB Device Class Definition for Video Devices 1.1 (chapters 3 and 4), Universal Serial Bus 2.0 (chapter 9).
"""

from __future__ import annotations

import struct
from dataclasses import dataclass, field
from enum import IntEnum
from typing import Final

VENDOR, PRODUCT = 0x1D6B, 0x0102
ENDPOINT_IN: Final = 0x81
MAX_PACKET: Final = 512
PAYLOAD_BYTES: Final = 16384
VIDEO_CLASS: Final = 0x0E
CONTROL_INTERFACE, STREAM_INTERFACE = 0, 1
CONTROL_SUBCLASS, STREAM_SUBCLASS = 1, 2
NAME: Final = "Simulated UVC camera"
_TEXTS: Final = {1: "doorward", 2: NAME, 3: "0001"}
_CLOCK_HZ: Final = 48_000_000
_INTERVALS_PER_S: Final = 10_000_000  # frame intervals are told in units of 100 ns
_YUY2: Final = bytes.fromhex("5955593200001000800000aa00389b71")  # the format's GUID
_DEVICE_IN, _CLASS_IN, _CLASS_OUT = 0x80, 0xA1, 0x21
_GET_STATUS, _GET_DESCRIPTOR, _GET_CONFIGURATION, _GET_INTERFACE = 0, 6, 8, 10
_STANDARD_OUT: Final = (1, 3, 9, 11)  # clear and set feature, set configuration, set interface
_SET, _CUR, _MIN, _MAX, _RES, _LEN, _INFO, _DEF = 0x01, 0x81, 0x82, 0x83, 0x84, 0x85, 0x86, 0x87
_PROCESSING_UNIT: Final = 2
_BRIGHTNESS: Final = 2
_PROBE, _COMMIT = 1, 2
_PROBE_FORM: Final = struct.Struct("<HBBIHHHHHIIIBBBB")


class Format(IntEnum):
    """A format's index in the descriptors."""

    MJPEG = 1
    YUYV = 2


@dataclass(frozen=True, slots=True)
class Setup:
    """A control request: its eight bytes."""

    kind: int
    request: int
    value: int
    index: int
    length: int


@dataclass
class UvcCamera:
    """What the host may ask of the camera; `control` answers."""

    width_px: int = 640
    height_px: int = 480
    fps: float = 10.0
    format: Format = Format.MJPEG
    _brightness: int = 0
    _probe: bytearray = field(init=False)

    def __post_init__(self) -> None:
        first = (1, Format.MJPEG, 1, self._interval, 0, 0, 0, 0, 0, self.frame_bytes, PAYLOAD_BYTES, _CLOCK_HZ)
        self._probe = bytearray(_PROBE_FORM.pack(*first, 0, 0, 0, 0))

    @property
    def frame_bytes(self) -> int:
        """The largest frame: YUYV has two bytes a pixel."""
        return self.width_px * self.height_px * 2

    @property
    def _interval(self) -> int:
        return round(_INTERVALS_PER_S / self.fps)

    def control(self, setup: Setup, data: bytes) -> bytes | None:
        """The answer to a control request (empty for one that only sets), or None to stall it."""
        if setup.kind & 0x60 == 0:
            return self._standard(setup)
        if setup.kind in (_CLASS_IN, _CLASS_OUT):
            return self._class(setup, data)
        return None

    def _standard(self, setup: Setup) -> bytes | None:
        into_host = bool(setup.kind & _DEVICE_IN)
        if not into_host:
            return b"" if setup.request in _STANDARD_OUT else None
        if setup.kind == _DEVICE_IN and setup.request == _GET_DESCRIPTOR:
            found = self._descriptor(setup.value >> 8, setup.value & 0xFF)
            return None if found is None else found[: setup.length]
        return {_GET_STATUS: b"\0\0", _GET_CONFIGURATION: b"\1", _GET_INTERFACE: b"\0"}.get(setup.request)

    def _descriptor(self, kind: int, index: int) -> bytes | None:
        if kind == 1:
            head = struct.pack("<HBBBB", 0x0200, 0xEF, 2, 1, 64)  # an interface association device
            return _descriptor(1, head, struct.pack("<HHH", VENDOR, PRODUCT, 0x0100), bytes([1, 2, 3, 1]))
        if kind == 2:
            return self.configuration()
        if kind == 3 and index == 0:
            return bytes([4, 3, 9, 4])  # English (United States)
        if kind == 3 and index in _TEXTS:
            return _descriptor(3, _TEXTS[index].encode("utf-16-le"))
        return None

    def configuration(self) -> bytes:
        """The configuration descriptor with everything below it."""
        body = b"".join(
            (
                _descriptor(11, bytes([CONTROL_INTERFACE, 2, VIDEO_CLASS, 3, 0, 2])),
                _descriptor(4, bytes([CONTROL_INTERFACE, 0, 0, VIDEO_CLASS, CONTROL_SUBCLASS, 0, 2])),
                _control_part(),
                _descriptor(4, bytes([STREAM_INTERFACE, 0, 1, VIDEO_CLASS, STREAM_SUBCLASS, 0, 0])),
                self._stream_part(),
                _descriptor(5, struct.pack("<BBHB", ENDPOINT_IN, 2, MAX_PACKET, 0)),
            )
        )
        return struct.pack("<BBHBBBBB", 9, 2, 9 + len(body), 2, 1, 0, 0x80, 250) + body

    def _stream_part(self) -> bytes:
        colours = _descriptor(0x24, bytes([0x0D, 1, 1, 4]))  # BT.709 primaries and transfer, BT.601 matrix
        mjpeg = _descriptor(0x24, bytes([6, Format.MJPEG, 1, 1, 1, 0, 0, 0, 0])) + self._frame(7) + colours
        form = bytes([4, Format.YUYV, 1]) + _YUY2 + bytes([16, 1, 0, 0, 0, 0])
        below = mjpeg + _descriptor(0x24, form) + self._frame(5) + colours

        def head(total: int) -> bytes:
            fixed = struct.pack("<BBHBBBBBBB", 1, len(Format), total, ENDPOINT_IN, 0, 3, 0, 0, 0, 1)
            return _descriptor(0x24, fixed, bytes(len(Format)))

        return head(len(head(0)) + len(below)) + below

    def _frame(self, subtype: int) -> bytes:
        bits_per_s = int(self.frame_bytes * 8 * self.fps)
        sizes = struct.pack("<HHIII", self.width_px, self.height_px, bits_per_s, bits_per_s, self.frame_bytes)
        return _descriptor(0x24, bytes([subtype, 1, 0]), sizes, struct.pack("<IBI", self._interval, 1, self._interval))

    def _class(self, setup: Setup, data: bytes) -> bytes | None:
        entity, interface, selector = setup.index >> 8, setup.index & 0xFF, setup.value >> 8
        if interface == STREAM_INTERFACE and selector in (_PROBE, _COMMIT):
            return self._negotiate(setup, data)
        if interface == CONTROL_INTERFACE and (entity, selector) == (_PROCESSING_UNIT, _BRIGHTNESS):
            return self._bright(setup, data)
        if interface == CONTROL_INTERFACE and (entity, selector) == (0, 2) and setup.request == _CUR:
            return b"\0"  # no error to tell of
        return None

    def _negotiate(self, setup: Setup, data: bytes) -> bytes | None:
        if setup.request == _SET:
            self._probe[: min(len(data), 8)] = data[:8]
            self.format = Format(self._probe[2]) if self._probe[2] in list(Format) else Format.MJPEG
            self._probe[2], self._probe[3] = self.format, 1
            struct.pack_into("<I", self._probe, 4, self._interval)
            struct.pack_into("<II", self._probe, 18, self.frame_bytes, PAYLOAD_BYTES)
            return b""
        told = {_RES: bytes(setup.length), _LEN: struct.pack("<H", _PROBE_FORM.size), _INFO: b"\3"}
        if setup.request in (_CUR, _MIN, _MAX, _DEF):
            return bytes(self._probe)[: setup.length]
        return told.get(setup.request)

    def _bright(self, setup: Setup, data: bytes) -> bytes | None:
        if setup.request == _SET:
            self._brightness = struct.unpack("<h", data[:2])[0]
            return b""
        numbers = {_CUR: self._brightness, _MIN: -64, _MAX: 64, _RES: 1, _DEF: 0}
        if setup.request in numbers:
            return struct.pack("<h", numbers[setup.request])
        return {_LEN: struct.pack("<H", 2), _INFO: b"\3"}.get(setup.request)


def _control_part() -> bytes:
    sensor = _descriptor(0x24, bytes([2, 1]), struct.pack("<HBBHHHB", 0x0201, 0, 0, 0, 0, 0, 3), bytes(3))
    processing = _descriptor(0x24, bytes([5, 2, 1]), struct.pack("<HBH", 0, 2, 1), bytes(2))
    out = _descriptor(0x24, bytes([3, 3]), struct.pack("<HBBB", 0x0101, 0, 2, 0))

    def head(total: int) -> bytes:
        return _descriptor(0x24, struct.pack("<BHHIBB", 1, 0x0110, total, _CLOCK_HZ, 1, STREAM_INTERFACE))

    units = sensor + processing + out
    return head(len(head(0)) + len(units)) + units


def _descriptor(kind: int, *parts: bytes) -> bytes:
    body = bytes([kind]) + b"".join(parts)
    return bytes([len(body) + 1]) + body
