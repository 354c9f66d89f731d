"""What set-up looks at and tries: each board by its name, keypads beside one that is missing, words of any length."""

from __future__ import annotations

import errno
import io
import json
import os
import runpy
import select as selecting
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

from device import config
from device.config.tables import LockTable
from device.errors import BoltFault
from device.lock import assembly, attached, board_gpiozero, board_sim, gpiod_lines, reader_osdp, trial, trial_readers
from device.lock.board import Board
from device.lock.keypad_evdev import Kernel
from device.lock.state import CardCame, Event, FaceButton, Key, Signal
from device.paths import Paths
from device.wire import Hint
from tests.contract.board.fake_gpiod import FakeChip, FakeChips, Pad
from tests.unit.lock.events import written
from tests.unit.lock.recorded import Recorded

DOOR = '[door]\nid = "00112233445566ff"\n[lock]\n'


# ---- the boards


def test_each_board_is_the_one_that_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    made: list[tuple[str, Any]] = []
    monkeypatch.setattr(board_sim, "SimBoard", lambda cable, _wiring: made.append(("sim", cable)))
    monkeypatch.setattr(board_gpiozero, "GpiozeroBoard", lambda _table, factory: made.append(("gpiozero", factory)))
    monkeypatch.setattr(board_gpiozero, "lgpio_factory", lambda chip: f"chip {chip}")
    for board in ("sim", "gpiozero"):
        assembly.lines_of(config.parse(f'{DOOR}board = "{board}"\n'), Paths(tmp_path))
    assert made == [("sim", Paths(tmp_path).board / "cable.sock"), ("gpiozero", "chip 0")]


def test_every_chip_is_told_with_its_label_and_all_of_its_lines(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    chips = FakeChips(
        {
            "/dev/gpiochip0": FakeChip([Pad("A"), Pad(), Pad("C")], label="one"),
            "/dev/gpiochip1": FakeChip([], label="two"),
        }
    )
    monkeypatch.setattr(gpiod_lines, "kernel_chips", lambda: chips.port)
    assert attached.run(["chips"]) == 0
    assert json.loads(capsys.readouterr().out) == {"chips": [["one", ["A", "", "C"]], ["two", []]]}


def test_a_label_names_its_chip_and_none_or_two_of_it_are_refused() -> None:
    def chip(label: str) -> FakeChip:
        return FakeChip([Pad(), Pad("wanted")], label=label)

    chips = FakeChips({"/dev/gpiochip0": chip("a"), "/dev/gpiochip1": chip("b"), "/dev/gpiochip2": chip("b")})
    line = gpiod_lines.output(chips.port, "chip:a:1", on=True)
    assert chips.at["/dev/gpiochip0"].pads[1].level
    line.give_back()
    for pin, why in (("chip:c:1", "no GPIO chip has that label"), ("chip:b:1", "more than one GPIO chip has that")):
        with pytest.raises(BoltFault, match=why):
            gpiod_lines.output(chips.port, pin, on=True)
    assert not any(pad.driven for each in ("1", "2") for pad in chips.at[f"/dev/gpiochip{each}"].pads)


# ---- keypads


@contextmanager
def keypads(typed: dict[str, str | None]) -> Iterator[Kernel]:
    """The kernel's side: what was typed on each; None: it is not plugged in."""
    opened: list[int] = []

    def plugged(path: str) -> int:
        row = typed[path]
        if row is None:
            raise FileNotFoundError(errno.ENOENT, os.strerror(errno.ENOENT), path)
        near, far = os.pipe2(os.O_NONBLOCK)
        os.write(far, written(row))
        opened.append(far)
        return near

    yield Kernel(plugged, lambda _fd, _request, _argument: None)
    for fd in opened:
        os.close(fd)


def test_a_keypad_that_is_missing_keeps_no_other_from_being_heard() -> None:
    ticks = iter(range(1000))
    with keypads({"gone": None, "here": "5"}) as system:
        assert attached.keypads(["gone", "here"], 5, system, lambda: next(ticks) / 10) == {"keypad": "here"}


def test_nobody_is_listened_to_once_the_time_is_over() -> None:
    with keypads({"a": "5"}) as system:
        assert attached.keypads(["a"], 0.0, system, lambda: 7.0) == {"keypad": ""}


def test_a_wait_between_two_looks_is_for_keypads_that_are_there(monkeypatch: pytest.MonkeyPatch) -> None:
    waited: list[list[int]] = []

    def select(readable: list[int], _write: object, _error: object, _wait_s: float) -> None:
        waited.append([os.fstat(fd).st_ino for fd in readable])

    monkeypatch.setattr(selecting, "select", select)
    ticks = iter(range(1000))
    with keypads({"gone": None, "here": "1"}) as system:
        assert attached.keypads(["gone", "here"], 0.25, system, lambda: next(ticks) / 10) == {"keypad": ""}
    assert {len(each) for each in waited} == {1}


def test_an_answer_is_told_as_one(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    with keypads({"a": "5"}) as system:
        monkeypatch.setattr(attached, "kernel", lambda: system)
        assert attached.run(["keypads", "5", "a"]) == 0
    assert json.loads(capsys.readouterr().out) == {"keypad": "a"}


# ---- the readers


class Reader:
    """A part that tells of a card in its `nth` look; `fd`: what is readable then, if anything."""

    def __init__(self, fd: int | None, nth: int = 3) -> None:
        self.fd, self.left = fd, nth
        self.well = True
        self.told: list[bytes | None] = []
        self.closed = False

    def fileno(self) -> int | None:
        return self.fd

    def events(self, now_s: float) -> list[Event]:
        self.left -= 1
        return [CardCame()] if self.left == 0 else []

    def deadline(self) -> float | None:
        return None

    def show(self, signal: Signal, hint: Hint | None) -> None:
        """Nothing to see."""

    def card(self, command: bytes | None) -> None:
        self.told.append(command)

    def close(self) -> None:
        self.closed = True


@pytest.mark.parametrize("fd", [None, 7])
def test_a_reader_is_waited_for_and_not_once_it_has_told(fd: int | None, monkeypatch: pytest.MonkeyPatch) -> None:
    waited: list[list[int]] = []
    monkeypatch.setattr(selecting, "select", lambda readable, *_: waited.append(readable))
    part = Reader(fd)
    told = trial_readers.watch(part, lambda event: event == CardCame(), 5, lambda: 0.0)
    assert told == {"seen": True, "well": True}
    assert waited == [[] if fd is None else [fd]] * 2
    assert part.told == [None], "let go unasked"
    assert part.closed


def test_only_a_5_on_the_reader_is_what_is_waited_for(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def asked(_part: object, wanted: Callable[[Event], bool], _wait_s: float) -> dict[str, object]:
        events: list[tuple[str, Event]] = [("card", CardCame()), *((key, Key(key)) for key in "4580#*")]
        return {name: wanted(event) for name, event in events}

    sealed = tmp_path / "etc/credstore.encrypted" / reader_osdp.KEY_NAME
    sealed.parent.mkdir(parents=True)
    sealed.write_bytes(b"sealed")
    monkeypatch.setattr(trial_readers, "watch", asked)
    table = LockTable(osdp="/dev/serial/by-path/one")
    told = trial_readers.osdp(table, 1.0, Paths(tmp_path), lambda _place: bytes(range(16)))
    assert [key for key, wanted in told.items() if wanted] == ["5"]


def test_what_a_reader_told_is_an_answer(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    monkeypatch.setattr(trial_readers, "card", lambda _table, wait_s: {"seen": wait_s == 3.0, "well": True})
    toml = '[lock]\ncard_reader = "A"\n'
    assert trial_readers.run(["card", "3"], toml, Paths(Path("/nowhere"))) == 0
    assert json.loads(capsys.readouterr().out) == {"seen": True, "well": True}


@pytest.mark.parametrize(
    ("module", "words", "code", "told"),
    [
        (attached, ["keypads", "0", "/dev/input/by-path/none"], 0, {"keypad": ""}),
        (trial_readers, ["card", "soon"], 1, "the reader cannot be tried"),
    ],
    ids=["attached", "trial_readers"],
)
def test_the_words_of_the_command_line_are_the_question(
    module: ModuleType,
    words: list[str],
    code: int,
    told: object,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    assert module.__file__
    monkeypatch.setattr(sys, "argv", ["program", *words])
    monkeypatch.setattr(sys, "stdin", io.StringIO('[lock]\ncard_reader = "A"\n'))
    with pytest.raises(SystemExit) as ended:
        runpy.run_path(module.__file__, run_name="__main__")
    assert ended.value.code == code
    answer = json.loads(capsys.readouterr().out)
    assert answer == told or str(told) in answer["refused"]


# ---- the trial of the lines


class Lines(Recorded):
    """It says when it wants to be asked, and counts how often it was."""

    def __init__(self, due_s: float | None = None) -> None:
        super().__init__()
        self.due_s = due_s
        self.looks = 0

    def events(self, now_s: float) -> list[Event]:
        self.looks += 1
        return super().events(now_s)

    def deadline(self) -> float | None:
        return self.due_s


def tried(board: Board, content: bytes, monkeypatch: pytest.MonkeyPatch) -> tuple[int, list[dict[str, Any]]]:
    """The exit code and what was told, of a trial whose standard input holds `content` and ends."""
    monkeypatch.setattr(trial, "lines_of", lambda _config, _paths: board)
    near, far = os.pipe()
    os.write(far, content)
    os.close(far)
    out = io.StringIO()
    with os.fdopen(near) as words:
        code = trial.run(words, out, Paths(Path("/nowhere")))
    return code, [json.loads(line) for line in out.getvalue().splitlines()]


@pytest.mark.parametrize("extra", ["", " "])
def test_no_word_behind_the_dot_is_taken_for_configuration(extra: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Whether the text before it has an even or an odd number of bytes."""
    board = Lines()
    code, told = tried(board, f'[lock]\nboard = "sim"{extra}\n.\nlamp 1\n'.encode(), monkeypatch)
    assert (code, told) == (0, [{"ready": True}, {"done": "lamp 1"}])
    assert board.done == ["lamp 1", "close"]


def test_a_configuration_that_is_cut_off_moves_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    board = Lines()
    code, told = tried(board, b'[lock]\nboard = "si', monkeypatch)
    assert (code, board.done) == (1, [])
    assert "refused" in told[0]


def test_the_longest_release_is_two_seconds(monkeypatch: pytest.MonkeyPatch) -> None:
    board = Lines()
    words = b'[lock]\nboard = "sim"\n.\nrelease 1\nrelease 2000\nrelease 2001\n'
    _, told = tried(board, words, monkeypatch)
    assert board.done == ["release 1", "release 2000", "close"]
    assert "is no word of a trial" in told[-1]["refused"]


def test_a_word_without_end_is_cut_and_what_follows_it_is_heard(monkeypatch: pytest.MonkeyPatch) -> None:
    board = Lines()
    words = b'[lock]\nboard = "sim"\n.\n' + b"x" * 20_000 + b"\nlamp 0\n"
    code, told = tried(board, words, monkeypatch)
    assert (code, board.done) == (0, ["lamp 0", "close"])
    refused = [each["refused"] for each in told if "refused" in each]
    assert refused == [f"{'x' * 64!r} is no word of a trial"]


@pytest.mark.parametrize("in_s", [0.0, -5.0])
def test_a_board_that_is_due_is_looked_at_though_nobody_types(in_s: float, monkeypatch: pytest.MonkeyPatch) -> None:
    """A contact that is still settling would otherwise be told with the next word."""
    board = Lines()
    board.due_s = time.monotonic() + in_s
    out = io.StringIO()
    near, far = os.pipe()

    def events(_now_s: float) -> list[Event]:
        board.looks += 1
        if board.looks == 3:
            os.close(far)  # only now does the input end
        return [FaceButton()] if board.looks == 2 else []

    monkeypatch.setattr(board, "events", events)
    os.set_blocking(near, False)
    with os.fdopen(near) as words:
        trial.Trial(board, out).serve(words.fileno())
    assert [json.loads(line) for line in out.getvalue().splitlines()] == [{"ready": True}, {"saw": "face"}]
    board.close()


def test_until_it_is_due_nothing_spins() -> None:
    board = Lines(due_s=None)
    waits = trial.Trial(board, io.StringIO())
    assert waits._patience() is None
    board.due_s = time.monotonic() + 1000
    left_s = waits._patience()
    assert left_s is not None
    assert 0 < left_s <= 1000
    board.due_s = 0.0
    assert waits._patience() == 0
    board.close()
