"""A camera in a test's hand: plug it in, show it a picture, pull it out.

Rules kept here:
- Frames come at the camera's rate, while somebody asks for them; how many were taken can be asked.
- What is shown changes with the next frame. A camera that is `stuck` goes on without giving a frame: a sensor that
  hangs, as the driver sees it.
- Pulling it out is abrupt, as with a cable.
"""

from __future__ import annotations

import select
import socket
import struct
import threading
import time
from collections import deque
from contextlib import suppress
from pathlib import Path
from typing import Final, Self

from tools.vm.camera.picture import Scene
from tools.vm.camera.redir import CANCELLED, Kind, RedirWire, Unplugged
from tools.vm.camera.uvc import PAYLOAD_BYTES, Setup, UvcCamera
from tools.vm.qmp import connected

_HEADER_BYTES: Final = 2
_END_OF_HEADER, _END_OF_FRAME = 0x80, 0x02
_BEHIND_S: Final = 0.5  # a camera that could not keep up does not send what it missed


class PluggedCamera:
    """`with PluggedCamera(machine.camera_socket) as camera:` plugs it in."""

    def __init__(self, wire: Path, *, fps: float = 10.0) -> None:
        self._path = wire
        self._device = UvcCamera(fps=fps)
        self._scene = self._new_scene(None)
        self._socket: socket.socket | None = None
        self._thread: threading.Thread | None = None
        self._asked: deque[tuple[int, int]] = deque()
        self._alternates: dict[int, int] = {}
        self._left = b""
        self._odd = 0
        self._next_s = 0.0
        self.frames = 0
        self.stuck = False

    def __enter__(self) -> Self:
        self.plug_in()
        return self

    def __exit__(self, *_: object) -> None:
        self.pull_out()

    def plug_in(self) -> None:
        """Plug it in; the guest finds it by itself."""
        self._socket = connected(self._path)
        self._thread = threading.Thread(target=self._serve, args=(self._socket,), daemon=True)
        self._thread.start()

    def pull_out(self) -> None:
        """Pull it out."""
        if self._socket is not None and self._thread is not None:
            with suppress(OSError):  # the machine was faster
                self._socket.shutdown(socket.SHUT_RDWR)
            self._thread.join()
            self._socket = self._thread = None

    def show(self, picture: Path | None) -> None:
        """What stands before it from the next frame on."""
        self._scene = self._new_scene(picture)

    def _new_scene(self, picture: Path | None) -> Scene:
        return Scene(self._device.width_px, self._device.height_px, picture)

    # ---- its own thread

    def _serve(self, sock: socket.socket) -> None:
        self._asked.clear()
        self._left = b""
        with sock:
            try:
                wire = RedirWire(sock)
                while True:
                    readable, _, _ = select.select([sock], [], [], self._patience_s())
                    if readable:
                        self._take(wire)
                    elif self._asked and not self.stuck:
                        self._give(wire)
            except Unplugged:
                return

    def _patience_s(self) -> float | None:
        if not self._asked or self.stuck:
            return None if not self._asked else 0.1
        return 0.0 if self._left else max(0.0, self._next_s - time.monotonic())

    def _take(self, wire: RedirWire) -> None:
        kind, number, body = wire.receive()
        match kind:
            case Kind.HELLO:
                wire.announce()
            case Kind.RESET:
                self._asked.clear()
                self._left = b""
            case Kind.SET_CONFIGURATION:
                wire.send(Kind.CONFIGURATION_STATUS, number, bytes([0, body[0]]))
            case Kind.GET_CONFIGURATION:
                wire.send(Kind.CONFIGURATION_STATUS, number, bytes([0, 1]))
            case Kind.SET_ALT_SETTING:
                self._alternates[body[0]] = body[1]
                wire.send(Kind.ALT_SETTING_STATUS, number, bytes([0, body[0], body[1]]))
            case Kind.GET_ALT_SETTING:
                alternate = self._alternates.get(body[0], 0)
                wire.send(Kind.ALT_SETTING_STATUS, number, bytes([0, body[0], alternate]))
            case Kind.CANCEL:
                self._cancel(wire, number)
            case Kind.CONTROL_PACKET:
                self._control(wire, number, body)
            case Kind.BULK_PACKET:
                _, _, low, _, high = struct.unpack("<BBHIH", body[:10])
                self._asked.append((number, low | high << 16))

    def _cancel(self, wire: RedirWire, number: int) -> None:
        if any(asked == number for asked, _ in self._asked):
            self._asked = deque(each for each in self._asked if each[0] != number)
            wire.answer_bulk(number, b"", CANCELLED)
        if not self._asked:
            self._left = b""

    def _control(self, wire: RedirWire, number: int, body: bytes) -> None:
        _, request, kind, _, value, index, length = struct.unpack("<BBBBHHH", body[:10])
        answer = self._device.control(Setup(kind, request, value, index, length), body[10:])
        wire.answer_control(number, body[:10], answer)

    def _give(self, wire: RedirWire) -> None:
        """Send the next part of a frame: each payload has a header of two bytes."""
        if not self._left:
            self._left = self._scene.frame(self._device.format)
            self._odd ^= 1
            self._next_s = max(self._next_s + 1 / self._device.fps, time.monotonic() - _BEHIND_S)
        number, wanted = self._asked.popleft()
        size = min(wanted, PAYLOAD_BYTES) - _HEADER_BYTES
        part, self._left = self._left[:size], self._left[size:]
        flags = _END_OF_HEADER | self._odd
        if not self._left:
            flags |= _END_OF_FRAME
            self.frames += 1  # before it is sent: who has it finds it counted
        wire.answer_bulk(number, bytes([_HEADER_BYTES, flags]) + part)
