"""What `doorctl selftest` looks at, each with a sentence.

Rules kept here:
- Every check looks at the real thing: the configuration as the rooms read it, the models' bytes, the sockets on disk,
  and the rooms as lock reaches them. None of them moves the bolt, opens the camera or changes a file.
- A check that fails does not stop the others.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from device import config, manifest, wire
from device.config import broker
from device.desk import sentences, timeouts
from device.desk.client import DeskLine
from device.edges import EDGES
from device.errors import Fault, Refusal
from device.paths import Paths


@dataclass(frozen=True, slots=True)
class Check:
    """One finding; `sentence` says what was found."""

    name: str
    ok: bool
    sentence: str


def run(paths: Paths, models: Path) -> tuple[Check, ...]:
    """All checks of the door below `paths`, whose models lie in the folder `models`."""
    return (check_configuration(paths), check_models(models), _sockets(paths), *_rooms(paths))


def check_configuration(paths: Paths) -> Check:
    """Whether door.toml is one that every room would start with."""
    try:
        broker.parse(config.load(paths.config).report.broker)
        waits = config.face_alone_waits(paths.config)
    except Refusal as refusal:
        return Check("configuration", ok=False, sentence=str(refusal))
    return Check("configuration", ok=True, sentence=f"{paths.config} is valid" + (f", but {waits}" if waits else ""))


def check_models(folder: Path) -> Check:
    """Whether the models in `folder` are those that its manifest names."""
    try:
        entries = manifest.load(folder).entries
        for entry in entries:
            manifest.load_model_bytes(entry, folder)
    except Refusal as refusal:
        return Check("models", ok=False, sentence=str(refusal))
    return Check("models", ok=True, sentence=f"{', '.join(entry.file for entry in entries)} are those of the manifest")


def _sockets(paths: Paths) -> Check:
    missing = [
        f"{edge.listener}/{edge.connector}.sock"
        for edge in EDGES
        if not _is_socket(paths.socket(edge.listener, edge.connector))
    ]
    if missing:
        return Check("sockets", ok=False, sentence=f"missing below {paths.run}: {', '.join(missing)}")
    return Check("sockets", ok=True, sentence=f"all {len(EDGES)} are there")


def _is_socket(path: Path) -> bool:
    try:
        return path.is_socket()
    except OSError:
        # A folder this user may not enter: the rooms' own folders are closed to everybody but root.
        return False


def _rooms(paths: Paths) -> Iterator[Check]:
    try:
        with DeskLine.open(paths) as line:
            answer = line.ask(wire.AskStatus(), timeouts.STATUS_S + timeouts.GRACE_S)
    except (Refusal, Fault) as error:
        yield Check("desk", ok=False, sentence=str(error))
        return
    if not isinstance(answer, wire.DoorStatus):
        yield Check("lock", ok=False, sentence="lock did not answer the desk")
        return
    for name, up in sentences.rooms(answer).items():
        yield Check(name, ok=up, sentence="reached" if up else "lock does not reach it")
