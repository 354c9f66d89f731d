"""A process of a door that has not joined waits, and goes on as soon as there is something to read."""

from pathlib import Path

import pytest

from device import unjoined
from device.edges import Room
from device.errors import NotJoined
from device.journal import Notifier
from device.paths import Paths
from device.process import _built
from device.service import Service

NAMED = '[door]\nid = "00112233445566aa"\n'


class Heard(Notifier):
    def __init__(self) -> None:
        super().__init__()
        self.said: list[str] = []

    def tell(self, state: str) -> None:
        self.said.append(state)


@pytest.mark.parametrize(("file", "text"), [("joined.toml", NAMED), ("door.toml", NAMED), ("door.toml", "[door")])
def test_it_waits_until_there_is_an_id_or_another_mistake(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, file: str, text: str
) -> None:
    monkeypatch.setenv("WATCHDOG_USEC", "1000000")
    door_toml = tmp_path / "door.toml"
    door_toml.write_text("", encoding="utf-8")
    pauses = 0

    def pause(_seconds: float) -> None:
        nonlocal pauses
        pauses += 1
        if pauses == 3:
            (tmp_path / file).write_text(text, encoding="utf-8")

    heard = Heard()
    unjoined.wait(door_toml, heard, pause)
    assert pauses == 3
    assert heard.said[0].startswith("READY=1")
    assert heard.said.count("WATCHDOG=1") == 3


def test_a_room_says_one_sentence_and_is_built_when_the_door_has_joined(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    tries = 0

    def build(_service: Service) -> object:
        nonlocal tries
        tries += 1
        if tries == 1:
            msg = "this door has not joined yet"
            raise NotJoined(msg)
        return "work"

    monkeypatch.setattr(unjoined, "wait", lambda _path, _notify: None)
    assert _built(Service(Room.REPORT, Paths(tmp_path)), build) == "work"  # type: ignore[arg-type, comparison-overlap]
    assert capfd.readouterr().err == "report: this door has not joined yet\n"
