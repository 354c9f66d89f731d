"""The packets of a USB device at the far end of a wire to QEMU (usb-redir).

Rules kept here:
- The first packet in each direction has a 32-bit id, all later ones 64 bits: both sides announce that they can.
- A packet is read whole or the wire is over (`Unplugged`).

Numbers: the usbredir protocol, version 0.7.
"""

from __future__ import annotations

import socket
import struct
from enum import IntEnum
from typing import Final

from tools.vm.camera import uvc

# Announced: device version in the connect packet, packet sizes of endpoints, 64-bit ids, 32-bit bulk lengths. QEMU's
# xhci asks for the last three.
_CAPABILITIES: Final = 1 << 1 | 1 << 4 | 1 << 5 | 1 << 6
_VERSION: Final = b"doorward"
_ENDPOINTS: Final = 32
_HIGH_SPEED: Final = 2
_BULK, _NO_ENDPOINT, _CONTROL = 2, 255, 0
STALLED, CANCELLED, DONE = 4, 1, 0


class Unplugged(ConnectionError):
    """The other end of the wire is gone."""


class Kind(IntEnum):
    """Types of packets that a camera meets."""

    HELLO = 0
    DEVICE_CONNECT = 1
    RESET = 3
    INTERFACE_INFO = 4
    ENDPOINT_INFO = 5
    SET_CONFIGURATION = 6
    GET_CONFIGURATION = 7
    CONFIGURATION_STATUS = 8
    SET_ALT_SETTING = 9
    GET_ALT_SETTING = 10
    ALT_SETTING_STATUS = 11
    CANCEL = 21
    CONTROL_PACKET = 100
    BULK_PACKET = 101


class RedirWire:
    """The wire: packets in both directions."""

    def __init__(self, sock: socket.socket) -> None:
        self._socket = sock
        self._greeted = False
        self.send(Kind.HELLO, 0, _VERSION.ljust(64, b"\0") + struct.pack("<I", _CAPABILITIES))

    def send(self, kind: Kind, number: int, body: bytes) -> None:
        """Send one packet; `number` ties an answer to its question."""
        form = "<III" if kind is Kind.HELLO else "<IIQ"
        try:
            self._socket.sendall(struct.pack(form, kind, len(body), number) + body)
        except OSError as cause:
            raise Unplugged("the machine is gone") from cause

    def receive(self) -> tuple[int, int, bytes]:
        """The next packet: its type, its number and its body. Raises Unplugged."""
        kind, length = struct.unpack("<II", self._exactly(8))
        form = "<Q" if self._greeted else "<I"
        (number,) = struct.unpack(form, self._exactly(struct.calcsize(form)))
        self._greeted = True
        return kind, number, self._exactly(length)

    def announce(self) -> None:
        """Tell what is plugged in: endpoints, interfaces, the device itself."""
        kinds, intervals, owners = (bytearray(_ENDPOINTS) for _ in range(3))
        kinds[:] = bytes([_NO_ENDPOINT]) * _ENDPOINTS
        place = 16 + (uvc.ENDPOINT_IN & 0x0F)  # the second half of each table is for IN
        kinds[0] = kinds[16] = _CONTROL
        kinds[place], owners[place] = _BULK, uvc.STREAM_INTERFACE
        packet = [0] * _ENDPOINTS
        packet[0] = packet[16] = 64
        packet[place] = uvc.MAX_PACKET
        self.send(Kind.ENDPOINT_INFO, 0, bytes(kinds + intervals + owners) + struct.pack("<32H", *packet))
        numbers = (uvc.CONTROL_INTERFACE, uvc.STREAM_INTERFACE)
        subclasses = (uvc.CONTROL_SUBCLASS, uvc.STREAM_SUBCLASS)
        tables = (numbers, (uvc.VIDEO_CLASS,) * 2, subclasses, (0, 0))
        self.send(Kind.INTERFACE_INFO, 0, struct.pack("<I", 2) + b"".join(bytes(t).ljust(32, b"\0") for t in tables))
        device = struct.pack("<BBBBHHH", _HIGH_SPEED, 0xEF, 2, 1, uvc.VENDOR, uvc.PRODUCT, 0x0100)
        self.send(Kind.DEVICE_CONNECT, 0, device)

    def answer_control(self, number: int, asked: bytes, answer: bytes | None) -> None:
        """Answer a control packet whose header was `asked` (10 bytes); None stalls."""
        endpoint, request, kind, _, value, index, length = struct.unpack("<BBBBHHH", asked)
        told = answer if answer and kind & 0x80 else b""
        size = 0 if answer is None else len(told) if kind & 0x80 else length
        status = STALLED if answer is None else DONE
        head = struct.pack("<BBBBHHH", endpoint, request, kind, status, value, index, size)
        self.send(Kind.CONTROL_PACKET, number, head + told)

    def answer_bulk(self, number: int, content: bytes, status: int = DONE) -> None:
        """Answer a request for bulk data."""
        size = len(content)
        head = struct.pack("<BBHIH", uvc.ENDPOINT_IN, status, size & 0xFFFF, 0, size >> 16)
        self.send(Kind.BULK_PACKET, number, head + content)

    def _exactly(self, size: int) -> bytes:
        got = bytearray()
        while len(got) < size:
            try:
                part = self._socket.recv(size - len(got))
            except OSError as cause:
                raise Unplugged("the machine is gone") from cause
            if not part:
                raise Unplugged("the machine hung up")
            got += part
        return bytes(got)
