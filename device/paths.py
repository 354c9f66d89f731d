"""Where a door keeps its files, under one prefix.

Rules kept here:
- `DOORWARD_ROOT` relocates etc/, var/lib/ and run/ together, so that a whole door, or ten, runs in a temporary folder.
- Each room owns one state folder and reads no other room's; systemd's StateDirectory= says the same.
- The models are code, not state: they come with the installation and are checked against their manifest.
"""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True, slots=True)
class Paths:
    """The folders of one door below `root`."""

    root: Path

    @property
    def config(self) -> Path:
        """door.toml, written by set-up and read by every room."""
        return self.root / "etc" / "doorward" / "door.toml"

    def state(self, room: str) -> Path:
        """The state folder of `room`; only that room's user may enter it."""
        return self.root / "var" / "lib" / "doorward" / room

    @property
    def run(self) -> Path:
        """Sockets and everything else that a reboot forgets."""
        return self.root / "run" / "doorward"

    def socket(self, listener: str, connector: str) -> Path:
        """The socket on which `listener` hears `connector`, and nobody else."""
        return self.run / listener / f"{connector}.sock"

    @property
    def board(self) -> Path:
        """The simulated board's folder (doorsim only): its sockets and what stands in front of the camera."""
        return self.run / "board"


def door_paths(environ: dict[str, str] | None = None) -> Paths:
    """The paths of the door this process belongs to (`DOORWARD_ROOT`, else the file system's root)."""
    env = os.environ if environ is None else environ
    return Paths(Path(env.get("DOORWARD_ROOT", "/")))


def models_dir() -> Path:
    """The folder of *.tflite and manifest.toml: inside an installed wheel, or at the top of a checkout."""
    here = Path(__file__).resolve().parent
    installed = here / "models"
    return installed if installed.is_dir() else here.parent / "models"
