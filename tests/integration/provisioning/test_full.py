"""An answer that goes to a full disk: one sentence, whichever command line it is."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.support.room_process import CHECKOUT

FULL = Path("/dev/full")
COMMANDS = {
    "doorctl": ("device.desk.cli", "receipt", "--help"),
    "doorctl, an answer": ("device.desk.cli", "status", "--json"),
    "doorward": ("provisioning.cli", "--help"),
    "doorward, an answer": ("provisioning.cli", "door", "list", "--json"),
}


@pytest.mark.skipif(not FULL.is_char_device(), reason="this machine has no /dev/full")
@pytest.mark.parametrize("command", COMMANDS)
def test_an_answer_that_does_not_fit_is_one_sentence(tmp_path: Path, command: str) -> None:
    places = {"DOORWARD_ROOT": str(tmp_path), "DOORWARD_FLEET": str(tmp_path)}
    with FULL.open("w") as full:
        done = subprocess.run(
            [sys.executable, "-m", *COMMANDS[command]],
            cwd=CHECKOUT,
            env=os.environ | places,
            stdout=full,
            stderr=subprocess.PIPE,
            text=True,
            timeout=60,
            check=False,
        )
    assert done.returncode == 1
    assert done.stderr.count("\n") == 1, done.stderr
    assert done.stderr.startswith("The answer could not be written: No space left on device.")
