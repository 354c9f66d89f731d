"""A simulated door with one resident (PIN, card and face), for the sections that need all six processes.

Rules kept here:
- It is set up by the commands a person would type; nothing is put into its files from outside.
- The broker is Debian's mosquitto if it is there, because an idle report with a connection is what a door has;
  without it the door tells nobody anything, and the section says so.
- The card's file is in memory where there is a folder for that: a simulated card has its own time, and no disk's.
- Door, broker and folders are gone afterwards, whatever happens (`tools.benchmark.guard`).
"""

from __future__ import annotations

import ctypes
import json
import os
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from device.errors import BrokerFault
from tools.benchmark.figures import NotMeasured
from tools.benchmark.guard import BROKER_PID, guarded
from tools.broker import Mosquitto
from tools.portraits import portrait
from tools.samples import SampleMissingError
from tools.simulator.client import Door
from tools.simulator.layout import Wishes

COMMANDS = Path(sys.executable).parent
PIN = "482913"
SLOT = "12"
CARD_KIND = "ntag424"
UNLOCK_MS = 500
EACH_A_SAMPLE_FPS = 2.4  # eye takes a sample every 400 ms: so both pictures count
CROWD_FPS = 60.0  # the most the replay camera gives: eye is asked for more than it can do on slower machines
_PR_SET_PDEATHSIG = 1
_IN_MEMORY = Path("/dev/shm")  # noqa: S108 - a folder of our own is made in it


@dataclass(frozen=True, slots=True)
class House:
    """A running door, its resident's keys, card and pictures, and strangers who keep eye at work."""

    door: Door
    broker: str
    strangers: Path
    resident: Path
    drawer: Path

    @property
    def open_keys(self) -> str:
        """What opens the door, but for the last key."""
        return f"{SLOT}#{PIN}"

    @property
    def card(self) -> Path:
        """The resident's card, once `add_card` was called."""
        return self.drawer / "resident.card"

    def entry(self, keys: str) -> None:
        """Type `keys`, which keeper takes note of. Raises NotMeasured."""
        heard = len(self.door.state()["signals"])
        self.door.keys(keys)
        self.wait("keeper took what was typed", lambda now: "NOTED" in now["signals"][heard:])

    def add_card(self) -> None:
        """A blank card becomes the resident's, as it would at a door. Raises NotMeasured."""
        _Commands(self.door.root)("doorsim", "card", "new", str(self.card), "--kind", CARD_KIND)
        self.entry(f"07#{SLOT}#{PIN}#")
        heard = len(self.door.state()["signals"])
        self.door.tap(self.card)
        self.wait("the card is added", lambda now: "DONE" in now["signals"][heard:])

    def wait(self, what: str, condition: Callable[[dict[str, Any]], bool], timeout_s: float = 5.0) -> None:
        """Raises NotMeasured if `condition` does not come true in time."""
        if not self.door.wait(condition, timeout_s):
            msg = f"the simulated door did not come to this within {timeout_s:g} s: {what}"
            raise NotMeasured(msg)

    def crowd(self, fps: float = CROWD_FPS) -> None:
        """Two strangers take turns before the camera: never one person long enough for a Probe, so eye goes on looking.

        Each frame passes through both networks; an approach that finds somebody else in the next frame begins anew.
        """
        self.door.show(self.strangers, fps)

    def open_window(self, frames: int) -> None:
        """Press the face button and return once `frames` frames were read. Raises NotMeasured."""
        before = int(self.door.state()["frames_read"])
        self.door.press("face")
        self.wait("eye reads frames", lambda now: now["indicator"] and now["frames_read"] >= before + frames)

    def settle(self) -> None:
        """Somebody walks through the open door, so that it locks at once; back to nobody there. Raises NotMeasured."""
        self.door.move_door(is_open=True)
        self.door.move_door(is_open=False)
        self.wait(
            "the door is locked and the camera closed", lambda now: not now["granted"] and not now["camera_open"], 12.0
        )


@contextmanager
def house() -> Iterator[House]:
    """Raises NotMeasured, or the simulator's own refusals."""
    with ExitStack() as stack:
        folder, drawer = Path(tempfile.mkdtemp(prefix="dw-")), card_drawer()
        door = stack.enter_context(guarded(folder, drawer))
        broker = _broker(folder, stack)
        strangers = folder / "strangers"
        strangers.mkdir()
        try:
            for name in ("biden.jpg", "astronaut.png"):
                (strangers / portrait(name).name).write_bytes(portrait(name).read_bytes())
            resident = folder / "resident"  # two pictures: one again and again enrols nobody
            resident.mkdir()
            for name in ("obama.jpg", "obama2.jpg"):
                (resident / portrait(name).name).write_bytes(portrait(name).read_bytes())
        except SampleMissingError as cause:
            raise NotMeasured(str(cause)) from cause
        one = House(door, broker, strangers, resident, drawer)
        _move_in(one, folder)
        _enrol(one, resident)
        one.add_card()
        door.show(None)
        yield one


def card_drawer() -> Path:
    """A new folder for cards, in memory if it can be."""
    return Path(tempfile.mkdtemp(prefix="dw-", dir=_IN_MEMORY if os.access(_IN_MEMORY, os.W_OK) else None))


def _broker(folder: Path, stack: ExitStack) -> str:
    broker = Mosquitto(folder / "broker")
    stack.callback(broker.stop)
    try:
        broker.start()
    except BrokerFault:
        return ""
    if broker.process:
        (folder / BROKER_PID).write_text(str(broker.process.pid), encoding="ascii")
    return broker.url


def _move_in(one: House, folder: Path) -> None:
    run = _Commands(one.door.root, folder / "fleet")
    run("doorward", "fleet", "init")
    added = run("doorward", "door", "add", "front")
    wishes = Wishes(added["id"], one.broker, unlock_ms=UNLOCK_MS, manager_key=added["manager_key"])
    one.door.up(wishes)
    identity = str(folder / "front.identity")
    run("doorctl", "export-identity", "--out", identity)
    run("doorward", "door", "identify", "front", identity)
    document = str(folder / "slot.doc")
    offer = run("doorward", "slot", "offer", "--door", "front", "--slot", SLOT, "--out", document)
    run("doorctl", "apply", document)
    one.entry(f"00#{SLOT}#{offer['invitation']}#{PIN}#{PIN}#")


def _enrol(one: House, resident: Path) -> None:
    run = _Commands(one.door.root)
    one.door.show(resident, EACH_A_SAMPLE_FPS)
    one.entry(f"01#{SLOT}#{PIN}#")
    waiting = run.start("doorctl", "enrol", "--consent", "--wait", "10")
    try:
        ends = time.monotonic() + 30.0
        while waiting.poll() is None:
            if time.monotonic() > ends:
                msg = "the resident's face could not be enrolled in time"
                raise NotMeasured(msg)
            # doorctl gives no sign that it has asked: press until the window opens.
            if not one.door.state()["indicator"]:
                one.door.press("face")
            if one.door.wait(lambda now: now["indicator"], 0.3):
                one.wait("the enrolment window is over", lambda now: not now["indicator"], 12.0)
                one.entry(f"01#{SLOT}#{PIN}#")  # it was the resident who looked: the face is kept
                waiting.wait(10.0)
    finally:
        waiting.kill()
        waiting.wait()
    if waiting.returncode:
        msg = "the resident's face was not enrolled"
        raise NotMeasured(msg)
    one.wait("the camera is closed", lambda now: not now["camera_open"], 12.0)


@dataclass(frozen=True, slots=True)
class _Commands:
    """The project's commands, for one door and one fleet."""

    root: Path
    fleet: Path | None = None

    def __call__(self, *words: str) -> dict[str, Any]:
        """What the command answered. Raises NotMeasured if it was refused."""
        done = subprocess.run(
            [COMMANDS / words[0], *words[1:], "--json"],
            env=self._environment(),
            capture_output=True,
            text=True,
            check=False,
        )
        if done.returncode:
            said = (done.stdout.strip() or done.stderr.strip() or "nothing").splitlines()[-1]
            msg = f"{' '.join(words[:3])} answered: {said}"
            raise NotMeasured(msg)
        answer: dict[str, Any] = json.loads(done.stdout.strip().splitlines()[-1])
        return answer

    def start(self, *words: str) -> subprocess.Popen[bytes]:
        """A command that waits for a person. It ends when this process does."""
        return subprocess.Popen(
            [COMMANDS / words[0], *words[1:], "--json"],
            env=self._environment(),
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            preexec_fn=die_with_parent,  # noqa: PLW1509 - this program has one thread
        )

    def _environment(self) -> dict[str, str]:
        return {
            "PATH": os.environ.get("PATH", "/usr/bin:/bin"),
            "LANG": "C.UTF-8",
            "DOORWARD_ROOT": str(self.root),
            "DOORWARD_FLEET": str(self.fleet or ""),
            "DOORWARD_PASSPHRASE": "only for this benchmark",
        }


def die_with_parent() -> None:
    """In a child, before it executes: be killed when this process is gone (PR_SET_PDEATHSIG)."""
    ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGKILL, 0, 0, 0)
