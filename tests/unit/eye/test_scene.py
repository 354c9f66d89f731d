"""The scene file and the meter."""

import json
import os
from pathlib import Path

import pytest

from device.errors import CameraFault
from device.eye.scene import Meter, Reading, Scene, SceneFile, camera_gone, read_meter


def write(path: Path, value: object) -> None:
    """As its writer does: whole, by renaming."""
    part = path.with_suffix(".part")
    part.write_text(value if isinstance(value, str) else json.dumps(value))
    part.replace(path)


def test_replaced_scene_is_read_anew(tmp_path: Path) -> None:
    path = tmp_path / "scene.json"
    write(path, {"source": None})
    scene = SceneFile(path)
    assert scene.current() == Scene(None, 15.0, 1.0)
    write(path, {"source": "faces", "fps": 5, "scale": 0.5})
    assert scene.current() == Scene(tmp_path / "faces", 5.0, 0.5)
    write(path, {"source": "/else/where.jpg"})
    assert scene.current().source == Path("/else/where.jpg")


def test_scene_of_same_size_and_time_but_another_file_is_read_anew(tmp_path: Path) -> None:
    path = tmp_path / "scene.json"
    write(path, {"source": "a"})
    scene = SceneFile(path)
    scene.current()
    before = path.stat()
    write(path, {"source": "b"})
    os.utime(path, ns=(before.st_atime_ns, before.st_mtime_ns))
    assert scene.current().source == tmp_path / "b"


@pytest.mark.parametrize(
    "bad",
    [
        "",
        "{",
        "[]",
        "null",
        "[" * 5000,
        " " * 70_000,
        {},
        {"source": 3},
        {"source": ""},
        {"source": "a\0b"},
        {"source": None, "speed": 3},
        {"source": None, "fps": 0},
        {"source": None, "fps": 1000},
        {"source": None, "fps": True},
        {"source": None, "fps": "15"},
        {"source": None, "scale": -1},
        '{"source": null, "scale": NaN}',
        '{"source": null, "fps": Infinity}',
    ],
)
def test_malformed_scene_is_a_fault_not_an_empty_scene(tmp_path: Path, bad: object) -> None:
    path = tmp_path / "scene.json"
    write(path, {"source": None})
    scene = SceneFile(path)
    scene.current()
    write(path, bad)
    with pytest.raises(CameraFault, match=r"scene\.json"):
        scene.current()
    with pytest.raises(CameraFault):  # still: a fault is not forgotten by asking twice
        scene.current()
    write(path, {"source": None})
    assert scene.current() == Scene(None)


def test_missing_scene_is_a_fault(tmp_path: Path) -> None:
    with pytest.raises(CameraFault, match="cannot be read"):
        SceneFile(tmp_path / "scene.json").current()


def test_meter_is_seen_from_outside_at_once_and_counts_on_after_a_restart(tmp_path: Path) -> None:
    path = tmp_path / "camera.meter"
    meter = Meter(path)
    assert read_meter(path) == Reading()
    meter.set_open(open_=True)
    meter.count(5)
    meter.count(7)
    assert read_meter(path) == Reading(is_open=True, frames=2, last_frame_ns=7)
    again = Meter(path)  # the process died with the camera open; the new one has it closed
    assert read_meter(path) == Reading(is_open=False, frames=2, last_frame_ns=7)
    again.count(9)
    assert path.read_bytes() == b"\0\0\0\0\3\0\0\0\t\0\0\0\0\0\0\0"


def test_meter_of_a_dead_process_can_be_closed_from_outside(tmp_path: Path) -> None:
    path = tmp_path / "camera.meter"
    meter = Meter(path)
    meter.set_open(open_=True)
    meter.count(5)
    camera_gone(path)
    assert read_meter(path) == Reading(is_open=False, frames=1, last_frame_ns=5)
    camera_gone(tmp_path / "none")
    path.write_bytes(b"torn")
    with pytest.raises(CameraFault, match="no camera meter"):
        read_meter(path)


def test_meter_that_is_just_being_made_has_counted_nothing(tmp_path: Path) -> None:
    """Seen: `doorsim up` asked in the moment between the making of the file and its first bytes, and gave up."""
    path = tmp_path / "camera.meter"
    path.touch()
    assert read_meter(path) == Reading()
    camera_gone(path)
    assert read_meter(path) == Reading()


def test_meter_that_cannot_be_kept_is_a_fault(tmp_path: Path) -> None:
    with pytest.raises(CameraFault, match="meter"):
        Meter(tmp_path / "nowhere" / "camera.meter")
