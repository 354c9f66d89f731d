"""The helper for the moment after lock: it locks whatever the board is, opens nothing, and says how it went."""

from __future__ import annotations

import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import pytest
from click.testing import CliRunner
from gpiozero.pins.mock import MockFactory

from device.desk.upkeep import cli as upkeep
from device.lock import board_gpiozero, gpiod_lines, secure
from device.lock.bolt import Wiring
from device.paths import Paths
from tests.contract.board.bench import Cable
from tests.contract.board.fake_gpiod import FakeChips
from tests.contract.bolt.test_bolt import OneStepPin
from tests.support.room_process import CHECKOUT, short_root
from tools.simulator.world import World

DOOR = '[door]\nid = "00112233445566ff"\n[lock]\n'


@pytest.fixture
def root(monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    with short_root() as folder:
        monkeypatch.setenv("DOORWARD_ROOT", str(folder))
        Paths(folder).config.parent.mkdir(parents=True)
        Paths(folder).board.mkdir(parents=True)
        yield folder


def configured(root: Path, lock_table: str) -> None:
    Paths(root).config.write_text(DOOR + lock_table, encoding="utf-8")


def helper() -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "device.lock.secure"],
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
        cwd=CHECKOUT,
    )


def one_sentence(text: str) -> bool:
    return len(text.strip().splitlines()) == 1 and "Traceback" not in text


def answered(cable: Cable) -> subprocess.CompletedProcess[str]:
    answering = threading.Thread(target=cable._answer)
    answering.start()
    try:
        return helper()
    finally:
        answering.join()


def said_on(cable: Cable) -> list[str]:
    """Everything the helper said before it went; that it left something unread is told first, once."""
    assert cable.owner
    words = []
    with suppress(ConnectionResetError):
        words.append(cable.owner.recv(64).decode())
    while word := cable.owner.recv(64):
        words.append(word.decode())
    return words


# ---- the simulated board, in a process of its own


@pytest.mark.parametrize("wiring", Wiring)
def test_it_locks_the_simulated_board_any_number_of_times(root: Path, wiring: Wiring) -> None:
    configured(root, f'board = "sim"\nwiring = "{wiring}"\n')
    # Current through the coil as a dead lock left it: released where the wiring is fail-secure.
    cable = Cable(Paths(root).board / "cable.sock", World(wiring, coil=wiring is Wiring.FAIL_SECURE))
    for _ in range(2):
        ended = answered(cable)
        assert (ended.returncode, ended.stdout, ended.stderr) == (0, f"{secure.SECURED}\n", "")
        words = said_on(cable)
        for word in words:
            cable.world.told(word, 0)
            assert not cable.world.released
        assert words
        assert all(word.startswith("coil") for word in words), "no lamp, no tone, nothing else"
        assert cable.owner
        cable.owner.close()
        cable.owner = None
    assert cable.world.releases == 0
    cable.close()


def test_it_leaves_a_line_that_lock_owns_to_lock(root: Path) -> None:
    configured(root, 'board = "sim"\n')
    cable = Cable(Paths(root).board / "cable.sock")
    lock = cable.claim()
    lock.bolt.release(60_000)
    ended = answered(cable)
    assert ended.returncode == 1
    assert "has an owner already" in ended.stderr
    assert one_sentence(ended.stderr)
    assert cable.released(), "what lock granted stands"
    lock.close()
    cable.close()


@pytest.mark.parametrize(
    ("table", "why"),
    [
        ('board = "sim"\n', "is not there"),
        ("unlock_ms = 1\n", "unlock_ms must be"),
        ('board = "gpiod"\n', "no GPIO chip has a line of that name"),
        ("", "bolt's driver cannot be started"),  # gpiozero, where there is no lgpio
    ],
)
def test_what_cannot_be_done_is_one_sentence_and_exit_code_1(root: Path, table: str, why: str) -> None:
    if not table and _has_lgpio():
        pytest.skip("this machine has lgpio")
    configured(root, table)
    ended = helper()
    assert ended.returncode == 1
    assert why in ended.stderr
    assert one_sentence(ended.stderr)
    assert ended.stdout == ""


def _has_lgpio() -> bool:
    try:
        __import__("lgpio")
    except ImportError:
        return False
    return True


@pytest.mark.usefixtures("root")
def test_without_a_configuration_it_says_so() -> None:
    ended = helper()
    assert ended.returncode == 1
    assert "there is no configuration" in ended.stderr


# ---- real lines, over stand-ins


@pytest.mark.parametrize("wiring", Wiring)
@pytest.mark.parametrize("active_high", [True, False])
@pytest.mark.parametrize("board", ["gpiod", "gpiozero"])
def test_it_locks_a_real_line_and_leaves_it_locked(
    root: Path, wiring: Wiring, active_high: bool, board: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    configured(root, f'board = "{board}"\nwiring = "{wiring}"\nbolt_active_high = {str(active_high).lower()}\n')
    chips, factory = FakeChips(), MockFactory(pin_class=OneStepPin)
    monkeypatch.setattr(gpiod_lines, "kernel_chips", lambda: chips.port)
    monkeypatch.setattr(board_gpiozero, "lgpio_factory", lambda **_chip: factory)
    assert secure.run() == 0
    levels = chips.pad("GPIO17").driven if board == "gpiod" else factory.pin("GPIO17").levels
    assert set(levels) == {(wiring is Wiring.FAIL_SAFE) == active_high}, "locked from the first moment to the last"
    others = [pad for pad in chips.at["/dev/gpiochip0"].pads if pad.name != "GPIO17"]
    assert not any(pad.driven for pad in others)


@pytest.mark.parametrize("board", ["gpiod", "gpiozero"])
def test_a_board_that_has_no_id_yet_is_locked_all_the_same(
    root: Path, board: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """While a door is being set up lock may die under a trial, and there is no id before it has joined."""
    Paths(root).config.write_text(f'[lock]\nboard = "{board}"\n', encoding="utf-8")
    chips, factory = FakeChips(), MockFactory(pin_class=OneStepPin)
    asked: list[int] = []

    def header(chip: int) -> MockFactory:
        asked.append(chip)
        return factory

    monkeypatch.setattr(gpiod_lines, "kernel_chips", lambda: chips.port)
    monkeypatch.setattr(board_gpiozero, "lgpio_factory", header)
    assert secure.run() == 0
    assert asked == ([] if board == "gpiod" else [0]), "the header of a Raspberry Pi is its first chip"
    levels = chips.pad("GPIO17").driven if board == "gpiod" else factory.pin("GPIO17").levels
    assert set(levels) == {False}


# ---- doorctl


def test_doorctl_says_the_same_and_needs_no_desk(root: Path) -> None:
    configured(root, 'board = "sim"\n')
    cable = Cable(Paths(root).board / "cable.sock")
    answering = threading.Thread(target=cable._answer)
    answering.start()
    said = CliRunner().invoke(upkeep.secure_bolt, [])
    answering.join()
    assert (said.exit_code, said.stdout, said.stderr) == (0, f"{secure.SECURED}\n", "")
    cable.close()
    said = CliRunner().invoke(upkeep.secure_bolt, ["--json"])
    assert said.exit_code == 1
    assert '"ok": false' in said.stdout
    assert "doorsim up starts it" in said.stdout


def test_doorctl_says_why_not_in_a_whole_sentence(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("DOORWARD_ROOT", str(tmp_path))
    said = CliRunner().invoke(upkeep.secure_bolt, [])
    assert (said.exit_code, said.stdout) == (1, "")
    assert said.stderr.startswith("There is no configuration at ")
    assert said.stderr.endswith("; `doorctl setup` makes one.\n")


def test_doorctl_waits_for_no_driver_that_hangs(monkeypatch: pytest.MonkeyPatch, root: Path) -> None:
    configured(root, 'board = "sim"\n')
    cable = Cable(Paths(root).board / "cable.sock")  # takes the connection and never answers
    monkeypatch.setattr(upkeep, "SECURE_S", 1.0)
    said = CliRunner().invoke(upkeep.secure_bolt, [])
    assert said.exit_code == 1
    assert "did not answer within 1 seconds" in said.stderr
    cable.close()
