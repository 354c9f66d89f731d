"""Driving a simulated door from Python: what `doorsim`, the demo and the tests use.

Rules kept here:
- A door is named by its folder alone; several stand side by side without knowing of each other.
- A door is started once: its folder is claimed by a lock before anything in it is made, and stays claimed until the
  simulator ends, however it ends. A start that fails or is interrupted leaves nothing running.
- Every failure is a SimulatorRefused with one sentence for the person at the keyboard.
"""

from __future__ import annotations

import fcntl
import json
import os
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from device import config as door_config
from device.config.tables import Config
from device.errors import Refusal
from device.paths import Paths
from device.rooms import PROCESSES, Room
from tools.simulator import layout
from tools.simulator.held_up import As, Held, answers_to_light, rendered
from tools.simulator.layout import Wishes

START_S = 30.0
HURRIED = -10  # nice(2): before every ordinary process
PLAIN_FPS = 15.0
LIT_FPS = 30.0  # a light challenge needs 15 a second at least, and no camera gives exactly what it promises
CLAIM_S = 5.0  # a door that was just switched off is gone long before
_OFTEN_S = 0.01
_SELDOM_S = 0.04  # each look at a door costs both sides some of a processor, and eight doors may share two
_SOON_S = 0.3


class SimulatorRefused(Refusal, RuntimeError):
    """doorsim cannot do what was asked."""


def default_root() -> Path:
    """DOORWARD_ROOT, else one door per user in the temporary folder."""
    return Path(os.environ.get("DOORWARD_ROOT") or Path(tempfile.gettempdir()) / f"doorsim-{os.getuid()}")


@dataclass(frozen=True, slots=True)
class Door:
    """One simulated door below `root`."""

    root: Path

    @property
    def paths(self) -> Paths:
        """Its folders."""
        return Paths(self.root)

    def up(self, wishes: Wishes | None = None, config_file: Path | None = None, within_s: float = START_S) -> Config:
        """Start it and return once all six processes are ready. Raises SimulatorRefused, ConfigRefused."""
        if self.running():
            raise SimulatorRefused(self._runs_already())
        # Ctrl-C waits while a process is made that nobody holds yet; it is raised where the simulator can be ended.
        before = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})
        daemon: subprocess.Popen[bytes] | None = None
        try:
            os.umask(0o077)
            self.paths.board.mkdir(parents=True, exist_ok=True)
            with (self.paths.board / "claim").open("ab") as claim:
                self._claim(claim.fileno())
                config = layout.make(self.paths, wishes or Wishes(), config_file)
                daemon = self._start_daemon(claim.fileno())
            signal.pthread_sigmask(signal.SIG_SETMASK, before)
            self._await_ready(daemon, within_s)
        except BaseException as cause:
            if daemon:
                daemon.kill()  # its rooms die with it
                daemon.wait()
            if isinstance(cause, OSError) and not isinstance(cause, Refusal):
                msg = f"the folder {self.root} cannot hold a door: {cause}"
                raise SimulatorRefused(msg) from cause
            raise
        finally:
            signal.pthread_sigmask(signal.SIG_SETMASK, before)
        return config

    def _runs_already(self) -> str:
        return f"a door is running in {self.root} already; `doorsim down` stops it"

    def _runs_not(self) -> str:
        return f"no simulated door is running in {self.root}; `doorsim up` starts one"

    def _claim(self, lock: int) -> None:
        end = time.monotonic() + CLAIM_S
        while True:
            try:
                fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError as cause:
                if self.running():
                    raise SimulatorRefused(self._runs_already()) from cause
                if time.monotonic() > end:
                    msg = f"a door is being started or stopped in {self.root}; try again in a moment"
                    raise SimulatorRefused(msg) from cause
                time.sleep(0.02)
            else:
                return

    def _start_daemon(self, claim: int) -> subprocess.Popen[bytes]:
        with (self.paths.board / "daemon.log").open("ab") as log:
            return subprocess.Popen(
                [sys.executable, "-m", "tools.simulator.daemon", str(self.root)],
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                start_new_session=True,
                pass_fds=(claim,),  # the same open file, so the same lock: it ends with the simulator
            )

    def _await_ready(self, daemon: subprocess.Popen[bytes], within_s: float) -> None:
        end = time.monotonic() + within_s
        while time.monotonic() < end:
            if daemon.poll() is not None:
                msg = f"the simulator ended at once; {self.paths.board / 'daemon.log'} says why"
                raise SimulatorRefused(msg)
            processes = self.state()["processes"] if self.running() else {}
            if processes and set(processes.values()) == {"up"}:
                return
            for room in PROCESSES:
                if processes.get(room) in ("refused", "down"):
                    msg = f"{room} does not start: {self.last_words(room)}"
                    raise SimulatorRefused(msg)
            time.sleep(0.02)
        msg = f"the door was not ready after {within_s:.0f} s; see {self.paths.board}/*.log"
        raise SimulatorRefused(msg)

    def running(self) -> bool:
        """Whether somebody answers for this door."""
        try:
            self._call({"do": "state"})
        except SimulatorRefused:
            return False
        return True

    def down(self) -> None:
        """Stop it in order."""
        self._call({"do": "down"})

    def cut(self) -> None:
        """A power cut: everything at once, no warning. What is on disk stays; `up` boots it again."""
        self._call({"do": "cut"})

    def show(
        self, source: Path | None, fps: float | None = None, scale: float = 1.0, held_up: As | None = None
    ) -> None:
        """Put a picture or a folder in front of the camera, or nothing.

        `held_up`: as what. Not given, it is the flat picture itself where the door has no lights, and a living person
        where it has them. `fps`, not given: PLAIN_FPS, or LIT_FPS for what answers to light.
        """
        if source is None:
            self._call({"do": "show", "source": None, "fps": fps or PLAIN_FPS, "scale": scale})
            return
        if not (source.is_file() or source.is_dir()):  # a pipe would be waited for, by the whole simulated door
            msg = f"there is no picture at {source}"
            raise SimulatorRefused(msg)
        source = source.resolve()
        if not answers_to_light(source) and (held_up or self._lights()):
            source, scale = self._rendered(source, held_up or As.LIVE, scale), 1.0
        rate = fps or (LIT_FPS if answers_to_light(source) else PLAIN_FPS)
        self._call({"do": "show", "source": str(source), "fps": rate, "scale": scale})

    def _lights(self) -> bool:
        return self.paths.config.exists() and door_config.load(self.paths.config, without_id=True).lock.lights

    def _rendered(self, source: Path, kind: As, scale: float) -> Path:
        if not self.running():
            raise SimulatorRefused(self._runs_not())
        camera = door_config.load(self.paths.config, without_id=True).camera
        try:
            return rendered(source, Held(kind, camera.width_px, camera.height_px, scale), self.paths.board)
        except OSError as cause:
            if isinstance(cause, Refusal):
                raise
            msg = f"{source.name} cannot be held up as {kind}: {cause.strerror}"
            raise SimulatorRefused(msg) from cause

    def press(self, what: str) -> None:
        """Press the face button (`face`) or request-to-exit (`rex`)."""
        self._call({"do": "press", "what": what})

    def keys(self, keys: str) -> None:
        """Press keys on the keypad."""
        self._call({"do": "keys", "keys": keys})

    def tap(self, card: Path, pull_away_after: int | None = None) -> None:
        """Hold the simulated card in the file `card` to the reader, at most for so many of its answers."""
        if not card.is_file():
            msg = f"there is no card at {card}; `doorsim card new` makes one"
            raise SimulatorRefused(msg)
        self._call({"do": "tap", "card": str(card.resolve()), "pull_away_after": pull_away_after})

    def move_door(self, *, is_open: bool) -> None:
        """Open or close the door itself."""
        self._call({"do": "door", "open": is_open})

    def tamper(self, *, on: bool) -> None:
        """Open or close the housing."""
        self._call({"do": "tamper", "on": on})

    def kill(self, room: Room, number: int = 9) -> None:
        """Send a signal to a process; init starts it again."""
        self._call({"do": "kill", "room": room, "signal": number})

    def stop(self, room: Room) -> None:
        """Stop a process for good, until `start`."""
        self._call({"do": "stop", "room": room})

    def start(self, room: Room) -> None:
        """Start a stopped process."""
        self._call({"do": "start", "room": room})

    def hurry(self, room: Room) -> bool:
        """Let a process come before others' on this machine, as on a board that does nothing else; whether it does.

        eye gives way by itself, and on a machine that is busy with other work gets too few frames for a light
        challenge. A process that starts anew gives way anew. Only root may do this; others are not refused, but told.
        """
        pid = int(self.state()["pids"][room])
        if not pid:  # it is just being started; 0 would be whoever calls
            return False
        try:
            os.setpriority(os.PRIO_PROCESS, pid, HURRIED)
        except OSError:
            return False
        return True

    def state(self) -> dict[str, Any]:
        """Everything the simulated hardware and init know."""
        return self._call({"do": "state"})

    def news(self, after: int) -> dict[str, Any]:
        """A little of `state`, for whoever asks hundreds of times a second; the tones behind the first `after`."""
        return self._call({"do": "news", "after": after})

    def wait(self, condition: Callable[[dict[str, Any]], bool], timeout_s: float = 5.0) -> bool:
        """Whether `condition` holds within `timeout_s`; asked a hundred times a second, and seldom after a moment."""
        began = time.monotonic()
        while True:
            if condition(self.state()):
                return True
            waited_s = time.monotonic() - began
            if waited_s >= timeout_s:
                return False
            time.sleep(_OFTEN_S if waited_s < _SOON_S else _SELDOM_S)

    def last_words(self, room: Room) -> str:
        """The last line of a process's log."""
        path = self.paths.board / f"{room}.log"
        lines = path.read_text(encoding="utf-8", errors="replace").splitlines() if path.exists() else []
        return lines[-1] if lines else "it said nothing"

    def _call(self, request: dict[str, Any]) -> dict[str, Any]:
        caller = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        caller.settimeout(10.0)
        with caller:
            try:
                caller.connect(str(self.paths.board / "control.sock"))
                with caller.makefile("rwb") as line:
                    line.write(json.dumps(request).encode() + b"\n")
                    line.flush()
                    answer: dict[str, Any] = json.loads(line.readline())
            except (OSError, ValueError) as cause:
                raise SimulatorRefused(self._runs_not()) from cause
        if "error" in answer:
            raise SimulatorRefused(str(answer["error"]))
        return answer
