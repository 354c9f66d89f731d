"""Where a door keeps its files: all of it below its root, and nothing of two rooms in one place."""

from __future__ import annotations

from pathlib import Path

import pytest

from device.edges import EDGES, Room
from device.paths import Paths, door_paths, models_dir

ROOT = Path("/srv/door")


def everything(paths: Paths) -> list[Path]:
    states = [paths.state(room) for room in Room]
    sockets = [paths.socket(edge.listener, edge.connector) for edge in EDGES]
    return [paths.config, paths.run, paths.board, *states, *sockets]


def test_a_whole_door_moves_with_its_root() -> None:
    moved = everything(door_paths({"DOORWARD_ROOT": str(ROOT)}))
    assert all(path.is_relative_to(ROOT) for path in moved)
    assert [path.relative_to(ROOT) for path in moved] == [path.relative_to("/") for path in everything(door_paths({}))]


def test_the_environment_of_the_process_names_the_root(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DOORWARD_ROOT", str(ROOT))
    assert door_paths().root == ROOT
    monkeypatch.delenv("DOORWARD_ROOT")
    assert door_paths().root == Path("/")


def test_no_two_things_share_a_place() -> None:
    places = everything(Paths(ROOT))
    assert len(set(places)) == len(places)


def test_a_socket_lies_in_its_listeners_folder_under_the_name_of_the_one_it_is_for() -> None:
    assert Paths(ROOT).socket("keeper", "lock") == ROOT / "run/doorward/keeper/lock.sock"


def test_a_rooms_state_is_not_inside_anothers() -> None:
    states = [Paths(ROOT).state(room) for room in Room]
    assert not [(a, b) for a in states for b in states if a != b and a.is_relative_to(b)]


def test_the_models_come_with_the_installation() -> None:
    assert (models_dir() / "manifest.toml").is_file()
