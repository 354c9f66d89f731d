"""The terminal beside the door, at which a resident enrols: the installed `doorctl`, and the lines that it says.

Rules kept here:
- One command at a time, as there is one terminal. What it says is handed on line by line, as it is said.
- It ends with the showroom.
"""

from __future__ import annotations

import subprocess
import threading
from collections.abc import Callable, Mapping
from pathlib import Path

from device.errors import Refusal
from tools.demo.stage import CHECKOUT, COMMANDS

_ENDS_S = 5.0


class TerminalBusy(Refusal, RuntimeError):
    """Somebody is at the terminal already."""


class Terminal:
    """`say` gets each line, `ended` the exit code of each command; both are called from a thread of their own."""

    def __init__(self, environ: Mapping[str, str], say: Callable[[str], None], ended: Callable[[int], None]) -> None:
        self._environ = environ
        self._say, self._ended = say, ended
        self._running: subprocess.Popen[str] | None = None
        self._lock = threading.Lock()

    @property
    def busy(self) -> bool:
        """Whether somebody is at the terminal."""
        return self._running is not None and self._running.poll() is None

    def be_free(self) -> None:
        """Raises TerminalBusy if somebody is there."""
        if self.busy:
            raise TerminalBusy("The terminal is in use: finish there first, or wait a minute.")

    def run(self, *command: str) -> None:
        """Start `command` and return. Raises TerminalBusy."""
        with self._lock:
            self.be_free()
            self._say("$ " + " ".join((command[0], *(Path(word).name for word in command[1:]))))
            self._running = subprocess.Popen(
                [COMMANDS / command[0], *command[1:]],
                cwd=CHECKOUT,
                env={**self._environ, "PYTHONUNBUFFERED": "1"},
                stdin=subprocess.DEVNULL,
                stdout=subprocess.PIPE,
                stderr=subprocess.STDOUT,
                text=True,
            )
            threading.Thread(target=self._listen, args=(self._running,), daemon=True).start()

    def close(self) -> None:
        """End what runs."""
        with self._lock:
            if self._running is not None and self.busy:
                self._running.terminate()
                try:
                    self._running.wait(_ENDS_S)
                except subprocess.TimeoutExpired:
                    self._running.kill()
                    self._running.wait()

    def _listen(self, running: subprocess.Popen[str]) -> None:
        assert running.stdout is not None  # noqa: S101 - asked for by `run`
        with running.stdout as lines:
            for line in lines:
                if line.strip():
                    self._say(line.rstrip())
        self._ended(running.wait())
