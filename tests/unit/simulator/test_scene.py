"""What doorsim puts in front of the camera is what eye's camera sees, and the meter says when it looked."""

from __future__ import annotations

from pathlib import Path

import pytest

from device.errors import CameraFault
from device.eye.scene import METER, Meter, Reading, Scene, SceneFile
from tools.simulator import scene
from tools.simulator.scene import Standing


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
