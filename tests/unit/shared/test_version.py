"""The version is what the installer wrote, and asking for it costs no room what reads mail and archives."""

from __future__ import annotations

import importlib.metadata
import subprocess
import sys
from pathlib import Path

import pytest

from device.edges import PROCESSES, Room
from device.version import NOT_INSTALLED, software_version

_HEAVY = {"email", "zipfile", "importlib.metadata", "asyncio", "http.client", "urllib.request"}
_ASK = "import sys, device.{room}.__main__; print(*(name for name in {heavy!r} if name in sys.modules))"


def test_it_is_what_the_library_says() -> None:
    assert software_version() == importlib.metadata.version("doorward")


def test_the_first_on_the_path_counts_and_nothing_else_is_taken_for_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    places = [tmp_path / name for name in ("empty", "near", "first", "second")]
    for place, folder in zip(
        places,
        ("other-9.dist-info", "doorward_more-8.dist-info", "doorward-0.2.0rc1.dist-info", "doorward-7.dist-info"),
        strict=True,
    ):
        (place / folder).mkdir(parents=True)
    monkeypatch.setattr(sys, "path", [str(tmp_path / "gone"), *map(str, places)])
    assert software_version() == "0.2.0rc1"
    monkeypatch.setattr(sys, "path", [str(place) for place in places[:2]])
    assert software_version() == NOT_INSTALLED


@pytest.mark.parametrize("room", PROCESSES)
def test_no_room_starts_with_what_it_needs_for_no_door(room: Room) -> None:
    """Two to five megabytes each, in six processes; a broker brings some of it along for report (paho), later."""
    asked = _ASK.format(room=room, heavy=sorted(_HEAVY))
    done = subprocess.run([sys.executable, "-c", asked], capture_output=True, text=True, check=True)
    assert not done.stdout.split()
