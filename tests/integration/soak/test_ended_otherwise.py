"""A soak that cannot begin says why in one sentence; one that is killed, or told to end, leaves nothing behind."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from click.testing import CliRunner

from tests.support.room_process import CHECKOUT, short_root
from tools.benchmark.guard import BROKER_PID
from tools.broker import INSTALL, PROGRAM
from tools.soak import __main__ as soak
from tools.soak import broker

PATIENCE_S = 120.0
LIVES = "residents live here"
needs_a_broker = pytest.mark.skipif(not Path(PROGRAM).exists(), reason=INSTALL)


def refused(*words: str) -> str:
    """What `python -m tools.soak` says that cannot begin: one line."""
    done = CliRunner().invoke(soak.main, words)
    assert done.exit_code == 1
    assert done.output.startswith("Error: ")
    assert done.output.count("\n") == 1
    return done.output


def test_without_mosquitto_it_says_what_to_install_and_leaves_no_log(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(broker, "PROGRAM", str(tmp_path / "mosquitto"))
    log = tmp_path / "soak.txt"
    assert INSTALL in refused("--log", str(log))
    assert not log.exists()


def test_a_log_that_cannot_be_written_is_said_before_anything_begins(tmp_path: Path) -> None:
    there = tmp_path / "soak.txt"
    there.write_text("an hour's work")
    assert "there already" in refused("--log", str(there))
    assert there.read_text() == "an hour's work"
    assert "No such file or directory" in refused("--log", str(tmp_path / "gone" / "soak.txt"))


@needs_a_broker
def test_a_disk_without_room_is_said_in_one_sentence(monkeypatch: pytest.MonkeyPatch) -> None:
    if os.geteuid() != 0:
        pytest.skip("only root can mount a small file system")
    with short_root() as folder, small(folder):
        monkeypatch.setattr("tempfile.tempdir", str(folder))
        assert refused().startswith("Error: the soak could not begin: ")
        assert not list(folder.iterdir())


@contextmanager
def small(folder: Path) -> Iterator[None]:
    mounted = subprocess.run(["mount", "-t", "tmpfs", "-o", "size=64k", "doorward-test", str(folder)], check=False)
    if mounted.returncode:
        pytest.skip("no file system can be mounted here")
    try:
        yield
    finally:
        subprocess.run(["umount", str(folder)], check=True)


@contextmanager
def soaking(folder: Path, *words: str) -> Iterator[subprocess.Popen[str]]:
    """A soak below `folder`, in a session of its own, as soon as people live there."""
    with subprocess.Popen(
        [sys.executable, "-m", "tools.soak", "--approaches", "5000", *words],
        cwd=CHECKOUT,
        env={"PATH": "/usr/bin:/bin", "LANG": "C.UTF-8", "PYTHONPATH": str(CHECKOUT), "TMPDIR": str(folder)},
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
    ) as process:
        try:
            assert process.stderr is not None
            assert any(LIVES in line for line in process.stderr), "it ended before anybody lived there"
            yield process
        finally:
            process.kill()


def left_over(folder: Path) -> list[str]:
    """The processes that name `folder`, by their command or their root."""
    found = []
    for each in Path("/proc").glob("[0-9]*"):
        try:
            told = (each / "cmdline").read_bytes() + (each / "environ").read_bytes()
        except OSError:
            continue
        if os.fsencode(folder) in told and int(each.name) != os.getpid():
            found.append(f"{each.name} {told[:80].decode('utf-8', 'replace')}")
    return found


def nothing_is_left(folder: Path) -> bool:
    ends = time.monotonic() + PATIENCE_S
    while left_over(folder) or any(folder.iterdir()):
        if time.monotonic() > ends:
            return False
        time.sleep(0.1)
    return True


@needs_a_broker
def test_a_killed_soak_leaves_no_door_and_no_broker_behind() -> None:
    with short_root() as folder:
        folder.chmod(0o755)  # Mosquitto becomes another user
        with soaking(folder) as process:
            assert left_over(folder)
            process.send_signal(signal.SIGKILL)
            process.wait(PATIENCE_S)
            assert nothing_is_left(folder), (left_over(folder), list(folder.iterdir()))


@needs_a_broker
def test_ctrl_c_at_the_terminal_ends_the_day_early_and_whole() -> None:
    """It reaches everybody of the terminal's group at once: the broker must not be one of them."""
    with short_root() as folder:
        folder.chmod(0o755)
        with soaking(folder) as process:
            (number,) = folder.glob(f"*/{BROKER_PID}")
            assert os.getpgid(int(number.read_text())) != os.getpgid(process.pid)
            os.killpg(process.pid, signal.SIGINT)
            said, _ = process.communicate(timeout=PATIENCE_S)
        assert process.returncode == 0, said
        assert ", ENDED EARLY: " in said
        assert "of which unexplained 0" in said
        assert nothing_is_left(folder)
