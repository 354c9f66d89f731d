"""One real room is followed: what it has open in a trouble of the broker, and what memory it takes."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest
from click.testing import CliRunner

from tests.support.room_process import CHECKOUT
from tools.broker import INSTALL, PROGRAM
from tools.soak import broker, follow

needs_a_broker = pytest.mark.skipif(not Path(PROGRAM).exists(), reason=INSTALL)


def followed(*words: str) -> list[str]:
    done = subprocess.run(
        [sys.executable, "-m", "tools.soak.follow", *words],
        cwd=CHECKOUT,
        env={"PATH": "/usr/bin:/bin", "LANG": "C.UTF-8", "PYTHONPATH": str(CHECKOUT)},
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=280,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout.splitlines()


@needs_a_broker
@pytest.mark.skipif(os.geteuid() != 0, reason="only root may look into a room")
def test_a_connection_is_what_report_has_open_more_while_the_broker_is_there() -> None:
    *looks, last = followed("report", "--troubles", "3")
    found = re.fullmatch(r"after 3 troubles: (\d+) descriptors, and 1 connections", last)
    assert found
    seen = [re.fullmatch(r"\d+ looks: (\d+) descriptors, and (\d) connections to the broker", line) for line in looks]
    assert {each[2] for each in seen if each} == {"0", "1"}, "with the broker and without it"
    assert min(int(each[1]) for each in seen if each) == int(found[1]), "what is open beside it is the same as ever"


@needs_a_broker
def test_the_memory_of_lock_is_told_on_the_way() -> None:
    lines = followed("lock", "--approaches", "30")
    assert len(lines) == 1
    assert re.fullmatch(r"lock after 0 approaches: \d{4,6} kB( with shared pages)?", lines[0])


def test_without_mosquitto_it_says_what_to_install(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(broker, "PROGRAM", str(tmp_path / "mosquitto"))
    done = CliRunner().invoke(follow.main, ["report"])
    assert done.exit_code == 1
    assert done.output == f"Error: the room could not be followed: {INSTALL}\n"
