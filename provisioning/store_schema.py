"""Which step of `migrations` a fleet's database stands at, and how it gets to the last.

Rules kept here:
- A database is used at exactly the step this program was written for. An older one is upgraded when somebody says so,
  with a copy in hand; a newer one is refused: an older program would not know what it must keep.
- An upgrade is one transaction.
- alembic, which takes a while to load, is loaded only where tables are made.
"""

from __future__ import annotations

import sqlite3
from contextlib import closing

import sqlalchemy as sa
from sqlalchemy.pool import StaticPool

from provisioning.errors import FleetRefused
from provisioning.store_engine import damaged
from provisioning.store_tables import REVISIONS, VERSION_TABLE, FleetRow

HEAD = REVISIONS[-1]
_ADVISORY_LOCK = int.from_bytes(b"doorward")  # any number that no other program of this server takes


def revision(connection: sa.Connection) -> str | None:
    """The step the database stands at; None if it holds no fleet."""
    if not sa.inspect(connection).has_table(VERSION_TABLE):
        return None
    found = connection.execute(sa.select(sa.column("version_num")).select_from(sa.table(VERSION_TABLE))).scalar()
    return str(found)


def refuse_other(connection: sa.Connection, place: str) -> None:
    """Raise FleetRefused unless the database `place` stands at the last step; FleetFault if it holds no fleet."""
    found = revision(connection)
    if found == HEAD:
        return
    if found is None:
        raise damaged(place)
    if found in REVISIONS:
        msg = f"{place} was made by an older doorward; make a copy of it, then run `doorward fleet upgrade`"
        raise FleetRefused(msg)
    raise _newer(place)


def make(connection: sa.Connection, place: str, public_key: str) -> None:
    """Make all tables on `connection`, in its transaction, and begin the fleet. Raises FleetRefused if there is one."""
    _hold(connection)
    if revision(connection) is not None:
        msg = f"there is a fleet in {place} already"
        raise FleetRefused(msg)
    from provisioning.migrations.runner import climb

    climb(connection, HEAD)
    connection.execute(sa.insert(FleetRow).values(number=1, public_key=public_key))


def upgrade(connection: sa.Connection, place: str) -> str:
    """Bring the tables to the last step, in the transaction of `connection`; returns the step they stood at."""
    _hold(connection)
    found = revision(connection)
    if found is None:
        raise damaged(place)
    if found not in REVISIONS:
        raise _newer(place)
    from provisioning.migrations.runner import climb

    climb(connection, HEAD)
    return found


def new_file(public_key: str) -> bytes:
    """The content of a new fleet's SQLite file."""
    with closing(sqlite3.connect(":memory:", isolation_level=None)) as memory:
        engine = sa.create_engine("sqlite://", creator=lambda: memory, poolclass=StaticPool)
        with engine.begin() as connection:
            make(connection, ":memory:", public_key)
        return memory.serialize()


def _hold(connection: sa.Connection) -> None:
    """Let whoever else makes tables here wait. SQLite's file is held already."""
    if connection.dialect.name == "postgresql":
        connection.exec_driver_sql(f"SELECT pg_advisory_xact_lock({_ADVISORY_LOCK})")


def _newer(place: str) -> FleetRefused:
    return FleetRefused(f"{place} was made by a newer doorward; use that one, or a newer one still")
