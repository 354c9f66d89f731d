"""A file that is written anew for each input: what stands between a parser and bytes should cost as little as it can.

Rules kept here:
- The same file throughout: to make one anew takes longer than most parsers take to read it.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory


class Scratch:
    """The file at `path`, kept open; it goes with its folder."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self._fd = os.open(path, os.O_RDWR | os.O_CREAT, 0o600)

    def __del__(self) -> None:
        """Give the descriptor back."""
        os.close(self._fd)

    def put(self, data: bytes) -> None:
        """Let the file hold `data` and nothing else."""
        os.ftruncate(self._fd, 0)
        os.pwrite(self._fd, data, 0)


@contextmanager
def folder_in_memory() -> Iterator[Path]:
    """A folder that no disk has to keep, where there is one; else any that is gone afterwards."""
    memory = Path("/dev/shm")  # noqa: S108 - only the name of a fresh folder within it is used
    with TemporaryDirectory(dir=memory if memory.is_dir() else None) as folder:
        yield Path(folder)
