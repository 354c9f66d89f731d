"""Stops a door when the benchmark that started it is gone: `python -m tools.benchmark.guard FOLDER [ANOTHER]`.

Rules kept here:
- It waits for the end of its standard input, which the kernel brings about however the benchmark ends, kill -9
  included; then it cuts the door's power, ends the broker if one is left, and removes the folders.
- The broker is ended by its number, and only if it still is what the benchmark started: it names our folder.
- It is in a session of its own, so that Ctrl-C at the terminal does not reach it.
"""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from tools.simulator.client import Door, SimulatorRefused

BROKER_PID = "broker.pid"
PATIENCE_S = 20.0


@contextmanager
def guarded(folder: Path, *beside: Path) -> Iterator[Door]:
    """The door below `folder`, which the caller may start; cut, and all folders removed, whatever happens."""
    guard = subprocess.Popen(
        [sys.executable, "-m", __name__, str(folder), *map(str, beside)],
        stdin=subprocess.PIPE,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        start_new_session=True,
    )
    try:
        yield Door(folder / "door")
    finally:
        if guard.stdin:
            guard.stdin.close()
        guard.wait(PATIENCE_S)


def main() -> int:
    """Wait, then cut and remove."""
    folder = Path(sys.argv[1])
    sys.stdin.buffer.read()
    with suppress(SimulatorRefused):
        Door(folder / "door").cut()
    with suppress(OSError, ValueError):
        pid = int((folder / BROKER_PID).read_text(encoding="ascii"))
        if os.fsencode(folder) in Path(f"/proc/{pid}/cmdline").read_bytes():
            os.kill(pid, signal.SIGKILL)
    for each in sys.argv[1:]:
        shutil.rmtree(each, ignore_errors=True)
    return 0


if __name__ == "__main__":
    sys.exit(main())
