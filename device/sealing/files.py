"""The port through which sealed state reaches the disk, and the three ways it is used.

Rules kept here:
- Every step that a power cut can separate from the next one is a call of its own on the port, so that a simulated disk
  can cut between any two of them.
- `write_new` and `replace` are durable when they return: contents are synced before the name that leads to them.
- `replace` and `destroy` overwrite the old bytes in place. That is best effort: a file system that copies on write, or
  flash that levels wear, may keep them. What must be unreadable is protected by losing its key, not by this.
- A full disk or a failing one is a StoreFault with one sentence; whatever was durable before stays as it was.
"""

from __future__ import annotations

import errno
import os
import stat
from pathlib import Path
from typing import Protocol

from device.errors import StoreFault

_MAX_FILE_BYTES = 1 << 26  # far above the largest ring (65,536 records); a longer file is not one of ours
_CHUNK_BYTES = 1 << 14  # most files are shorter: one read
_FILE_MODE = 0o600
_FOLDER_MODE = 0o700
_OTHERS = stat.S_IRWXG | stat.S_IRWXO


class Held(Protocol):
    """The contents of a file that is about to lose its name."""

    def wipe(self) -> None:
        """Overwrite the bytes in place and sync. Raises StoreFault."""

    def close(self) -> None:
        """Let go of the contents."""


class Files(Protocol):
    """What sealed state needs from a disk. All methods raise StoreFault; none but `sync*` promises durability."""

    def prepare(self, folder: Path) -> None:
        """Make `folder` (mode 0700) if it is missing; refuse one that anybody else could enter."""

    def names(self, folder: Path) -> list[str]:
        """The names in `folder`, in no order."""

    def read(self, path: Path | str) -> bytes | None:
        """The contents of `path`, or None if there is no such file. A text will do: Path objects are slow to make."""

    def write(self, path: Path, data: bytes) -> None:
        """Create `path` (mode 0600), or truncate it, and write `data`."""

    def sync(self, path: Path) -> None:
        """Make the contents of `path` durable."""

    def rename(self, source: Path, target: Path) -> None:
        """Let `target` lead to what `source` led to, atomically."""

    def sync_folder(self, folder: Path) -> None:
        """Make the names in `folder` durable."""

    def hold(self, path: Path) -> Held | None:
        """Keep hold of the contents of `path` beyond its name; None if there is no such file."""

    def unlink(self, path: Path) -> None:
        """Remove the name `path` if it is there."""


def write_new(files: Files, path: Path, data: bytes) -> None:
    """Write contents nobody refers to yet; the caller syncs the folder. Torn contents must be harmless to readers."""
    files.write(path, data)
    files.sync(path)


def replace(files: Files, path: Path, data: bytes) -> None:
    """Let `path` hold `data` or what it held before, whatever happens meanwhile; then overwrite what it held before.

    The old bytes are overwritten only after the new name is durable: a power cut before that may bring the old name
    back, and it must then still lead to the old contents.
    """
    fresh = path.with_name(path.name + ".new")
    write_new(files, fresh, data)
    old = files.hold(path)
    try:
        files.rename(fresh, path)
        files.sync_folder(path.parent)
        if old:
            old.wipe()
    finally:
        if old:
            old.close()


def destroy(files: Files, path: Path) -> None:
    """Overwrite and unlink `path` if it is there; the caller syncs the folder."""
    held = files.hold(path)
    if held is None:
        return
    try:
        held.wipe()
    finally:
        held.close()
    files.unlink(path)


class DiskFiles:
    """The port on the real file system."""

    def prepare(self, folder: Path) -> None:
        try:
            missing = [each for each in (folder, *folder.parents) if not each.exists()]
            for each in reversed(missing):
                each.mkdir(mode=_FOLDER_MODE)
                self.sync_folder(each.parent)
            found = folder.stat()
        except OSError as cause:
            msg = f"the folder {folder.name} for sealed records cannot be made: {cause.strerror}"
            raise StoreFault(msg) from cause
        if not stat.S_ISDIR(found.st_mode) or found.st_uid != os.geteuid() or found.st_mode & _OTHERS:
            msg = (
                f"the folder {folder.name} for sealed records must belong to this process's user alone "
                f"(mode 0700); it has owner {found.st_uid} and mode {stat.S_IMODE(found.st_mode):04o}"
            )
            raise StoreFault(msg)

    def names(self, folder: Path) -> list[str]:
        try:
            return os.listdir(folder)  # noqa: PTH208 - Path objects for 10,000 names cost more than the listing
        except OSError as cause:
            raise _fault("listed", folder, cause) from cause

    def read(self, path: Path | str) -> bytes | None:
        try:
            handle = os.open(path, os.O_RDONLY | os.O_CLOEXEC | os.O_NOFOLLOW)
        except FileNotFoundError:
            return None
        except OSError as cause:
            raise _fault("read", path, cause) from cause
        try:
            data = os.read(handle, _CHUNK_BYTES)
            return data if len(data) < _CHUNK_BYTES else _read_on(handle, data)
        except OSError as cause:
            raise _fault("read", path, cause) from cause
        finally:
            os.close(handle)

    def write(self, path: Path, data: bytes) -> None:
        flags = os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_CLOEXEC | os.O_NOFOLLOW
        try:
            handle = os.open(path, flags, _FILE_MODE)
            try:
                _write_all(handle, data)
            finally:
                os.close(handle)
        except OSError as cause:
            raise _fault("written", path, cause) from cause

    def sync(self, path: Path) -> None:
        self._sync(path, os.O_RDONLY)

    def sync_folder(self, folder: Path) -> None:
        self._sync(folder, os.O_RDONLY | os.O_DIRECTORY)

    def rename(self, source: Path, target: Path) -> None:
        try:
            source.rename(target)
        except OSError as cause:
            raise _fault("replaced", target, cause) from cause

    def hold(self, path: Path) -> Held | None:
        try:
            return _HeldOnDisk(os.open(path, os.O_WRONLY | os.O_CLOEXEC | os.O_NOFOLLOW), path)
        except FileNotFoundError:
            return None
        except OSError as cause:
            raise _fault("opened", path, cause) from cause

    def unlink(self, path: Path) -> None:
        try:
            path.unlink(missing_ok=True)
        except OSError as cause:
            raise _fault("removed", path, cause) from cause

    @staticmethod
    def _sync(path: Path, flags: int) -> None:
        try:
            handle = os.open(path, flags | os.O_CLOEXEC)
            try:
                os.fsync(handle)
            finally:
                os.close(handle)
        except OSError as cause:
            raise _fault("synced", path, cause) from cause


class _HeldOnDisk:
    """An open file descriptor: it outlives the file's name."""

    def __init__(self, handle: int, path: Path) -> None:
        self._handle = handle
        self._path = path

    def wipe(self) -> None:
        try:
            _write_all(self._handle, os.urandom(os.fstat(self._handle).st_size))
            os.fsync(self._handle)
        except OSError as cause:
            raise _fault("overwritten", self._path, cause) from cause

    def close(self) -> None:
        os.close(self._handle)


def _write_all(handle: int, data: bytes) -> None:
    rest = memoryview(data)
    while rest:
        rest = rest[os.write(handle, rest) :]


def _read_on(handle: int, data: bytes) -> bytes:
    parts, size = [data], len(data)
    while part := os.read(handle, _MAX_FILE_BYTES - size + 1):
        parts.append(part)
        size += len(part)
        if size > _MAX_FILE_BYTES:
            raise OSError(errno.EFBIG, os.strerror(errno.EFBIG))
    return b"".join(parts)


def _fault(done: str, path: Path | str, cause: OSError) -> StoreFault:
    return StoreFault(f"the file {Path(path).name} cannot be {done}: {cause.strerror}")
