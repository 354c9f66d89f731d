"""The outbox: what was said and has not arrived yet.

Rules kept here:
- Bounded: beyond `rows` messages the oldest is dropped and counted. The count survives a restart.
- A message is on the disk before it is sent, and leaves the disk only after the broker acknowledged it. A message may
  therefore arrive twice, never not at all; (run, seq) in the envelope tells.
- No disk error ends anything. What cannot be stored is kept in memory, within the same bound; a damaged file is set
  aside under another name and a new one begun.

One writer, one file, a rollback journal and full syncs (https://www.sqlite.org/pragma.html): four transactions an
hour and message do not need more speed than that.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Callable
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path

from device.journal import log

FORMAT = 1  # PRAGMA user_version of our file
_BUSY_S = 1.0
_SCHEMA = """
CREATE TABLE outbox (id INTEGER PRIMARY KEY, topic TEXT NOT NULL, payload BLOB NOT NULL);
CREATE TABLE counter (only_row INTEGER PRIMARY KEY CHECK (only_row = 1), last_id INTEGER NOT NULL,
                      dropped INTEGER NOT NULL);
INSERT INTO counter VALUES (1, 0, 0);
"""


@dataclass(frozen=True, slots=True)
class Row:
    """One waiting message. Ids only ever grow, in the order in which things were said."""

    row: int
    topic: str
    payload: bytes


class Outbox:
    """The ring in the sqlite file `path`; it never raises for a disk that fails."""

    def __init__(self, path: Path, rows: int) -> None:
        self._path = path
        self._rows = rows
        self._memory: dict[int, Row] = {}  # what the disk would not take, in order
        self._sent = 0  # rows up to here are acknowledged, even if the disk would not forget them
        self._last_id = 0
        self._dropped = 0
        self._failing = False
        self._db: sqlite3.Connection | None = None
        self._open()

    @property
    def folder(self) -> Path:
        """Where it lies, and whatever else report keeps about messages."""
        return self._path.parent

    @property
    def dropped(self) -> int:
        """Messages lost since the door was set up; a damaged file counts as one, as nobody can know what it held."""
        return self._dropped

    def add(self, topic: str, payload: bytes) -> None:
        """Keep a message; the oldest makes room if there is none."""
        self._last_id += 1
        row = Row(self._last_id, topic, payload)
        if not self._try(lambda db: self._store(db, row)):
            self._memory[row.row] = row
        elif self._failing:
            self._failing = False
            log("report: the outbox can be used again")
        self._drop_oldest()

    def head(self) -> Row | None:
        """The oldest message that has not arrived."""
        found: list[Row] = list(self._memory.values())[:1]

        def read(db: sqlite3.Connection) -> None:
            query = "SELECT id, topic, payload FROM outbox WHERE id > ? ORDER BY id LIMIT 1"
            found.extend(Row(*values) for values in db.execute(query, (self._sent,)))

        self._try(read)
        return min(found, key=lambda row: row.row, default=None)

    def remove(self, row: int) -> None:
        """`row` has arrived, and so has everything before it."""
        self._sent = max(self._sent, row)
        self._memory = {number: kept for number, kept in self._memory.items() if number > self._sent}

        def forget(db: sqlite3.Connection) -> None:
            db.execute("DELETE FROM outbox WHERE id <= ?", (self._sent,))
            db.execute("UPDATE counter SET dropped = ?", (self._dropped,))

        self._try(forget)

    def __len__(self) -> int:
        return len(self._waiting())

    def close(self) -> None:
        """Close the file; what it holds is sent after the next start."""
        if self._db is not None:
            self._db.close()
            self._db = None

    # ---- the ring

    def _store(self, db: sqlite3.Connection, row: Row) -> None:
        db.execute("INSERT INTO outbox VALUES (?, ?, ?)", (row.row, row.topic, row.payload))
        db.execute("UPDATE counter SET last_id = ?, dropped = ?", (self._last_id, self._dropped))

    def _waiting(self) -> list[int]:
        ids = list(self._memory)
        self._try(lambda db: ids.extend(i for (i,) in db.execute("SELECT id FROM outbox WHERE id > ?", (self._sent,))))
        return sorted(ids)

    def _drop_oldest(self) -> None:
        waiting = self._waiting()
        surplus = len(waiting) - self._rows
        if surplus > 0:
            self._dropped += surplus
            self.remove(waiting[surplus - 1])

    # ---- the file

    def _try(self, work: Callable[[sqlite3.Connection], object]) -> bool:
        """Run `work` in one transaction; False if the disk would not have it (said once, until one is stored)."""
        if self._db is None:
            return False
        try:
            with self._db as db:
                work(db)
        except sqlite3.DatabaseError as trouble:
            if _is_damage(trouble):
                self._start_over(trouble)
            elif not self._failing:
                log(f"report: the outbox cannot be used ({trouble}); messages are kept in memory")
                self._failing = True
            return False
        return True

    def _open(self) -> None:
        try:
            self._db = self._connect()
        except sqlite3.DatabaseError as trouble:
            if _is_damage(trouble):
                self._start_over(trouble)
            else:
                log(f"report: the outbox cannot be opened ({trouble}); messages are kept in memory")
        except OSError as trouble:
            log(f"report: the outbox cannot be made ({trouble.strerror}); messages are kept in memory")
        self._drop_oldest()

    def _connect(self) -> sqlite3.Connection:
        self._path.parent.mkdir(parents=True, exist_ok=True)
        db = sqlite3.connect(self._path, timeout=_BUSY_S)
        try:
            db.execute("PRAGMA journal_mode = TRUNCATE")
            db.execute("PRAGMA synchronous = FULL")
            if not db.execute("SELECT count(*) FROM sqlite_schema").fetchone()[0]:
                db.executescript(f"BEGIN; PRAGMA user_version = {FORMAT}; {_SCHEMA} COMMIT;")
            self._check(db)
        except BaseException:
            db.close()
            raise
        return db

    def _check(self, db: sqlite3.Connection) -> None:
        """Refuse a file that is torn or not ours. Raises sqlite3.DatabaseError."""
        version = db.execute("PRAGMA user_version").fetchone()[0]
        if version != FORMAT:
            msg = f"it has format {version}, not {FORMAT}"
            raise sqlite3.DatabaseError(msg)
        with closing(db.execute("PRAGMA quick_check(1)")) as cursor:
            verdict = cursor.fetchone()[0]
        counters = db.execute("SELECT last_id, dropped FROM counter").fetchall()
        if verdict != "ok" or len(counters) != 1:
            msg = "its pages do not fit together"
            raise sqlite3.DatabaseError(msg)
        last_id, dropped = counters[0]
        newest = db.execute("SELECT coalesce(max(id), 0) FROM outbox").fetchone()[0]
        self._last_id = max(self._last_id, last_id, newest)
        self._dropped = max(self._dropped, dropped)

    def _start_over(self, damage: sqlite3.DatabaseError) -> None:
        self.close()
        aside = self._path.with_suffix(".damaged")
        log(f"report: the outbox is damaged ({damage}); it is kept as {aside.name} and a new one begins")
        self._dropped += 1
        try:
            self._path.replace(aside)
            # A journal left behind would be played back into the new file (sqlite.org/howtocorrupt.html, 1.4).
            self._path.with_name(self._path.name + "-journal").unlink(missing_ok=True)
            self._db = self._connect()
        except (sqlite3.Error, OSError) as trouble:
            log(f"report: no new outbox could be made ({trouble}); messages are kept in memory")


def _is_damage(trouble: sqlite3.DatabaseError) -> bool:
    """Whether the file is torn or not ours; full, read-only, busy or unreadable it may be sound and stays in place."""
    if not isinstance(trouble, sqlite3.OperationalError):
        return True
    return trouble.sqlite_errorcode == sqlite3.SQLITE_ERROR  # "no such table" and the like
