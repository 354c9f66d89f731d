"""The port through which sealed state reaches the disk, and the three ways it is used.

Rules kept here:
- Every step that a power cut can separate from the next one is a call of its own on the port, so that a simulated disk
  can cut between any two of them.
- `replace` is durable when it returns: contents are synced before the name that leads to them.
- `replace` and `destroy` overwrite the old bytes in place. That is best effort: a file system that copies on write, or
  flash that levels wear, may keep them. What must be unreadable is protected by losing its key, not by this.
- Files that are changed together are all written before the first of them is synced: the first sync then carries most
  of what the others need. For many files the whole file system is synced once instead.
- A full disk or a failing one is a StoreFault with one sentence; whatever was durable before stays as it was.
"""

from __future__ import annotations

import errno
import os
import stat
from collections.abc import Callable, Iterable
from contextlib import suppress
from pathlib import Path
from typing import Protocol

from device import reading
from device.errors import StoreFault

_MAX_FILE_BYTES = 1 << 26  # far above the largest ring (65,536 records); a longer file is not one of ours
_CHUNK_BYTES = 1 << 14  # most files are shorter: one read
# From here on one sync of everything is chosen, in which whatever else is written to that disk takes part. Synced each
# for itself, a rekey costs two writes and two flushes a record: at 500 a second, the least a memory card of class A1
# promises, 0.8 s for 100 records and 8 s for 1,000; with one sync 1.3 s for 1,000 (measured, throttled loop device).
MANY = 128
_FILE_MODE = 0o600
_FOLDER_MODE = 0o700
_OTHERS = stat.S_IRWXG | stat.S_IRWXO


class Held(Protocol):
    """The contents of a file that is about to lose its name."""

    def overwrite(self) -> None:
        """Write noise over the bytes, in place. Raises StoreFault."""

    def sync(self) -> None:
        """Make the contents durable. Raises StoreFault."""

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

    def sync(self, *paths: Path) -> None:
        """Make the contents of `paths`, all in one file system, durable. None of them, if it raises, is known to be."""

    def rename(self, source: Path, target: Path) -> None:
        """Let `target` lead to what `source` led to, atomically."""

    def sync_folder(self, folder: Path) -> None:
        """Make the names in `folder` durable."""

    def hold(self, path: Path) -> Held | None:
        """Keep hold of the contents of `path` beyond its name; None if there is no such file."""

    def unlink(self, path: Path) -> None:
        """Remove the name `path` if it is there."""


def write_new(files: Files, folder: Path, contents: Iterable[tuple[str, bytes]]) -> None:
    """Write files (name, contents) nobody refers to yet, and make them durable; torn ones must be harmless to readers.

    Raises StoreFault, and may leave some of them.
    """
    written = []
    for name, data in contents:
        files.write(folder / name, data)
        written.append(folder / name)
    files.sync(*written)
    files.sync_folder(folder)


def replace(files: Files, path: Path, data: bytes) -> None:
    """Let `path` hold `data` or what it held before, whatever happens meanwhile; then overwrite what it held before.

    The old bytes are overwritten only after the new name is durable: a power cut before that may bring the old name
    back, and it must then still lead to the old contents.
    """
    fresh = path.with_name(path.name + ".new")
    files.write(fresh, data)
    files.sync(fresh)
    old = files.hold(path)
    try:
        files.rename(fresh, path)
        files.sync_folder(path.parent)
        if old:
            old.overwrite()
            old.sync()
    finally:
        if old:
            old.close()


def destroy(files: Files, folder: Path, names: Iterable[str]) -> None:
    """Overwrite and unlink the files `names` in `folder`, those that are there. Raises StoreFault.

    A file that cannot be overwritten loses its name all the same: on a full disk that copies on write, nothing else
    would ever make room again.
    """
    paths = [folder / name for name in names]
    overwritten = []
    for path in paths:
        with suppress(StoreFault):
            if _overwrite(files, path):
                overwritten.append(path)
    with suppress(StoreFault):
        files.sync(*overwritten)
    for path in paths:
        files.unlink(path)
    files.sync_folder(folder)


def _overwrite(files: Files, path: Path) -> bool:
    """Write noise over the file at `path`; False if there is none."""
    held = files.hold(path)
    if held is None:
        return False
    try:
        held.overwrite()
    finally:
        held.close()
    return True


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
            handle = reading.opened(path, os.O_NOFOLLOW)
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

    def sync(self, *paths: Path) -> None:
        if len(paths) > MANY:
            _on_handle("synced", paths[0], os.O_RDONLY, _sync_file_system)
            return
        if len(paths) > 1:
            for path in paths:
                _on_handle("synced", path, os.O_RDONLY, _begin_to_write_back)
        for path in paths:
            _on_handle("synced", path, os.O_RDONLY, os.fsync)

    def sync_folder(self, folder: Path) -> None:
        _on_handle("synced", folder, os.O_RDONLY | os.O_DIRECTORY, os.fsync)

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


class _HeldOnDisk:
    """An open file descriptor: it outlives the file's name."""

    def __init__(self, handle: int, path: Path) -> None:
        self._handle = handle
        self._path = path

    def overwrite(self) -> None:
        try:
            _write_all(self._handle, os.urandom(os.fstat(self._handle).st_size))
        except OSError as cause:
            raise _fault("overwritten", self._path, cause) from cause

    def sync(self) -> None:
        try:
            os.fsync(self._handle)
        except OSError as cause:
            raise _fault("synced", self._path, cause) from cause

    def close(self) -> None:
        os.close(self._handle)


def _write_all(handle: int, data: bytes) -> None:
    rest = memoryview(data)
    while rest:
        rest = rest[os.write(handle, rest) :]


def _on_handle(done: str, path: Path, flags: int, call: Callable[[int], None]) -> None:
    try:
        handle = os.open(path, flags | os.O_CLOEXEC)
        try:
            call(handle)
        finally:
            os.close(handle)
    except OSError as cause:
        raise _fault(done, path, cause) from cause


def _begin_to_write_back(handle: int) -> None:
    """Let the kernel give the file its blocks now, so that the journal commit of the first sync holds those of all.

    A hint: what is durable, only the sync says.
    """
    os.posix_fadvise(handle, 0, 0, os.POSIX_FADV_DONTNEED)


def _sync_file_system(handle: int) -> None:
    """syncfs(2), which Python does not offer. It tells of failed writes since Linux 5.8. Raises OSError."""
    import ctypes  # by far most doors never have so many faces

    libc = ctypes.CDLL(None, use_errno=True)
    if libc.syncfs(handle) != 0:
        number = ctypes.get_errno()
        raise OSError(number, os.strerror(number))


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
