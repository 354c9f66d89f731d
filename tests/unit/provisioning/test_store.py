"""The fleet's file, and the address of its database; tests/contract/store asks both what a store does."""

from __future__ import annotations

import os
import sqlite3
from contextlib import closing, suppress
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any
from urllib.parse import quote

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sqlalchemy import event

from provisioning import store_schema, stores
from provisioning.errors import FleetFault, FleetRefused
from provisioning.store import Door, Slot
from provisioning.store_sql import SqlStore
from tests.support import quick_fleet

KEY = "ab" * 32


def anything(_door: Door) -> None:
    """No reason to refuse."""


@pytest.fixture
def store(tmp_path: Path) -> SqlStore:
    store = stores.create(tmp_path, None, KEY)
    store.add_door(Door("Front", "00" * 8))
    return store


def test_everything_is_for_its_owner_alone(store: SqlStore, tmp_path: Path) -> None:
    seen: set[str] = set()

    @event.listens_for(store.engine, "before_cursor_execute")
    def _look(*_args: object) -> None:
        seen.update(f"{path.name} {path.stat().st_mode & 0o777:o}" for path in tmp_path.iterdir())

    store.reserve_offer("Front", Slot(1, 0, 5), anything)
    store.reserve_policy("Front", bytes(100_000), anything)
    seen.update(f"{path.name} {path.stat().st_mode & 0o777:o}" for path in tmp_path.iterdir())
    assert seen <= {"fleet.sqlite 600", "fleet.sqlite-journal 600"}
    assert [path.name for path in tmp_path.iterdir()] == ["fleet.sqlite"]


@pytest.mark.parametrize("step", ["fdopen", "fsync", "link"])
def test_a_fleet_that_cannot_be_begun_leaves_no_file(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, step: str
) -> None:
    def fails(*args: Any, **_more: Any) -> None:
        if step == "fdopen":
            os.close(args[0])
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, step, fails)
    with pytest.raises(FleetFault, match="No space left"):
        stores.create(tmp_path, None, KEY)
    monkeypatch.undo()
    assert list(tmp_path.iterdir()) == []


def test_a_fleet_is_never_begun_over_another(store: SqlStore, tmp_path: Path) -> None:
    assert store.public_key() == KEY
    before = (tmp_path / stores.FILE).read_bytes()
    with pytest.raises(FleetRefused, match="exists already"):
        stores.create(tmp_path, None, "cd" * 32)
    assert (tmp_path / stores.FILE).read_bytes() == before


def test_what_is_refused_leaves_the_file_as_it_was(store: SqlStore, tmp_path: Path) -> None:
    before = (tmp_path / stores.FILE).read_bytes()
    with pytest.raises(FleetRefused, match="no door named"):
        store.reserve_offer("Cellar", Slot(1, 0, 5), anything)
    assert (tmp_path / stores.FILE).read_bytes() == before


@given(st.binary(max_size=300))
def test_arbitrary_bytes_are_no_store(content: bytes) -> None:
    with TemporaryDirectory() as folder:
        (Path(folder) / stores.FILE).write_bytes(content)
        for use in (stores.opened, stores.upgrade):
            with pytest.raises(FleetFault, match="damaged"):
                use(Path(folder), None)
        assert (Path(folder) / stores.FILE).read_bytes() == content


WHOLE = quick_fleet.make(KEY)


def test_the_copy_that_other_tests_begin_with_is_what_the_steps_make() -> None:
    assert store_schema.new_file is quick_fleet.new_file
    held = []
    for content in (WHOLE, quick_fleet.new_file(KEY)):
        with closing(sqlite3.connect(":memory:")) as memory:
            memory.deserialize(content)
            held.append(list(memory.iterdump()))
    assert held[0] == held[1]
    assert KEY in "".join(held[0])


@pytest.mark.slow
@given(st.integers(0, len(WHOLE) - 1), st.integers(1, 255))
@settings(max_examples=40)
def test_a_byte_that_turned_is_a_fault_or_does_no_harm(at: int, by: int) -> None:
    """SQLite has no sums over its pages, so that some damage is not seen; none ends in anything but a sentence."""
    with TemporaryDirectory() as folder:
        damaged = bytearray(WHOLE)
        damaged[at] ^= by
        (Path(folder) / stores.FILE).write_bytes(damaged)
        with suppress(FleetFault, FleetRefused):
            store = stores.opened(Path(folder), None)
            store.add_door(Door("Front", "00" * 8))
            assert store.reserve_offer("Front", Slot(1, 0, 5), anything).version == 1


@pytest.mark.parametrize("size", [0, 1, 100, 4095, 4096, 20_000])
def test_a_file_that_was_cut_off_is_damaged(tmp_path: Path, size: int) -> None:
    (tmp_path / stores.FILE).write_bytes(WHOLE[:size])
    with pytest.raises(FleetFault, match="damaged"):
        stores.opened(tmp_path, None).add_door(Door("Front", "00" * 8))


def test_a_database_of_another_program_is_no_fleet(tmp_path: Path) -> None:
    with closing(sqlite3.connect(tmp_path / stores.FILE)) as other:
        other.execute("CREATE TABLE doors (colour TEXT)")
    with pytest.raises(FleetFault, match="damaged"):
        stores.opened(tmp_path, None)


@pytest.mark.parametrize(
    "damage",
    [
        "UPDATE doors SET name = x'00'",
        "UPDATE doors SET policy = 'x'",
        "UPDATE doors SET version = 'x'",
        "UPDATE doors SET version = 1.5",
        "UPDATE doors SET state = x'00'",
        "UPDATE doors SET document_key = 7",
    ],
)
def test_sqlite_takes_anything_and_we_do_not(store: SqlStore, tmp_path: Path, damage: str) -> None:
    with closing(sqlite3.connect(tmp_path / stores.FILE)) as database, database:
        database.execute("PRAGMA ignore_check_constraints = ON")
        database.execute(damage)
    with pytest.raises(FleetFault, match="damaged"):
        store.doors()


def test_a_folder_may_have_any_name(tmp_path: Path) -> None:
    folder = tmp_path / "a ?mode=ro&x=%20#東"
    folder.mkdir()
    stores.create(folder, None, KEY).add_door(Door("Front", "00" * 8))
    assert [path.name for path in folder.iterdir()] == [stores.FILE]
    assert len(stores.opened(folder, None).doors()) == 1


# ---- the address of a server


@pytest.mark.parametrize(
    "url",
    [
        "postgresql+psycopg://me:open-sesame@host/doors",
        "postgresql://me:open-sesame@host/doors",
        "postgresql+psycopg://me:@host/doors",
        "postgresql+psycopg://me@host/doors?password=open-sesame",
        "postgresql+psycopg://me@host/doors?sslmode=require&password=open-sesame",
        "postgresql+psycopg:///?service=x&password=open-sesame",
        "postgresql+psycopg://me@host/doors?sslpassword=open-sesame",
    ],
)
def test_an_address_with_a_password_is_refused_and_not_repeated(tmp_path: Path, url: str) -> None:
    with pytest.raises(FleetRefused, match="PGPASSFILE") as refused:
        stores.opened(tmp_path, url)
    assert "sesame" not in str(refused.value)


@pytest.mark.parametrize("secret", ["a@b", "a/b", "a:b", "%20", "?", "#"])
def test_a_password_with_any_sign_is_never_repeated(tmp_path: Path, secret: str) -> None:
    for written in (secret, quote(secret, safe="")):
        with pytest.raises((FleetRefused, FleetFault)) as refused:
            stores.at(tmp_path, f"postgresql+psycopg://me:{written}sesame@host/doors")
        assert "sesame" not in str(refused.value)


@pytest.mark.parametrize(
    "url",
    [
        "",
        "fleet.sqlite",
        "sqlite:///fleet.sqlite",
        "mysql://me@host/doors",
        "postgresql+asyncpg://me@host/doors",
        "postgresql+psycopg://me@host",
        "postgresql+psycopg://me@host/",
        "postgresql+psycopg://me@host:port/doors",
        "://",
        "postgresql+psycopg://[::1/doors",
    ],
)
def test_what_is_no_address_of_a_server_is_one_sentence(tmp_path: Path, url: str) -> None:
    with pytest.raises(FleetRefused, match=r"^a store's address looks like postgresql\+psycopg://"):
        stores.opened(tmp_path, url)


@pytest.mark.parametrize(
    ("url", "place"),
    [
        ("postgresql+psycopg://me@db.example/doors", 'the database "doors" on db.example'),
        ("postgresql://me@db.example/doors", 'the database "doors" on db.example'),
        ("postgresql+psycopg:///doors", 'the database "doors" on this computer'),
        ("postgresql+psycopg:///doors?host=/run/pg", 'the database "doors" on /run/pg'),
        ("postgresql+psycopg:///?service=office", 'the database of the service "office"'),
    ],
)
def test_a_server_is_called_by_its_database_and_host(tmp_path: Path, url: str, place: str) -> None:
    assert stores.at(tmp_path, url).place == place


def test_a_server_that_does_not_answer_is_not_waited_for_for_ever(tmp_path: Path) -> None:
    assert stores.at(tmp_path, "postgresql:///doors").engine.url.query["connect_timeout"] == "10"
    assert stores.at(tmp_path, "postgresql:///doors?connect_timeout=3").engine.url.query["connect_timeout"] == "3"
