"""Driving a door that is not there: one sentence each time, and nothing is started or made by asking."""

from __future__ import annotations

import json
import os
import socket
import tempfile
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from device.edges import Room
from device.errors import ConfigRefused
from tools.simulator import client
from tools.simulator.client import Door, SimulatorRefused, default_root
from tools.simulator.layout import Wishes

ACTS: dict[str, Callable[[Door], object]] = {
    "down": Door.down,
    "cut": Door.cut,
    "state": Door.state,
    "show": lambda door: door.show(None),
    "press": lambda door: door.press("face"),
    "keys": lambda door: door.keys("12#"),
    "door": lambda door: door.move_door(is_open=True),
    "tamper": lambda door: door.tamper(on=True),
    "kill": lambda door: door.kill(Room.EYE),
    "stop": lambda door: door.stop(Room.EYE),
    "start": lambda door: door.start(Room.EYE),
    "wait": lambda door: door.wait(lambda _state: True, 0),
}


@pytest.fixture
def root() -> Iterator[Path]:
    before = os.umask(0o022)
    with tempfile.TemporaryDirectory(prefix="dw") as folder:
        yield Path(folder)
    os.umask(before)


@pytest.mark.parametrize("act", ACTS.values(), ids=ACTS)
def test_without_a_running_door_every_act_says_how_to_start_one(root: Path, act: Callable[[Door], object]) -> None:
    with pytest.raises(SimulatorRefused, match="`doorsim up` starts one"):
        act(Door(root))
    assert list(root.iterdir()) == []


def test_a_socket_that_a_dead_simulator_left_behind_is_no_door(root: Path) -> None:
    board = Door(root).paths.board
    board.mkdir(parents=True)
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as left:
        left.bind(str(board / "control.sock"))
    assert not Door(root).running()


def test_a_picture_that_is_not_there_is_refused_before_anybody_is_asked(root: Path) -> None:
    with pytest.raises(SimulatorRefused, match="there is no picture"):
        Door(root).show(root / "nobody.jpg")


def test_a_pipe_is_no_picture_and_no_card(root: Path) -> None:
    """The simulator opened what it was told to, and waited for whoever would write into it: no door any more."""
    os.mkfifo(root / "pipe")
    for act in (Door(root).show, Door(root).tap):
        with pytest.raises(SimulatorRefused, match=r"there is no (picture|card)"):
            act(root / "pipe")


def test_a_bad_configuration_starts_nothing(root: Path) -> None:
    (root / "bad.toml").write_bytes(b"\xff")
    with pytest.raises(ConfigRefused):
        Door(root / "d").up(Wishes(), root / "bad.toml")
    assert not (root / "d" / "run/doorward/board/daemon.log").exists()


def test_a_folder_that_cannot_be_made_is_a_sentence(root: Path) -> None:
    (root / "file").write_text("", encoding="ascii")
    with pytest.raises(SimulatorRefused, match="cannot hold a door"):
        Door(root / "file" / "d").up()


def answering(root: Path, answers: list[bytes]) -> threading.Thread:
    """A simulator that says these lines, one a call."""
    board = Door(root).paths.board
    board.mkdir(parents=True)
    listener = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    listener.bind(str(board / "control.sock"))
    listener.listen()

    def serve() -> None:
        for answer in answers:
            caller, _ = listener.accept()
            with caller:
                caller.recv(65536)
                caller.sendall(answer)
        listener.close()

    thread = threading.Thread(target=serve)
    thread.start()
    return thread


def line(answer: dict[str, Any]) -> bytes:
    return json.dumps(answer).encode() + b"\n"


def test_what_the_simulator_refuses_is_its_sentence(root: Path) -> None:
    serving = answering(root, [line({"error": "there is a face button and a request-to-exit button"})])
    with pytest.raises(SimulatorRefused, match="there is a face button"):
        Door(root).press("bell")
    serving.join()


@pytest.mark.parametrize("answer", [b"", b"nonsense\n", b"{", b"\xff\n"])
def test_an_answer_that_is_none_is_no_running_door(root: Path, answer: bytes) -> None:
    serving = answering(root, [answer])
    with pytest.raises(SimulatorRefused, match="no simulated door is running"):
        Door(root).state()
    serving.join()


def test_a_door_that_runs_is_not_started_twice(root: Path) -> None:
    serving = answering(root, [line({"granted": False})])
    with pytest.raises(SimulatorRefused, match=r"running in .* already"):
        Door(root).up()
    serving.join()


def test_waiting_ends_with_the_condition_or_with_its_time(root: Path) -> None:
    serving = answering(root, [line({"granted": value}) for value in (False, True, False)])
    assert Door(root).wait(lambda state: bool(state["granted"]), 30)
    assert not Door(root).wait(lambda state: bool(state["granted"]), 0)
    serving.join()


def test_the_last_words_of_a_room_that_said_nothing(root: Path) -> None:
    door = Door(root)
    assert door.last_words(Room.EYE) == "it said nothing"
    door.paths.board.mkdir(parents=True)
    (door.paths.board / "eye.log").write_bytes(b"one\ntw\xff\n")
    assert door.last_words(Room.EYE) == "tw�"


def test_a_door_is_named_by_its_folder(root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DOORWARD_ROOT", str(root))
    assert default_root() == root
    monkeypatch.setenv("DOORWARD_ROOT", "")
    assert default_root() == Path(tempfile.gettempdir()) / f"doorsim-{os.getuid()}"
    assert client.START_S > 0


@pytest.mark.parametrize(("refusal", "done"), [(None, True), (PermissionError(), False), (ProcessLookupError(), False)])
def test_a_room_comes_first_where_the_machine_permits_it(
    root: Path, monkeypatch: pytest.MonkeyPatch, refusal: OSError | None, done: bool
) -> None:
    given: list[tuple[int, int]] = []

    def setpriority(_which: int, who: int, priority: int) -> None:
        given.append((who, priority))
        if refusal:
            raise refusal

    monkeypatch.setattr(Door, "_call", lambda _door, _asked: {"pids": {"eye": 4711}})
    monkeypatch.setattr(os, "setpriority", setpriority)
    assert Door(root).hurry(Room.EYE) is done
    assert given == [(4711, client.HURRIED)]


def test_a_room_that_is_being_started_hurries_nobody_and_least_of_all_who_asks(
    root: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(Door, "_call", lambda _door, _asked: {"pids": {"eye": 0}})
    monkeypatch.setattr(os, "setpriority", lambda *_: pytest.fail("0 is the process that calls"))
    assert Door(root).hurry(Room.EYE) is False
