"""`doorctl setup` as a person meets it, with the board, the rooms' code and the machine played."""

from __future__ import annotations

import json
import time
from collections import deque
from dataclasses import replace
from pathlib import Path
from types import TracebackType
from typing import Self

import pytest
from click.testing import CliRunner, Result

from device import config, installing
from device.config.tables import Config, PageTable
from device.desk import cli as doorctl
from device.desk.setup import cli, running
from device.desk.setup.machine import Machine
from device.desk.setup.neighbours import EYE, NeighbourFault
from device.desk.setup.running import NotNow
from device.desk.upkeep import page_units, whole_machine
from device.errors import StoreFault
from device.paths import Paths
from tests.unit.desk.setup.people import PI, SIMULATED, Board, CtrlC, Neighbours, Person
from tests.unit.joining.papers import Authority, label

ANSWERS = ["", "", "", "", "3", "Office", ""]  # a simulated door without a camera, up to its contact; and no page
TRIALS = ["", "yes", "well", *["skip"] * 6]  # no label; the bolt moves; nothing else is tried
FROM_NOTHING = [*ANSWERS, *TRIALS, "yes"]


class PlayedLines(Board):
    refusal = ""
    had: list[PlayedLines] = []  # noqa: RUF012 - emptied by the fixture

    def __init__(self, chosen: Config) -> None:
        if self.refusal:
            raise NeighbourFault(self.refusal)
        super().__init__(chosen, deque(["door closed", "tamper off", None]))
        self.had.append(self)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: object, trace: TracebackType | None) -> None:
        self.close()


class Bench:
    def __init__(self, root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        self.paths, self.neighbours, self.machine = Paths(root), Neighbours(), SIMULATED
        monkeypatch.setenv("DOORWARD_ROOT", str(root))
        monkeypatch.setattr(cli, "TrialLines", PlayedLines)
        monkeypatch.setattr(cli, "ask", self.neighbours)
        monkeypatch.setattr(cli, "look", lambda _paths, _ask: self.machine)
        monkeypatch.setattr(PlayedLines, "had", [])
        monkeypatch.setattr(PlayedLines, "refusal", "")
        self._patch = monkeypatch

    def setup(self, *typed: str | CtrlC, options: tuple[str, ...] = ()) -> tuple[Result, Person]:
        person = Person.who_types(*typed, ends=True)
        self._patch.setattr(cli, "Console", lambda _keys, _screen: person)
        said = CliRunner().invoke(doorctl.cli, ["setup", *options], prog_name="doorctl")
        assert said.exception is None or isinstance(said.exception, SystemExit), said.exception
        assert all(lines.closed for lines in PlayedLines.had), "the lines are given back, however it ended"
        return said, person

    def answers(self, text: str, *options: str) -> Result:
        file = self.paths.root.parent / "answers.toml"
        file.write_text(text, encoding="utf-8")
        return self.setup(options=("--answers", str(file), *options))[0]

    @property
    def everything(self) -> dict[str, bytes]:
        return {str(path): path.read_bytes() for path in self.paths.root.rglob("*") if path.is_file()}


@pytest.fixture
def bench(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Bench:
    (tmp_path / "door").mkdir()
    return Bench(tmp_path / "door", monkeypatch)


def test_from_nothing_to_a_door_that_would_start(bench: Bench) -> None:
    said, _ = bench.setup(*FROM_NOTHING)
    assert said.exit_code == 0, said.output
    read = config.load(bench.paths.config, without_id=True)
    assert (read.lock.board, read.camera.backend, read.sign.contact) == ("sim", "none", "Office")
    assert "This door has no camera" in said.stdout
    assert "Not tried: lamp" in said.stdout
    assert "`doorsim up` starts the door." in said.stdout


@pytest.mark.slow
def test_ctrl_c_at_every_question_leaves_nothing_behind(bench: Bench) -> None:
    whole = bench.setup(*FROM_NOTHING)[1].asked
    bench.paths.config.unlink()
    for path in (bench.paths.config.with_name("sign.html"),):
        path.unlink()
    assert bench.everything == {}
    for typed in range(whole):
        said, _ = bench.setup(*FROM_NOTHING[:typed], CtrlC(), CtrlC())
        assert (said.exit_code, said.stderr) == (130, "Nothing was written.\n"), typed
        assert bench.everything == {}, typed
        said, _ = bench.setup(*FROM_NOTHING[:typed])
        assert (said.exit_code, "not answered" in said.stderr) == (1, True), typed
        assert bench.everything == {}, typed


def test_the_test_above_sees_a_set_up_that_writes_too_early(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    """The fault seeded: written before the last yes."""

    def hasty(*_: object) -> bool:
        bench.paths.config.parent.mkdir(parents=True)
        bench.paths.config.write_text("half")
        raise KeyboardInterrupt

    monkeypatch.setattr(cli, "_agreed", hasty)
    bench.setup(*FROM_NOTHING[:-1])
    assert bench.everything != {}


def test_a_no_at_the_end_writes_nothing(bench: Bench) -> None:
    said, _ = bench.setup(*FROM_NOTHING[:-1], "no")
    assert (said.exit_code, bench.everything) == (1, {})


def test_a_door_toml_that_stands_is_shown_as_differences_and_stays_without_a_yes(bench: Bench) -> None:
    bench.setup(*FROM_NOTHING)
    before = bench.everything
    again = ["", "", "6", *FROM_NOTHING[3:-1]]
    said, person = bench.setup(*again, "no")
    assert said.exit_code == 1
    assert "[lock] unlock_ms was 4000 and becomes 6000." in person.heard
    assert bench.everything == before
    bench.setup(*again, "yes")
    assert config.load(bench.paths.config, without_id=True).lock.unlock_ms == 6000


def test_settings_that_are_of_no_use_are_asked_for_anew(bench: Bench) -> None:
    bench.paths.config.parent.mkdir(parents=True)
    bench.paths.config.write_text("[lock]\ncolour = 1\n")
    said, person = bench.setup(*FROM_NOTHING)
    assert said.exit_code == 0
    assert "colour is not a setting" in person.heard


def test_back_in_the_trials_leads_to_the_last_question(bench: Bench) -> None:
    said, person = bench.setup(*ANSWERS, "", "back", *TRIALS, "yes")
    assert said.exit_code == 0, said.output
    assert person.heard.count("Where is the label of the manager?") == 2


def test_a_line_that_is_busy_is_one_sentence_and_the_rest_can_go_on(
    bench: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(PlayedLines, "refusal", "the line GPIO17 cannot be claimed: Device or resource busy")
    said, person = bench.setup(*ANSWERS, "", "again", "skip", "yes")
    assert person.shown.count("The line GPIO17 cannot be claimed: Device or resource busy.") == 2
    assert said.exit_code == 0
    assert "Not tried: the lines." in said.stdout


def test_a_disk_that_is_full_is_one_sentence_and_nothing_is_left(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(path: Path, *_: object) -> None:
        msg = f"{path} cannot be written: No space left on device"
        raise StoreFault(msg)

    monkeypatch.setattr(installing, "store", full)
    said, _ = bench.setup(*FROM_NOTHING)
    assert said.exit_code == 1
    assert said.stderr.endswith("sign.html cannot be written: No space left on device.\n")
    assert not bench.paths.root.joinpath("etc").exists()


def test_a_door_that_runs_is_refused_before_anything_is_asked(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    def runs(_paths: Paths) -> None:
        raise NotNow("the door is running, and its lines belong to lock; `x` stops it")

    monkeypatch.setattr(running, "refuse_if_not_alone", runs)
    said, person = bench.setup(*FROM_NOTHING)
    assert (said.exit_code, person.asked) == (1, 0)
    assert said.stderr == "The door is running, and its lines belong to lock; `x` stops it.\n"


# ---- joining


def paper(tmp_path: Path) -> Path:
    made = label(Authority.make(), expires_hour=int(time.time()) // 3600 + 72)
    (tmp_path / "label").write_text(made.text(), encoding="ascii")
    return tmp_path / "label"


def test_a_label_makes_the_door_a_managers_after_the_files_stand(bench: Bench, tmp_path: Path) -> None:
    said, _ = bench.setup(*ANSWERS, str(paper(tmp_path)), *TRIALS[1:], "yes")
    assert said.exit_code == 0, said.output
    assert config.load(bench.paths.config).door.id
    assert "The door has joined its manager" in said.stdout
    again, person = bench.setup(*ANSWERS, *TRIALS[1:], "yes")
    assert again.exit_code == 0, again.output
    assert "label of the manager" not in person.heard, "it has joined"


def test_a_label_that_is_none_is_one_sentence_and_asked_for_again(bench: Bench, tmp_path: Path) -> None:
    (tmp_path / "none").write_text("no label", encoding="ascii")
    typed = [*ANSWERS, str(tmp_path / "gone"), str(tmp_path / "none"), "none", *TRIALS[1:], "yes"]
    said, person = bench.setup(*typed)
    assert said.exit_code == 0, said.output
    assert f"{tmp_path / 'gone'} cannot be read: No such file or directory." in person.heard
    assert person.heard.count("Where is the label of the manager?") == 3


# ---- without anybody


SIMPLE = '[lock]\nboard = "sim"\n[camera]\nbackend = "none"\n[sign]\ncontact = "Office"\n'


def test_answers_from_a_file_make_the_same_door_and_claim_every_line(bench: Bench) -> None:
    said = bench.answers(SIMPLE, "--json")
    assert said.exit_code == 0, said.output
    assert json.loads(said.stdout)["written"] == str(bench.paths.config)
    by_file = bench.paths.config.read_bytes()
    assert [lines.done for lines in PlayedLines.had] == [[]], "claimed, and nothing moved"
    bench.paths.config.unlink()
    bench.setup(*FROM_NOTHING)
    assert bench.paths.config.read_bytes() == by_file


@pytest.mark.parametrize(
    ("text", "machine", "why"),
    [
        (SIMPLE + "[vault]\nstrangers_per_day = 1\n", SIMULATED, "must be from 5"),
        (SIMPLE.replace('"none"', '"picamera2"'), SIMULATED, "no camera here"),
        (SIMPLE.replace('"sim"', '"gpiod"') + '[lamp]\npin = "x"\n', PI, "not a table"),
        (SIMPLE.replace("[camera]", 'bolt_pin = "gpiochip0:3"\n[camera]').replace('"sim"', '"gpiod"'), PI, "its label"),
        (SIMPLE.replace("[camera]", 'keypad = "/dev/input/by-path/x"\n[camera]'), PI, "not plugged in"),
        (SIMPLE.replace("Office", ""), SIMULATED, "contact is missing"),
        (SIMPLE + '[setup]\nlabel = "/nowhere/label"\n', SIMULATED, "cannot be read"),
        (SIMPLE + '[keeper]\nkey_store = "tpm-nv"\n', Machine(), "has none"),
    ],
)
def test_answers_are_checked_as_by_hand_and_nothing_is_written(
    bench: Bench, text: str, machine: Machine, why: str
) -> None:
    bench.machine = machine
    bench.neighbours.answers[f"{EYE} probe"] = "there is no camera here"
    said = bench.answers(text)
    assert said.exit_code == 1
    assert why in said.stderr
    assert said.stderr.count("\n") == 1
    assert bench.everything == {}


def test_answers_replace_another_door_toml_only_where_they_say_so(bench: Bench) -> None:
    bench.answers(SIMPLE)
    before = bench.everything
    said = bench.answers(SIMPLE.replace("Office", "Other"))
    assert said.exit_code == 1
    assert '[sign] contact was "Office" and becomes "Other"' in said.stderr
    assert bench.everything == before
    assert bench.answers(SIMPLE).exit_code == 0, "the same again is no replacement"
    assert bench.answers(SIMPLE.replace("Office", "Other") + "[setup]\nreplace = true\n").exit_code == 0
    assert config.load(bench.paths.config, without_id=True).sign.contact == "Other"


WITH_CAMERA = SIMPLE.replace('"none"', '"picamera2"')
RIBBON = "libcamera|imx708|/base/soc/i2c0mux|-"


def pinned(bench: Bench) -> str:
    return config.load(bench.paths.config, without_id=True).camera.pinned


def test_the_camera_that_is_there_is_pinned_and_stays_pinned(bench: Bench) -> None:
    bench.neighbours.answers[f"{EYE} probe"] = {"there": True, "pinned": RIBBON}
    assert bench.answers(WITH_CAMERA).exit_code == 0
    assert pinned(bench) == RIBBON
    assert bench.answers(WITH_CAMERA).exit_code == 0, "the same again is no replacement"
    bench.neighbours.answers[f"{EYE} probe"] = "another camera is there"
    said = bench.answers(WITH_CAMERA + "[setup]\nreplace = true\n")
    assert (said.exit_code, pinned(bench)) == (1, RIBBON)
    bench.neighbours.answers[f"{EYE} probe"] = {"there": True, "pinned": RIBBON.replace("imx708", "imx219")}
    asked_for = WITH_CAMERA.replace("[sign]", 'pinned = ""\n[sign]') + "[setup]\nreplace = true\n"
    assert bench.answers(asked_for).exit_code == 0
    assert "imx219" in pinned(bench)


def test_a_door_that_stood_without_a_pin_gets_one_only_where_it_may_be_replaced(bench: Bench) -> None:
    bench.answers(WITH_CAMERA)
    assert pinned(bench) == ""
    bench.neighbours.answers[f"{EYE} probe"] = {"there": True, "pinned": RIBBON}
    bench.answers(WITH_CAMERA)
    assert pinned(bench) == ""
    bench.answers(WITH_CAMERA + "[setup]\nreplace = true\n")
    assert pinned(bench) == RIBBON


def test_another_camera_in_the_answers_drops_the_pin_of_the_one_before(bench: Bench) -> None:
    bench.neighbours.answers[f"{EYE} probe"] = {"there": True, "pinned": RIBBON}
    bench.answers(WITH_CAMERA)
    assert bench.answers(SIMPLE + "[setup]\nreplace = true\n").exit_code == 0
    assert pinned(bench) == ""


# ---- the machine as a whole


BOARD = replace(PI, keypads=(), serials=(), readers=(), tpm=False, watchdog=True)
SIMPLE_BOARD = SIMPLE.replace('"sim"', '"gpiozero"')


def on_a_board(typed_for_watchdog: str) -> list[str]:
    """Board, no lines of one's own, no buzzer, no light, strike, level, time, exit; nothing plugged in, no page."""
    before = ["gpiozero", "yes", *[""] * 9, "none", "Office"]
    return [*before, "", typed_for_watchdog, *TRIALS, "yes"]


@pytest.mark.parametrize(("typed", "fed"), [("", True), ("yes", True), ("no", False)])
def test_the_watchdog_is_asked_for_where_there_is_one_and_yes_is_the_default(
    bench: Bench, typed: str, *, fed: bool
) -> None:
    bench.machine = BOARD
    said, person = bench.setup(*on_a_board(typed))
    assert said.exit_code == 0, person.heard
    assert "start anew by itself when it hangs?" in person.heard
    assert whole_machine.feeds_watchdog(bench.paths.root) is fed
    assert (bench.paths.root / whole_machine.CTRL_ALT_DEL).read_bytes() == b""
    assert ("When it hangs it starts anew." in person.heard) is fed
    again, _ = bench.setup(*on_a_board(""))
    assert again.exit_code == 0, again.output
    assert whole_machine.feeds_watchdog(bench.paths.root) is fed, "what was chosen is the default of the next time"


def test_a_board_without_a_watchdog_is_not_asked_for_one(bench: Bench) -> None:
    bench.machine = replace(BOARD, watchdog=False)
    typed = on_a_board("")
    typed.remove("Office")  # the question after the contact is not asked
    said, person = bench.setup(*typed[:12], "Office", *typed[13:])
    assert said.exit_code == 0, person.heard
    assert "start anew by itself" not in person.heard
    assert not whole_machine.feeds_watchdog(bench.paths.root)


@pytest.mark.parametrize(("more", "fed"), [("", True), ("[setup]\nwatchdog = false\n", False)])
def test_answers_from_a_file_switch_the_watchdog_on_unless_they_say_no(bench: Bench, more: str, *, fed: bool) -> None:
    bench.machine = BOARD
    said = bench.answers(SIMPLE_BOARD + more)
    assert said.exit_code == 0, said.output
    assert whole_machine.feeds_watchdog(bench.paths.root) is fed


def test_a_simulated_door_changes_nothing_of_the_machine(bench: Bench) -> None:
    bench.machine = replace(SIMULATED, watchdog=True)
    said, person = bench.setup(*FROM_NOTHING)
    assert said.exit_code == 0, said.output
    assert "watchdog" not in person.heard
    assert not any((bench.paths.root / place).exists() for place in whole_machine.PLACES)


def test_a_disk_that_is_full_leaves_the_machine_as_it_was(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    store = installing.store

    def full(path: Path, content: bytes) -> None:
        if path.name == "door.toml":
            raise StoreFault("no space left on device")
        store(path, content)

    bench.machine = BOARD
    monkeypatch.setattr(installing, "store", full)
    assert bench.answers(SIMPLE_BOARD).exit_code == 1
    assert bench.everything == {}


# ---- only a look


def test_check_tries_the_lines_and_writes_nothing(bench: Bench) -> None:
    bench.answers(SIMPLE)
    before = bench.everything
    said, _ = bench.setup(*TRIALS[1:], options=("--check",))
    assert said.exit_code == 0, said.output
    said, _ = bench.setup("yes", "nothing", *TRIALS[3:], options=("--check", "--json"))
    assert json.loads(said.stdout)["failed"] == ["bolt"]
    assert said.exit_code == 1
    assert bench.everything == before


def test_the_sign_is_made_from_the_running_configuration(bench: Bench, tmp_path: Path) -> None:
    bench.answers(SIMPLE)
    sheet = tmp_path / "sheet.html"
    said, _ = bench.setup(options=("--sign", str(sheet)))
    assert "Questions: Office" in said.stdout
    assert "Questions: Office" in sheet.read_text(encoding="utf-8")
    said, _ = bench.setup(options=("--sign", str(sheet)))
    assert (said.exit_code, "is not replaced" in said.stderr) == (1, True)


def test_two_wishes_at_once_are_wrong_usage(bench: Bench) -> None:
    assert bench.setup(options=("--check", "--sign", "x"))[0].exit_code == 2


# ---- the residents' page


SERVED = ["yes", "", "Door.Local", ""]  # a page, its port, its name in small letters, and only while it is armed
PAGE_SOCKET, DESK_DROP_IN = page_units.SOCKET, page_units.DROP_IN


def with_page(*answers: str) -> list[str]:
    typed = on_a_board("")
    return [*typed[:13], *answers, *typed[14:]]


def test_a_page_that_is_asked_for_gets_its_units_its_line_on_the_sign_and_no_more(bench: Bench) -> None:
    bench.machine = BOARD
    said, _ = bench.setup(*with_page(*SERVED))
    assert said.exit_code == 0, said.output
    read = config.load(bench.paths.config, without_id=True).page
    assert read == PageTable(port=8443, name="door.local")
    assert "ListenStream=8443\n" in (bench.paths.root / PAGE_SOCKET).read_text(encoding="utf-8")
    assert (bench.paths.root / DESK_DROP_IN).exists()
    assert "https://door.local:8443/" in (bench.paths.config.with_name("sign.html")).read_text(encoding="utf-8")
    assert "`doorctl page --qr page.svg`" in said.stdout
    again, _ = bench.setup(*with_page("", "", "", ""))
    assert again.exit_code == 0, again.output
    assert config.load(bench.paths.config, without_id=True).page == read, "what stands is what is offered"
    away, person = bench.setup(*with_page("no"))
    assert away.exit_code == 0, away.output
    assert "[page] port was 8443 and becomes 0." in person.heard
    assert not (bench.paths.root / PAGE_SOCKET).exists()
    assert not (bench.paths.root / DESK_DROP_IN).exists()


def test_without_a_word_about_it_there_is_no_page(bench: Bench) -> None:
    bench.machine = BOARD
    said, person = bench.setup(*on_a_board(""))
    assert said.exit_code == 0, person.heard
    assert "At which port" not in person.heard
    assert "doorctl page" not in said.stdout
    assert not (bench.paths.root / PAGE_SOCKET).exists()
    assert not config.load(bench.paths.config, without_id=True).page.served


def test_a_page_in_the_answers_is_served_and_answers_of_before_need_not_name_one(bench: Bench) -> None:
    bench.machine = BOARD
    replaces = "[setup]\nreplace = true\n"
    assert bench.answers(SIMPLE_BOARD).exit_code == 0
    assert not (bench.paths.root / PAGE_SOCKET).exists()
    named = '[page]\nport = 443\naddress = "192.168.1.20"\n'
    assert bench.answers(SIMPLE_BOARD + named + replaces).exit_code == 0
    assert "ListenStream=192.168.1.20:443\n" in (bench.paths.root / PAGE_SOCKET).read_text(encoding="utf-8")
    assert bench.answers(SIMPLE_BOARD + replaces).exit_code == 0
    assert (bench.paths.root / PAGE_SOCKET).exists(), "what a file does not name keeps its value"
    before = bench.everything
    for wrong in ("port = 70000", 'name = "a b"', 'port = 443\naddress = "192.168.1.300"', "colour = 1"):
        said = bench.answers(f"{SIMPLE_BOARD}[page]\n{wrong}\n{replaces}")
        assert (said.exit_code, said.stderr.count("\n")) == (1, 1), wrong
        assert bench.everything == before
