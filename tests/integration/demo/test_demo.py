"""`make demo` keeps what it promises, and says what is missing where it cannot."""

import json
import os
import signal
import subprocess
import sys
from contextlib import suppress
from pathlib import Path

import pytest

import tools.broker
from tests.support.room_process import CHECKOUT
from tools.demo import __main__ as demo
from tools.demo.__main__ import EXPECTED
from tools.simulator.client import Door, SimulatorRefused

PROMISED = {
    "opened_by_card",
    "cloned_card_refused",
    "guest_code_once",
    "opened_by_face",
    "stranger_refused",
    "print_refused",
    "screen_refused",
    "injected_video_refused",
    "opened_by_pin",
    "wrong_pin_refused",
    "erased_face_refused",
    "camera_closed_when_idle",
    "opened_after_rekey",
    "receipt_holds",
}


@pytest.mark.skipif(not Path(tools.broker.PROGRAM).exists(), reason=tools.broker.INSTALL)
def test_demo_tells_the_whole_story_and_all_of_it_comes_true() -> None:
    done = subprocess.run(
        [sys.executable, "-m", "tools.demo"],
        cwd=CHECKOUT,
        env=os.environ | {"PYTHONPATH": str(CHECKOUT)},
        capture_output=True,
        text=True,
        timeout=240,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    told = json.loads(done.stdout.splitlines()[-1])
    assert set(EXPECTED) >= PROMISED
    assert {name: told[name] for name in EXPECTED} == dict.fromkeys(EXPECTED, True)
    assert set(told["processes"].values()) == {"up"}
    assert len(told["processes"]) == 6
    assert told["broker_messages"] > 1
    assert told["report_sizes"] == [384]
    assert 0 < told["frame_to_decision_ms"] < told["press_to_open_ms"] < 11_000
    assert told["pin_left_device"] is False
    assert demo.PIN not in done.stdout.splitlines()[-1]
    assert "Traceback" not in done.stdout + done.stderr
    # Every command that was run is shown, and what left the device is printed byte by byte.
    assert "$ doorctl enrol" in done.stdout
    assert "doorward/" in done.stdout


@pytest.mark.skipif(not Path(tools.broker.PROGRAM).exists(), reason=tools.broker.INSTALL)
@pytest.mark.parametrize("ending", ["SIGTERM", "SIGHUP", "nobody reads on"])
def test_demo_that_is_ended_in_the_middle_leaves_no_door_behind(ending: str) -> None:
    told = subprocess.Popen(
        [sys.executable, "-m", "tools.demo"],
        cwd=CHECKOUT,
        env=os.environ | {"PYTHONPATH": str(CHECKOUT)},
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    assert told.stdout is not None
    assert told.stderr is not None
    joins = next(line for line in told.stdout if "$ doorctl join" in line)
    label = next(Path(word) for word in joins.split() if word.endswith("front.label"))
    door = Door(label.parent / "door")
    try:
        pids = list(door.state()["pids"].values())
        assert all(pids)
        if ending.startswith("SIG"):
            told.send_signal(getattr(signal, ending))
            told.stdout.read()
        told.stdout.close()
        said = told.stderr.read()
        assert told.wait(60) == (130 if ending.startswith("SIG") else 1), said
        assert "Traceback" not in said
        assert not door.running()
        assert not any(Path(f"/proc/{pid}").exists() for pid in pids)
        assert not label.parent.exists()
    finally:
        told.kill()
        told.wait()
        told.stderr.close()
        with suppress(SimulatorRefused):
            door.cut()


def test_demo_without_a_broker_says_what_to_install(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(tools.broker, "PROGRAM", "/nowhere/mosquitto")
    assert demo.main() == 1
    out, err = capsys.readouterr()
    assert err.count("\n") == 1
    assert "apt-get install -y mosquitto" in err
    assert "Traceback" not in out + err


def test_demo_whose_story_does_not_come_true_says_so_by_its_exit_code(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """The fault seeded: everything as promised, but the stranger got in."""
    if not Path(tools.broker.PROGRAM).exists():
        pytest.skip(tools.broker.INSTALL)
    seen = dict.fromkeys(EXPECTED, True) | {"stranger_refused": False, "pin_left_device": False}
    monkeypatch.setattr(demo, "story", lambda _stage: seen)
    assert demo.main() == 1
    assert json.loads(capsys.readouterr().out.splitlines()[-1]) == seen
    monkeypatch.setattr(demo, "story", lambda _stage: seen | {"stranger_refused": True})
    assert demo.main() == 0
