"""A door that cannot be started says why in one sentence, and leaves nothing running and nothing half made."""

import os
import signal
import subprocess
import time
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import pytest

from device.edges import Room
from tests.integration.door.conftest import PIN, SLOT
from tests.support.door import (
    COMMANDS,
    CONFIRM,
    EACH_A_SAMPLE,
    NOTED,
    OPENED,
    PATIENCE_S,
    USE_PIN_OR_CARD,
    Home,
    another_picture,
    door_up,
    folder_of,
    resident_pictures,
)
from tests.support.room_process import short_root
from tools.simulator.client import Door, SimulatorRefused

GOOD = '[door]\nid = "00112233445566ff"\n[camera]\nbackend = "none"\n[lock]\nboard = "sim"\n'
WRONG = {
    "unknown key": (GOOD + "colour = 7\n", "[lock] colour is not a setting of this version"),
    "unknown table": (GOOD + "[garage]\nopen = true\n", "[garage] is not a table of door.toml"),
    "out of bounds": (GOOD + "unlock_ms = 60000\n", "[lock] unlock_ms must be from 500 to 15000, not 60000"),
    "wrong type": (GOOD + 'unlock_ms = "long"\n', "[lock] unlock_ms must be a whole number"),
    "no TOML": ("[door\nid = ", "door.toml is no TOML"),
    "no door": ('[lock]\nboard = "sim"\n', "this door has no id and has not joined yet"),
    "no text": ("\x00\x01", "door.toml is no TOML"),
}


def doorsim(root: Path, *argv: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [COMMANDS / "doorsim", *argv, "--root", str(root)],
        capture_output=True,
        text=True,
        timeout=2 * PATIENCE_S,
        check=False,
    )


@pytest.fixture
def root() -> Iterator[Path]:
    with short_root() as folder:
        yield folder
        with suppress(SimulatorRefused):
            Door(folder).cut()


def processes_of(root: Path) -> list[str]:
    """The command lines of everything that runs for the door in `root`."""
    found = []
    for folder in Path("/proc").glob("[0-9]*"):
        with suppress(OSError):
            command = (folder / "cmdline").read_bytes().replace(b"\0", b" ")
            # A room carries its door in its environment; a simulator in its arguments.
            told = command + (folder / "environ").read_bytes() if b"device." in command else command
            if os.fsencode(root) in told:
                found.append(command.decode(errors="replace"))
    return found


def nothing_runs(root: Path) -> bool:
    ends = time.monotonic() + PATIENCE_S
    while processes_of(root) and time.monotonic() < ends:
        time.sleep(0.05)
    return processes_of(root) == []


def all_up(root: Path) -> bool:
    with suppress(SimulatorRefused):
        return set(Door(root).state()["processes"].values()) == {"up"}
    return False


def one_sentence(done: subprocess.CompletedProcess[str]) -> str:
    assert done.returncode == 1, done
    assert done.stdout == ""
    assert "Traceback" not in done.stderr
    assert done.stderr.count("\n") == 1, done.stderr
    return done.stderr


@pytest.mark.parametrize("case", WRONG)
def test_wrong_configuration_is_one_sentence_and_nothing_runs(root: Path, case: str) -> None:
    text, sentence = WRONG[case]
    path = root / "mine.toml"
    path.write_text(text)
    assert sentence in one_sentence(doorsim(root, "up", "--config", str(path)))
    assert nothing_runs(root)


def test_wrong_configuration_does_not_replace_the_one_that_is_there(door: Home) -> None:
    door.down()
    before = door.paths.config.read_bytes()
    (door.root / "mine.toml").write_text(WRONG["unknown key"][0])
    one_sentence(doorsim(door.root, "up", "--config", str(door.root / "mine.toml")))
    assert door.paths.config.read_bytes() == before
    door.up()
    assert door.types(f"{SLOT}#{PIN}#") == OPENED


def test_door_that_was_damaged_by_hand_says_so_at_the_next_start(door: Home) -> None:
    door.down()
    whole = door.paths.config.read_text()
    door.paths.config.write_text(whole + "\n[lock]\n")
    assert "door.toml is no TOML" in one_sentence(doorsim(door.root, "up"))
    door.paths.config.write_text(whole)
    door.up()
    assert door.types(f"{SLOT}#{PIN}#") == OPENED


def test_folder_with_too_long_a_name_is_one_sentence(root: Path) -> None:
    assert "has too long a name" in one_sentence(doorsim(root / ("x" * 90), "up"))


def test_folder_that_is_a_file_is_one_sentence(root: Path) -> None:
    (root / "file").write_text("no door")
    assert "cannot hold a door" in one_sentence(doorsim(root / "file", "up"))


def test_door_that_runs_is_not_started_a_second_time(door: Home) -> None:
    pids = door.door.state()["pids"]
    assert "is running" in one_sentence(doorsim(door.root, "up"))
    assert door.door.state()["pids"] == pids
    assert door.types(f"{SLOT}#{PIN}#") == OPENED


def test_of_two_who_start_the_same_door_at_once_one_gets_it(root: Path) -> None:
    starts = [
        subprocess.Popen(
            [COMMANDS / "doorsim", "up", "--root", str(root)], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
        )
        for _ in range(2)
    ]
    said = [start.communicate(timeout=2 * PATIENCE_S) for start in starts]
    assert sorted(start.returncode for start in starts) == [0, 1], said
    assert "Traceback" not in "".join(err for _, err in said)
    assert set(Door(root).state()["processes"].values()) == {"up"}
    assert sum("simulator.daemon" in each for each in processes_of(root)) == 1


def test_commands_for_a_door_that_does_not_run_say_so(root: Path) -> None:
    for argv in (["press", "face"], ["state"], ["down"], ["cut"], ["keys", "1"], ["kill", "eye"]):
        assert "no simulated door is running" in one_sentence(doorsim(root, *argv))


@pytest.mark.parametrize("moment", ["daemon.log", "control.sock", "keeper.log", "camera.meter"])
def test_ctrl_c_during_the_start_leaves_nothing_running_and_the_door_can_be_started(root: Path, moment: str) -> None:
    """`moment`: the file whose appearance says how far the start has come."""
    board = root / "run" / "doorward" / "board"
    start = subprocess.Popen(
        [COMMANDS / "doorsim", "up", "--root", str(root)], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    )
    ends = time.monotonic() + PATIENCE_S
    while not (board / moment).exists() and start.poll() is None:
        assert time.monotonic() < ends
    start.send_signal(signal.SIGINT)
    was_ready = all_up(root)
    _, err = start.communicate(timeout=2 * PATIENCE_S)
    assert "Traceback" not in err
    # It may have been ready before the key was pressed, and doorsim about to end, or to say so.
    if start.returncode == 0 or (was_ready and Door(root).running()):
        assert all_up(root)
        Door(root).down()
    assert nothing_runs(root)
    assert doorsim(root, "up").returncode == 0
    assert set(Door(root).state()["processes"].values()) == {"up"}


def test_ctrl_c_during_an_enrolment_stores_nothing_and_says_so(door: Home) -> None:
    with door.enrolling(SLOT, PIN, *resident_pictures()) as doorctl:
        doorctl.kill(signal.SIGINT)
        said = doorctl.said()
    if said.code == 0:  # the last frame came before the key was pressed
        assert len(door.records(Room.VAULT)) == 1
        return
    assert (said.code, said.facts["reason"]) == (
        130,
        "Stopped; nothing is stored of an enrolment that was not finished.",
    )
    assert door.records(Room.VAULT) == []
    door.until(lambda now: not now["indicator"] and not now["camera_open"], "lamp dark and camera closed")
    assert door.looks(another_picture()) == USE_PIN_OR_CARD


def test_ctrl_c_while_waiting_for_the_pin_uses_no_grant_up(door: Home) -> None:
    with door.beside("doorctl", "enrol", "--consent", "--wait", "60", "--json") as doorctl:
        door.until(lambda _: "At the keypad" in doorctl.told, "doorctl asking for the PIN")
        doorctl.kill(signal.SIGINT)
        assert doorctl.said().code == 130
    assert door.types(f"01#{SLOT}#{PIN}#") == NOTED
    with door.beside("doorctl", "enrol", "--consent", "--wait", "0", "--json") as doorctl:
        door.door.show(folder_of(door.root / "resident", resident_pictures()), fps=EACH_A_SAMPLE)
        door.until(lambda _: "Now press" in doorctl.told, "doorctl asking for the press")
        door.press_until(lambda: doorctl.ended or CONFIRM in doorctl.told, "the question for the PIN")
        door.until(lambda now: not now["indicator"], "the door dark")
        assert door.types(f"01#{SLOT}#{PIN}#") == NOTED
        door.until(lambda _: doorctl.ended, "the end of the enrolment")
        assert doorctl.said().facts["result"] == "done"


def test_door_without_its_keys_says_which_room_misses_what() -> None:
    with door_up(started=False) as home:
        home.up()
        home.down()
        for key in home.paths.config.parent.rglob("*.key"):
            key.write_bytes(key.read_bytes()[:16])
        said = home.doorsim("up")
        assert said.code == 1
        assert "must be exactly 32 bytes; this one has 16" in said.facts["refused"]
        assert nothing_runs(home.root)
