"""The fleet's key is replaced: in one step, once, and each door is asked whether it knows."""

from __future__ import annotations

from dataclasses import replace

import pytest

from provisioning.errors import FleetFault, FleetRefused
from provisioning.store import Door, DoorState, LabelState
from provisioning.store_sql import SqlStore
from tests.contract.store.conftest import FRONT, KEY, Place
from tests.contract.store.test_doors import anything, never, reserve

NEW = "cd" * 32


@pytest.fixture
def rotated(store: SqlStore) -> SqlStore:
    """A fleet whose key was replaced while it had two doors, one of them given up."""
    store.add_door(Door("Old", "11" * 8))
    store.retire("Old", 9, anything)
    reserve(store, "Front", 1)
    store.rotate(KEY, NEW)
    return store


def test_every_door_that_stands_believes_the_old_key_and_a_later_one_the_new(rotated: SqlStore, place: Place) -> None:
    rotated.add_door(Door("Later", "22" * 8))
    for store in (rotated, place.opened()):
        assert store.public_key() == NEW
        assert {door.name: door.manager_key for door in store.doors()} == {"Front": KEY, "Later": "", "Old": ""}
        assert [store.door(name).believes(NEW) for name in ("Front", "Later")] == [KEY, NEW]


def test_a_key_is_replaced_by_whoever_knows_it(rotated: SqlStore) -> None:
    before = rotated.doors(), rotated.acts(99)
    with pytest.raises(FleetRefused, match="another key already"):
        rotated.rotate(KEY, "ef" * 32)
    assert (rotated.public_key(), rotated.doors(), rotated.acts(99)) == (NEW, *before)
    assert rotated.acts(1)[0].command == "fleet rotate"


def test_what_is_no_key_replaces_none(store: SqlStore) -> None:
    with pytest.raises(FleetFault):
        store.rotate(KEY, "cd")
    assert (store.public_key(), store.door("Front").manager_key) == (KEY, "")


def test_a_version_is_taken_once_for_it_and_from_then_on_the_new_key_signs(rotated: SqlStore) -> None:
    told = rotated.reserve_succession("Front", anything)
    assert (told.version, told.succession, told.believes(NEW)) == (2, 2, NEW)
    reserve(rotated, "Front", 1)
    again = rotated.reserve_succession("Front", anything)
    assert again == replace(told, version=3, slots=again.slots)
    known = rotated.acknowledge("Front", anything)
    assert (known.version, known.succession, known.manager_key, known.believes(NEW)) == (3, None, "", NEW)


def test_a_door_that_knows_is_neither_told_nor_asked(store: SqlStore) -> None:
    before = store.doors(), store.acts(99)
    for change in (store.reserve_succession, store.acknowledge):
        with pytest.raises(FleetRefused, match="knows the key"):
            change("Front", anything)
    assert (store.doors(), store.acts(99)) == before


def test_what_a_check_refuses_changes_nothing(rotated: SqlStore) -> None:
    before = rotated.doors(), rotated.acts(99)
    for change in (rotated.reserve_succession, rotated.acknowledge):
        with pytest.raises(FleetRefused, match="never"):
            change("Front", never)
    assert (rotated.doors(), rotated.acts(99)) == before


def test_nothing_is_made_for_a_door_that_was_given_up_meanwhile(rotated: SqlStore) -> None:
    rotated.retire("Front", 9, anything)
    for change in (rotated.reserve_succession, rotated.acknowledge):
        with pytest.raises(FleetRefused, match="retired"):
            change("Front", anything)
    assert rotated.door("Front").state is DoorState.RETIRED


def test_a_label_that_names_the_old_key_is_revoked_and_a_new_one_brings_the_new_key(store: SqlStore) -> None:
    store.add_label("Front", "ef" * 32, (1, 2**31), anything)
    store.rotate(KEY, NEW)
    assert [label.state for label in store.labels("Front")] == [LabelState.REVOKED]
    with pytest.raises(FleetRefused, match="revoked"):
        store.claim(FRONT, bytes.fromhex("ef" * 32), 5)
    store.add_label("Front", "01" * 32, (1, 2**31), anything)
    assert store.door("Front").manager_key == KEY, "printed is not joined"
    assert store.claim(FRONT, bytes.fromhex("01" * 32), 5).manager_key == ""


@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE doors SET manager_key = 'zz' WHERE name = 'Front'",
        "UPDATE doors SET manager_key = 'abab' WHERE name = 'Front'",
        "UPDATE doors SET succession = 5000000000 WHERE name = 'Front'",
    ],
)
def test_a_row_that_no_program_wrote_is_damage(rotated: SqlStore, place: Place, statement: str) -> None:
    place.raw(statement)
    with pytest.raises(FleetFault, match="damaged"):
        rotated.door("Front")
