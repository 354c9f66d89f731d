"""doorsim as a person types it: exit 0, 1 or 2, one JSON object, and never a traceback."""

from __future__ import annotations

import json
import os
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import click
import pytest
from click.testing import CliRunner, Result

from device.config.tables import Config
from device.edges import PROCESSES, Room
from tools.simulator import cli
from tools.simulator.client import Door
from tools.simulator.held_up import As
from tools.simulator.layout import Wishes, make

STATE: dict[str, Any] = {"granted": False, "coil": "off", "frames_read": 7, "door": "closed", "alarms": []}
ACTS = [
    ["down"],
    ["cut"],
    ["show", "none"],
    ["press", "face"],
    ["keys", "12#482913#"],
    ["door", "open"],
    ["tamper", "on"],
    ["state"],
    ["kill", "eye"],
    ["stop", "eye"],
    ["start", "eye"],
]
USAGE = [
    ["no-such-command"],
    ["press"],
    ["press", "bell"],
    ["keys"],
    ["door", "ajar"],
    ["tamper"],
    ["kill", "doorctl"],
    ["kill", "eye", "--signal", "0"],
    ["kill", "eye", "--signal", "65"],
    ["show"],
    ["show", "none", "--fps", "0"],
    ["show", "none", "--scale", "nan"],
    ["show", "none", "--as", "hologram"],
    ["up", "--tier", "maybe"],
    ["up", "--unlock-ms", "499"],
    ["up", "--cadence-s", "0"],
    ["up", "--config", "/nonexistent/door.toml"],
    ["wait", "granted"],
    ["wait", "granted=true", "--timeout", "-1"],
    ["state", "--colour"],
]


@pytest.fixture
def root(monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    with tempfile.TemporaryDirectory(prefix="dw") as folder:
        monkeypatch.setenv("DOORWARD_ROOT", folder)
        yield Path(folder)


def doorsim(*words: str) -> Result:
    return CliRunner().invoke(cli.main, list(words))


@pytest.fixture
def running(monkeypatch: pytest.MonkeyPatch) -> list[dict[str, Any]]:
    """A door that answers from memory; what it was asked is kept."""
    asked: list[dict[str, Any]] = []

    def call(_door: Door, request: dict[str, Any]) -> dict[str, Any]:
        asked.append(request)
        return STATE if request["do"] == "state" else {}

    monkeypatch.setattr(Door, "_call", call)
    return asked


@pytest.mark.parametrize("words", ACTS, ids=" ".join)
@pytest.mark.usefixtures("root")
def test_without_a_door_every_command_is_refused_in_a_sentence(words: list[str]) -> None:
    ran = doorsim(*words)
    assert ran.exit_code == 1
    assert ran.stderr.startswith("doorsim: no simulated door is running")
    assert ran.stderr.count("\n") == 1
    assert ran.stdout == ""


@pytest.mark.parametrize("words", [*ACTS, ["wait", "granted=true"]], ids=" ".join)
@pytest.mark.usefixtures("root")
def test_a_refusal_in_json_is_one_object_and_exit_1(words: list[str]) -> None:
    ran = doorsim(*words, "--json")
    assert ran.exit_code == 1
    assert list(json.loads(ran.stdout)) == ["refused"]
    assert ran.stderr == ""


@pytest.mark.parametrize("words", USAGE, ids=" ".join)
def test_wrong_usage_is_exit_2_and_says_what_is_right(running: list[dict[str, Any]], words: list[str]) -> None:
    ran = doorsim(*words)
    assert ran.exit_code == 2, ran.output
    assert "Usage:" in ran.stderr
    assert "Traceback" not in ran.output
    assert running == []


@pytest.mark.usefixtures("running")
def test_waiting_for_what_state_does_not_hold_is_wrong_usage_and_lists_what_it_holds() -> None:
    ran = doorsim("wait", "colour=red")
    assert ran.exit_code == 2
    assert "granted" in ran.stderr


@pytest.mark.parametrize("words", ACTS, ids=" ".join)
def test_every_act_arrives_and_is_told_in_one_object(running: list[dict[str, Any]], words: list[str]) -> None:
    ran = doorsim(*words, "--json")
    assert ran.exit_code == 0, ran.output
    assert json.loads(ran.stdout) == (STATE if words == ["state"] else {"done": True})
    assert ran.stdout.count("\n") == 1
    assert [request["do"] for request in running] == [words[0]]


def test_what_is_asked_of_the_simulator_is_what_was_typed(running: list[dict[str, Any]], root: Path) -> None:
    picture = root / "a.png"
    picture.write_bytes(b"")
    for words in (
        ["show", str(picture), "--fps", "30", "--scale", "0.5"],
        ["keys", "12#482913#"],
        ["door", "closed"],
        ["tamper", "off"],
        ["kill", "vault", "--signal", "15"],
    ):
        assert doorsim(*words).exit_code == 0
    assert running == [
        {"do": "show", "source": str(picture.resolve()), "fps": 30.0, "scale": 0.5},
        {"do": "keys", "keys": "12#482913#"},
        {"do": "door", "open": False},
        {"do": "tamper", "on": False},
        {"do": "kill", "room": Room.VAULT, "signal": 15},
    ]


@pytest.mark.parametrize(("wish", "fitted"), [([], True), (["--lights"], True), (["--no-lights"], False)])
def test_a_new_door_has_lights_unless_somebody_wants_none(
    root: Path, monkeypatch: pytest.MonkeyPatch, wish: list[str], fitted: bool
) -> None:
    def up(door: Door, wishes: Wishes, _config: Path | None) -> Config:
        return make(door.paths, wishes)

    monkeypatch.setattr(Door, "up", up)
    before = os.umask(0o022)
    ran = doorsim("up", "--root", str(root / "d"), "--json", *wish)
    os.umask(before)
    assert ran.exit_code == 0, ran.output
    assert json.loads(ran.stdout)["lights"] is fitted


@pytest.mark.parametrize("kind", As)
def test_who_shows_a_picture_says_as_what(root: Path, monkeypatch: pytest.MonkeyPatch, kind: As) -> None:
    shown: list[tuple[object, ...]] = []
    monkeypatch.setattr(Door, "show", lambda _door, *asked: shown.append(asked))
    assert doorsim("show", str(root), "--as", str(kind)).exit_code == 0
    assert doorsim("show", str(root)).exit_code == 0
    assert shown == [(root, None, 1.0, kind), (root, None, 1.0, None)]


@pytest.mark.parametrize(("condition", "met"), [("granted=false", True), ("frames_read=7", True), ("door=open", False)])
@pytest.mark.usefixtures("running")
def test_wait_says_whether_it_came_true(condition: str, met: bool) -> None:
    ran = doorsim("wait", condition, "--timeout", "0", "--json")
    assert ran.exit_code == (0 if met else 1)
    key, _, value = condition.partition("=")
    assert json.loads(ran.stdout) == ({key: value} if met else {"refused": f"{key} was not {value} within 0 s"})


def test_a_picture_that_is_not_there_is_refused(root: Path) -> None:
    ran = doorsim("show", str(root / "nobody.jpg"))
    assert ran.exit_code == 1
    assert "there is no picture" in ran.stderr


@pytest.mark.parametrize(
    ("wish", "named"),
    [
        (["--door-id", "xyz"], "[door] id"),
        (["--manager-key", "00"], "manager_key"),
        (["--broker", "https://example.org"], "[report] broker"),
    ],
)
def test_a_door_that_cannot_be_is_not_begun_and_the_next_one_is_not_spoiled(
    root: Path, wish: list[str], named: str
) -> None:
    ran = doorsim("up", "--root", str(root / "d"), *wish)
    assert ran.exit_code == 1
    assert named in ran.stderr
    assert not (root / "d/etc/doorward/door.toml").exists()


def test_a_configuration_that_is_no_text_is_refused_without_a_traceback(root: Path) -> None:
    (root / "bad.toml").write_bytes(b"\xff\xfe")
    ran = doorsim("up", "--root", str(root / "d"), "--config", str(root / "bad.toml"), "--json")
    assert ran.exit_code == 1
    assert "cannot be read" in json.loads(ran.stdout)["refused"]


def test_a_file_that_cannot_be_read_is_a_sentence_too(root: Path) -> None:
    (root / "run/doorward/board/eye.log").mkdir(parents=True)
    ran = doorsim("log", "eye")
    assert ran.exit_code == 1
    assert ran.stderr.startswith("doorsim: ")


def test_every_command_explains_itself() -> None:
    assert "Example:" in doorsim("--help").output
    for name, command in cli.main.commands.items():
        ran = doorsim(name, "--help")
        assert ran.exit_code == 0
        assert command.help
        if isinstance(command, click.Group):
            continue  # its commands explain themselves
        options = {option for param in command.params if isinstance(param, click.Option) for option in param.opts}
        # The showroom makes a door of its own, with a fleet and a broker around it, and takes it away again.
        assert {"--json"} | ({"--root"} if name != "show-room" else set()) <= options


@pytest.mark.usefixtures("root")
def test_the_last_words_of_a_room_are_shown() -> None:
    ran = doorsim("log", "lock", "--json")
    assert json.loads(ran.stdout) == {"lock": "it said nothing"}
    assert {str(room) for room in PROCESSES} == set(cli._ROOMS.choices)
