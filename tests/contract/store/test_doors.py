"""Doors, places and documents' numbers: whole or not at all, and numbers that only grow."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import pytest

from provisioning import stores
from provisioning.errors import FleetRefused
from provisioning.store import HIGHEST, Certificate, Door, DoorState, Reserved, Slot
from provisioning.store_sql import SqlStore
from tests.contract.store.conftest import FRONT, KEY, Place


def anything(_door: Door) -> None:
    """No reason to refuse."""


def never(_door: Door) -> None:
    msg = "never"
    raise FleetRefused(msg)


def reserve(store: SqlStore, door: str, slot: int, expires_unix: int = 5, ends_unix: int = 0) -> Reserved:
    return store.reserve_offer(door, Slot(slot, 0, expires_unix, ends_unix), anything)


def certificate(serial: str, door_id: str = FRONT) -> Certificate:
    return Certificate(door_id, serial, 1_800_000_000, 1_830_000_000, "cd" * 32)


EVERY_CHANGE: dict[str, Callable[[SqlStore], object]] = {
    "identify": lambda store: store.identify("Front", KEY, anything),
    "offer": lambda store: reserve(store, "Front", 1),
    "withdrawal": lambda store: store.reserve_withdrawal("Front", 1, 7, anything),
    "policy": lambda store: store.reserve_policy("Front", b"?", anything),
    "reporting": lambda store: store.reserve_reporting("Front", b"!", anything),
    "label": lambda store: store.add_label("Front", "ef" * 32, (1, 2), anything),
    "certificate": lambda store: store.add_certificate("Front", certificate("01"), anything),
    "certificate by hand": lambda store: store.note_certificate("Front", certificate("02"), anything),
    "retire": lambda store: store.retire("Front", 9, anything),
}
REFUSED: dict[str, Callable[[SqlStore], object]] = {
    "identify": lambda store: store.identify("Front", KEY, never),
    "offer": lambda store: store.reserve_offer("Front", Slot(1, 0, 5), never),
    "withdrawal": lambda store: store.reserve_withdrawal("Front", 1, 7, never),
    "policy": lambda store: store.reserve_policy("Front", b"?", never),
    "reporting": lambda store: store.reserve_reporting("Front", b"!", never),
    "label": lambda store: store.add_label("Front", "ef" * 32, (1, 2), never),
    "certificate": lambda store: store.add_certificate("Front", certificate("01"), never),
    "certificate by hand": lambda store: store.note_certificate("Front", certificate("02"), never),
    "join": lambda store: store.join("Front", KEY, certificate("01"), 9, never),
    "retire": lambda store: store.retire("Front", 9, never),
}


def test_what_was_stored_is_read_back(place: Place, store: SqlStore) -> None:
    store.add_door(Door("东门", "11" * 8, document_key=KEY, created_unix=7))
    reserved = reserve(store, "东门", 7, 1_900_000_000)
    assert (reserved.version, reserved.serial) == (1, 1)
    store.reserve_policy("东门", bytes(range(256)), anything)
    store.reserve_reporting("东门", b"\0\1", anything)
    again = place.opened()
    assert again.public_key() == KEY
    eastern = Door("东门", "11" * 8, 3, (Slot(7, 1, 1_900_000_000),), bytes(range(256)).hex(), KEY, "0001")
    assert again.doors() == (
        Door("Front", FRONT, created_unix=1_800_000_000),
        replace(eastern, created_unix=7),
    )
    assert again.door("东门") == again.doors()[1]


def test_doors_stand_in_the_order_of_their_names_letter_by_letter(store: SqlStore) -> None:
    names = ["b", "B", "Ä", "a b", "ab", "10", "9", "Front"]
    for number, name in enumerate(names[:-1], 1):
        store.add_door(Door(name, f"{number:016x}"))
    assert [door.name for door in store.doors()] == sorted(names)


def test_places_stand_in_the_order_of_their_numbers(store: SqlStore) -> None:
    for number in (12, 3, 9999, 1):
        seen = reserve(store, "Front", number).door.slots
        assert seen == store.door("Front").slots
    assert [slot.number for slot in store.door("Front").slots] == [1, 3, 12, 9999]


def test_the_end_of_a_place_is_kept_and_a_new_offer_brings_its_own(store: SqlStore) -> None:
    reserve(store, "Front", 7, 1_900_000_000, 2_000_000_000)
    assert store.door("Front").slots == (Slot(7, 1, 1_900_000_000, 2_000_000_000),)
    reserve(store, "Front", 7, 1_900_000_000)
    assert store.door("Front").slots == (Slot(7, 2, 1_900_000_000, 0),)


def test_versions_grow_per_door_and_serials_per_slot(store: SqlStore) -> None:
    store.add_door(Door("Back", "11" * 8))
    got = [reserve(store, door, slot) for door, slot in (("Front", 1), ("Front", 2), ("Back", 1), ("Front", 1))]
    assert [(each.version, each.serial) for each in got] == [(1, 1), (2, 1), (1, 1), (3, 2)]
    assert store.reserve_policy("Front", b"?", anything).version == 4
    assert store.reserve_reporting("Front", b"?", anything).version == 5


def test_a_door_is_added_once(store: SqlStore) -> None:
    with pytest.raises(FleetRefused, match="named"):
        store.add_door(Door("Front", "22" * 8))
    with pytest.raises(FleetRefused, match="id"):
        store.add_door(Door("Other", FRONT))
    assert len(store.doors()) == 1


def test_an_unknown_door_gets_nothing(store: SqlStore) -> None:
    acts = store.acts(100)
    with pytest.raises(FleetRefused, match='no door named "Cellar"'):
        reserve(store, "Cellar", 1)
    for read in (store.door, store.labels, store.certificates):
        with pytest.raises(FleetRefused, match='no door named "Cellar"'):
            read("Cellar")
    assert store.acts(100) == acts


def test_a_fleet_is_begun_once(place: Place, store: SqlStore) -> None:
    assert stores.exists(place.folder, place.url)
    with pytest.raises((FleetRefused, OSError)):
        stores.create(place.folder, place.url, "cd" * 32)
    assert store.public_key() == KEY
    assert len(store.doors()) == 1


def test_a_used_up_number_is_refused_and_not_begun_anew(place: Place, store: SqlStore) -> None:
    reserve(store, "Front", 1)
    place.raw("UPDATE slots SET serial = 4294967295")
    with pytest.raises(FleetRefused, match="used up"):
        reserve(store, "Front", 1)
    assert store.door("Front").version == 1
    place.raw("UPDATE doors SET version = 4294967295")
    for reserving in ("offer", "withdrawal", "policy", "reporting"):
        with pytest.raises(FleetRefused, match="used up"):
            EVERY_CHANGE[reserving](store)
    assert store.door("Front").version == HIGHEST


@pytest.mark.parametrize("change", REFUSED)
def test_what_a_check_refuses_is_not_done_and_not_noted(store: SqlStore, change: str) -> None:
    before = store.doors(), store.labels("Front"), store.certificates("Front"), store.acts(100)
    with pytest.raises(FleetRefused, match="never"):
        REFUSED[change](store)
    assert (store.doors(), store.labels("Front"), store.certificates("Front"), store.acts(100)) == before


@pytest.mark.parametrize("change", EVERY_CHANGE)
def test_every_change_is_noted_once_with_its_author_and_door(store: SqlStore, change: str) -> None:
    before = store.acts(100)
    EVERY_CHANGE[change](store)
    (act,) = store.acts(100)[len(before) :]
    assert (act.who, act.door_id) == (store.who, FRONT)
    assert store.acts(1) == (act,)


@pytest.mark.parametrize("change", EVERY_CHANGE)
def test_nothing_is_made_for_a_retired_door(store: SqlStore, change: str) -> None:
    store.retire("Front", 9, anything)
    before = store.doors(), store.acts(100)
    with pytest.raises(FleetRefused, match="retired"):
        EVERY_CHANGE[change](store)
    assert (store.doors(), store.acts(100)) == before


def test_a_retired_door_keeps_nothing_that_stands(store: SqlStore) -> None:
    store.add_label("Front", "ef" * 32, (1, 2), anything)
    store.add_certificate("Front", certificate("01"), anything)
    door = store.retire("Front", 9, anything)
    assert (door.state, door.certificate_serial, door.not_after_unix) == (DoorState.RETIRED, None, None)
    assert [label.state.value for label in store.labels("Front")] == ["revoked"]
    assert [each.revoked_unix for each in store.certificates("Front")] == [9]


def test_an_act_without_a_change_is_noted_too(store: SqlStore) -> None:
    store.record("broker config")
    assert (store.acts(1)[0].command, store.acts(1)[0].door_id) == ("broker config", "")
