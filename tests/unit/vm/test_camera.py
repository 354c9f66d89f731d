"""The simulated USB camera: what the stock driver is told, and what it is sent."""

import socket
import struct
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from tools.vm.camera.picture import Scene, yuyv
from tools.vm.camera.plugged import PluggedCamera
from tools.vm.camera.redir import Kind
from tools.vm.camera.uvc import Format, Setup, UvcCamera

LIMIT_S = 20


def descriptors(raw: bytes) -> list[bytes]:
    """Split at the length byte each descriptor begins with (USB 2.0, 9.5)."""
    found = []
    while raw:
        found.append(raw[: raw[0]])
        raw = raw[raw[0] :]
    return found


def test_every_descriptor_is_as_long_as_it_says() -> None:
    whole = UvcCamera().configuration()
    parts = descriptors(whole)
    assert b"".join(parts) == whole
    assert struct.unpack_from("<H", whole, 2)[0] == len(whole)  # wTotalLength
    # Class-specific headers count what follows them, up to the next interface.
    control, stream = parts[3], next(part for part in parts if part[1:3] == b"\x24\x01" and part[0] == 15)
    assert struct.unpack_from("<H", control, 5)[0] == sum(len(part) for part in parts[3:7])
    assert struct.unpack_from("<H", stream, 4)[0] == sum(len(part) for part in parts[8:-1])


def test_an_unknown_format_is_answered_with_the_first_one() -> None:
    camera = UvcCamera()
    asked = bytes([1, 0, 9, 9]) + bytes(30)
    assert camera.control(Setup(0x21, 0x01, 0x0100, 1, len(asked)), asked) == b""
    answer = camera.control(Setup(0xA1, 0x81, 0x0100, 1, 34), b"")
    assert answer is not None
    assert list(answer[2:4]) == [Format.MJPEG, 1]


def test_what_the_class_does_not_ask_of_a_camera_is_stalled() -> None:
    camera = UvcCamera()
    assert camera.control(Setup(0xC0, 1, 0, 0, 8), b"") is None  # a vendor's request
    assert camera.control(Setup(0xA1, 0x81, 0x0900, 0x0300, 2), b"") is None  # a unit that is not there


@pytest.mark.parametrize(
    ("colour", "expected"),
    [
        ((255, 255, 255), (235, 128, 128)),
        ((0, 0, 0), (16, 128, 128)),
        ((255, 0, 0), (82, 90, 240)),  # ITU-R BT.601 colour bars
        ((0, 0, 255), (41, 240, 110)),
    ],
)
def test_colours_are_those_of_bt_601(colour: tuple[int, int, int], expected: tuple[int, int, int]) -> None:
    picture = np.full((2, 4, 3), colour, np.uint8)
    packed = np.frombuffer(yuyv(picture), np.uint8).reshape(2, 4, 2).astype(int)
    luma, blue, red = packed[0, 0, 0], packed[0, 0, 1], packed[0, 1, 1]
    assert (luma, blue, red) == pytest.approx(expected, abs=1)


def test_a_picture_is_shown_whole_and_in_the_middle(tmp_path: Path) -> None:
    tall = tmp_path / "tall.png"
    Image.new("RGB", (100, 200), (255, 255, 255)).save(tall)
    frame = np.frombuffer(Scene(640, 480, tall).frame(Format.YUYV), np.uint8).reshape(480, 640, 2)[..., 0]
    white = np.flatnonzero(frame[240] > 200)
    assert (white[0], white[-1]) == (200, 439)
    assert (frame[[0, -1], 320] > 200).all()


@pytest.fixture
def wire(tmp_path: Path) -> Iterator[tuple[PluggedCamera, socket.socket]]:
    """A camera that is plugged into this test, which plays QEMU."""
    with socket.socket(socket.AF_UNIX) as listener:
        listener.bind(str(tmp_path / "wire"))
        listener.listen()
        camera = PluggedCamera(tmp_path / "wire", fps=1000.0)
        with camera:
            machine, _ = listener.accept()
            with machine:
                machine.settimeout(LIMIT_S)
                yield camera, machine


def packet(machine: socket.socket, *, first: bool = False) -> tuple[int, int, bytes]:
    form = struct.Struct("<III" if first else "<IIQ")
    kind, size, number = form.unpack(machine.recv(form.size, socket.MSG_WAITALL))
    return kind, number, machine.recv(size, socket.MSG_WAITALL) if size else b""


def test_a_plugged_camera_says_what_it_is_and_sends_whole_frames(
    wire: tuple[PluggedCamera, socket.socket],
) -> None:
    camera, machine = wire
    assert packet(machine, first=True)[0] == Kind.HELLO
    machine.sendall(struct.pack("<III", Kind.HELLO, 68, 0) + bytes(68))
    kinds = [packet(machine)[0] for _ in range(3)]
    assert kinds == [Kind.ENDPOINT_INFO, Kind.INTERFACE_INFO, Kind.DEVICE_CONNECT]
    shown = b""
    for number in range(1, 200):
        asked = struct.pack("<BBHIH", 0x81, 0, 16384, 0, 0)
        machine.sendall(struct.pack("<IIQ", Kind.BULK_PACKET, len(asked), number) + asked)
        kind, answered, body = packet(machine)
        assert (kind, answered) == (Kind.BULK_PACKET, number)
        header, part = body[10:12], body[12:]
        assert header[0] == 2
        shown += part
        if header[1] & 0x02:  # the end of a frame
            break
    assert shown == Scene(640, 480).frame(Format.MJPEG)
    assert camera.frames == 1


def test_a_camera_that_is_stuck_answers_controls_and_gives_no_frame(
    wire: tuple[PluggedCamera, socket.socket],
) -> None:
    camera, machine = wire
    packet(machine, first=True)
    camera.stuck = True
    asked = struct.pack("<BBHIH", 0x81, 0, 16384, 0, 0)
    machine.sendall(struct.pack("<III", Kind.BULK_PACKET, len(asked), 1) + asked)
    control = struct.pack("<BBBBHHH", 0x80, 6, 0x80, 0, 0x0100, 0, 18)
    machine.sendall(struct.pack("<IIQ", Kind.CONTROL_PACKET, len(control), 2) + control)
    kind, number, body = packet(machine)
    assert (kind, number, body[10]) == (Kind.CONTROL_PACKET, 2, 18)  # a device descriptor has 18 bytes
    camera.stuck = False
    assert packet(machine)[:2] == (Kind.BULK_PACKET, 1)
