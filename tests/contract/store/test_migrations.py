"""From one release to the next: the tables are what the program maps, and what was in them lives on."""

from __future__ import annotations

from contextlib import closing

import pytest
import sqlalchemy as sa
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory

from provisioning import stores
from provisioning.errors import FleetFault, FleetRefused
from provisioning.migrations.runner import climb, configuration
from provisioning.store import Door, Slot
from provisioning.store_sql import SqlStore
from provisioning.store_tables import REVISIONS, VERSION_TABLE, Row
from tests.contract.store.conftest import FRONT, KEY, Place
from tests.contract.store.test_doors import reserve


@pytest.fixture
def old(empty: Place) -> Place:
    """A fleet that the first of all releases made: one door with a place and a policy."""
    if empty.url is None:
        (empty.folder / stores.FILE).touch(0o600)
    engine = stores.at(empty.folder, empty.url).engine
    with engine.begin() as connection:
        climb(connection, REVISIONS[0])
        fleet = sa.table("fleet", sa.column("number"), sa.column("public_key"))
        connection.execute(sa.insert(fleet).values(number=1, public_key=KEY))
        columns = ("id", "name", "version", "policy", "reporting", "document_key")
        doors = sa.table("doors", *[sa.column(name) for name in columns])
        connection.execute(
            sa.insert(doors).values(dict(zip(columns, (FRONT, "Front", 7, b"?", b"", KEY), strict=True)))
        )
        connection.exec_driver_sql("INSERT INTO slots VALUES ('0000000000000000', 12, 3, 5, 9, 1)")
    return empty


def differences(store: SqlStore, metadata: sa.MetaData = Row.metadata) -> list[object]:
    with closing(store.engine.connect()) as connection:
        options = {"compare_type": True, "compare_server_default": True, "version_table": VERSION_TABLE}
        return list(compare_metadata(MigrationContext.configure(connection, opts=options), metadata))


def tables(place: Place) -> set[str]:
    with closing(stores.at(place.folder, place.url).engine.connect()) as connection:
        return set(sa.inspect(connection).get_table_names())


def test_the_steps_are_one_line_that_ends_where_the_program_stands() -> None:
    script = ScriptDirectory.from_config(configuration())
    assert tuple(reversed([step.revision for step in script.walk_revisions()])) == REVISIONS


def test_the_tables_are_what_the_program_maps(store: SqlStore) -> None:
    assert differences(store) == []


def test_a_mapping_that_ran_ahead_of_the_steps_would_be_caught(store: SqlStore) -> None:
    ahead = sa.MetaData(naming_convention=Row.metadata.naming_convention)
    for table in Row.metadata.tables.values():
        table.to_metadata(ahead)
    ahead.tables["doors"].append_column(sa.Column("colour", sa.String(8)))
    assert [change[0] for change in differences(store, ahead) if isinstance(change, tuple)] == ["add_column"]


def test_an_upgraded_fleet_keeps_all_it_had_and_goes_on(old: Place) -> None:
    assert stores.upgrade(old.folder, old.url)
    store = old.opened()
    door = Door("Front", FRONT, 7, (Slot(12, 3, 5, 9, 1),), "3f", KEY)
    assert (store.public_key(), store.doors()) == (KEY, (door,))
    assert [act.command for act in store.acts(9)] == ["fleet upgrade"]
    assert (reserve(store, "Front", 12).version, store.door("Front").slots[0].serial) == (8, 4)
    assert not stores.upgrade(old.folder, old.url)


def test_upgraded_tables_are_those_of_a_new_fleet(old: Place) -> None:
    stores.upgrade(old.folder, old.url)
    assert differences(old.opened()) == []


def test_an_older_fleet_says_what_to_run_and_is_left_alone(old: Place) -> None:
    with pytest.raises(FleetRefused, match=r"older doorward; .*`doorward fleet upgrade`"):
        stores.opened(old.folder, old.url)
    assert "acts" not in tables(old)


def test_a_newer_fleet_is_refused_by_every_door(place: Place, store: SqlStore) -> None:
    place.raw("UPDATE doorward_revision SET version_num = '9999'")
    for using in (store.doors, place.opened, lambda: stores.upgrade(place.folder, place.url)):
        with pytest.raises(FleetRefused, match="newer doorward"):
            using()
    assert place.raw("SELECT version_num FROM doorward_revision") == [("9999",)]


def test_an_upgrade_that_fails_half_way_has_changed_nothing(old: Place) -> None:
    """Its last table exists already, when all the others are made."""
    old.raw("CREATE TABLE acts (something INTEGER)")
    before = tables(old)
    with pytest.raises(FleetFault, match="cannot be read or written"):
        stores.upgrade(old.folder, old.url)
    assert tables(old) == before
    assert old.raw("SELECT version_num FROM doorward_revision") == [(REVISIONS[0],)]
    old.raw("DROP TABLE acts")
    assert stores.upgrade(old.folder, old.url)


def test_a_place_without_a_fleet_is_not_upgraded_into_one(empty: Place) -> None:
    with pytest.raises(FleetRefused, match="no fleet in"):
        stores.upgrade(empty.folder, empty.url)
    with pytest.raises(FleetRefused, match="no fleet in"):
        stores.opened(empty.folder, empty.url)
    assert not stores.exists(empty.folder, empty.url)
