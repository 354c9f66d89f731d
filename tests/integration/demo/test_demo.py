"""`make demo` keeps what it promises, and says what is missing where it cannot."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

import tools.broker
from tests.support.room_process import CHECKOUT
from tools.demo import __main__ as demo
from tools.demo.__main__ import EXPECTED

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
