"""How the fleet's database is reached: a file in the fleet's folder, or a PostgreSQL server.

Rules kept here:
- A transaction that changes something is alone: SQLite is locked before it reads, PostgreSQL's rows are held (the store
  asks for them), and a commit returns only when it is on disk, whatever the server's settings say.
- A password is never an argument: an address that holds one is refused, and libpq finds it (PGPASSFILE, PGPASSWORD).
- Nobody waits for ever: not for a lock, and not for a server that is away.
- What a driver complains of becomes one sentence here; nothing of SQLAlchemy leaves the store.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from urllib.parse import quote

import sqlalchemy as sa
from sqlalchemy import event, exc
from sqlalchemy.engine import make_url
from sqlalchemy.pool import NullPool

from provisioning.errors import FleetFault, FleetRefused

PATIENCE_S = 10  # for a lock that another program holds, and for a server's first answer
# EXTRA is FULL, and syncs the folder as well after the journal is gone: without that a power cut right after a commit
# could bring back what was before it, and with it a version that was handed out.
SYNCHRONOUS = "EXTRA"
READING = "doorward_reading"  # an execution option: this transaction changes nothing
_DRIVER = "postgresql+psycopg"
_FULL, _HELD, _DAMAGED = "full", "held", "damaged"
# https://www.sqlite.org/rescode.html (the primary codes), PostgreSQL 15 manual, appendix A
_KINDS = {
    sqlite3.SQLITE_FULL: _FULL,
    sqlite3.SQLITE_BUSY: _HELD,
    sqlite3.SQLITE_LOCKED: _HELD,
    sqlite3.SQLITE_CORRUPT: _DAMAGED,
    sqlite3.SQLITE_NOTADB: _DAMAGED,
    "53100": _FULL,
    "55P03": _HELD,
    "40P01": _HELD,
    "40001": _HELD,
    "XX001": _DAMAGED,
    "XX002": _DAMAGED,
}


def sqlite_engine(path: Path, patience_s: float = PATIENCE_S) -> sa.Engine:
    """The engine for the file `path`, which must exist when the first connection is made."""

    def connect() -> sqlite3.Connection:
        return sqlite3.connect(
            f"file:{quote(str(path.absolute()))}?mode=rw", uri=True, timeout=patience_s, isolation_level=None
        )

    engine = sa.create_engine("sqlite+pysqlite://", creator=connect, poolclass=NullPool)

    @event.listens_for(engine, "connect")
    def _prepare(connection: sqlite3.Connection, _record: object) -> None:
        for pragma in (f"synchronous = {SYNCHRONOUS}", "foreign_keys = ON", "trusted_schema = OFF"):
            connection.execute(f"PRAGMA {pragma}").close()

    @event.listens_for(engine, "begin")
    def _begin(connection: sa.Connection) -> None:
        reading = connection.get_execution_options().get(READING)
        connection.exec_driver_sql("BEGIN" if reading else "BEGIN IMMEDIATE")

    return engine


def postgresql_engine(url: str, patience_s: float = PATIENCE_S) -> sa.Engine:
    """The engine for a server. Raises FleetRefused for an address that is none, or that holds a password."""
    try:
        address = make_url(url)
    except (exc.ArgumentError, ValueError) as cause:
        raise _no_address() from cause
    if address.drivername not in (_DRIVER, "postgresql") or not (address.database or "service" in address.query):
        raise _no_address()
    if address.password is not None or {"password", "sslpassword"} & set(address.query):
        msg = (
            "the store's address holds a password, which others can see; take it out, and put it into a file that "
            "PGPASSFILE names, or into PGPASSWORD"
        )
        raise FleetRefused(msg)
    address = address.set(drivername=_DRIVER)
    if "connect_timeout" not in address.query:
        address = address.update_query_dict({"connect_timeout": str(PATIENCE_S)})
    try:
        engine = sa.create_engine(address, poolclass=NullPool)
    except ImportError as cause:
        msg = "PostgreSQL needs the package psycopg, which is not installed: pip install 'doorward[manager]'"
        raise FleetFault(msg) from cause

    @event.listens_for(engine, "begin")
    def _begin(connection: sa.Connection) -> None:
        connection.exec_driver_sql(f"SET LOCAL lock_timeout = {round(patience_s * 1000)}")
        if connection.get_execution_options().get(READING):
            connection.exec_driver_sql("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ, READ ONLY")
        else:
            connection.exec_driver_sql("SET LOCAL synchronous_commit = on")

    return engine


def place_of(address: sa.URL) -> str:
    """What errors call the database at `address`."""
    if not address.database:
        return f'the database of the service "{address.query["service"]}"'
    return f'the database "{address.database}" on {address.host or address.query.get("host") or "this computer"}'


@contextmanager
def told(place: str) -> Iterator[None]:
    """Turn what the database or its driver raise into FleetFault, one sentence each. `place` names the store."""
    try:
        yield
    except (exc.SQLAlchemyError, sqlite3.Error) as cause:
        raise _fault(place, cause) from cause


def _fault(place: str, cause: Exception) -> FleetFault:
    found = cause.orig if isinstance(cause, exc.DBAPIError) else cause
    code = getattr(found, "sqlstate", None)
    if isinstance(found, sqlite3.Error):
        code = getattr(found, "sqlite_errorcode", 0) & 0xFF  # the primary code; the rest is detail
    kind = _KINDS.get(code) if code is not None else None
    if kind == _FULL:
        return FleetFault(f"the disk of {place} is full; nothing was changed")
    if kind == _HELD:
        return FleetFault(f"{place} is held by another program; nothing was changed, so try again when it is done")
    if kind == _DAMAGED:
        return damaged(place)
    if isinstance(cause, exc.DBAPIError) and code is None and not isinstance(found, sqlite3.Error):
        return FleetFault(f"{place} cannot be reached: {_first_line(found)}")
    return FleetFault(f"{place} cannot be read or written: {_first_line(found)}")


def damaged(place: str) -> FleetFault:
    """What a store says whose content no program of ours wrote."""
    return FleetFault(f"{place} is damaged; restore it from your copy")


def _first_line(cause: object) -> str:
    return str(cause).strip().partition("\n")[0]


def _no_address() -> FleetRefused:
    return FleetRefused("a store's address looks like postgresql+psycopg://USER@HOST/DATABASE, without a password")
