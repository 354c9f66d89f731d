"""The camera under trial: no frame but by its own word, and only measures of it leave the process."""

from __future__ import annotations

import io
import json
from typing import cast

import numpy as np
import pytest

from device.config.tables import CameraTable
from device.errors import CameraFault
from device.eye import trial
from device.eye.camera import Camera, Frame
from device.eye.camera_id import Identity
from device.eye.sight import Sight

TOML = '[camera]\nbackend = "none"\n'


class Watched:
    restart_heals = False

    def __init__(self, *, gives: bool = True) -> None:
        self.calls: list[str] = []
        self._gives = gives

    def probe(self) -> None:
        self.calls.append("probe")

    def open(self) -> None:
        self.calls.append("open")

    def read(self, not_before_ns: int) -> Frame:
        self.calls.append("read")
        if not self._gives:
            raise CameraFault("the camera gave no frame within 1000 ms")
        grey = np.full((480, 640, 3), 118, np.uint8)
        return Frame(grey, np.zeros((240, 320, 3), np.uint8), not_before_ns)

    def steady(self, *, held: bool) -> None:
        self.calls.append(f"steady {held}")

    def close(self) -> None:
        self.calls.append("close")


class Face:
    eye_distance_px = 53.6


class Seeing:
    def __init__(self) -> None:
        self.forgot = False

    def faces(self, frame: Frame) -> list[Face]:
        return [Face()]

    def forget(self) -> None:
        self.forgot = True


def asked(
    words: list[str], camera: Watched, sight: Seeing, monkeypatch: pytest.MonkeyPatch
) -> tuple[int, dict[str, object]]:
    def made(_table: CameraTable) -> Camera:
        return camera

    monkeypatch.setattr(trial, "make", made)
    monkeypatch.setattr(Sight, "load", lambda _eye, _models: cast("Sight", sight))
    out = io.StringIO()
    code = trial.run(words, io.StringIO(TOML), out)
    return code, json.loads(out.getvalue())


def test_a_probe_reads_no_frame(monkeypatch: pytest.MonkeyPatch) -> None:
    camera = Watched()
    assert asked(["probe"], camera, Seeing(), monkeypatch) == (0, {"there": True})
    assert camera.calls == ["probe"]


def test_a_camera_with_a_name_is_told_by_it(monkeypatch: pytest.MonkeyPatch) -> None:
    class Real(Watched):
        def identity(self) -> Identity:
            return Identity("uvcvideo", "HD Camera", "usb-1-2", "-")

    told = {"there": True, "pinned": "uvcvideo|HD Camera|usb-1-2|-"}
    assert asked(["probe"], Real(), Seeing(), monkeypatch) == (0, told)


def test_a_frame_leaves_four_measures_and_nothing_in_memory(monkeypatch: pytest.MonkeyPatch) -> None:
    camera, sight = Watched(), Seeing()
    told = {"width_px": 640, "height_px": 480, "brightness": 118, "eye_distances_px": [54]}
    assert asked(["frame"], camera, sight, monkeypatch) == (0, told)
    assert camera.calls == ["open", "read", "close"]
    assert sight.forgot


def test_a_camera_that_gives_nothing_is_closed_and_is_one_sentence(monkeypatch: pytest.MonkeyPatch) -> None:
    camera, sight = Watched(gives=False), Seeing()
    refused = {"refused": "the camera gave no frame within 1000 ms"}
    assert asked(["frame"], camera, sight, monkeypatch) == (1, refused)
    assert camera.calls[-1] == "close"
    assert sight.forgot


def test_anything_else_is_refused_and_touches_no_camera(monkeypatch: pytest.MonkeyPatch) -> None:
    camera = Watched()
    code, told = asked(["film"], camera, Seeing(), monkeypatch)
    assert (code, camera.calls) == (1, [])
    assert "refused" in told


def test_a_door_without_a_camera_has_none_to_look_through() -> None:
    out = io.StringIO()
    assert trial.run(["frame"], io.StringIO(TOML), out) == 1
    assert json.loads(out.getvalue()) == {"refused": "this door is set up without a camera"}
