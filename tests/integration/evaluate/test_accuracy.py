"""The report by its real command, with the real networks, on the sample portraits; ended in the middle, and gone on."""

from __future__ import annotations

import json
import os
import signal
import sqlite3
import subprocess
import sys
import time
from contextlib import suppress
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from tools.evaluate.accuracy.cache import FILE
from tools.evaluate.accuracy.look import RECORD
from tools.samples import sample

ROOT = Path(__file__).resolve().parents[3]
PEOPLE = {"anna": "astronaut.png", "bo": "biden.jpg", "cy": "obama.jpg"}
EACH = 8
SIDE_PX = 400


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Three people, eight pictures each: the same portrait, each time a little nearer. And what is no picture."""
    root = tmp_path_factory.mktemp("people")
    for person, name in PEOPLE.items():
        (root / person).mkdir()
        with Image.open(sample(name)) as opened:
            whole = opened.convert("RGB")
            for number in range(EACH):
                rim = [round(side * 0.01 * number) for side in whole.size]
                cut = whole.crop((rim[0], rim[1], whole.width - rim[0], whole.height - rim[1]))
                cut.thumbnail((SIDE_PX, SIDE_PX))
                cut.save(root / person / f"{number}.jpg")
    (root / "bo" / "torn.jpg").write_bytes((root / "bo" / "0.jpg").read_bytes()[:900])
    (root / "bo" / "letter.png").write_text("no picture")
    return root


def command(folder: Path, place: Path, *more: str) -> list[str]:
    where = ["--cache", str(place / "cache"), "--out", str(place / "out")]
    return [sys.executable, "-m", "tools.evaluate", "--faces", str(folder), "--workers", "1", *where, *more]


def run(folder: Path, place: Path, *more: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        command(folder, place, *more), cwd=ROOT, capture_output=True, text=True, timeout=250, check=False
    )


def rows(place: Path) -> dict[bytes, bytes]:
    try:
        with sqlite3.connect(place / "cache" / FILE) as file:
            found = dict(file.execute("SELECT picture, record FROM looks").fetchall())
    except sqlite3.OperationalError:
        return {}
    file.close()
    return found


@pytest.mark.slow
def test_three_people_are_told_apart_and_what_is_no_picture_is_named(folder: Path, tmp_path: Path) -> None:
    done = run(folder, tmp_path, "--no-spoilt")
    assert done.returncode == 0, done.stderr
    told = json.loads((tmp_path / "out" / "accuracy.json").read_text())
    assert sorted(told["acquired"]["unreadable"]) == ["bo/letter.png", "bo/torn.jpg"]
    assert told["acquired"]["pictures"] == EACH * len(PEOPLE)
    assert told["acquired"]["fta"]["value"] < 0.2
    (first, *_) = told["verified"]
    assert (first["residents"], first["eer"]) == (3, 0)
    assert told["suspects"]["pairs"] == []
    assert {"tools/evaluate/accuracy/rates.py", "models/sface.tflite", "package numpy"} <= told["sources"].keys()
    assert (tmp_path / "out" / "accuracy.md").read_text() in done.stdout
    assert "Traceback" not in done.stderr


@pytest.mark.slow
@pytest.mark.parametrize("end", [signal.SIGINT, signal.SIGKILL])
def test_a_run_that_was_ended_goes_on_and_looks_at_nothing_twice(
    folder: Path, tmp_path: Path, end: signal.Signals
) -> None:
    asked = command(folder, tmp_path, "--no-spoilt")
    with subprocess.Popen(asked, cwd=ROOT, stderr=subprocess.PIPE, stdout=subprocess.DEVNULL, text=True) as first:
        # With so few pictures it would be done before it is ended. So its worker is held back, until a part is kept.
        worker = _worker_of(first.pid)
        while not rows(tmp_path) and first.poll() is None:
            _held_back(worker)
        first.send_signal(end)
        _, said = first.communicate(timeout=120)
    kept = rows(tmp_path)
    assert not _lives(worker), "no worker is left behind"
    assert first.returncode == (130 if end is signal.SIGINT else -end)
    assert ("they are kept" in said) is (end is signal.SIGINT)
    assert "Traceback" not in said
    assert 0 < len(kept) < EACH * len(PEOPLE) + 2
    marked = _mark(tmp_path, next(iter(kept)))
    done = run(folder, tmp_path, "--no-spoilt")
    assert done.returncode == 0, done.stderr
    after = rows(tmp_path)
    assert len(after) == EACH * len(PEOPLE) + 2
    assert after[next(iter(kept))] == marked, "what was kept was not looked at again"


def _mark(place: Path, picture: bytes) -> bytes:
    """Change the detector's score in one kept row, so that it can be told from one that was made anew."""
    record = np.frombuffer(rows(place)[picture], RECORD).copy()
    record["score"] = 0.123
    with sqlite3.connect(place / "cache" / FILE) as file:
        file.execute("UPDATE looks SET record = ? WHERE picture = ?", (record.tobytes(), picture))
    file.close()
    return record.tobytes()


def _worker_of(process: int) -> int:
    """The worker's number, once there is one: the child that is no resource tracker."""
    for _ in range(6000):
        for child in Path(f"/proc/{process}/task/{process}/children").read_text().split():
            if b"spawn_main" in Path(f"/proc/{child}/cmdline").read_bytes():
                return int(child)
        time.sleep(0.02)
    raise AssertionError("no worker was begun")


def _held_back(worker: int) -> None:
    """It may work for a fifth of the time: a run that takes seconds, in which kept is what was looked at so far."""
    with suppress(ProcessLookupError):
        os.kill(worker, signal.SIGSTOP)
        time.sleep(0.08)
        os.kill(worker, signal.SIGCONT)
    time.sleep(0.02)


def _lives(process: int) -> bool:
    for _ in range(500):
        try:
            os.kill(process, 0)
        except ProcessLookupError:
            return False
        time.sleep(0.02)
    return True
