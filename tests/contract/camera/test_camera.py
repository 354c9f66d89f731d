"""One suite for every camera: the simulated one, and two over stand-ins for what drives a real one.

picamera2's wrapper has a Raspberry Pi's own camera and a USB camera in its two formats; the other is the kernel's own
interface. tests/system/test_camera.py holds the real ones to the same promises in a virtual machine.
"""

import json
import sys
from collections.abc import Callable, Iterator
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from device.config.tables import CameraTable
from device.errors import CameraFault
from device.eye import camera_replay
from device.eye.camera import Camera, Frame, NoCamera, make
from device.eye.camera_picamera2 import PiCamera
from device.eye.camera_replay import EXPOSURE_NS, ReplayCamera
from device.eye.camera_v4l2 import V4l2Camera
from device.eye.lamps import LIGHTS, LightChange, packed
from device.eye.pictures import read_scaled
from device.eye.pixels import Picture
from device.eye.scene import METER, read_meter
from tests.contract.camera.clock import Clock
from tests.contract.camera.fake_picamera2 import ORANGE_BGR, World
from tests.contract.camera.fake_v4l2 import PATH, V4l2World

MS = 1_000_000
S = 1_000_000_000
TIMEOUT_MS = 500


class Rig:
    """A camera, its clock, and the two ways to disturb it."""

    def __init__(
        self, camera: Camera, clock: Clock, remove: Callable[[], object], restore: Callable[[], object]
    ) -> None:
        self.camera, self.clock, self.remove, self.restore = camera, clock, remove, restore


def picture(path: Path, shade: int = 200) -> Path:
    Image.new("RGB", (640, 480), (shade, 40, 10)).save(path)
    return path


def basis(path: Path, ambient: int = 9000, left: int = 3000, right: int = 1500) -> Path:
    planes = {"ambient": ambient, "left": left, "right": right}
    np.savez(path, **{name: np.full((480, 640, 3), value, np.uint16) for name, value in planes.items()})
    return path


def scene(path: Path, **table: object) -> Path:
    part = path.with_suffix(".part")
    part.write_text(json.dumps(table))
    part.replace(path)
    return path


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def world(clock: Clock, monkeypatch: pytest.MonkeyPatch) -> World:
    world = World(clock, clock.sleep)
    monkeypatch.setitem(sys.modules, "picamera2", world.module())
    return world


def over_picamera2(world: World, clock: Clock, usb: str) -> Rig:
    world.usb = usb

    def disturb(*, present: bool) -> None:
        world.present, world.stalled = present, not present

    camera = PiCamera(CameraTable(frame_timeout_ms=TIMEOUT_MS), clock)
    return Rig(camera, clock, lambda: disturb(present=False), lambda: disturb(present=True))


def over_the_kernel(clock: Clock) -> Rig:
    world = V4l2World(clock, clock.sleep)
    table = CameraTable(backend="v4l2", device=PATH, frame_timeout_ms=TIMEOUT_MS)
    camera = V4l2Camera(table, world, clock)
    return Rig(camera, clock, lambda: setattr(world, "present", False), lambda: setattr(world, "present", True))


@pytest.fixture(params=["picture", "folder", "scene", "lit", "picamera2", "picamera2-YUYV", "picamera2-MJPEG", "v4l2"])
def rig(request: pytest.FixtureRequest, tmp_path: Path, clock: Clock, world: World) -> Iterator[Rig]:
    if request.param == "v4l2":
        yield over_the_kernel(clock)
        return
    if request.param.startswith("picamera2"):
        yield over_picamera2(world, clock, request.param.partition("-")[2])
        return
    shown = tmp_path / "shown"
    shown.mkdir()
    picture(shown / "a.png") if request.param != "lit" else basis(shown / "a.npz")
    source = {"picture": shown / "a.png", "folder": shown}.get(request.param, tmp_path / "scene.json")
    if source.suffix == ".json":
        scene(source, source=str(shown), fps=15)
    away = tmp_path / "away"
    camera = ReplayCamera(source, frame_timeout_ms=TIMEOUT_MS, clock_ns=clock, sleep=clock.sleep)
    yield Rig(camera, clock, lambda: shown.rename(away), lambda: away.rename(shown))
    camera.close()


def assert_frame(frame: Frame) -> None:
    assert frame.main.shape == (480, 640, 3)
    assert frame.low.shape == (240, 320, 3)
    assert {frame.main.dtype, frame.low.dtype} == {np.dtype(np.uint8)}


def open_and_read(rig: Rig) -> None:
    """As often as it takes to come past the frames that were queued before."""
    for _ in range(3):
        rig.camera.open()
        rig.camera.read(rig.clock())


def test_probe_finds_a_camera_without_opening_it(rig: Rig) -> None:
    rig.camera.probe()
    with pytest.raises(CameraFault, match="closed"):
        rig.camera.read(0)


def test_probe_of_a_missing_camera_is_a_fault(rig: Rig) -> None:
    rig.remove()
    with pytest.raises(CameraFault):
        rig.camera.probe()


def test_frames_have_both_planes(rig: Rig) -> None:
    rig.camera.open()
    assert_frame(rig.camera.read(0))


def test_no_frame_is_older_than_asked_for(rig: Rig) -> None:
    rig.camera.open()
    for _ in range(20):
        asked_ns = rig.clock()
        assert rig.camera.read(asked_ns).time_ns >= asked_ns
        rig.clock.sleep(0.03)


def test_time_goes_on_between_frames(rig: Rig) -> None:
    rig.camera.open()
    times = [rig.camera.read(0).time_ns for _ in range(8)]
    assert all(later > earlier for earlier, later in pairwise(times))


def test_frames_come_at_the_cameras_pace(rig: Rig) -> None:
    rig.camera.open()
    rig.camera.read(rig.clock())
    before_ns = rig.clock()
    for _ in range(15):
        rig.camera.read(before_ns)
    assert 0.8 * S < rig.clock() - before_ns < 1.2 * S


def test_reading_beyond_the_timeout_is_a_fault_in_bounded_time(rig: Rig) -> None:
    rig.camera.open()
    before_ns = rig.clock()
    with pytest.raises(CameraFault, match=str(TIMEOUT_MS)):
        rig.camera.read(before_ns + 3600 * S)
    assert rig.clock() - before_ns < 4 * TIMEOUT_MS * MS


def test_a_camera_taken_away_is_a_fault_and_comes_back(rig: Rig) -> None:
    rig.camera.open()
    rig.camera.read(0)
    rig.camera.close()
    rig.remove()
    with pytest.raises(CameraFault):
        open_and_read(rig)
    rig.camera.close()
    rig.restore()
    for _ in range(6):  # and no buffer was lost on the way
        rig.camera.open()
        assert_frame(rig.camera.read(rig.clock()))
    rig.camera.close()


def test_close_is_harmless_at_any_time(rig: Rig) -> None:
    rig.camera.close()
    rig.camera.open()
    rig.camera.close()
    rig.camera.close()
    with pytest.raises(CameraFault, match="closed"):
        rig.camera.read(0)


def test_opening_twice_is_harmless_and_opening_again_works(rig: Rig) -> None:
    for _ in range(5):
        rig.camera.open()
        rig.camera.open()
        assert_frame(rig.camera.read(rig.clock()))
        rig.camera.close()


def test_steadying_is_harmless_at_any_time(rig: Rig) -> None:
    rig.camera.steady(held=True)
    rig.camera.open()
    for held in (True, True, False, False, True):
        rig.camera.steady(held=held)
        assert_frame(rig.camera.read(rig.clock()))
    rig.camera.close()
    rig.camera.steady(held=False)


# ---- the simulated camera alone


def test_folder_is_played_in_name_order_and_round(tmp_path: Path, clock: Clock) -> None:
    for name, shade in (("b.png", 20), ("a.png", 10), ("c.png", 30)):
        picture(tmp_path / name, shade)
    camera = ReplayCamera(tmp_path, clock_ns=clock, sleep=clock.sleep)
    camera.open()
    assert [int(camera.read(0).main[240, 320, 2]) for _ in range(7)] == [10, 20, 30, 10, 20, 30, 10]


def test_scene_changes_while_it_plays(tmp_path: Path, clock: Clock) -> None:
    path = scene(tmp_path / "scene.json", source=None)
    camera = ReplayCamera(path, clock_ns=clock, sleep=clock.sleep)
    camera.open()
    empty = camera.read(0).main
    assert len(np.unique(empty)) == 1
    scene(path, source=str(picture(tmp_path / "a.png")))
    assert int(camera.read(0).main[240, 320, 2]) == 200
    scene(path, source="a.png", scale=0.5)
    smaller = camera.read(0).main
    assert int(smaller[240, 320, 2]) == 200
    assert smaller[5, 5].tolist() == empty[5, 5].tolist()


def test_what_is_no_picture_is_a_fault_and_not_an_empty_scene(tmp_path: Path, clock: Clock) -> None:
    (tmp_path / "a.png").write_bytes(b"nothing")
    path = scene(tmp_path / "scene.json", source="a.png")
    camera = ReplayCamera(path, clock_ns=clock, sleep=clock.sleep)
    camera.probe()  # judging a picture would mean to look at it
    camera.open()
    for _ in range(2):
        with pytest.raises(CameraFault, match=r"a\.png is no picture"):
            camera.read(0)
    scene(path, source=None)
    assert_frame(camera.read(0))


def test_meter_shows_from_outside_when_the_camera_looks(tmp_path: Path, clock: Clock) -> None:
    path = scene(tmp_path / "scene.json", source=None)
    camera = ReplayCamera(path, clock_ns=clock, sleep=clock.sleep)
    meter = tmp_path / "camera.meter"
    camera.probe()
    assert not read_meter(meter).is_open
    camera.open()
    assert read_meter(meter).is_open
    assert read_meter(meter).frames == 0
    camera.read(0)
    camera.read(0)
    assert read_meter(meter).frames == 2
    camera.close()
    assert read_meter(meter).frames == 2
    assert not read_meter(meter).is_open


def test_frames_cannot_be_written_on_and_are_forgotten_at_close(tmp_path: Path, clock: Clock) -> None:
    camera = ReplayCamera(picture(tmp_path / "a.png"), clock_ns=clock, sleep=clock.sleep)
    camera.open()
    frame = camera.read(0)
    with pytest.raises(ValueError, match="read-only"):
        frame.main[0, 0] = 0
    assert camera._planes
    camera.close()
    assert not camera._planes


class SlowDisk:
    """Decoding takes this camera two seconds, as on a machine that is busy with something else."""

    def __init__(self, clock: Clock, monkeypatch: pytest.MonkeyPatch) -> None:
        for name in ("read_scaled", "read_basis"):
            monkeypatch.setattr(camera_replay, name, self._slow(clock, getattr(camera_replay, name)))

    @staticmethod
    def _slow(clock: Clock, read: Callable[..., object]) -> Callable[..., object]:
        def slowly(*args: object) -> object:
            clock.sleep(2)
            return read(*args)

        return slowly


@pytest.mark.parametrize("name", ["a.png", "a.npz"])
def test_a_picture_shown_for_the_first_time_is_fresh_however_long_its_decoding_took(
    tmp_path: Path, clock: Clock, monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    path = basis(tmp_path / name) if name.endswith(".npz") else picture(tmp_path / name)
    camera = ReplayCamera(path, clock_ns=clock, sleep=clock.sleep)
    SlowDisk(clock, monkeypatch)
    camera.open()
    for _ in range(3):
        frame = camera.read(clock())
        assert clock() - frame.time_ns < S // 10


def test_fault_a_frame_stamped_before_its_picture_is_decoded_is_stale(
    tmp_path: Path, clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    class Hasty(ReplayCamera):
        def read(self, not_before_ns: int) -> Frame:
            stamp_ns = clock()
            frame = super().read(not_before_ns)
            return Frame(frame.main, frame.low, stamp_ns)

    camera = Hasty(picture(tmp_path / "a.png"), clock_ns=clock, sleep=clock.sleep)
    SlowDisk(clock, monkeypatch)
    camera.open()
    frame = camera.read(clock())
    assert clock() - frame.time_ns > S


def test_the_meter_counts_a_frame_before_its_picture_is_decoded_and_stamps_it_afterwards(
    tmp_path: Path, clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    picture(tmp_path / "a.png")
    camera = ReplayCamera(scene(tmp_path / "scene.json", source="a.png"), clock_ns=clock, sleep=clock.sleep)
    counted: list[int] = []

    def counting(*args: Any) -> Picture:
        counted.append(read_meter(tmp_path / METER).frames)
        clock.sleep(2)
        return read_scaled(*args)

    monkeypatch.setattr(camera_replay, "read_scaled", counting)
    camera.open()
    frame = camera.read(0)
    assert counted == [1]
    assert read_meter(tmp_path / METER).last_frame_ns == frame.time_ns


def mean(frame: Frame) -> float:
    return float(frame.main.mean())


def test_what_answers_to_light_is_as_bright_as_the_lights_that_burn(tmp_path: Path, clock: Clock) -> None:
    path = scene(tmp_path / "scene.json", source=str(basis(tmp_path / "a.npz")), fps=30)
    camera = ReplayCamera(path, clock_ns=clock, sleep=clock.sleep)
    camera.open()
    dark = mean(camera.read(0))
    history = [LightChange(clock(), 1, 1), LightChange(clock() + S, 3, 1), LightChange(clock() + 2 * S, 1, 3)]
    (tmp_path / LIGHTS).write_bytes(packed(history, len(history)))
    seen = [mean(camera.read(change.at_ns)) for change in history]
    (tmp_path / LIGHTS).write_bytes(packed([*history, LightChange(clock(), 0, 0)], 4))
    assert mean(camera.read(clock())) == pytest.approx(dark, abs=0.1)
    assert dark + 5 < seen[0] < seen[2] < seen[1]


def test_a_light_that_goes_on_during_an_exposure_is_seen_for_its_share_and_never_before(
    tmp_path: Path, clock: Clock
) -> None:
    path = scene(tmp_path / "scene.json", source=str(basis(tmp_path / "a.npz")), fps=30)
    camera = ReplayCamera(path, clock_ns=clock, sleep=clock.sleep)
    camera.open()
    dark = mean(camera.read(0))
    seen = []
    for quarters in range(5):
        on_ns = clock() + S
        (tmp_path / LIGHTS).write_bytes(packed([LightChange(on_ns, 3, 3)], 1))
        seen.append(mean(camera.read(on_ns - (4 - quarters) * EXPOSURE_NS // 4)))
    assert seen[0] == pytest.approx(dark, abs=0.1)
    assert all(later > earlier + 3 for earlier, later in pairwise(seen))


def test_frames_in_light_come_as_fast_as_the_scene_says_and_differ(tmp_path: Path, clock: Clock) -> None:
    path = scene(tmp_path / "scene.json", source=str(basis(tmp_path / "a.npz")), fps=30)
    camera = ReplayCamera(path, clock_ns=clock, sleep=clock.sleep)
    camera.open()
    frames = [camera.read(0) for _ in range(31)]
    assert frames[-1].time_ns - frames[0].time_ns == pytest.approx(S, rel=0.02)
    assert len({frame.main.tobytes() for frame in frames}) == 31
    for frame in frames:
        assert_frame(frame)


def test_a_frame_that_was_exposed_while_nobody_read_is_handed_out_at_once(tmp_path: Path, clock: Clock) -> None:
    camera = ReplayCamera(basis(tmp_path / "a.npz"), fps=30, clock_ns=clock, sleep=clock.sleep)
    camera.open()
    camera.read(0)
    clock.sleep(0.5)
    before_ns = clock()
    frame = camera.read(0)
    assert clock() - before_ns < EXPOSURE_NS // 2
    assert before_ns - frame.time_ns <= EXPOSURE_NS


@pytest.mark.parametrize(
    ("table", "said"),
    [({"scale": 0.5}, "has the scale 1"), ({"source": "b.npz"}, "not made for a camera of 640 x 480")],
)
def test_what_cannot_be_lit_is_a_fault_that_names_it(
    tmp_path: Path, clock: Clock, table: dict[str, object], said: str
) -> None:
    basis(tmp_path / "a.npz")
    np.savez(tmp_path / "b.npz", **dict.fromkeys(("ambient", "left", "right"), np.zeros((240, 320, 3), np.uint16)))
    path = scene(tmp_path / "scene.json", **({"source": "a.npz"} | table))
    camera = ReplayCamera(path, clock_ns=clock, sleep=clock.sleep)
    camera.open()
    with pytest.raises(CameraFault, match=said):
        camera.read(0)
    scene(path, source="a.npz")
    (tmp_path / LIGHTS).write_bytes(b"torn")
    with pytest.raises(CameraFault, match=LIGHTS):
        camera.read(0)
    (tmp_path / LIGHTS).unlink()
    assert_frame(camera.read(0))


def test_what_answers_to_light_is_forgotten_at_close(tmp_path: Path, clock: Clock) -> None:
    camera = ReplayCamera(basis(tmp_path / "a.npz"), clock_ns=clock, sleep=clock.sleep)
    camera.open()
    camera.read(0)
    assert camera._lit
    camera.close()
    assert not camera._lit


# ---- picamera2's wrapper alone


def test_camera_is_configured_once_and_every_buffer_given_back(world: World, clock: Clock) -> None:
    camera = PiCamera(CameraTable(), clock)
    for _ in range(10):
        camera.open()
        for _ in range(6):  # more than there are buffers
            camera.read(clock())
        camera.close()
    assert world.configured == 1
    assert world.camera is not None
    assert world.camera.lent == 0
    assert world.camera.config["buffer_count"] == 4
    assert world.camera.config["encode"] is None


@pytest.mark.parametrize("usb", ["", "YUYV"])
def test_frames_from_before_the_button_exist_and_are_not_seen(world: World, clock: Clock, usb: str) -> None:
    """Seeds the fault: a camera that is asked for any frame is handed what had been queued before."""
    rig = over_picamera2(world, clock, usb)
    rig.camera.open()
    asked_ns = clock()
    assert rig.camera.read(0).time_ns < asked_ns
    assert rig.camera.read(asked_ns).time_ns > asked_ns
    assert world.camera is not None
    assert world.camera.lent == 0


@pytest.mark.parametrize("usb", ["", "YUYV", "MJPEG"])
def test_colours_are_in_the_order_that_eye_expects(world: World, clock: Clock, usb: str) -> None:
    rig = over_picamera2(world, clock, usb)
    rig.camera.open()
    frame = rig.camera.read(0)
    assert frame.main[0, 0].tolist() == pytest.approx(ORANGE_BGR, abs=2)
    if usb:  # the plane of a Pi's own camera comes from its processor, not from `main`
        assert frame.low[239, 319].tolist() == frame.main[479, 639].tolist()


def test_a_usb_format_that_cannot_be_read_is_refused(world: World, clock: Clock) -> None:
    rig = over_picamera2(world, clock, "NV12")
    with pytest.raises(CameraFault, match="NV12 where"):
        rig.camera.open()
    assert not world.claimed


def test_exposure_and_white_balance_are_held_and_set_free_again(world: World, clock: Clock) -> None:
    rig = over_picamera2(world, clock, "")

    def free() -> tuple[object, object]:
        return world.controls["AeEnable"], world.controls["AwbEnable"]

    rig.camera.open()
    assert free() == (True, True)
    rig.camera.steady(held=True)
    assert free() == (False, False)
    rig.camera.steady(held=False)
    assert free() == (True, True)
    rig.camera.steady(held=True)
    rig.camera.close()
    rig.camera.open()
    assert free() == (True, True), "a window begins with the camera's own choice"


def test_a_timeout_does_not_swallow_the_frames_after_it(world: World, clock: Clock) -> None:
    camera = PiCamera(CameraTable(frame_timeout_ms=TIMEOUT_MS), clock)
    camera.open()
    camera.read(clock())
    for _ in range(8):
        world.stalled = True
        with pytest.raises(CameraFault):
            camera.read(clock())
        world.stalled = False
        camera.read(clock())
    assert world.camera is not None
    assert world.camera.lent == 0


def test_an_adjusted_size_is_refused(world: World) -> None:
    world.adjust = lambda size: (size[0] - 32, size[1])
    camera = PiCamera(CameraTable())
    for _ in range(2):  # and the camera is let go of, or the second try would fail otherwise
        with pytest.raises(CameraFault, match="where"):
            camera.open()


def test_a_stop_that_fails_is_a_fault(world: World) -> None:
    camera = PiCamera(CameraTable())
    camera.open()
    world.stop_fails = True
    with pytest.raises(CameraFault, match="stop"):
        camera.close()


def test_absent_library_is_a_fault_that_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "picamera2", None)
    with pytest.raises(CameraFault, match="apt install"):
        PiCamera(CameraTable()).probe()


# ---- the choice


def test_door_toml_names_the_camera(tmp_path: Path) -> None:
    assert isinstance(make(CameraTable()), PiCamera)
    assert isinstance(make(CameraTable(backend="v4l2", device=PATH)), V4l2Camera)
    assert isinstance(make(CameraTable(backend="replay", replay=str(tmp_path))), ReplayCamera)
    none = make(CameraTable(backend="none"))
    assert isinstance(none, NoCamera)
    none.probe()
    none.close()
    with pytest.raises(CameraFault, match="without a camera"):
        none.open()
