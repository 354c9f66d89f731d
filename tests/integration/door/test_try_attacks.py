"""`doorctl try-attacks` at a whole door: before anybody is enrolled, one try an approach, and nothing opens.

What the door takes a rendered face for is not asserted here: `tools.attack_lab` counts that.
"""

from __future__ import annotations

import json
import signal
import subprocess
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest

from device import tried
from tests.support.door import PATIENCE_S, USE_PIN_OR_CARD, Home, another_picture, door_up
from tools.simulator.held_up import As

READY = "Enter when you are ready"


@pytest.fixture(scope="module")
def new_door() -> Iterator[Home]:
    """A door with lights at which nobody lives yet, and somebody who stands before it."""
    with door_up(lights=True, window_s=4) as home:
        home.all_up()
        home.door.show(another_picture(), held_up=As.LIVE)
        yield home


@dataclass
class Trying:
    """A `doorctl try-attacks` that somebody sits at."""

    home: Home
    process: subprocess.Popen[bytes]
    out: Path
    err: Path

    def told(self) -> str:
        return self.err.read_text(errors="replace")

    def until(self, shown: Callable[[str], bool], what: str) -> None:
        ends = time.monotonic() + PATIENCE_S
        while not shown(self.told()):
            assert time.monotonic() < ends, f"{what}: {self.told()} {self.home.told()}"
            assert self.process.poll() is None, f"{what}: it ended: {self.told()} {self.out.read_text()}"
            time.sleep(0.02)

    def ready(self, step: int) -> None:
        """Press Enter at this step, with the window before it over."""
        self.until(lambda told: told.count(READY) == step, f"step {step}")
        self.home.until(lambda now: not now["indicator"], "the lamp is out")
        assert self.process.stdin is not None
        self.process.stdin.write(b"\n")
        self.process.stdin.flush()

    def press_until(self, words: str) -> None:
        self.home.press_until(lambda: words in self.told(), words)

    def ended(self) -> int:
        return self.process.wait(PATIENCE_S)


@contextmanager
def trying(home: Home, *args: str) -> Iterator[Trying]:
    name = f"try-{time.monotonic_ns()}"
    out, err = home.root / f"{name}.out", home.root / f"{name}.err"
    with out.open("wb") as to_out, err.open("wb") as to_err:
        process = subprocess.Popen(
            home.command("doorctl", "try-attacks", "--json", *args),
            env=home.environ(),
            cwd=home.code,
            stdin=subprocess.PIPE,
            stdout=to_out,
            stderr=to_err,
        )
    try:
        yield Trying(home, process, out, err)
    finally:
        process.kill()
        process.wait()
        if process.stdin:
            process.stdin.close()


def written(home: Home) -> bytes | None:
    file = home.paths.config.with_name(tried.FILE)
    return file.read_bytes() if file.exists() else None


def test_one_try_an_approach_is_counted_and_written_down_and_nothing_opens(new_door: Home) -> None:
    assert not new_door.door.state()["indicator"]
    with trying(new_door, "--tries", "1") as at:
        for step, instrument in enumerate(("live", "print", "screen"), 1):
            at.ready(step)
            at.press_until(f"{instrument} 1 of 1")
        code = at.ended()
        told = json.loads(at.out.read_text())
    assert [told[each]["tries"] for each in ("live", "print", "screen")] == [1, 1, 1]
    assert told["simulated"] is True
    assert code == int(any(told[each]["as_live"] for each in ("print", "screen"))), (
        "an attack that passed is no success"
    )
    assert written(new_door) is not None
    assert new_door.door.state()["releases"] == 0


def test_ctrl_c_ends_it_for_the_door_as_well_and_leaves_what_stood(new_door: Home) -> None:
    before, ends = written(new_door), new_door.logs().count("tried out no more")
    with trying(new_door) as at:
        at.ready(1)
        at.press_until("live 1 of")
        at.process.send_signal(signal.SIGINT)
        assert at.ended() == 130
    assert written(new_door) == before
    new_door.until(lambda _: new_door.logs().count("tried out no more") == ends + 1, "vault ends it")
    # Nobody is enrolled: where nothing is tried out a press opens no window, and not a frame is read.
    new_door.until(lambda now: not now["indicator"], "the lamp is out")
    frames = new_door.door.state()["frames_read"]
    assert new_door.does(lambda: new_door.door.press("face")) == USE_PIN_OR_CARD
    assert new_door.door.state()["frames_read"] == frames
