"""Where looks are kept: one SQLite file, one row for each picture and chain.

Rules kept here:
- A row is found by what was looked at (sha256 of the picture's bytes) and by everything that was done (the chain's key,
  condition included). Another network, another line of the code that looks, another picture: another row. A picture
  that is moved or renamed keeps its row.
- A row is whole or not there, and a run that is killed loses what it stored in the last second, no more.
- Numbers are kept, never pixels. They are biometric data all the same: the file belongs with the pictures.
"""

from __future__ import annotations

import sqlite3
import time
from collections.abc import Iterable
from contextlib import closing
from pathlib import Path
from types import TracebackType
from typing import Final, Self

from tools.evaluate.accuracy.look import RECORD

FILE: Final = "looks.sqlite3"
_COMMIT_EVERY_S: Final = 1.0
_WAIT_S: Final = 30.0


class CacheRefused(ValueError):
    """The file is no cache of looks, or takes none: another run holds it, or the disk is full."""


class Cache:
    """The looks kept in `folder`. A context manager: what was put is stored at the latest when it ends."""

    def __init__(self, folder: Path, wait_s: float = _WAIT_S) -> None:
        """Raises CacheRefused, in a sentence, where the folder or file cannot be used.

        wait_s: how long a write waits for another run that writes at this moment.
        """
        try:
            folder.mkdir(parents=True, exist_ok=True)
            self._file = sqlite3.connect(folder / FILE, timeout=wait_s)
            self._file.execute("PRAGMA journal_mode=WAL")
            self._file.execute("PRAGMA synchronous=NORMAL")
            self._file.execute(
                "CREATE TABLE IF NOT EXISTS looks (chain BLOB, picture BLOB, record BLOB, PRIMARY KEY (chain, picture))"
                " WITHOUT ROWID"
            )
        except (sqlite3.DatabaseError, OSError) as cause:
            msg = f"{folder / FILE} cannot keep what was looked at: {cause}"
            raise CacheRefused(msg) from cause
        self._committed_s = time.monotonic()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._file.commit()
        self._file.close()

    def of(self, chain: bytes) -> dict[bytes, bytes]:
        """Every record of one chain, as bytes, by the sha256 of its picture; one of another length is not there."""
        with closing(self._file.execute("SELECT picture, record FROM looks WHERE chain = ?", (chain,))) as rows:
            return {picture: record for picture, record in rows if len(record) == RECORD.itemsize}

    def put(self, rows: Iterable[tuple[bytes, bytes, bytes]]) -> None:
        """Keep rows of chain, picture, record. Raises CacheRefused where the file cannot take them."""
        try:
            self._file.executemany("INSERT OR REPLACE INTO looks VALUES (?, ?, ?)", rows)
            if time.monotonic() - self._committed_s >= _COMMIT_EVERY_S:
                self._file.commit()
                self._committed_s = time.monotonic()
        except sqlite3.OperationalError as cause:
            msg = f"{FILE} takes no more looks ({cause}); what it has is kept, and the same command goes on from there"
            raise CacheRefused(msg) from cause
