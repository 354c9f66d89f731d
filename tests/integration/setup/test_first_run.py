"""The first run of a door at a real terminal: from nothing to a PIN that opens, and everything that may go wrong.

A simulated door stands there without lock and without door.toml; `doorctl setup` runs on a pseudo-terminal of its own.
"""

from __future__ import annotations

import os
import pty
import select
import shutil
import signal
import subprocess
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path

import pytest

from device import config
from device.edges import Room
from device.errors import BoltFault
from device.lock.board_sim import SimBoard
from device.lock.bolt import Wiring
from tests.support.door import COMMANDS, OPENED, PATIENCE_S, REFUSED, Home, Manager, another_picture
from tests.support.room_process import short_root
from tests.unit.joining.papers import DOOR, label
from tools.simulator.client import Door, SimulatorRefused

SLOT, PIN = 12, "482913"
SIMPLE = '[lock]\nboard = "sim"\n[camera]\nbackend = "none"\n[sign]\ncontact = "Office"\n'


class AtTerminal:
    """`doorctl setup` with a terminal of its own, as an installer has it."""

    def __init__(self, root: Path, *words: str) -> None:
        self._screen, keys = pty.openpty()
        # A run in the background (nohup) has SIGHUP ignored, and so would whatever it starts.
        self.process = subprocess.Popen(
            ["env", "--default-signal=HUP", "setsid", "--ctty", COMMANDS / "doorctl", "setup", *words],
            env={"PATH": "/usr/bin:/bin", "LANG": "C.UTF-8", "DOORWARD_ROOT": str(root)},
            stdin=keys,
            stdout=keys,
            stderr=keys,
        )
        os.close(keys)
        self.shown = ""
        self._read = 0

    def sees(self, words: str) -> None:
        """Wait until `words` stand on the screen, below everything that was waited for before."""
        ends = time.monotonic() + PATIENCE_S
        while (at := self.shown.find(words, self._read)) < 0:
            assert self._more(ends), f"{words!r} did not come: {self.shown[self._read :]}"
        self._read = at + len(words)

    def answers(self, words: str, typed: str) -> None:
        """Wait for a question with `words` and its prompt, and type."""
        self.sees(words)
        self.sees("> ")
        self.types(f"{typed}\n")

    def types(self, keys: str) -> None:
        os.write(self._screen, keys.encode())

    def ends(self) -> int:
        """Its exit code."""
        ends = time.monotonic() + PATIENCE_S
        while self._more(ends):
            pass
        return self.process.wait(PATIENCE_S)

    def _more(self, ends_s: float) -> bool:
        if not select.select([self._screen], [], [], max(0.0, ends_s - time.monotonic()))[0]:
            return False
        try:
            came = os.read(self._screen, 65536)
        except OSError:  # EIO: nobody holds the other end any more
            return False
        self.shown += came.decode("utf-8", "replace").replace("\r\n", "\n")
        return bool(came)

    def close(self) -> None:
        if self.process.poll() is None:
            self.process.kill()
        self.process.wait()
        os.close(self._screen)


@contextmanager
def at_terminal(root: Path, *words: str) -> Iterator[AtTerminal]:
    terminal = AtTerminal(root, *words)
    try:
        yield terminal
    finally:
        terminal.close()


@contextmanager
def new_house() -> Iterator[Home]:
    """A simulated door that waits to be set up: hardware, keys, five rooms that wait, no lock and no door.toml."""
    with short_root() as root:
        home = Home(root, DOOR.hex(), Manager())
        assert home.run("doorsim", "up", "--unjoined").code == 0
        try:
            home.door.stop(Room.LOCK)
            home.until(lambda now: now["processes"]["lock"] == "down" or not now["pids"]["lock"], "lock stopped")
            home.paths.config.unlink()
            yield home
        finally:
            with suppress(SimulatorRefused):
                home.door.cut()


@pytest.fixture(scope="module")
def house() -> Iterator[Home]:
    with new_house() as home:
        yield home


def left(home: Home) -> list[str]:
    """Everything that set-up might have left."""
    etc = home.paths.root / "etc"
    return sorted(str(path.relative_to(etc)) for path in etc.rglob("*") if "credentials" not in path.parts)


BARE = ["doorward"]


def to_the_bolt(terminal: AtTerminal) -> None:
    """Enter, but for a door without a camera, up to the question whether the bolt may move."""
    terminal.answers("Which board", "")
    terminal.answers("kind of lock", "")
    terminal.answers("how many seconds", "0,5")
    terminal.answers("request to exit", "")
    terminal.answers("Which camera", "3")
    terminal.answers("Whom can people ask", "Office")
    terminal.answers("page for its residents", "")
    terminal.answers("label of the manager", "")
    terminal.sees("THE DOOR WILL OPEN NOW")
    terminal.sees("> ")


def chooses(terminal: AtTerminal, paper: Path) -> None:
    """Every question, with the slips that people make."""
    terminal.answers("Which board", "?")
    terminal.answers("by which library", "")
    terminal.answers("kind of lock", "")
    terminal.answers("how many seconds", "back")
    terminal.answers("kind of lock", "1")
    terminal.answers("how many seconds", "99")
    terminal.answers("must be from 500 to 15000", "0.5")
    terminal.answers("request to exit", "")
    terminal.answers("Which camera", "2")
    terminal.answers("key to the stored faces", "3")
    terminal.answers("has no TPM", "")
    terminal.answers("How many strangers", "")
    terminal.answers("How many false opens", "")
    terminal.answers("recognised face worth", "")
    terminal.answers("How many degrees", "")
    terminal.answers("Whom can people ask", "Office, 030 123")
    terminal.answers("page for its residents", "")
    terminal.answers("label of the manager", str(paper))


def tries_the_lines(terminal: AtTerminal, door: Door) -> None:
    """Every trial, with the hardware asked whether it is so."""
    terminal.answers("THE DOOR WILL OPEN NOW", "yes")
    terminal.answers("What did the bolt do?", "1")
    assert door.state()["releases"] == 1
    terminal.answers("The lamp.", "")
    terminal.sees("Is it lit?")
    assert door.state()["indicator"]
    terminal.answers("2  no", "1")
    terminal.sees("dark now?")
    assert not door.state()["indicator"]
    terminal.types("1\n")
    terminal.answers("The tones.", "")
    terminal.answers("did the buzzer", "1")
    terminal.answers("did the status light", "1")
    assert door.state()["signals"].count("REFUSED") == 2
    terminal.answers("The face button.", "")
    terminal.sees("Press it now.")
    door.press("rex")
    terminal.answers("the other button's line moved", "")
    terminal.sees("Press it now.")
    door.press("face")
    terminal.sees("Seen: the face button.")
    terminal.answers("button for request to exit", "skip")
    terminal.answers("contact of the door", "")
    terminal.sees("Now open the door")
    door.move_door(is_open=True)
    terminal.sees("Seen: open.")
    door.move_door(is_open=False)
    terminal.sees("Seen: closed.")
    terminal.answers("contact of the housing", "")
    terminal.sees("Now open the housing")
    door.tamper(on=True)
    terminal.sees("Seen: open.")
    door.tamper(on=False)
    terminal.sees("Seen: closed.")


@pytest.mark.timeout(240)
def test_from_nothing_to_a_pin_that_opens(tmp_path: Path) -> None:
    with new_house() as home:
        made = label(None, manager_key=bytes.fromhex(home.manager.public), expires_hour=int(time.time()) // 3600 + 72)
        (tmp_path / "label").write_text(made.text(), encoding="ascii")
        door = home.door
        door.show(another_picture())
        before = door.state()["frames_read"]
        with at_terminal(home.root) as terminal:
            chooses(terminal, tmp_path / "label")
            assert door.state()["releases"] == 0
            tries_the_lines(terminal, door)
            terminal.sees("No picture was taken.")
            assert door.state()["frames_read"] == before, "no frame without a yes"
            terminal.answers("Shall it take one picture?", "yes")
            terminal.sees("640 by 480 pixels")
            terminal.sees("px between the eyes")
            terminal.answers("Shall this be written?", "yes")
            assert terminal.ends() == 0, terminal.shown
        assert "Not tried: button for request to exit." in terminal.shown
        assert "There is a camera at this door" in terminal.shown
        assert "The door has joined its manager" in terminal.shown
        read = config.load(home.paths.config)
        assert (read.lock.unlock_ms, read.sign.contact) == (500, "Office, 030 123")
        assert (read.door.id, read.door.manager_key) == (home.door_id, home.manager.public)
        home.down()
        home.up()
        home.well()
        home.move_in(SLOT, PIN)
        assert home.types(f"{SLOT}#{PIN}#") == OPENED
        home.goes_in()
        assert home.types(f"{SLOT}#111222#") == REFUSED
        with at_terminal(home.root) as terminal:
            assert terminal.ends() == 1
        assert "The door is running, and its lines belong to lock; `doorsim stop lock` stops it." in terminal.shown


def test_ctrl_c_holds_once_and_ends_twice_and_nothing_is_left(house: Home) -> None:
    with at_terminal(house.root) as terminal:
        terminal.answers("Which board", "")
        terminal.sees("kind of lock")
        terminal.sees("> ")
        terminal.types("\x03")
        terminal.answers("Stopped at this question", "")
        terminal.sees("kind of lock")
        terminal.sees("> ")
        terminal.types("\x03")
        terminal.sees("Stopped at this question")
        terminal.types("\x03")
        assert terminal.ends() == 130
    assert terminal.shown.endswith("Nothing was written.\n")
    assert left(house) == BARE


def free(house: Home) -> bool:
    """Whether the lines were given back."""
    try:
        SimBoard(house.paths.board / "cable.sock", Wiring.FAIL_SECURE).close()
    except BoltFault:
        return False
    return True


def soon(condition: Callable[[], bool], what: str) -> None:
    ends = time.monotonic() + PATIENCE_S
    while not condition():
        assert time.monotonic() < ends, what
        time.sleep(0.02)


@pytest.mark.parametrize("how", ["ctrl-c", "kill -9", "terminal gone"])
def test_whoever_stops_while_the_bolt_is_tried_leaves_it_locked_and_the_lines_free(house: Home, how: str) -> None:
    with at_terminal(house.root) as terminal:
        to_the_bolt(terminal)
        terminal.types("yes\n")
        terminal.sees("What did the bolt do?")
        match how:
            case "ctrl-c":
                terminal.sees("> ")
                terminal.types("\x03")
                terminal.sees("Stopped at this question")
                terminal.types("\x03")
                assert terminal.ends() == 130
            case "kill -9":
                terminal.process.send_signal(signal.SIGKILL)
            case _:
                terminal.process.send_signal(signal.SIGHUP)
        soon(lambda: free(house), "the lines given back")
    assert not house.door.state()["granted"]
    assert left(house) == BARE


def test_a_line_that_another_program_holds_is_one_sentence(house: Home) -> None:
    holder = SimBoard(house.paths.board / "cable.sock", Wiring.FAIL_SECURE)
    try:
        said = by_file(house, SIMPLE)
    finally:
        holder.close()
    assert said.returncode == 1
    assert said.stderr == "The simulated board has an owner already; one line has one owner.\n"
    assert left(house) == BARE


def by_file(house: Home, text: str, before: Sequence[str] = ()) -> subprocess.CompletedProcess[str]:
    file = house.root / "answers.toml"
    file.write_text(text, encoding="utf-8")
    return subprocess.run(
        [*before, str(COMMANDS / "doorctl"), "setup", "--answers", str(file)],
        env={"PATH": "/usr/bin:/bin", "LANG": "C.UTF-8", "DOORWARD_ROOT": str(house.root)},
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=2 * PATIENCE_S,
        check=False,
    )


@pytest.mark.parametrize(
    ("text", "why"),
    [
        (SIMPLE.replace('"sim"', '"gpiod"\nbolt_pin = "chip:gone:3"'), "no GPIO chip has that label"),
        (SIMPLE.replace('"sim"', '"gpiod"\nbolt_pin = "line:NOBODY"'), "no GPIO chip has a line of that name"),
        (SIMPLE.replace('"none"', '"replay"\nreplay = "/nowhere.json"'), "nowhere.json cannot be read"),
        (SIMPLE.replace("Office", ""), "contact is missing"),
    ],
)
def test_what_is_not_there_is_one_sentence_and_nothing_is_left(house: Home, text: str, why: str) -> None:
    said = by_file(house, text)
    assert (said.returncode, said.stdout) == (1, "")
    assert why in said.stderr
    assert said.stderr.count("\n") == 1
    assert left(house) == BARE


@pytest.mark.skipif(os.geteuid() != 0 or not shutil.which("unshare"), reason="needs root and unshare to mount")
@pytest.mark.parametrize(("options", "why"), [("ro", "Read-only file system"), ("size=4k", "No space left on device")])
def test_a_read_only_or_full_etc_is_one_sentence(house: Home, options: str, why: str) -> None:
    mount = f'mount -t tmpfs -o {options} none {house.root}/etc && "$@"; code=$?; ls -A {house.root}/etc; exit $code'
    said = by_file(house, SIMPLE, ["unshare", "-m", "sh", "-c", mount, "sh"])
    assert said.returncode == 1
    assert why in said.stderr
    assert said.stderr.count("\n") == 1
    assert said.stdout == "", "nothing is left in it"


def test_answers_from_a_file_make_a_door_that_starts(house: Home) -> None:
    said = by_file(house, SIMPLE)
    assert said.returncode == 0, said
    try:
        assert left(house) == [*BARE, "doorward/door.toml", "doorward/sign.html"]
        assert config.load(house.paths.config, without_id=True).lock.board == "sim"
        with at_terminal(house.root, "--check") as terminal:
            terminal.answers("THE DOOR WILL OPEN NOW", "yes")
            terminal.answers("What did the bolt do?", "2")
            for what in (
                "The lamp.",
                "The tones.",
                "The face button.",
                "request to exit",
                "of the door",
                "of the housing",
            ):
                terminal.answers(what, "skip")
            assert terminal.ends() == 1
        assert "Does not work: bolt." in terminal.shown
    finally:
        for name in ("door.toml", "sign.html"):
            house.paths.config.with_name(name).unlink()


def test_the_simulated_door_is_what_these_tests_take_it_for(house: Home) -> None:
    """That a release is seen at all: without it, "locked afterwards" would be empty."""
    board = SimBoard(house.paths.board / "cable.sock", Wiring.FAIL_SECURE)
    try:
        board.bolt.release(int(PATIENCE_S * 1000))
        assert Door(house.root).wait(lambda now: bool(now["granted"]))
    finally:
        board.close()
    assert Door(house.root).wait(lambda now: not now["granted"])
