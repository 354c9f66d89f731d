"""The commands of docs/quick-start.md, as they stand there."""

from __future__ import annotations

import os
import re
import shlex
import signal
import subprocess
import sys
import time
from contextlib import suppress
from pathlib import Path

import httpx
import pytest

import tools.broker
from tests.support.door import COMMANDS
from tests.support.room_process import CHECKOUT
from tools.simulator.client import Door, SimulatorRefused

PAGE = (CHECKOUT / "docs" / "quick-start.md").read_text(encoding="utf-8")
BY_HAND = "\n".join(re.findall(r"```sh\n(.*?)```", PAGE, re.DOTALL))
WITH_MAKE = re.findall(r"```console\n(.*?)```", PAGE, re.DOTALL)
ENVIRON = {
    "HOME": os.environ.get("HOME", "/tmp"),
    "PATH": f"{COMMANDS}:{os.environ['PATH']}",
    "PYTHONPATH": str(CHECKOUT),
    "LANG": "C.UTF-8",
}


def test_the_door_by_hand_opens_once() -> None:
    """All blocks in one shell, as somebody pastes them; the only answer typed is that the fingerprints are the same."""
    short = Path(f"/tmp/dwq-{os.getpid()}")
    short.mkdir(mode=0o700)
    try:
        done = subprocess.run(
            ["sh", "-eu", "-c", BY_HAND],
            cwd=CHECKOUT,
            env=ENVIRON | {"TMPDIR": str(short)},
            input="y\n",
            capture_output=True,
            text=True,
            timeout=240,
            check=False,
        )
        assert done.returncode == 0, done.stdout + done.stderr
        assert '"releases": 1' in done.stdout
    finally:
        for root in short.glob("*/door"):
            with suppress(SimulatorRefused):  # it was stopped by the page's own last command
                Door(root).cut()
        subprocess.run(["rm", "-rf", str(short)], check=True)


def test_what_make_runs_opens_the_showroom_and_ctrl_c_takes_it_away() -> None:
    if not Path(tools.broker.PROGRAM).exists():
        pytest.skip(tools.broker.INSTALL)
    assert any(line.strip() == "DEMO=show make demo" for block in WITH_MAKE for line in block.splitlines())
    planned = subprocess.run(
        ["make", "--no-print-directory", "-n", "demo"], cwd=CHECKOUT, capture_output=True, text=True, check=True
    )
    set_up, command = planned.stdout.strip().splitlines()
    assert "tools/setup.sh" in set_up
    program, *words = shlex.split(command)
    assert program.endswith("python")
    running = subprocess.Popen(
        [sys.executable, *words],
        cwd=CHECKOUT,
        env=ENVIRON | {"DEMO": "show"},
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )
    assert running.stdout is not None
    said: list[str] = []
    try:
        for line in running.stdout:
            said.append(line)
            if found := re.search(r"The showroom is open: (\S+)", line):
                break
        else:
            pytest.fail("".join(said))
        assert "SIMULATED" in httpx.get(found[1]).text
    finally:
        running.send_signal(signal.SIGINT)
        rest, _ = running.communicate(timeout=60)
    assert running.returncode == 0, "".join(said) + rest
    assert "Traceback" not in "".join(said) + rest
    assert "are gone" in rest
    folder = re.search(r"--key (\S+)/alarm\.key", "".join(said))
    assert folder is not None
    end = time.monotonic() + 10
    while Path(folder[1]).exists() and time.monotonic() < end:
        time.sleep(0.05)
    assert not Path(folder[1]).exists()
