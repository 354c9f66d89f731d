"""`doorsim show-room` where it cannot be opened: one sentence, nothing left."""

from __future__ import annotations

import json
import socket
from pathlib import Path

import pytest
from click.testing import CliRunner

import tools.broker
from tools.demo import __main__ as demo
from tools.demo.choice import QUESTION, UnknownDemo, in_browser
from tools.simulator.cli import main
from tools.simulator.showroom.cli import has_display


def test_without_a_broker_it_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tools.broker, "PROGRAM", "/nowhere/mosquitto")
    found = CliRunner().invoke(main, ["show-room", "--no-open"])
    assert found.exit_code == 1
    assert found.stderr.count("\n") == 1
    assert "apt-get install -y mosquitto" in found.stderr


def test_a_port_that_is_taken_is_refused_before_anything_is_made(tmp_path: Path) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        found = CliRunner(env={"TMPDIR": str(tmp_path)}).invoke(
            main, ["show-room", "--no-open", "--json", "--port", str(port)]
        )
    assert found.exit_code == 1
    assert "refused" in json.loads(found.stdout)
    assert str(port) in json.loads(found.stdout)["refused"]
    assert list(tmp_path.iterdir()) == []


def test_a_browser_is_opened_only_where_it_could_show_itself() -> None:
    assert has_display({"DISPLAY": ":0"})
    assert has_display({"WAYLAND_DISPLAY": "wayland-0"})
    assert not has_display({})
    assert not has_display({"DISPLAY": ""})


@pytest.mark.parametrize(
    ("environ", "person", "said", "browser"),
    [
        ({}, False, None, False),
        ({}, True, None, False),
        ({"DISPLAY": ":0"}, False, None, False),
        ({"DISPLAY": ":0"}, True, "", True),
        ({"DISPLAY": ":0"}, True, "Y", True),
        ({"DISPLAY": ":0"}, True, "n", False),
        ({"DISPLAY": ":0"}, True, "what?", False),
        ({"DEMO": "show"}, False, None, True),
        ({"DEMO": "story", "DISPLAY": ":0"}, True, None, False),
    ],
)
def test_a_machine_gets_the_story_and_a_person_is_asked(
    environ: dict[str, str], person: bool, said: str | None, browser: bool
) -> None:
    asked: list[str] = []

    def ask(question: str) -> str:
        asked.append(question)
        assert said is not None, "nobody could answer this"
        return said

    assert in_browser(environ, person=person, ask=ask) is browser
    assert asked == ([] if said is None else [QUESTION])


def test_a_demo_that_is_none_is_refused(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(UnknownDemo):
        in_browser({"DEMO": "film"}, person=False, ask=str)
    monkeypatch.setenv("DEMO", "film")
    assert demo.main() == 1
    out, err = capsys.readouterr()
    assert err.count("\n") == 1
    assert "Traceback" not in out + err
