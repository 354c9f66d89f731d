"""The lines under trial: short releases only, by a word each; locked and given back however it ends."""

from __future__ import annotations

import io
import json
import os
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TextIO

import pytest

from device.config.tables import Config
from device.errors import BoltFault
from device.lock import attached, trial
from device.lock.board import Board
from device.lock.keypad_evdev import Kernel
from device.lock.state import CardCame, DoorMoved, Event, ExitRequested, FaceButton, Key, TamperMoved
from device.paths import Paths
from tests.unit.lock.events import written
from tests.unit.lock.recorded import Recorded

TOML = '[lock]\nboard = "sim"\n\n.\n'


class Breaking(Recorded):
    """Its bolt may break, and there is always something to look at."""

    def __init__(self, news: list[Event] | None = None) -> None:
        super().__init__(news)
        self.broken = False
        os.write(self._write, b"x")

    def release(self, for_ms: int) -> None:
        if self.broken:
            raise BoltFault("the bolt's line cannot be driven: no")
        super().release(for_ms)


@contextmanager
def typed(text: str) -> Iterator[TextIO]:
    """Standard input that holds `text` and ends."""
    near, far = os.pipe()

    def write() -> None:
        with os.fdopen(far, "w") as out:
            out.write(text)

    writer = threading.Thread(target=write)
    writer.start()
    with os.fdopen(near) as words:
        yield words
    writer.join()


def run(
    board: Breaking, words: str, monkeypatch: pytest.MonkeyPatch, toml: str = TOML
) -> tuple[int, list[dict[str, object]]]:
    def lines_of(_config: Config, _paths: Paths) -> Board:
        return board

    monkeypatch.setattr(trial, "lines_of", lines_of)
    out = io.StringIO()
    with typed(toml + words) as keys:
        code = trial.run(keys, out, Paths(Path("/nowhere")))
    return code, [json.loads(line) for line in out.getvalue().splitlines()]


def test_what_is_asked_is_done_and_the_end_of_the_input_locks_and_gives_back(monkeypatch: pytest.MonkeyPatch) -> None:
    board = Breaking()
    code, told = run(board, "lamp 1\nrelease 1000\nlamp 0\nshow REFUSED\nsecure\n", monkeypatch)
    assert code == 0
    assert board.done == ["lamp 1", "release 1000", "lamp 0", "show REFUSED", "secure", "close"]
    assert told[0] == {"ready": True}
    assert [each["done"] for each in told[1:]] == ["lamp 1", "release 1000", "lamp 0", "show REFUSED", "secure"]


@pytest.mark.parametrize(
    "word",
    [
        "release 2001",
        "release 0",
        "release -1",
        "release",
        "release 1e3",
        "release ²",
        "release 1 2",
        "lamp 2",
        "show X",
        "",
        "x",
    ],
)
def test_nothing_else_moves_the_bolt_or_anything(word: str, monkeypatch: pytest.MonkeyPatch) -> None:
    board = Breaking()
    code, told = run(board, f"{word}\nlamp 1\n", monkeypatch)
    assert code == 0
    assert board.done == ["lamp 1", "close"]
    assert "is no word of a trial" in str(told[1]["refused"])


def test_half_a_word_at_the_end_is_no_word(monkeypatch: pytest.MonkeyPatch) -> None:
    board = Breaking()
    run(board, "release 1000", monkeypatch)
    assert board.done == ["close"]


def test_contacts_are_told_and_of_keys_only_the_5(monkeypatch: pytest.MonkeyPatch) -> None:
    news: list[Event] = [
        *(FaceButton(), ExitRequested(), DoorMoved(open=True), DoorMoved(open=False)),
        *(TamperMoved(on=True), TamperMoved(on=False), Key("5"), Key("7"), Key("#"), CardCame()),
    ]
    _, told = run(Breaking(news), "lamp 1\n", monkeypatch)
    seen = [each["saw"] for each in told if "saw" in each]
    assert seen == [
        *("face", "rex", "door open", "door closed", "tamper on", "tamper off"),
        *("key 5", "key another", "key another"),
    ]


def test_a_line_that_fails_is_one_sentence_and_everything_is_given_back(monkeypatch: pytest.MonkeyPatch) -> None:
    board = Breaking()
    board.broken = True
    code, told = run(board, "release 1000\nlamp 1\n", monkeypatch)
    assert code == 1
    assert told[-1] == {"refused": "the bolt's line cannot be driven: no"}
    assert board.done == ["close"]


@pytest.mark.parametrize(
    ("toml", "why"),
    [
        ("[lock]\ncolour = 1\n\n.\n", "not a setting"),
        ("[lock\n\n.\n", "no TOML"),
    ],
)
def test_a_wrong_configuration_claims_nothing(toml: str, why: str, monkeypatch: pytest.MonkeyPatch) -> None:
    board = Breaking()
    code, told = run(board, "release 1000\n", monkeypatch, toml)
    assert (code, board.done) == (1, [])
    assert why in str(told[0]["refused"])


@pytest.mark.parametrize(
    ("error", "why"),
    [
        (ImportError("x", name="lgpio"), "the board needs the library lgpio, which is not installed"),
        (RuntimeError("odd"), "the board cannot be used: RuntimeError('odd')"),
        (BoltFault("the line GPIO17 cannot be claimed: busy"), "the line GPIO17 cannot be claimed: busy"),
    ],
)
def test_a_board_that_cannot_be_had_is_one_sentence(
    error: Exception, why: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refused(_config: Config, _paths: Paths) -> Board:
        raise error

    monkeypatch.setattr(trial, "lines_of", refused)
    out = io.StringIO()
    with typed(TOML) as keys:
        assert trial.run(keys, out, Paths(Path("/nowhere"))) == 1
    assert json.loads(out.getvalue()) == {"refused": why}


# ---- keypads


class Keypads:
    """The kernel's side of some keypads: pipes that hold what was typed."""

    def __init__(self, typed: dict[str, str]) -> None:
        self.typed = typed
        self.opened: list[int] = []
        self.system = Kernel(self._open, lambda _fd, _request, _argument: None)

    def _open(self, path: str) -> int:
        near, far = os.pipe2(os.O_NONBLOCK)
        os.write(far, written(self.typed[path]))
        self.opened += [far]
        return near


def listened(typed: dict[str, str], wait_s: float) -> dict[str, object]:
    pads = Keypads(typed)
    ticks = iter(range(1000))
    try:
        return attached.keypads(list(typed), wait_s, pads.system, lambda: next(ticks) / 10)
    finally:
        for fd in pads.opened:
            os.close(fd)


def test_the_keypad_that_gives_a_5_is_told_and_no_other_key() -> None:
    assert listened({"a": "1234", "b": "95", "c": ""}, 5) == {"keypad": "b"}


def test_without_a_5_no_keypad_is_told() -> None:
    assert listened({"a": "1234"}, 0.3) == {"keypad": ""}


@pytest.mark.parametrize("words", [[], ["keypads", "3"], ["pins"], ["keypads", "soon", "x"]])
def test_a_question_that_is_none_is_refused(words: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    assert attached.run(words) == 1
    assert "refused" in json.loads(capsys.readouterr().out)
