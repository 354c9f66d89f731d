"""A database that is locked, full, damaged, away, or not ours: one sentence, and nothing applied by halves."""

from __future__ import annotations

import re
import sqlite3
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import ExitStack, closing, contextmanager
from pathlib import Path

import psycopg
import pytest
from sqlalchemy import event

from provisioning import stores
from provisioning.errors import FleetFault
from provisioning.store import Door, Slot
from provisioning.store_sql import SqlStore
from tests.contract.store.conftest import KEY, Place
from tests.contract.store.test_doors import EVERY_CHANGE, anything
from tools.postgresql import Server

ROOT = Path(__file__).parents[3]


def one_sentence(raised: pytest.ExceptionInfo[Exception]) -> str:
    said = str(raised.value)
    assert "\n" not in said
    assert "sqlalche" not in said.lower()
    return said


@contextmanager
def held(place: Place) -> Iterator[None]:
    """Another program is in the middle of something."""
    if place.url is None:
        with closing(sqlite3.connect(place.folder / stores.FILE, isolation_level=None)) as other:
            other.execute("BEGIN IMMEDIATE")
            yield
        return
    with psycopg.connect(place.url.replace("+psycopg", "")) as other:
        other.execute("SELECT * FROM doors FOR UPDATE")
        yield
        other.rollback()


@pytest.mark.parametrize("change", EVERY_CHANGE)
def test_a_store_that_somebody_holds_is_not_waited_for_for_ever(place: Place, change: str) -> None:
    store = place.opened(patience_s=0.05)
    before = store.doors(), store.acts(100)
    with held(place), pytest.raises(FleetFault, match="held by another program") as raised:
        EVERY_CHANGE[change](store)
    one_sentence(raised)
    assert (store.doors(), store.acts(100)) == before
    EVERY_CHANGE[change](store)


def test_whoever_only_reads_is_not_held_up(place: Place) -> None:
    store = place.opened(patience_s=0.05)
    with held(place):
        assert [door.name for door in store.doors()] == ["Front"]
        assert store.door("Front").version == 0


def fill_the_disk(place: Place, store: SqlStore) -> None:
    """No room for an act any more. SQLite is allowed no further page; PostgreSQL says what it says without a disk."""
    if place.url is not None:
        place.raw(
            "CREATE FUNCTION full_disk() RETURNS trigger LANGUAGE plpgsql AS "
            "$$ BEGIN RAISE EXCEPTION USING ERRCODE = 'disk_full'; END $$"
        )
        place.raw("CREATE TRIGGER full_disk BEFORE INSERT ON acts EXECUTE FUNCTION full_disk()")
        return

    @event.listens_for(store.engine, "connect")
    def _no_further_page(connection: sqlite3.Connection, _record: object) -> None:
        connection.execute("PRAGMA max_page_count = 1").close()  # SQLite makes it what is there

    for command in ("x" * 64, ""):  # large ones first, then small ones into what room they left
        with pytest.raises(FleetFault, match="is full"):
            record_for_ever(store, command)


def record_for_ever(store: SqlStore, command: str) -> None:
    while True:
        store.record(command)


@pytest.mark.parametrize("change", EVERY_CHANGE)
def test_a_full_disk_changes_nothing(place: Place, store: SqlStore, change: str) -> None:
    fill_the_disk(place, store)
    before = store.doors(), store.labels("Front"), store.certificates("Front"), store.acts(2000)
    with pytest.raises(FleetFault, match="is full; nothing was changed") as raised:
        EVERY_CHANGE[change](store)
    one_sentence(raised)
    assert (store.doors(), store.labels("Front"), store.certificates("Front"), store.acts(2000)) == before


@pytest.mark.parametrize(
    "damage",
    [
        "UPDATE doors SET document_key = 'zz'",
        "UPDATE doors SET id = '00', version = 1",
        "UPDATE doors SET state = 'lost'",
        "UPDATE doors SET created_unix = -1",
        "UPDATE doors SET joined_unix = 999999999999",
        "INSERT INTO slots VALUES ('0000000000000000', 1, 1, 5, -1, 0)",
        "INSERT INTO slots VALUES ('0000000000000000', 1, 1, 5, 1000000000000, 0)",
        "INSERT INTO slots VALUES ('0000000000000000', 1, 1, 5, 9, 256)",
        "INSERT INTO slots VALUES ('0000000000000000', 1, 4294967296, 5, 9, 0)",
    ],
)
def test_a_row_that_no_program_of_ours_wrote_is_damage(place: Place, store: SqlStore, damage: str) -> None:
    place.raw(damage)
    uses: list[Callable[[], object]] = [store.doors, lambda: store.door("Front"), lambda: EVERY_CHANGE["policy"](store)]
    for use in uses:
        with pytest.raises(FleetFault, match="damaged; restore it from your copy") as raised:
            use()
        one_sentence(raised)


@pytest.mark.parametrize("damage", ["UPDATE doors SET version = -1", "UPDATE doors SET version = 4294967296"])
def test_the_database_itself_refuses_a_version_out_of_range(place: Place, damage: str) -> None:
    with pytest.raises(Exception, match=r"(?i)check constraint|violates check"):
        place.raw(damage)


def test_a_fleet_whose_key_is_damaged_is_not_opened(place: Place) -> None:
    place.raw("UPDATE fleet SET public_key = 'zz'")
    with pytest.raises(FleetFault, match="damaged"):
        place.opened()


def test_a_fault_of_the_check_itself_is_not_the_databases(store: SqlStore) -> None:
    def broken(_door: Door) -> None:
        msg = "something else"
        raise FleetFault(msg)

    with pytest.raises(FleetFault, match=r"^something else$"):
        store.reserve_policy("Front", b"?", broken)


# ---- SQLite alone


def test_a_commit_waits_for_the_disk_and_its_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.undo()  # what conftest hurries
    with closing(stores.create(tmp_path, None, KEY).engine.connect()) as connection:
        extra = 3  # https://www.sqlite.org/pragma.html#pragma_synchronous
        assert connection.exec_driver_sql("PRAGMA synchronous").scalar() == extra
        assert connection.exec_driver_sql("PRAGMA journal_mode").scalar() == "delete"
        assert connection.exec_driver_sql("PRAGMA foreign_keys").scalar() == 1


# ---- PostgreSQL alone


@pytest.fixture
def server(request: pytest.FixtureRequest) -> Server:
    found: Server = request.getfixturevalue("_server")
    return found


@pytest.fixture
def fleet(server: Server, tmp_path: Path) -> Place:
    """A fleet on the server."""
    place = Place(tmp_path, server.emptied())
    stores.create(place.folder, place.url, KEY).add_door(Door("Front", "00" * 8))
    return place


def test_a_server_that_goes_away_in_the_middle_changes_nothing(fleet: Place) -> None:
    store = fleet.opened()

    def cut(_door: Door) -> None:
        """Whoever runs the server ends this connection now."""
        fleet.raw(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity "
            "WHERE pid <> pg_backend_pid() AND datname = current_database()"
        )

    with pytest.raises(FleetFault) as raised:
        store.reserve_offer("Front", Slot(1, 0, 5), cut)
    assert re.search("cannot be (reached|read or written)", one_sentence(raised))
    assert store.door("Front").version == 0
    assert store.reserve_offer("Front", Slot(1, 0, 5), anything).version == 1


def test_a_server_that_is_not_there_is_one_sentence(tmp_path: Path) -> None:
    url = f"postgresql+psycopg://me@/fleet?host={tmp_path}"
    for use in (stores.exists, stores.opened, stores.upgrade):
        with pytest.raises(FleetFault, match=r'the database "fleet" on .* cannot be reached') as raised:
            use(tmp_path, url)
        one_sentence(raised)


def test_a_database_that_is_not_there_is_one_sentence(server: Server, tmp_path: Path) -> None:
    with pytest.raises(FleetFault, match=r'the database "nowhere" on .*does not exist') as raised:
        stores.opened(tmp_path, server.url("nowhere"))
    one_sentence(raised)


def test_a_database_of_somebody_else_is_left_alone(server: Server, tmp_path: Path) -> None:
    url = server.new_database("theirs")
    with server.connect("theirs") as theirs:
        theirs.execute("CREATE TABLE doors (colour text)")
    with pytest.raises(FleetFault, match="cannot be read or written") as raised:
        stores.create(tmp_path, url, KEY)
    one_sentence(raised)
    assert not stores.exists(tmp_path, url)
    with server.connect("theirs") as theirs:
        assert theirs.execute("SELECT tablename FROM pg_tables WHERE schemaname = 'public'").fetchall() == [("doors",)]


def test_a_password_comes_from_the_environment_or_a_file(
    server: Server, fleet: Place, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert fleet.url is not None
    with server.connect() as connection:
        connection.execute("DROP ROLE IF EXISTS guarded")
        connection.execute("CREATE ROLE guarded SUPERUSER LOGIN PASSWORD 'open sesame'")
    url = fleet.url.replace("doorward@", "guarded@")
    with pytest.raises(FleetFault, match=r"cannot be reached.*password") as raised:
        stores.opened(fleet.folder, url)
    one_sentence(raised)
    monkeypatch.setenv("PGPASSWORD", "wrong")
    with pytest.raises(FleetFault, match=r"cannot be reached.*password") as raised:
        stores.opened(fleet.folder, url)
    assert "wrong" not in one_sentence(raised)
    monkeypatch.delenv("PGPASSWORD")
    (tmp_path / "pgpass").write_text("*:*:*:guarded:open sesame\n")
    (tmp_path / "pgpass").chmod(0o600)
    monkeypatch.setenv("PGPASSFILE", str(tmp_path / "pgpass"))
    assert stores.opened(fleet.folder, url).door("Front").version == 0


def test_a_commit_is_on_disk_whatever_the_servers_settings_say(fleet: Place) -> None:
    assert fleet.url is not None
    place = Place(fleet.folder, fleet.url + "&options=-csynchronous_commit%3Doff")
    assert place.raw("SHOW synchronous_commit") == [("off",)]
    with place.opened().engine.begin() as connection:
        assert connection.exec_driver_sql("SHOW synchronous_commit").scalar() == "on"


def test_two_who_begin_a_fleet_at_once_begin_one(server: Server, tmp_path: Path) -> None:
    url = server.new_database("begun_twice")
    program = (
        "import sys, pathlib; from provisioning import stores; import provisioning.migrations.runner\n"
        "sys.stdout.write('ready\\n'); sys.stdout.flush(); sys.stdin.readline()\n"
        "try: stores.create(pathlib.Path(sys.argv[1]), sys.argv[2], sys.argv[3]); print('begun')\n"
        "except ValueError as refused: print(refused)"
    )
    both = []
    with ExitStack() as stack:
        for key in (KEY, "cd" * 32):
            command = [sys.executable, "-c", program, str(tmp_path), url, key]
            piped = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, cwd=ROOT)
            both.append(stack.enter_context(piped))
        for process in both:
            assert process.stdout is not None
            assert process.stdout.readline() == "ready\n"
        for process in both:
            assert process.stdin is not None
            process.stdin.write("now\n")
            process.stdin.flush()
        said = [process.communicate()[0].strip() for process in both]
    assert sorted(said) == [
        "begun",
        'there is a fleet in the database "begun_twice" on ' + str(server.folder) + " already",
    ]
    begun = said.index("begun")
    assert stores.opened(tmp_path, url).public_key() == (KEY, "cd" * 32)[begun]
