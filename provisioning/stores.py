"""Where a fleet's store is: `fleet.sqlite` in the fleet's folder, or a PostgreSQL database by its address.

Rules kept here:
- A new file appears whole or not at all, readable by its owner alone, and never takes another's place.
- A store that is opened is one that can be used: there, of a fleet, and of this program's version.
- The act of whoever is logged in is noted under the account's name.
"""

from __future__ import annotations

import os
import pwd
import time
from pathlib import Path

from provisioning import files, store_schema
from provisioning.errors import FleetFault, FleetRefused
from provisioning.store_engine import PATIENCE_S, READING, place_of, postgresql_engine, sqlite_engine, told
from provisioning.store_sql import SqlStore
from provisioning.store_tables import REVISIONS

FILE = "fleet.sqlite"
_OLD_FILE = "fleet.json"


def at(folder: Path, url: str | None, patience_s: float = PATIENCE_S) -> SqlStore:
    """The store of the fleet in `folder`, whether it is there or not. Raises FleetRefused for a bad address."""
    if url is None:
        path = folder / FILE
        return SqlStore(sqlite_engine(path, patience_s), str(path), _account(), _now)
    engine = postgresql_engine(url, patience_s)
    return SqlStore(engine, place_of(engine.url), _account(), _now)


def exists(folder: Path, url: str | None) -> bool:
    """Whether there is a store of a fleet. Raises FleetRefused or FleetFault."""
    if url is None:
        try:
            _refuse_old(folder)
            return (folder / FILE).exists()
        except OSError as cause:
            msg = f"the fleet in {folder} cannot be read: {cause.strerror}"
            raise FleetFault(msg) from cause
    store = at(folder, url)
    with told(store.place), store.engine.execution_options(**{READING: True}).begin() as connection:
        return store_schema.revision(connection) is not None


def create(folder: Path, url: str | None, public_key: str) -> SqlStore:
    """A new store. Raises FleetRefused if there is one."""
    store = at(folder, url)
    if url is None:
        files.create(folder / FILE, store_schema.new_file(public_key))
    else:
        with told(store.place), store.engine.begin() as connection:
            store_schema.make(connection, store.place, public_key)
    store.record("fleet init")
    return store


def opened(folder: Path, url: str | None) -> SqlStore:
    """The store of the fleet in `folder`. Raises FleetRefused if there is none, or it is of another version."""
    _refuse_missing(folder, url)
    store = at(folder, url)
    store.public_key()
    return store


def upgrade(folder: Path, url: str | None) -> bool:
    """Bring a store to this program's version; False if it was there already. Raises FleetRefused or FleetFault."""
    _refuse_missing(folder, url)
    store = at(folder, url)
    with told(store.place), store.engine.begin() as connection:
        before = store_schema.upgrade(connection, store.place)
    if before == REVISIONS[-1]:
        return False
    store.record("fleet upgrade")
    return True


def _refuse_missing(folder: Path, url: str | None) -> None:
    if exists(folder, url):
        return
    if url is None:
        msg = (
            f"there is no fleet in {folder}; `doorward fleet init` makes one, and `--store` names the database of one "
            "that is kept on a server"
        )
    else:
        msg = f"there is no fleet in {at(folder, url).place}; `doorward fleet init` makes one"
    raise FleetRefused(msg)


def _refuse_old(folder: Path) -> None:
    if (folder / _OLD_FILE).exists() and not (folder / FILE).exists():
        msg = (
            f"{folder} holds the fleet of a doorward from before the first release, which this one cannot read "
            f"({_OLD_FILE}); begin a new fleet in another folder"
        )
        raise FleetRefused(msg)


def _account() -> str:
    uid = os.getuid()
    try:
        return pwd.getpwuid(uid).pw_name
    except KeyError:  # an account of a directory server that is away, or of a container
        return f"uid {uid}"


def _now() -> int:
    return int(time.time())
