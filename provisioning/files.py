"""Files that are whole or not there.

Rules kept here:
- A file is written beside its place, synced, and then moved there in one step: a power cut leaves the old or the new.
- `create` never replaces anything: a typing mistake destroys no file.
- Where a file is to go is tried (`refuse_unwritable`) before anything is noted that would belong to it: a fleet must
  not take for made what a mistyped name kept from being written.
- Everything is readable by its owner alone (0600, folders 0700).
"""

from __future__ import annotations

import fcntl
import os
import secrets
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from provisioning.errors import FleetFault, FleetRefused


def replace(path: Path, content: bytes) -> None:
    """Let `path` hold `content`, durably, whatever it held before. Raises FleetFault."""
    try:
        beside = _written_beside(path, content)
        with _removed_on_failure(beside):
            beside.replace(path)
        _sync_folder(path.parent)
    except OSError as cause:
        raise _unwritable(path, cause) from cause


def create(path: Path, content: bytes) -> None:
    """Let the new file `path` hold `content`, durably. Raises FleetRefused if it exists, else FleetFault."""
    try:
        beside = _written_beside(path, content)
        try:
            path.hardlink_to(beside)  # unlike a rename, a link never replaces
        finally:
            beside.unlink()
        _sync_folder(path.parent)
    except FileExistsError as cause:
        msg = f"{path} exists already and is not replaced"
        raise FleetRefused(msg) from cause
    except OSError as cause:
        raise _unwritable(path, cause) from cause


def refuse_unwritable(*paths: Path | None) -> None:
    """Raise FleetRefused or FleetFault unless each of `paths` is new and could be made now. None asks nothing."""
    for path in (each for each in paths if each is not None):
        if os.path.lexists(path):
            msg = f"{path} exists already and is not replaced, so nothing was done"
            raise FleetRefused(msg)
        try:
            _written_beside(path, b"").unlink()
        except OSError as cause:
            msg = f"{path} cannot be written, so nothing was done: {cause.strerror}"
            raise FleetFault(msg) from cause


def make_folder(path: Path) -> None:
    """Let the folder `path` exist. Raises FleetFault."""
    try:
        path.mkdir(mode=0o700, parents=True, exist_ok=True)
    except OSError as cause:
        raise _unwritable(path, cause) from cause


@contextmanager
def locked(path: Path) -> Iterator[None]:
    """Keep other programs of this fleet out, by an advisory lock on the file `path`. Raises FleetFault."""
    try:
        handle = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    except OSError as cause:
        raise _unwritable(path, cause) from cause
    try:
        fcntl.flock(handle, fcntl.LOCK_EX)
        yield
    finally:
        os.close(handle)


def _written_beside(path: Path, content: bytes) -> Path:
    beside = path.with_name(f".{path.name}.{secrets.token_hex(4)}")
    handle = os.open(beside, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)
    with _removed_on_failure(beside), os.fdopen(handle, "wb") as file:
        file.write(content)
        file.flush()
        os.fsync(file.fileno())
    return beside


@contextmanager
def _removed_on_failure(path: Path) -> Iterator[None]:
    try:
        yield
    except OSError:
        with suppress(OSError):
            path.unlink()
        raise


def _sync_folder(folder: Path) -> None:
    handle = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def _unwritable(path: Path, cause: OSError) -> FleetFault:
    return FleetFault(f"{path} cannot be written: {cause.strerror}")
