"""Papers as files: one that is yet to be filled, and one that is read.

Rules kept here:
- The file is made before the act, so that a name that is taken or a folder that cannot be written stops it in time.
- An existing file is never opened for writing and no link is followed: the name has to be new. Mode 0600.
- A file that was not filled is removed; what cannot be written is said, and the caller prints it instead.
"""

from __future__ import annotations

import contextlib
import os
from dataclasses import dataclass, field
from pathlib import Path
from types import TracebackType
from typing import Self

from device import attestation, reading
from device.attestation import Verified
from device.errors import AttestationRefused, Fault

MAX_BYTES = 65536  # far above a paper with a letter around it
_FLAGS = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC
_MODE = 0o600


class PaperFault(Fault, OSError):
    """The file for a paper cannot be made or written."""


@dataclass(slots=True)
class NewPaper:
    """A file that is there, empty, and waits for its paper; use it in a `with`."""

    path: Path
    _folder: int
    _file: int
    _filled: bool = field(default=False)

    @classmethod
    def make(cls, path: Path) -> Self:
        """Create `path`, which must be new. Raises PaperFault."""
        try:
            folder = os.open(path.parent, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
        except OSError as cause:
            raise _not_made(path, cause) from cause
        try:
            # By the folder's descriptor: the same folder is meant when an unfilled file is removed.
            return cls(path, folder, os.open(path.name, _FLAGS, _MODE, dir_fd=folder))
        except OSError as cause:
            os.close(folder)
            raise _not_made(path, cause) from cause

    def fill(self, text: str) -> None:
        """Write `text`, durable on return. Raises PaperFault; the file is then removed."""
        rest = memoryview(text.encode())
        try:
            while rest:
                rest = rest[os.write(self._file, rest) :]
            os.fsync(self._file)
            os.fsync(self._folder)
        except OSError as cause:
            msg = f"{self.path} could not be written: {cause.strerror}"
            raise PaperFault(msg) from cause
        self._filled = True

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, tb: TracebackType | None) -> None:
        if not self._filled:
            with contextlib.suppress(OSError):
                os.unlink(self.path.name, dir_fd=self._folder)
        os.close(self._file)
        os.close(self._folder)


def read(path: Path) -> Verified:
    """The paper in the file `path`, its signature checked. Raises AttestationRefused."""
    too_long = f"{path} holds more than {MAX_BYTES} bytes, which no paper of a door does"
    data = reading.within(path, MAX_BYTES, AttestationRefused, too_long)
    try:
        # Whatever stands around a paper may be in any script and code; the paper itself is ASCII.
        return attestation.read(data.decode("utf-8", "replace"))
    except AttestationRefused as refusal:
        msg = f"{path}: {refusal}"
        raise AttestationRefused(msg) from refusal


def _not_made(path: Path, cause: OSError) -> PaperFault:
    if isinstance(cause, FileExistsError):
        return PaperFault(f"{path} is there already and is not overwritten, so nothing was done; name another file")
    return PaperFault(f"{path} cannot be written ({cause.strerror}), so nothing was done; name another file")
