"""Whether set-up may run: as root, and while lock does not.

Rules kept here:
- The lines of a running door are lock's; set-up takes none away and stops nothing. It says which command does.
- A lock that only waits to be joined counts as well: it would claim the lines the moment the door joins.

Source: proc(5), the forms of cmdline and environ.
"""

from __future__ import annotations

import os
from pathlib import Path

from device.errors import Refusal
from device.paths import Paths

_ROOT = b"DOORWARD_ROOT="
_LOCK = b"\0-m\0device.lock\0"


class NotNow(Refusal, RuntimeError):
    """Set-up cannot run now; the sentence says what to do first."""


def refuse_if_not_alone(paths: Paths, proc: Path = Path("/proc")) -> None:
    """Raise NotNow while the lock of the door below `paths` runs, or if the person has no right to set it up."""
    if os.geteuid() != 0 and paths.root == Path("/"):
        raise NotNow("only root may set up a door: `sudo doorctl setup`")
    if _lock_runs(paths, proc):
        command = "systemctl stop doorward.target" if paths.root == Path("/") else "doorsim stop lock"
        msg = f"the door is running, and its lines belong to lock; `{command}` stops it"
        raise NotNow(msg)


def _lock_runs(paths: Paths, proc: Path) -> bool:
    for process in proc.iterdir():
        if not process.name.isdigit():
            continue
        try:
            command, environ = (process / "cmdline").read_bytes(), (process / "environ").read_bytes()
        except OSError:
            continue  # it ended meanwhile, or is somebody else's
        if _LOCK in command and _root_of(environ).resolve() == paths.root.resolve():
            return True
    return False


def _root_of(environ: bytes) -> Path:
    found = [each for each in environ.split(b"\0") if each.startswith(_ROOT)]
    return Path(os.fsdecode(found[0].removeprefix(_ROOT))) if found else Path("/")
