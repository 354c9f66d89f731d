"""Every test here runs twice: on a SQLite file, and in a database of a real PostgreSQL server."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import psycopg
import pytest

from provisioning import store_engine, stores
from provisioning.store import Door
from provisioning.store_sql import SqlStore
from tools.postgresql import INSTALL, Server, programs, running

KEY = "ab" * 32
FRONT = "00" * 8


@dataclass(frozen=True, slots=True)
class Place:
    """Where a fleet is kept: what `stores` is told, and a way in past it."""

    folder: Path
    url: str | None

    def opened(self, patience_s: float = 10.0) -> SqlStore:
        """A store of its own, as another program on another computer has one."""
        stores.opened(self.folder, self.url)
        return stores.at(self.folder, self.url, patience_s)

    def raw(self, statement: str) -> list[tuple[Any, ...]]:
        """What the database answers, asked directly."""
        if self.url is None:
            with closing(sqlite3.connect(self.folder / stores.FILE, isolation_level=None)) as database:
                return database.execute(statement).fetchall()
        with psycopg.connect(self.url.replace("+psycopg", ""), autocommit=True) as connection:
            cursor = connection.execute(statement)
            return list(cursor.fetchall()) if cursor.description else []


@pytest.fixture(autouse=True)
def _hasty(monkeypatch: pytest.MonkeyPatch) -> None:
    """No test here cuts the power; one looks at how long the store waits for the disk, and undoes this."""
    monkeypatch.setattr(store_engine, "SYNCHRONOUS", "OFF")


@pytest.fixture(scope="session")
def _server() -> Iterator[Server]:
    if programs() is None:
        pytest.skip(INSTALL)
    with running() as server:
        yield server


@pytest.fixture(params=["sqlite", "postgresql"])
def empty(request: pytest.FixtureRequest, tmp_path: Path) -> Place:
    """A place without a fleet."""
    if request.param == "sqlite":
        return Place(tmp_path, None)
    server: Server = request.getfixturevalue("_server")
    return Place(tmp_path, server.emptied())


@pytest.fixture
def place(empty: Place) -> Place:
    """A place with a fleet of one door, "Front"."""
    store = stores.create(empty.folder, empty.url, KEY)
    store.add_door(Door("Front", FRONT, created_unix=1_800_000_000))
    return empty


@pytest.fixture
def store(place: Place) -> SqlStore:
    """The store of that fleet."""
    return place.opened()
