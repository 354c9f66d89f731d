"""What set-up asks of the other rooms' code: one question, one process, one answer.

Rules kept here:
- The desk's side holds no driver and no secret: cameras, pins and card readers are touched by the room's own code.
- An answer comes in time or is a sentence; a process that hangs is ended.
"""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Mapping, Sequence
from typing import Protocol

from device.errors import Fault

LOCK, EYE, VAULT = "device.lock.attached", "device.eye.trial", "device.vault.foretell"
READERS = "device.lock.trial_readers"
# -I: neither the folder in which root happens to stand nor its environment decides which code runs.
PYTHON = (sys.executable, "-I", "-m")
PATIENCE_S = 30.0  # eye loads its networks, on a slow machine with nothing cached


class NeighbourFault(Fault, OSError):
    """Another room's code could not answer; the sentence is its own."""


class Ask(Protocol):
    """Puts a question to another room's code."""

    def __call__(
        self, module: str, *words: str, toml: str = "", patience_s: float = PATIENCE_S
    ) -> Mapping[str, object]:
        """Its answer. Raises NeighbourFault."""


def ask(module: str, *words: str, toml: str = "", patience_s: float = PATIENCE_S) -> Mapping[str, object]:
    """Run `module` with `words`, and `toml` on its standard input; its answer. Raises NeighbourFault."""
    command: Sequence[str] = [*PYTHON, module, *words]
    try:
        ended = subprocess.run(
            command,
            input=toml,
            capture_output=True,
            encoding="utf-8",
            errors="replace",
            timeout=patience_s,
            check=False,
            start_new_session=True,  # Ctrl-C is for whoever asks; the answer is not waited for then
        )
    except subprocess.TimeoutExpired as cause:
        msg = f"{module} did not answer within {patience_s:.0f} seconds"
        raise NeighbourFault(msg) from cause
    except OSError as cause:
        msg = f"{module} cannot be started: {cause.strerror}"
        raise NeighbourFault(msg) from cause
    return read_answer(ended.stdout, module)


def read_answer(line: str, module: str) -> Mapping[str, object]:
    """The object in `line`. Raises NeighbourFault if it is a refusal or none."""
    try:
        told = json.loads(line)
    except ValueError as cause:
        msg = f"{module} ended without an answer"
        raise NeighbourFault(msg) from cause
    if not isinstance(told, dict) or "refused" in told:
        raise NeighbourFault(str(told["refused"]) if isinstance(told, dict) else f"{module} gave no answer of ours")
    return told
