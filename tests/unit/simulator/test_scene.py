"""What doorsim puts in front of the camera is what eye's camera sees, and the meter says when it looked."""

from __future__ import annotations

from pathlib import Path

import pytest

from device.errors import CameraFault
from device.eye.lamps import KEPT, LIGHTS, SIZE, Lamps, LightChange
from device.eye.scene import METER, Meter, Reading, Scene, SceneFile
from tools.simulator import scene
from tools.simulator.scene import Light, Standing


def test_what_stands_there_is_what_eye_reads(tmp_path: Path) -> None:
    path = tmp_path / "scene.json"
    read = SceneFile(path)
    for standing in (
        Standing(),
        Standing(tmp_path / "a.png", 30.0, 0.5),
        Standing(tmp_path / 'od"d\n.png'),
        Standing(),
    ):
        scene.write(standing, path)
        assert read.current() == Scene(standing.source, standing.fps, standing.scale)
    assert list(tmp_path.iterdir()) == [path], "replaced, not left half written"


def test_a_scene_that_nobody_wrote_is_a_fault_and_not_an_empty_hallway(tmp_path: Path) -> None:
    with pytest.raises(CameraFault):
        SceneFile(tmp_path / "scene.json").current()


def test_the_meter_is_read_while_the_camera_counts(tmp_path: Path) -> None:
    path = tmp_path / "scene.json"
    assert scene.meter(path) == Reading()
    meter = Meter(tmp_path / METER)
    meter.set_open(open_=True)
    meter.count(1234)
    meter.count(5678)
    assert scene.meter(path) == Reading(is_open=True, frames=2, last_frame_ns=5678)


def test_a_killed_camera_is_closed_and_what_it_counted_stays(tmp_path: Path) -> None:
    path = tmp_path / "scene.json"
    scene.camera_gone(path)  # there never was one
    meter = Meter(tmp_path / METER)
    meter.set_open(open_=True)
    meter.count(1234)
    scene.camera_gone(path)
    assert scene.meter(path) == Reading(is_open=False, frames=1, last_frame_ns=1234)


@pytest.mark.parametrize("size", [1, 15, 17])
def test_a_meter_of_another_size_is_none(tmp_path: Path, size: int) -> None:
    (tmp_path / METER).write_bytes(bytes(size))
    with pytest.raises(CameraFault, match="no camera meter"):
        scene.meter(tmp_path / "scene.json")


def seen(path: Path, at_ns: int) -> tuple[float, float]:
    return Lamps(path.with_name(LIGHTS), lambda _: None).mean(at_ns, at_ns + 1)


def test_the_camera_sees_the_lights_as_the_hardware_tells_them(tmp_path: Path) -> None:
    path = tmp_path / "scene.json"
    light = Light(path)
    assert seen(path, 10) == (0, 0)
    history = [LightChange(10, 1, 1), LightChange(20, 3, 1)]
    light.tell(history, 2)
    assert [seen(path, at_ns) for at_ns in (9, 10, 19, 20, 99)] == [(0, 0), (1, 1), (1, 1), (3, 1), (3, 1)]


def test_a_simulator_that_starts_anew_begins_without_light(tmp_path: Path) -> None:
    path = tmp_path / "scene.json"
    Light(path).tell([LightChange(10, 3, 3)], 1)
    assert seen(path, 11) == (3, 3)
    Light(path)
    assert seen(path, 11) == (0, 0)


def test_of_many_changes_the_last_are_told_and_the_file_does_not_grow(tmp_path: Path) -> None:
    path = tmp_path / "scene.json"
    light = Light(path)
    history = [LightChange(at, at % 4, at % 3) for at in range(1, 500)]
    light.tell(history, 10_499)
    assert path.with_name(LIGHTS).stat().st_size == SIZE
    assert seen(path, 499) == (499 % 4, 499 % 3)
    with pytest.raises(CameraFault, match="too often"):
        seen(path, 499 - KEPT)
