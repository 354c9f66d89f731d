"""The ledger: every message that was handed to MQTT, for people to read.

Rules kept here:
- Only when asked for (DOORWARD_LEDGER=1, set by the simulator): a door in service keeps no diary.
- A line is `topic<TAB>bytes<TAB>payload`; what MQTT adds by itself is told as a line whose first word is CONNECT. The
  acknowledgements, pings and headers of the protocol are not listed.
- It is report's own word. The independent proof is a subscriber at the broker, or a packet capture.
- A ledger that cannot be written changes nothing for the door.
"""

from __future__ import annotations

import os
from pathlib import Path
from typing import Protocol

from device.journal import log
from device.paths import Paths

SWITCH = "DOORWARD_LEDGER"


class Ledger(Protocol):
    """Takes note of what leaves (any thread)."""

    def note(self, topic: str, payload: bytes) -> None:
        """`payload` was handed over for `topic`."""


class NoLedger:
    """Nobody asked."""

    def note(self, topic: str, payload: bytes) -> None:
        """Nothing is kept."""


class FileLedger:
    """Appends a line a message to `path`."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._failed = False

    def note(self, topic: str, payload: bytes) -> None:
        """Append the line in one write, so that two threads never share one."""
        line = f"{topic}\t{len(payload)}\t{payload.decode('ascii', 'backslashreplace').rstrip()}\n"
        try:
            self._path.parent.mkdir(parents=True, exist_ok=True)
            file = os.open(self._path, os.O_WRONLY | os.O_APPEND | os.O_CREAT | os.O_CLOEXEC, 0o640)
            try:
                os.write(file, line.encode())
            finally:
                os.close(file)
        except OSError as trouble:
            if not self._failed:
                log(f"report: the ledger cannot be written ({trouble.strerror})")
            self._failed = True


def ledger_for(paths: Paths, environ: dict[str, str] | None = None) -> Ledger:
    """The ledger of this process: `run/doorward/report/ledger`, or none."""
    env = os.environ if environ is None else environ
    return FileLedger(paths.run / "report" / "ledger") if env.get(SWITCH) == "1" else NoLedger()
