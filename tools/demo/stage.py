"""What the demo stands on: a temporary folder, a broker with a witness, and the commands a person would type.

Rules kept here:
- Every step is a command as the README shows it, printed before it runs, with what it answered.
- Whatever happens, Ctrl-C included, the door and the broker are stopped and the folder is removed.
- A step that fails ends the demo with the command and its sentence, not with a traceback.
"""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from device.errors import Refusal
from tools.broker import Mosquitto, Witness
from tools.simulator.client import Door, SimulatorRefused

COMMANDS = Path(sys.executable).parent
CHECKOUT = Path(__file__).resolve().parents[2]
PASSPHRASE = "only for this demo"  # noqa: S105 - of a fleet that lives as long as the demo does


class StepFailed(Refusal, RuntimeError):
    """A command of the demo did not do what it should."""


@dataclass
class Stage:
    """A door, its manager's fleet, a broker and its witness."""

    folder: Path
    door: Door
    broker: Mosquitto
    witness: Witness

    @property
    def environ(self) -> dict[str, str]:
        """What every command runs with; by its path it is this checkout's, and not one installed elsewhere."""
        return {
            "PATH": "/usr/bin:/bin",
            "LANG": "C.UTF-8",
            "PYTHONPATH": str(CHECKOUT),
            "DOORWARD_ROOT": str(self.door.root),
        }

    def say(self, text: str) -> None:
        """A line for the reader."""
        print(f"\n{text}", flush=True)

    def run(self, *command: str, may_refuse: bool = False, secret: str = "") -> dict[str, Any]:
        """Run a command with --json and return what it answered. Raises StepFailed unless `may_refuse`.

        `secret`: the resident's own, which guestcodes would ask for.
        """
        print("  $ " + " ".join(command), flush=True)
        done = subprocess.run(
            [COMMANDS / command[0], *command[1:], "--json"],
            env={
                **self.environ,
                "DOORWARD_FLEET": str(self.folder / "fleet"),
                "DOORWARD_PASSPHRASE": PASSPHRASE,
                "GUESTCODES_SECRET": secret,
            },
            capture_output=True,
            text=True,
            check=False,
        )
        try:
            answer: dict[str, Any] = json.loads(done.stdout.strip().splitlines()[-1])
        except (ValueError, IndexError) as cause:
            msg = f"{' '.join(command)} answered: {done.stderr.strip() or done.stdout.strip() or 'nothing'}"
            raise StepFailed(msg) from cause
        if done.returncode and not may_refuse:
            msg = f"{' '.join(command)} was refused: {answer.get('refused') or answer.get('reason') or answer}"
            raise StepFailed(msg)
        return answer

    def start_in_background(self, *command: str) -> subprocess.Popen[str]:
        """A command that waits for a person while the demo plays that person."""
        print("  $ " + " ".join(command) + " &", flush=True)
        return subprocess.Popen(
            [COMMANDS / command[0], *command[1:], "--json"],
            env=self.environ,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            text=True,
        )

    def signals_after(self, already: int) -> list[str]:
        """The tones and lights since there were `already`, without the tone of each key."""
        return [signal for signal in self.door.state()["signals"][already:] if signal != "KEY"]

    def answered(self, already: int, timeout_s: float = 12.0) -> str:
        """The answer somebody at the door gets next: OPENED, REFUSED, NOTED, ENTER_PIN or USE_PIN_OR_CARD."""
        waiting = {"WAIT", "LOOK"}

        def answers() -> list[str]:
            return [signal for signal in self.signals_after(already) if signal.split()[0] not in waiting]

        if not self.door.wait(lambda _: bool(answers()), timeout_s):
            msg = f"nobody at the door got an answer within {timeout_s:.0f} s"
            raise StepFailed(msg)
        return answers()[0]


@contextmanager
def stage() -> Iterator[Stage]:
    """Everything set up; torn down whatever happens. Raises StepFailed if the broker is not there."""
    folder = Path(tempfile.mkdtemp(prefix="doorward-demo-"))
    broker = Mosquitto(folder / "broker")
    door = Door(folder / "door")
    try:
        broker.start()
        with Witness(broker) as witness:
            yield Stage(folder, door, broker, witness)
    finally:
        with suppress(SimulatorRefused):
            door.cut()
        broker.stop()
        shutil.rmtree(folder, ignore_errors=True)
