"""A camera that is not the one that was set up: a fault before any frame, with both kinds of driver."""

from __future__ import annotations

import dataclasses
import sys
from collections.abc import Callable

import pytest

from device.config.tables import CameraTable
from device.errors import CameraFault
from device.eye.camera_id import Identity, Named, Pin
from device.eye.camera_picamera2 import PiCamera
from device.eye.camera_replay import ReplayCamera
from device.eye.camera_v4l2 import V4l2Camera
from tests.contract.camera.clock import Clock
from tests.contract.camera.fake_picamera2 import World
from tests.contract.camera.fake_v4l2 import PATH, V4l2World


class Bench:
    """A camera of one backend, what to do to swap it, and whether a stream ever began since."""

    def __init__(
        self,
        make: Callable[[str], V4l2Camera | PiCamera],
        swap: Callable[[], None],
        back: Callable[[], None],
        begun: Callable[[], int],
    ) -> None:
        self.make, self.swap, self.back, self.begun = make, swap, back, begun


def usb() -> Bench:
    clock = Clock()
    world = V4l2World(clock, clock.sleep)
    table = CameraTable(backend="v4l2", device=PATH, frame_timeout_ms=500)

    def swap(card: bytes) -> None:
        world.card = card

    return Bench(
        lambda pinned: V4l2Camera(dataclasses.replace(table, pinned=pinned), world, clock),
        lambda: swap(b"Another"),
        lambda: swap(b"HD Camera"),
        lambda: world.started,
    )


def ribbon(monkeypatch: pytest.MonkeyPatch) -> Bench:
    clock = Clock()
    world = World(clock, clock.sleep)
    monkeypatch.setitem(sys.modules, "picamera2", world.module())
    right = world.listed

    def swap(model: str) -> None:
        world.listed = [{**right[0], "Model": model}, *right]

    return Bench(
        lambda pinned: PiCamera(CameraTable(pinned=pinned), clock),
        lambda: swap("ov5647"),
        lambda: swap("imx708"),
        lambda: world.configured,
    )


@pytest.fixture(params=["v4l2", "picamera2"])
def bench(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> Bench:
    return usb() if request.param == "v4l2" else ribbon(monkeypatch)


def test_a_swapped_camera_is_a_fault_before_it_is_set_or_started(bench: Bench) -> None:
    pinned = str(bench.make("").identity())
    bench.swap()
    camera = bench.make(pinned)
    for look in (camera.probe, camera.open):
        with pytest.raises(CameraFault, match="another camera"):
            look()
    with pytest.raises(CameraFault, match="closed"):
        camera.read(0)
    assert bench.begun() == 0
    bench.back()
    camera.probe()
    camera.open()
    camera.read(0)
    camera.close()


def test_fault_without_the_pin_a_swapped_camera_is_looked_through(
    bench: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What the test above is there to catch."""

    def trusts(_self: Pin, _seen: Identity) -> None:
        return

    pinned = str(bench.make("").identity())
    bench.swap()
    monkeypatch.setattr(Pin, "hold", trusts)
    camera = bench.make(pinned)
    camera.probe()
    camera.open()
    assert bench.begun() == 1
    camera.close()


def test_without_a_pin_the_first_one_seen_counts_for_as_long_as_eye_runs(bench: Bench) -> None:
    camera = bench.make("")
    camera.probe()
    bench.swap()
    with pytest.raises(CameraFault, match="another camera"):
        camera.open()
    bench.make("").probe()  # a new process knows nothing of the one before


def test_a_usb_camera_is_asked_who_it_is_in_every_window() -> None:
    bench = usb()
    camera = bench.make("")
    camera.open()
    camera.close()
    bench.swap()
    with pytest.raises(CameraFault, match="another camera"):
        camera.open()


def test_the_camera_that_streams_is_the_one_that_was_asked(monkeypatch: pytest.MonkeyPatch) -> None:
    """One node is opened for both: no camera can be exchanged between the question and the stream."""
    clock = Clock()
    world = V4l2World(clock, clock.sleep)
    V4l2Camera(CameraTable(backend="v4l2", device=PATH), world, clock).open()
    assert world.opened == 1
    monkeypatch.setattr(world, "driver", b"v4l2 loopback")
    camera = V4l2Camera(CameraTable(backend="v4l2", device=PATH), world, clock)
    with pytest.raises(CameraFault, match="feeds it with pictures"):
        camera.open()
    assert (world.opened, world.closed, world.started) == (2, 1, 1)


def test_a_loopback_is_refused_before_it_is_streamed_and_nothing_stays_open() -> None:
    clock = Clock()
    world = V4l2World(clock, clock.sleep)
    world.driver, world.bus = b"v4l2 loopback", b"platform:v4l2loopback-000"
    camera = V4l2Camera(CameraTable(backend="v4l2", device=PATH), world, clock)
    for look in (camera.probe, camera.open):
        with pytest.raises(CameraFault, match="feeds it with pictures"):
            look()
    assert (world.opened - world.closed, world.mapped, world.started) == (0, 0, 0)


def test_modes_that_eye_does_not_use_and_a_newer_kernel_make_no_other_camera() -> None:
    clock = Clock()
    world = V4l2World(clock, clock.sleep)
    camera = V4l2Camera(CameraTable(backend="v4l2", device=PATH), world, clock)
    before = camera.identity()
    world.formats["H264"] = [(1920, 1080)]
    assert camera.identity() == before
    world.formats["YUYV"].append((160, 120))
    assert camera.identity() != before
    assert world.opened == world.closed


def test_a_name_that_is_no_text_is_pinned_all_the_same() -> None:
    clock = Clock()
    world = V4l2World(clock, clock.sleep)
    world.card, world.bus = "Kamera|ä\n".encode(), b""
    camera = V4l2Camera(CameraTable(backend="v4l2", device=PATH), world, clock)
    assert str(camera.identity()).startswith("uvcvideo|Kamera???|?|")


def test_simulated_cameras_have_no_name_and_pins_are_about_real_ones(bench: Bench) -> None:
    assert isinstance(bench.make(""), Named)
    assert not issubclass(ReplayCamera, Named)
