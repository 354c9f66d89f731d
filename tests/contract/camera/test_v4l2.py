"""A USB camera through the kernel's interface: what it negotiates, what it refuses, what it holds and gives back."""

import errno

import numpy as np
import pytest

from device.config.tables import CameraTable
from device.errors import CameraFault
from device.eye import camera_v4l2, v4l2_kernel, v4l2_stream
from device.eye.camera_v4l2 import V4l2Camera
from device.eye.pixels import Picture
from device.eye.v4l2_stream import Stream
from tests.contract.camera.clock import Clock
from tests.contract.camera.fake_v4l2 import FRAME_NS, ORANGE_BGR, PATH, V4l2World, refused

S = 1_000_000_000
TABLE = CameraTable(backend="v4l2", device=PATH, frame_timeout_ms=500)
AUTO = {
    v4l2_kernel.EXPOSURE_AUTO: 3,
    v4l2_kernel.EXPOSURE_AUTO_PRIORITY: 0,
    v4l2_kernel.AUTO_WHITE_BALANCE: 1,
}
HELD = AUTO | {v4l2_kernel.EXPOSURE_AUTO: 1, v4l2_kernel.AUTO_WHITE_BALANCE: 0}


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def world(clock: Clock) -> V4l2World:
    return V4l2World(clock, clock.sleep)


@pytest.fixture
def camera(world: V4l2World, clock: Clock) -> V4l2Camera:
    return V4l2Camera(TABLE, world, clock)


@pytest.fixture(autouse=True)
def no_decoder(monkeypatch: pytest.MonkeyPatch) -> None:
    """As on a Jetson; a test that wants a decoder brings one."""
    monkeypatch.setattr(camera_v4l2, "_decoder", lambda: None)


def fault_at_open(camera: V4l2Camera, world: V4l2World) -> str:
    with pytest.raises(CameraFault) as fault:
        camera.open()
    assert (world.opened, world.mapped) == (world.closed, 0), "nothing is left open"
    return str(fault.value)


# ---- pictures


def test_a_known_colour_arrives_in_blue_green_red(camera: V4l2Camera) -> None:
    camera.open()
    frame = camera.read(0)
    assert frame.main[240, 320].tolist() == pytest.approx(ORANGE_BGR, abs=2)
    assert frame.low[0, 0].tolist() == frame.main[0, 0].tolist()


def test_colours_follow_what_the_driver_tells(camera: V4l2Camera, world: V4l2World) -> None:
    world.content = bytes((16, 128, 235, 128))  # black and white of the limited range
    camera.open()
    assert camera.read(0).main[0, :2, 0].tolist() == [0, 255]
    camera.close()
    world.quantization = 1  # told to be full
    camera.open()
    assert camera.read(0).main[0, :2, 0].tolist() == [16, 235]
    camera.close()
    world.quantization, world.encoding = 0, 8  # SMPTE 240M: in no camera that we know of
    assert "encoding 8" in fault_at_open(camera, world)


def test_motion_jpeg_is_read_where_a_decoder_is(
    camera: V4l2Camera, world: V4l2World, monkeypatch: pytest.MonkeyPatch
) -> None:
    del world.formats["YUYV"]

    def decode(data: bytes, *, colorspace: str) -> Picture:
        assert colorspace == "BGR"
        return np.full((480, 640, 3), data[0], np.uint8)

    monkeypatch.setattr(camera_v4l2, "_decoder", lambda: decode)
    camera.open()
    assert camera.read(0).main[0, 0, 0] == world.content[0]

    def spoiled(*_: object, **__: object) -> Picture:
        raise ValueError("Corrupt JPEG data")

    camera.close()
    monkeypatch.setattr(camera_v4l2, "_decoder", lambda: spoiled)
    camera.open()
    with pytest.raises(CameraFault, match="damaged"):
        camera.read(0)


def test_without_a_decoder_the_refusal_names_what_the_camera_has(camera: V4l2Camera, world: V4l2World) -> None:
    del world.formats["YUYV"]
    said = fault_at_open(camera, world)
    assert "640 x 480 pixels in YUYV; its formats: MJPG (640 x 480, 1280 x 720)" in said


def test_a_size_that_the_driver_changes_is_refused(camera: V4l2Camera, world: V4l2World) -> None:
    world.formats = {"YUYV": [(800, 600)]}
    assert "its formats: YUYV (800 x 600)" in fault_at_open(camera, world)


def test_rows_that_are_too_short_for_their_pixels_are_refused(camera: V4l2Camera, world: V4l2World) -> None:
    world.padding = -2
    assert "rows of 1278 bytes" in fault_at_open(camera, world)


# ---- age


def test_frames_from_before_the_button_are_not_seen(camera: V4l2Camera, clock: Clock) -> None:
    camera.open()
    clock.sleep(3)
    asked_ns = clock()
    assert camera.read(asked_ns).time_ns >= asked_ns


def test_after_a_long_look_the_next_frame_is_of_now(camera: V4l2Camera, clock: Clock) -> None:
    camera.open()
    camera.read(0)
    clock.sleep(3)
    asked_ns = clock()
    assert camera.read(0).time_ns >= asked_ns - v4l2_stream._FRESH_INTERVALS * FRAME_NS


def test_fault_frames_that_filled_the_buffers_while_nobody_read_are_seen(
    camera: V4l2Camera, clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(v4l2_stream, "_FRESH_INTERVALS", 1000)
    camera.open()
    clock.sleep(3)
    asked_ns = clock()
    assert camera.read(0).time_ns < asked_ns - 2 * S


def test_the_newest_frame_that_lies_ready_is_taken(camera: V4l2Camera, clock: Clock) -> None:
    camera.open()
    first_ns = camera.read(0).time_ns
    clock.sleep(3.5 * FRAME_NS / S)
    assert camera.read(0).time_ns - first_ns == pytest.approx(3 * FRAME_NS, abs=2000)


@pytest.mark.parametrize(("moment", "frames"), [(v4l2_kernel.MOMENT_START_OF_EXPOSURE, 1), (0, 2)])
def test_a_stamp_is_moved_back_to_the_begin_of_exposure(
    camera: V4l2Camera, world: V4l2World, clock: Clock, moment: int, frames: int
) -> None:
    world.stamps = v4l2_kernel.CLOCK_MONOTONIC | moment
    camera.open()
    opened_ns = clock()
    stamped_ns = opened_ns + FRAME_NS
    assert camera.read(0).time_ns == pytest.approx(stamped_ns - frames * FRAME_NS, abs=10_000)


@pytest.mark.parametrize(("told_ns", "moved_ns"), [(0, S / TABLE.fps), (S // 10, S // 10), (S // 30, S // 30)])
def test_the_interval_is_the_one_read_back_and_never_none(
    camera: V4l2Camera, world: V4l2World, clock: Clock, told_ns: int, moved_ns: float
) -> None:
    world.interval_ns = told_ns
    camera.open()
    stamped_ns = clock() + FRAME_NS
    assert camera.read(0).time_ns == pytest.approx(stamped_ns - moved_ns, abs=10_000)


def test_a_driver_with_another_clock_is_a_fault(camera: V4l2Camera, world: V4l2World) -> None:
    world.stamps = v4l2_kernel.MOMENT_START_OF_EXPOSURE
    camera.open()
    with pytest.raises(CameraFault, match="another clock"):
        camera.read(0)


@pytest.mark.parametrize("fault", [v4l2_kernel.BROKEN_FRAME, -1])
def test_damaged_and_short_frames_are_skipped_and_their_buffers_used_again(
    camera: V4l2Camera, world: V4l2World, fault: int
) -> None:
    camera.open()
    world.broken.extend([fault] * 6)  # more than there are buffers
    before_ns = camera.read(0).time_ns
    assert not world.broken
    assert camera.read(0).time_ns > before_ns


# ---- a camera that goes, and what is given back


def test_a_camera_pulled_out_while_it_streams_is_a_fault_at_once(
    camera: V4l2Camera, world: V4l2World, clock: Clock
) -> None:
    camera.open()
    camera.read(0)
    world.present = False
    before_ns = clock()
    with pytest.raises(CameraFault, match="pulled out"):
        camera.read(0)
    assert clock() - before_ns < S // 10
    camera.close()
    assert (world.opened, world.mapped) == (world.closed, 0)
    world.present = True
    camera.open()
    camera.read(0)


def test_every_buffer_is_overwritten_and_unmapped_at_close(
    camera: V4l2Camera, world: V4l2World, monkeypatch: pytest.MonkeyPatch
) -> None:
    camera.open()
    camera.read(0)
    assert any(any(buffer.bytes) for buffer in world.buffers)
    camera.close()
    assert (world.left_behind, world.mapped, world.opened - world.closed) == (0, 0, 0)

    def careless(self: Stream) -> None:
        for memory in self._memory:
            memory.close()
        self._kernel.close(self.fd)

    monkeypatch.setattr(Stream, "end", careless)  # the seeded fault: what this test is there to catch
    camera.open()
    camera.read(0)
    camera.close()
    assert world.left_behind > 0


def test_a_thousand_windows_leave_nothing_open(world: V4l2World, clock: Clock) -> None:
    small = CameraTable(backend="v4l2", device=PATH, width_px=320, height_px=240)
    world.formats = {"YUYV": [(320, 240)]}
    camera = V4l2Camera(small, world, clock)
    for _ in range(1000):
        camera.open()
        camera.close()
    assert (world.opened, world.closed, world.mapped, world.started) == (1000, 1000, 0, 1000)


def test_a_node_that_gives_no_frames_is_named_for_what_it_is(camera: V4l2Camera, world: V4l2World) -> None:
    camera.probe()
    world.capabilities = 0x00800000 | v4l2_kernel.CAN_STREAM  # the second node of a USB camera: metadata
    with pytest.raises(CameraFault, match="index0"):
        camera.probe()
    assert world.opened == world.closed


@pytest.mark.parametrize(
    ("number", "said"), [(errno.EBUSY, "another program"), (errno.EACCES, "rules"), (errno.ENOSPC, "No space")]
)
def test_what_the_kernel_refuses_is_said_in_words(
    camera: V4l2Camera, world: V4l2World, monkeypatch: pytest.MonkeyPatch, number: int, said: str
) -> None:
    def refuse(_kind: object) -> None:
        raise refused(number)

    monkeypatch.setattr(world, "_on", refuse)
    assert said in fault_at_open(camera, world)


# ---- exposure and white balance


def test_exposure_and_white_balance_are_held_and_given_back(camera: V4l2Camera, world: V4l2World) -> None:
    camera.open()
    assert world.controls == AUTO, "and no frame is exposed longer than its rate allows"
    camera.read(0)
    camera.steady(held=True)
    assert world.controls == HELD
    camera.steady(held=False)
    assert world.controls == AUTO
    camera.steady(held=True)
    camera.close()
    assert world.controls == AUTO


def test_what_a_killed_process_left_held_is_given_back_by_the_next(
    world: V4l2World, clock: Clock, camera: V4l2Camera
) -> None:
    camera.open()
    camera.steady(held=True)
    assert world.controls == HELD
    after = V4l2Camera(TABLE, world, clock)
    after.open()
    assert world.controls == AUTO


def test_a_camera_whose_brightness_leaps_is_left_automatic(camera: V4l2Camera, world: V4l2World) -> None:
    camera.open()
    camera.read(0)
    camera.steady(held=True)
    camera.read(0)
    assert world.controls == HELD
    world.content = bytes((40, 128, 40, 128))  # it fell back to an exposure of its own
    camera.read(0)
    assert world.controls == AUTO
    camera.steady(held=True)
    assert world.controls == AUTO


def test_a_control_that_cannot_be_set_is_left_alone(camera: V4l2Camera, world: V4l2World) -> None:
    world.unsettable.add(v4l2_kernel.EXPOSURE_AUTO)
    del world.controls[v4l2_kernel.AUTO_WHITE_BALANCE]
    before = dict(world.controls) | {v4l2_kernel.EXPOSURE_AUTO_PRIORITY: 0}
    camera.open()
    camera.steady(held=True)
    assert world.controls == before
    camera.read(0)
    camera.close()
